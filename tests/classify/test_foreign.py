"""Models made elsewhere: ONNX, TorchScript, torch.export, functions; what they get wrong."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix.classify import ForeignClassifier, load_model
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

CHANNELS, CLASSES = ["noise", "signal", "other"], ["dark", "bright"]
MEAN, STD = [100.0, 100.0, 100.0], [3.0, 500.0, 0.01]
Names = dict[str, Any]

NAMES: Names = {"channels": CHANNELS, "classes": CLASSES}

FUNCTION = """
import numpy as np
open({trace!r}, "w").close()
NUMBER = 3
def scores(x):
    middle = x[:, 1].mean(axis=(1, 2))
    return np.stack([-middle, middle], axis=1)
"""


class Middle(nn.Module):
    """Scores of the mean of channel 1, as the ONNX graph below and FUNCTION give them."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        middle = x[:, 1].mean(dim=(1, 2))
        return torch.stack([-middle, middle], dim=1)


@pytest.fixture
def wanted(cells: Cells) -> np.ndarray[Any, Any]:
    """Probabilities of these scores, by hand."""
    x = (cells.read() - np.reshape(MEAN, (3, 1, 1))) / np.reshape(STD, (3, 1, 1))
    middle = x[:, 1].mean(axis=(1, 2))
    bright = 1 / (1 + np.exp(-2 * middle))
    return np.stack([1 - bright, bright], axis=1)


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
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
    path = tmp_path / "model.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path
    )
    return path


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Python module ``strangers.models`` that leaves a trace when it is imported."""
    folder = tmp_path / "strangers"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "models.py").write_text(FUNCTION.format(trace=str(tmp_path / "trace")))
    (folder / "broken.py").write_text("raise RuntimeError('no\\nluck')\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "strangers"]:
        monkeypatch.delitem(sys.modules, name)
    return "strangers.models"


def torchscript(path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(Middle(), torch.zeros(2, 3, 12, 12)), path)
    return path


def exported(path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        n = torch.export.Dim("n", min=1, max=4096)
        program = torch.export.export(
            Middle(), (torch.zeros(2, 3, 12, 12),), dynamic_shapes=({0: n},)
        )
        torch.export.save(program, path)
    return path


def test_an_onnx_model_predicts_what_its_graph_says(
    onnx_file: Path, cells: Cells, wanted: np.ndarray[Any, Any]
) -> None:
    model = load_model(onnx_file, mean=MEAN, std=STD, **NAMES)
    assert isinstance(model, ForeignClassifier)
    np.testing.assert_allclose(model.predict_proba(cells), wanted, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(cells.read(), batch=7), wanted, atol=1e-5)
    np.testing.assert_array_equal(model.predict(cells), wanted.argmax(axis=1))


@pytest.mark.parametrize(
    ("write", "name"), [(torchscript, "m.pt"), (torchscript, "m.ts"), (exported, "m.pt2")]
)
def test_torch_files_predict_and_only_with_consent(
    write: Callable[[Path], Path],
    name: str,
    cells: Cells,
    wanted: np.ndarray[Any, Any],
    tmp_path: Path,
) -> None:
    path = write(tmp_path / name)
    with pytest.raises(ModelError, match=r"runs code of its maker; .*allow_code=True.*ONNX"):
        load_model(path, **NAMES)
    model = load_model(path, mean=MEAN, std=STD, allow_code=True, **NAMES)
    np.testing.assert_allclose(model.predict_proba(cells), wanted, atol=1e-5)


def test_a_function_predicts_and_is_imported_only_with_consent(
    module: str, cells: Cells, wanted: np.ndarray[Any, Any], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="runs code of its maker"):
        load_model(f"{module}:scores", **NAMES)
    assert not (tmp_path / "trace").exists()
    model = load_model(f"{module}:scores", mean=MEAN, std=STD, allow_code=True, **NAMES)
    assert (tmp_path / "trace").exists()
    np.testing.assert_allclose(model.predict_proba(cells), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("strangers.models:absent", "cannot be imported .*absent"),
        ("strangers.models:NUMBER", "is not a function"),
        ("strangers.gone:scores", "cannot be imported"),
        ("strangers.broken:scores", r"cannot be imported \(RuntimeError: no luck\)"),
    ],
)
@pytest.mark.usefixtures("module")
def test_a_function_that_cannot_be_imported_is_one_line(name: str, says: str) -> None:
    with pytest.raises(ModelError, match=says) as said:
        load_model(name, allow_code=True, **NAMES)
    assert str(said.value).startswith(name)


@pytest.mark.parametrize("name", ["m.onnx", "m.pt", "m.pt2"])
@pytest.mark.filterwarnings("ignore")
def test_damaged_and_missing_files_are_one_line(tmp_path: Path, name: str) -> None:
    if name.endswith("onnx"):
        pytest.importorskip("onnxruntime")
    with pytest.raises(ModelError, match=rf"{name}: no such file"):
        load_model(tmp_path / name, allow_code=True, **NAMES)
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match=rf"{name}: not a readable") as said:
        load_model(tmp_path / name, allow_code=True, **NAMES)
    assert "\n" not in str(said.value)


def test_a_checkpoint_that_calls_itself_torchscript_is_refused(tmp_path: Path) -> None:
    torch.save(Middle().state_dict(), tmp_path / "m.pt")
    with pytest.raises(ModelError, match="not a readable TorchScript file"):
        load_model(tmp_path / "m.pt", allow_code=True, **NAMES)


def test_onnxruntime_that_is_absent_is_named_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"napari-channelmix\[onnx\]"):
        load_model(tmp_path / "m.onnx", **NAMES)


@pytest.mark.parametrize("lacking", ["channels", "classes"])
def test_names_that_the_file_does_not_carry_must_be_given(onnx_file: Path, lacking: str) -> None:
    with pytest.raises(ModelError, match="name the channels and the classes"):
        load_model(onnx_file, **{**NAMES, lacking: None})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mean": [1.0, 2.0]}, "mean has 2 numbers for 3 channels"),
        ({"std": 0.0}, "std must be finite, above 0"),
        ({"std": [1.0, -1.0, 1.0]}, "std must be finite, above 0"),
        ({"mean": float("nan")}, "mean must be finite"),
    ],
)
def test_a_normalisation_that_cannot_be_is_refused(
    onnx_file: Path, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        load_model(onnx_file, **given, **NAMES)


# ------------------------------------------------------------------ functions that go wrong


def around(function: Callable[..., Any], output: Any = "scores") -> ForeignClassifier:
    zeros, ones = np.zeros(3), np.ones(3)
    return ForeignClassifier(
        function, tuple(CHANNELS), tuple(CLASSES), zeros, ones, output, "her model"
    )


def fail(x: Any) -> Any:
    raise KeyError("layer\nthree")


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: np.zeros((len(x), 3)), r"scores of shape \(32, 3\) for 32 crops and 2 classes"),
        (lambda x: np.zeros(len(x)), r"scores of shape \(32,\) .*must give \(32, 2\)"),
        (lambda x: None, r"gave nothing \(None\)"),
        (lambda x: np.full((len(x), 2), np.nan), "NaN or infinite"),
        (lambda x: [[1.0], [1.0, 2.0]], "failed: ValueError"),
        (fail, "failed: KeyError"),
    ],
)
def test_a_function_that_goes_wrong_is_one_line_with_its_name(
    cells: Cells, function: Callable[..., Any], says: str
) -> None:
    with pytest.raises(ModelError, match=f"her model .*{says}|her model {says}") as said:
        around(function).predict_proba(cells)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("value", [[2.0, -1.0], [0.5, 0.7], [5.0, 3.0]])
def test_numbers_that_are_no_probabilities_are_refused_with_the_remedy(
    cells: Cells, value: list[float]
) -> None:
    model = around(lambda x: np.tile(value, (len(x), 1)), "probabilities")
    with pytest.raises(ModelError, match=r'no probabilities: .*use output=.*"logits"'):
        model.predict_proba(cells)


def test_probabilities_are_passed_on_and_huge_scores_do_not_overflow(cells: Cells) -> None:
    given = around(lambda x: np.tile([0.25, 0.75], (len(x), 1)), "probabilities")
    huge = around(lambda x: np.tile([1e6, -1e6], (len(x), 1)))
    # What speaks against a model is said where it predicts.
    with pytest.warns(UserWarning, match="her model gives the same output for all"):
        np.testing.assert_allclose(given.predict_proba(cells), [[0.25, 0.75]] * 48)
    with pytest.warns(UserWarning, match="her model gives the same output for all"):
        np.testing.assert_allclose(huge.predict_proba(cells), [[1, 0]] * 48)


def test_the_function_gets_float32_crops_in_the_models_channel_order(cells: Cells) -> None:
    seen: list[Any] = []

    def note(x: Any) -> Any:
        seen.append(x)
        return np.stack([x[:, 0, 0, 0], -x[:, 0, 0, 0]], axis=1)

    around(note).predict_proba(cells.with_channels(["other", "signal", "noise"]))
    # After the crops from which it is found out what the numbers mean.
    assert seen[-1].dtype == np.float32
    np.testing.assert_array_equal(seen[-1], cells.read())


def test_missing_channels_other_shapes_and_nan_are_refused(cells: Cells) -> None:
    model = around(lambda x: np.zeros((len(x), 2)))
    with pytest.raises(ModelError, match=r"her model needs .*\(missing: signal\)"):
        model.predict_proba(cells.with_channels(["noise", "other"]))
    with pytest.raises(ModelError, match=r"her model takes crops of shape \(N, 3, H, W\)"):
        model.predict_proba(np.zeros((2, 2, 8, 8)))
    with pytest.raises(ModelError, match="the crops have NaN"):
        model.predict_proba(np.full((2, 3, 8, 8), np.nan))


def test_what_the_numbers_mean_is_found_out_from_cells_all_over() -> None:
    # In the first batch logits that look like probabilities, as a table sorted by class may give.
    x = np.zeros((40, 1, 8, 8), np.float32)
    x[20:] = 5.0

    def predict(x: Any) -> Any:
        level = x.mean(axis=(1, 2, 3))
        return np.stack([0.5 + level, np.full(len(x), 0.5)], axis=1)

    model = ForeignClassifier(
        predict, ("a",), ("no", "yes"), np.zeros(1), np.ones(1), "auto", "her model"
    )
    shown = model.predict_proba(x, batch=4)
    assert model.reading is not None and model.reading.meaning == "logits"
    np.testing.assert_allclose(shown[0], [0.5, 0.5])
