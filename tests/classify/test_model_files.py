"""Model files: told by what is in them, held against the crops, fed as they need it."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix.classify import load_model
from napari_channelmix.errors import BundleError, ModelError

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")

NAMES: dict[str, Any] = {"channels": ["a", "b"], "classes": ["n", "p"], "allow_code": True}


class Level(nn.Module):
    """Mean of the second channel, less 0.5, as a logit for the second class."""

    def __init__(self) -> None:
        super().__init__()
        self.sign = nn.Parameter(torch.tensor([-1.0, 1.0]))

    def forward(self, x: Any) -> Any:
        return (x[:, 1].mean(dim=(1, 2)) - 0.5)[:, None] * self.sign


def crops(count: int = 7, side: int = 8, scale: float = 4.0) -> np.ndarray[Any, Any]:
    return scale * np.random.default_rng(0).random((count, 2, side, side)).astype(np.float32)


def by_hand(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(1 / (1 + np.exp(-2 * (x[:, 1].mean(axis=(1, 2)) - 0.5))))


# ------------------------------------------------------------------ what a file is


def pickled(path: Path, content: Any, old: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    return path


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.ckpt", "m.bin", "m.pt2"])
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_state_dict_is_called_one_whatever_its_name(
    tmp_path: Path, name: str, old: bool, nested: bool
) -> None:
    weights: Any = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).state_dict()
    path = pickled(tmp_path / name, {"epoch": 3, "model": weights} if nested else weights, old)
    with pytest.raises(BundleError, match=r"is a pickle \(a state dict .*weights without a netw"):
        load_model(path, **NAMES)


def test_a_whole_pickled_network_is_refused_as_another_object(tmp_path: Path) -> None:
    path = pickled(tmp_path / "m.pt", nn.Conv2d(1, 2, 3))
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Path("x")))
    for one in (path, tmp_path / "m.pkl"):
        with pytest.raises(
            BundleError, match=r"is a pickle .*never loaded; export .* ONNX"
        ) as found:
            load_model(one, **NAMES)
        assert "state dict" not in str(found.value).replace("checkpoint", "") or one == path


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.model"])
def test_torchscript_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    torch.jit.trace(Level(), torch.zeros(2, 2, 8, 8)).save(str(tmp_path / name))
    model = load_model(tmp_path / name, **NAMES)
    np.testing.assert_allclose(model.predict_proba(crops())[:, 1], by_hand(crops()), atol=1e-6)


# ------------------------------------------------------------------ torch.export


def exported(path: Path, *, batch: int, free: bool = False, side: int = 8) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dims = ({0: torch.export.Dim("n", min=1, max=4096)},) if free else None
        shown = (torch.zeros(batch, 2, side, side),)
        program = torch.export.export(Level(), shown, dynamic_shapes=dims)
        torch.export.save(program, path)
    return path


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_a_fixed_batch_of_an_export_is_fed_in_pieces(tmp_path: Path, batch: int) -> None:
    model = load_model(exported(tmp_path / "m.pt2", batch=batch), **NAMES)
    np.testing.assert_allclose(model.predict_proba(crops())[:, 1], by_hand(crops()), atol=1e-6)


def test_an_export_states_its_sizes(tmp_path: Path) -> None:
    path = exported(tmp_path / "m.pt2", batch=4, free=True)
    model = load_model(path, **NAMES)
    with pytest.raises(ModelError, match="crops of 8 x 8 pixels, and these are 12 x 12; make"):
        model.predict_proba(crops(side=12))
    with pytest.raises(ModelError, match="takes 2 channels, and 3 are named"):
        load_model(path, **{**NAMES, "channels": ["a", "b", "c"]})


def test_a_torchscript_in_double_precision_gets_doubles(tmp_path: Path) -> None:
    torch.jit.script(nn.Sequential(nn.Conv2d(2, 2, 8), nn.Flatten()).double()).save(
        str(tmp_path / "m.pt")
    )
    assert load_model(tmp_path / "m.pt", **NAMES).predict_proba(crops()).dtype == np.float32


# ------------------------------------------------------------------ ONNX


def graph(
    path: Path,
    shape: list[Any],
    kind: str = "FLOAT",
    *,
    outputs: int = 1,
    name: str = "z",
    last: bool = False,
) -> Path:
    """Mean of the second channel, less 0.5, as logits; with more outputs the pooled means."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kinds = onnx.helper, onnx.TensorProto
    nodes = [helper.make_node("Cast", ["x"], ["f"], to=kinds.FLOAT)]
    if last:
        nodes.append(helper.make_node("Transpose", ["f"], ["first"], perm=[0, 3, 1, 2]))
    nodes += [
        helper.make_node("GlobalAveragePool", ["first" if last else "f"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], [name]),
    ]
    weights = np.array([[0, 0], [-1, 1], [0, 0]], np.float32)
    infos = [helper.make_tensor_value_info(name, kinds.FLOAT, [None, 2])]
    if outputs > 1:
        infos.insert(0, helper.make_tensor_value_info("flat", kinds.FLOAT, [None, 2]))
    made = helper.make_graph(
        nodes,
        "level",
        [helper.make_tensor_value_info("x", getattr(kinds, kind), shape)],
        infos,
        [
            onnx.numpy_helper.from_array(weights[: shape[3 if last else 1]], "w"),
            onnx.numpy_helper.from_array(np.array([0.5, -0.5], np.float32), "b"),
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(made, opset_imports=opset, ir_version=9), path)
    return path


ONNX = {name: value for name, value in NAMES.items() if name != "allow_code"}


@pytest.mark.parametrize("batch", [1, 4, "n", None])
@pytest.mark.parametrize("kind", ["FLOAT", "DOUBLE", "FLOAT16"])
def test_onnx_of_any_batch_and_precision(tmp_path: Path, batch: Any, kind: str) -> None:
    model = load_model(graph(tmp_path / "m.onnx", [batch, 2, "h", "w"], kind), **ONNX)
    near = 2e-3 if kind == "FLOAT16" else 1e-6
    np.testing.assert_allclose(model.predict_proba(crops())[:, 1], by_hand(crops()), atol=near)


def test_onnx_of_8_bit_pixels_gets_them_and_refuses_16_bit_ones(tmp_path: Path) -> None:
    model = load_model(graph(tmp_path / "m.onnx", ["n", 2, 8, 8], "UINT8"), **ONNX)
    eight = np.rint(crops(scale=3))
    np.testing.assert_allclose(model.predict_proba(eight)[:, 1], by_hand(eight), atol=1e-6)
    with pytest.raises(ModelError, match=r"uint8 \(0 to 255\)"):
        model.predict_proba(crops(scale=60_000))


def test_several_outputs_of_onnx_are_chosen_by_name_or_position(tmp_path: Path) -> None:
    path = graph(tmp_path / "m.onnx", ["n", 2, "h", "w"], outputs=2)
    with pytest.raises(
        ModelError, match=r"2 outputs \('flat': \(7, 2\) float32, 'z'.*select='flat'"
    ):
        load_model(path, **ONNX).predict_proba(crops())
    for select in ("z", 1, "1"):
        model = load_model(path, select=select, **ONNX)
        np.testing.assert_allclose(model.predict_proba(crops())[:, 1], by_hand(crops()), atol=1e-6)
    called = graph(tmp_path / "l.onnx", ["n", 2, "h", "w"], outputs=2, name="logits")
    found = load_model(called, **ONNX).predict_proba(crops())
    np.testing.assert_allclose(found[:, 1], by_hand(crops()), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "last", "says"),
    [
        (["n", 3, 8, 8], False, "takes 3 channels, and 2 are named"),
        (["n", 8, 8, 2], True, r"channels last \(N, 8, 8, 2\)"),
    ],
)
def test_what_onnx_states_is_refused_at_loading(
    tmp_path: Path, shape: Any, last: bool, says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        load_model(graph(tmp_path / "m.onnx", shape, last=last), **ONNX)


def test_channels_last_without_sizes_and_other_sizes_are_told_at_the_first_crops(
    tmp_path: Path,
) -> None:
    model = load_model(graph(tmp_path / "m.onnx", ["n", "h", "w", 2], last=True), **ONNX)
    with pytest.raises(ModelError, match="channels last"):
        model.predict_proba(crops())
    model = load_model(graph(tmp_path / "s.onnx", ["n", 2, 16, 16]), **ONNX)
    with pytest.raises(ModelError, match="16 x 16 pixels, and these are 8 x 8"):
        model.predict_proba(crops())


# ------------------------------------------------------------------ functions and objects by name


SOURCE = """
import numpy as np, torch
from torch import nn
from sklearn.linear_model import LogisticRegression
def logits(x):
    v = x[:, 1].mean(axis=(1, 2)) - .5
    return np.stack([-v, v], axis=1)
class Net(nn.Module):
    def forward(self, x):
        assert not self.training
        v = x[:, 1].mean(dim=(1, 2)) - .5
        return torch.stack([-v, v], 1)
network = Net()
weights = nn.Conv2d(1, 2, 3).state_dict()
rows = np.random.default_rng(0).random((40, 128))
estimator = LogisticRegression().fit(rows, np.where(rows[:, 64:].mean(1) > .5, "p", "n"))
"""


def test_functions_networks_and_estimators_of_a_python_file(tmp_path: Path) -> None:
    file = tmp_path / "her models.py"
    file.write_text(SOURCE)
    with pytest.raises(ModelError, match=r"runs code of its maker.*--allow-code"):
        load_model(f"{file}:logits", channels=["a", "b"], classes=["n", "p"])
    for name in ("logits", "network"):
        model = load_model(f"{file}:{name}", **NAMES)
        np.testing.assert_allclose(model.predict_proba(crops())[:, 1], by_hand(crops()), atol=1e-6)
    own = load_model(f"{file}:estimator", channels=["a", "b"], allow_code=True)
    assert own.classes == ("n", "p")
    bright = crops(scale=1)
    bright[:, 1] += 0.5
    with pytest.warns(UserWarning, match="given to it as a row of numbers, channel by channel"):
        assert (own.predict(bright) == 1).all()
    with pytest.raises(ModelError, match="its classes are in the order n, p, and named as p, n"):
        load_model(f"{file}:estimator", channels=["a", "b"], classes=["p", "n"], allow_code=True)
    for name, says in (("Net", "is a class"), ("weights", "state dict"), ("gone", "imported")):
        with pytest.raises(ModelError, match=says):
            load_model(f"{file}:{name}", **NAMES)


def test_a_module_of_the_current_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "channelmix_test_models.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    model = load_model("channelmix_test_models:logits", **NAMES)
    np.testing.assert_allclose(model.predict_proba(crops())[:, 1], by_hand(crops()), atol=1e-6)


def test_two_names_that_are_one_are_refused(tmp_path: Path) -> None:
    torch.jit.trace(Level(), torch.zeros(2, 2, 8, 8)).save(str(tmp_path / "m.pt"))
    with pytest.raises(ModelError, match="two classes have one name: n, n"):
        load_model(tmp_path / "m.pt", **{**NAMES, "classes": ["n", "n"]})


@pytest.mark.parametrize("name", ["a\0b", "a\0b.pt", "a" * 300 + ".pt", "a" * 300, "gone.onnx"])
def test_a_name_that_cannot_be_is_a_file_that_is_not_there(name: str) -> None:
    with pytest.raises(ModelError, match="no such file") as raised:
        load_model(name, **NAMES)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_keras_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(ModelError, match="of Keras or TensorFlow; export it to ONNX"):
        load_model(tmp_path / name, **NAMES)


def test_one_name_alone_is_one_name(tmp_path: Path) -> None:
    path = graph(tmp_path / "m.onnx", ["n", 2, "h", "w"])
    with pytest.raises(ModelError, match="takes 2 channels, and 1 are named"):
        load_model(path, channels="DNA", classes=["n", "p"])
