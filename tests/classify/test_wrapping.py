"""Bring your own model: every kind of it, its gradients, its size, what goes wrong with it."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from torch import nn

import napari_channelmix as cm
from napari_channelmix.classify import ForeignClassifier
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.errors import BundleError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.data import Cells

CHANNELS, CLASSES = ["noise", "signal", "other"], ["dark", "bright"]
NAMES: dict[str, Any] = {
    "channels": CHANNELS,
    "classes": CLASSES,
    "mean": [100.0, 100.0, 100.0],
    "std": [3.0, 500.0, 0.01],
}


class Middle(nn.Module):
    """Scores of the mean of channel 1; dropout, which is off in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        middle = self.gain * self.drop(x[:, 1]).mean(dim=(1, 2))
        return torch.stack([-middle, middle], dim=1)


def module() -> nn.Module:
    return Middle()


def torchscript() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(Middle().eval(), torch.zeros(2, 3, 12, 12))


def frozen() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.freeze(torchscript())


def exported() -> Any:
    n = torch.export.Dim("n", min=1, max=4096)
    return torch.export.export(
        Middle().eval(), (torch.zeros(2, 3, 12, 12),), dynamic_shapes=({0: n},)
    )


def exported_module() -> nn.Module:
    return exported().module()


def function() -> Callable[..., Any]:
    def scores(x: Any) -> Any:
        middle = x[:, 1].mean(axis=(1, 2))
        return np.stack([-middle, middle], axis=1)

    return scores


def session() -> Any:
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    return runtime.InferenceSession(onnx_bytes(onnx), providers=["CPUExecutionProvider"])


def onnx_bytes(onnx: Any) -> bytes:
    helper, kinds = onnx.helper, onnx.TensorProto
    weight = np.array([[0, 0], [-1, 1], [0, 0]], np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["scores"]),
        ],
        "middle",
        [helper.make_tensor_value_info("x", kinds.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("scores", kinds.FLOAT, ["n", 2])],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


MODULES = [module, torchscript, frozen, exported, exported_module]
KINDS = [*MODULES, function, session]


@pytest.fixture
def wanted(cells: Cells) -> np.ndarray[Any, Any]:
    """Probabilities of these scores, by hand."""
    x = (cells.read() - np.reshape(NAMES["mean"], (3, 1, 1))) / np.reshape(NAMES["std"], (3, 1, 1))
    bright = 1 / (1 + np.exp(-2 * x[:, 1].mean(axis=(1, 2))))
    return np.stack([1 - bright, bright], axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_predicts_by_names_and_in_raw_units(
    kind: Callable[[], Any], cells: Cells, wanted: np.ndarray[Any, Any]
) -> None:
    model = cm.wrap(kind(), **NAMES)
    assert isinstance(model, ForeignClassifier)
    turned = cells.with_channels(["signal", "other", "noise"])
    np.testing.assert_allclose(model.predict_proba(turned), wanted, atol=1e-5)
    with pytest.raises(ModelError, match=r"needs the channels .* \(missing: signal\)"):
        model.predict_proba(cells.with_channels(["noise", "other"]))


@pytest.mark.parametrize("kind", MODULES)
def test_gradients_pass_through_every_kind_of_module(kind: Callable[[], Any], cells: Cells) -> None:
    maps = cm.explain(cm.wrap(kind(), **NAMES), cells.subset(slice(3)), "bright", check=False)
    assert (maps.method, maps.mode) == ("pcim", "autograd")
    assert maps.classes == tuple(CLASSES)
    assert not any("black box" in line for line in maps.warnings)
    # Every kind gives the maps of the module.
    of_module = cm.explain(
        cm.wrap(Middle(), **NAMES), cells.subset(slice(3)), "bright", check=False
    )
    np.testing.assert_allclose(maps.maps, of_module.maps, atol=1e-4)


@pytest.mark.parametrize("kind", [function, session])
def test_what_only_predicts_is_explained_as_a_black_box(
    kind: Callable[[], Any], cells: Cells
) -> None:
    maps = cm.explain(cm.wrap(kind(), **NAMES), cells.subset(slice(2)), forwards=40, check=False)
    assert maps.mode == "blackbox"


def test_a_network_of_a_bundle_has_the_same_maps_when_it_is_wrapped(
    trained: Any, cells: Cells
) -> None:
    few = cells.subset(slice(4))
    names: dict[str, Any] = {
        name: getattr(trained, name) for name in ("channels", "classes", "mean", "std")
    }
    maps = cm.explain(cm.wrap(trained.network, **names), few, check=False)
    own = cm.explain(trained, few, check=False)
    # Crops are normalised in another order of sums, which the search for a map makes larger.
    for one, other in zip(maps.maps, own.maps, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.999
    np.testing.assert_allclose(
        maps.probabilities, trained.predict_proba(few, prior="balanced"), atol=1e-5
    )


def test_a_module_without_gradients_is_explained_as_a_black_box_and_says_why(cells: Cells) -> None:
    class Cut(Middle):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x).detach()

    model = cm.wrap(Cut(), **NAMES)
    assert model.may_have_gradients
    maps = cm.explain(model, cells.subset(slice(2)), forwards=40, check=False)
    assert maps.mode == "blackbox"
    assert any("gives no gradients (" in line for line in maps.warnings)
    assert not model.may_have_gradients


def test_a_module_in_training_mode_is_asked_in_evaluation_mode_and_left_as_it_was(
    cells: Cells, wanted: np.ndarray[Any, Any]
) -> None:
    net = Middle().train()
    np.testing.assert_allclose(cm.wrap(net, **NAMES).predict_proba(cells), wanted, atol=1e-5)
    assert net.training and net.drop.training


def rows(cells: Cells) -> Any:
    return cells.read().reshape(len(cells), -1)


def words(cells: Cells) -> Any:
    x = rows(cells)
    return np.array(["dark", "bright"])[(x.mean(axis=1) > np.median(x.mean(axis=1))).astype(int)]


def means(crops: Any) -> Any:
    return crops.mean(axis=(2, 3))


def test_an_estimator_brings_its_classes_and_gets_rows_of_pixels(cells: Cells) -> None:
    x, y = rows(cells), words(cells)
    estimator = make_pipeline(StandardScaler(), PCA(2), LogisticRegression()).fit(x, y)
    model = cm.wrap(estimator, channels=CHANNELS)
    assert model.classes == ("bright", "dark")
    with pytest.warns(UserWarning, match="as a row of numbers"):
        np.testing.assert_allclose(
            model.predict_proba(cells), estimator.predict_proba(x), atol=1e-6
        )
    with pytest.raises(ModelError, match="its classes are in the order bright, dark"):
        cm.wrap(estimator, channels=CHANNELS, classes=["dark", "bright"])


def test_a_pipeline_that_makes_its_own_features_gets_crops(cells: Cells) -> None:
    y = words(cells)
    estimator = make_pipeline(FunctionTransformer(means), LogisticRegression())
    estimator.fit(cells.read(), y)
    model = cm.wrap(estimator, channels=CHANNELS)
    np.testing.assert_allclose(
        model.predict_proba(cells), estimator.predict_proba(cells.read()), atol=1e-6
    )
    assert not model.notes


def test_a_decision_function_is_offered_and_said(cells: Cells) -> None:
    x, y = rows(cells), words(cells)
    estimator = make_pipeline(StandardScaler(), RidgeClassifier()).fit(x, y)
    model = cm.wrap(estimator, channels=CHANNELS)
    assert model.output == "one_logit"
    with pytest.warns(UserWarning, match="a decision function and no probabilities"):
        shown = model.predict_proba(cells)
    np.testing.assert_allclose(
        shown[:, 1], 1 / (1 + np.exp(-estimator.decision_function(x))), atol=1e-5
    )


@pytest.mark.parametrize(
    "classes",
    [
        pd.Categorical(["bright", "dark"], categories=["dark", "bright"]),
        pd.Series(["bright", "dark"], dtype=pd.CategoricalDtype(["dark", "bright"])),
        np.array(["dark", "bright"]),
        pd.Index(["dark", "bright"]),
    ],
)
def test_classes_may_be_text_or_categories(classes: Any) -> None:
    model = cm.wrap(Middle(), channels=CHANNELS, classes=classes)
    assert model.classes == ("dark", "bright")


class OfSize(nn.Module):
    """Takes crops of 24 pixels and no others."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 24 * 24, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.flatten(1))


def test_crops_of_another_size_are_refused_before_one_is_read(cells: Cells) -> None:
    model = cm.wrap(OfSize(), size=24, **NAMES)
    for ask in (model.predict_proba, lambda of: cm.explain(model, of)):
        with pytest.raises(ModelError, match=r"takes crops of 24 x 24 .*12 x 12; .*crop = 24"):
            ask(cells)


def test_crops_are_resized_where_that_is_said(cells: Cells) -> None:
    net = OfSize()
    model = cm.wrap(net, size=24, resize=True, **{**NAMES, "mean": 0.0, "std": 1.0})
    assert any("resized to 24 x 24" in line for line in model.warnings)
    large = nn.functional.interpolate(
        torch.from_numpy(cells.read()), size=(24, 24), mode="bilinear"
    )
    with torch.no_grad():
        by_hand = torch.softmax(net(large), dim=1).numpy()
    with pytest.warns(UserWarning, match="resized"):
        np.testing.assert_allclose(model.predict_proba(cells), by_hand, atol=2e-3)
    maps = cm.explain(model, cells.subset(slice(2)), check=False)
    assert maps.mode == "autograd"
    assert maps.maps.shape == (2, 12, 12)


def test_a_module_that_needs_another_size_is_told_which(cells: Cells) -> None:
    class Wants64(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.shape[2:] != (64, 64):
                raise ValueError("wrong\nsize")
            return x.mean(dim=(2, 3))[:, :2]

    with pytest.raises(ModelError, match=r"failed: .*takes crops of 64 pixels.*size=64") as error:
        cm.wrap(Wants64(), **NAMES).predict_proba(cells)
    assert "\n" not in str(error.value)


def test_a_model_that_changes_is_said_for_predictions_and_refused_for_edits(cells: Cells) -> None:
    class OfBatch(Middle):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x - 3 * x.mean(dim=0, keepdim=True))

    class OfChance(Middle):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x + torch.randn_like(x[:, :, :1, :1]))

    for net, says in ((OfBatch(), "depend on the other crops"), (OfChance(), "when run again")):
        model = cm.wrap(net, output="logits", **NAMES)
        with pytest.warns(UserWarning, match=says):
            model.predict_proba(cells)
        with pytest.raises(ModelError, match="changes its answer from call to call"):
            cm.what_if(model, cells)


def test_chance_is_seen_however_far_apart_the_columns_lie(cells: Cells) -> None:
    class OfChance(Middle):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores = super().forward(x + torch.randn_like(x[:, :, :1, :1]))
            return scores + scores.new_tensor([0.0, 1000.0])

    with pytest.warns(UserWarning, match="when run again"):
        cm.wrap(OfChance(), output="logits", **NAMES).predict_proba(cells)


def test_an_estimator_of_several_labels_is_refused() -> None:
    rows, labels = np.eye(6), np.arange(12).reshape(6, 2) % 2
    forest = RandomForestClassifier(2, random_state=0).fit(rows, labels)
    with pytest.raises(ModelError, match="predicts 2 labels of each cell; wrap the estimator of"):
        cm.wrap(forest, channels=CHANNELS)


def test_an_estimator_fitted_on_a_table_with_names_is_asked_without_a_word(cells: Cells) -> None:
    rows = pd.DataFrame(cells.read().reshape(len(cells), -1)).add_prefix("pixel ")
    forest = RandomForestClassifier(2, random_state=0).fit(rows, np.arange(len(cells)) % 2)
    model = cm.wrap(forest, channels=CHANNELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "the wrapped RandomForestClassifier")
        assert model.predict_proba(cells).shape == (len(cells), 2)


def test_what_is_no_finished_model_is_refused_in_one_line(tmp_path: Path, cells: Cells) -> None:

    class OnlyPredicts:
        def predict(self, x: Any) -> Any:
            return x

    torch.save(Middle().state_dict(), tmp_path / "weights.pt")
    (tmp_path / "forest.joblib").write_bytes(pickle.dumps({"a": 1}))
    faults: list[tuple[Any, type[Exception], str]] = [
        (Middle().state_dict(), ModelError, "a state dict: weights without a network"),
        (Middle, ModelError, "is a class, not a model"),
        (LogisticRegression(), ModelError, "is not fitted yet; call its fit first"),
        (OnlyPredicts(), ModelError, "predict alone"),
        (nn.LazyLinear(2), ModelError, "lazy layers"),
        (3, ModelError, "a classifier or a function is needed, not int"),
        (tmp_path / "weights.pt", BundleError, "a state dict or checkpoint of PyTorch"),
        (tmp_path / "forest.joblib", BundleError, "pickle"),
        (tmp_path / "none.onnx", BundleError, "no such file"),
    ]
    for model, kind, says in faults:
        with pytest.raises(kind, match=says) as error:
            cm.wrap(model, **NAMES)
        assert "\n" not in str(error.value)


def test_names_and_numbers_that_do_not_fit_are_refused() -> None:
    net = Middle()
    faults: list[tuple[dict[str, Any], str]] = [
        ({"classes": None}, "name the classes"),
        ({"classes": ["a"]}, "a is the only class, and a classifier tells two or more apart"),
        ({"classes": ["a", "a"]}, "two classes have one name"),
        ({"classes": ["a", float("nan")]}, "name 2 of 2 is empty"),
        ({"channels": []}, "name the channels"),
        ({"mean": [1.0, 2.0]}, "mean has 2 numbers for 3 channels"),
        ({"mean": "high"}, "mean must be a number"),
        ({"std": 0.0}, "std must be finite, above 0"),
        ({"output": "odds"}, "output 'odds' is unknown"),
        ({"size": 0}, "size 0: give a side in pixels"),
        ({"size": (3, 4, 5)}, "give a side in pixels"),
        ({"resize": True}, "resize needs the size"),
    ]
    for change, says in faults:
        with pytest.raises(ModelError, match=says):
            cm.wrap(net, **{**NAMES, **change})


def test_a_size_may_be_any_whole_number() -> None:
    assert cm.wrap(Middle(), size=np.int64(12), **NAMES).sides == (12, 12)


def test_features_with_nan_are_one_line_with_a_remedy(cells: Cells) -> None:
    y = words(cells)

    def holes(crops: Any) -> Any:
        return np.where(np.arange(3) == 1, np.nan, means(crops))

    def spared(crops: Any) -> Any:
        return means(crops)

    fitted = LogisticRegression().fit(means(cells.read()), y)
    estimator = make_pipeline(FunctionTransformer(spared), fitted).fit(cells.read(), y)
    estimator.steps[0][1].func = holes
    model = cm.wrap(estimator, channels=CHANNELS)
    with pytest.raises(ModelError, match=r"features have NaN.*SimpleImputer") as error:
        model.predict_proba(cells)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", [module, torchscript, exported, session])
def test_wrapped_models_go_to_other_processes_and_keep_their_hash(
    kind: Callable[[], Any], cells: Cells
) -> None:
    inside = kind()
    model = cm.wrap(inside, **NAMES)
    before = model.predict_proba(cells)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(cells), before)
    assert model_hash(again) == model_hash(model)
    assert model_hash(cm.wrap(inside, **NAMES)) == model_hash(model)
    assert model_hash(cm.wrap(inside, **{**NAMES, "std": 1.0})) != model_hash(model)


def test_other_weights_are_another_model_and_so_is_a_function_of_which_nothing_is_known(
    cells: Cells,
) -> None:
    net = Middle()
    before = model_hash(cm.wrap(net, **NAMES))
    with torch.no_grad():
        net.gain += 1
    assert model_hash(cm.wrap(net, **NAMES)) != before
    scores = function()
    one, other = cm.wrap(scores, **NAMES), cm.wrap(scores, **NAMES)
    assert model_hash(one) == model_hash(other)
    holder = object()

    def of_an_object(crops: Any) -> Any:
        assert holder is not None
        return scores(crops)

    one, other = cm.wrap(of_an_object, **NAMES), cm.wrap(of_an_object, **NAMES)
    assert model_hash(one) == model_hash(one)
    assert model_hash(one) != model_hash(other)


def test_other_code_or_another_attribute_is_another_model() -> None:
    class Scaled(Middle):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.factor = factor

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.factor * super().forward(x)

    def squared() -> type[Middle]:
        class Scaled(Middle):
            factor = 1.0

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return super().forward(x) ** 2

        Scaled.__qualname__ = qualname
        return Scaled

    qualname = Scaled.__qualname__
    once, twice = (model_hash(cm.wrap(Scaled(factor), **NAMES)) for factor in (1.0, 2.0))
    assert once == model_hash(cm.wrap(Scaled(1.0), **NAMES))
    assert len({once, twice, model_hash(cm.wrap(squared()(), **NAMES))}) == 3
