"""Models made elsewhere in bundles: what can be saved comes back, the rest is told the way."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import napari_channelmix as cm
from napari_channelmix.classify import ForeignClassifier, NetworkSpec, load_bundle
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.errors import BundleError, ModelError

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

NAMES: dict[str, Any] = {
    "channels": ["noise", "signal", "other"],
    "classes": ["dark", "bright"],
    "mean": [100.0, 100.0, 100.0],
    "std": [3.0, 500.0, 0.01],
}


def onnx_bytes() -> bytes:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kinds = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["scores"]),
        ],
        "middle",
        [helper.make_tensor_value_info("x", kinds.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("scores", kinds.FLOAT, ["n", 2])],
        [onnx.numpy_helper.from_array(np.array([[0, 0], [-1, 1], [0, 0]], np.float32), "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    return content


@pytest.mark.parametrize("mixes", [0, 2])
def test_a_network_that_is_built_by_name_comes_back_the_same(
    mixes: int, cells: Cells, tmp_path: Path
) -> None:
    network = NetworkSpec("tiny", 3, 2, mixes).build(seed=3).eval()
    model = cm.wrap(network, size=12, output="logits", **NAMES)
    again = cm.load_model(model.save(tmp_path / "m.cmx"))
    assert isinstance(again, ForeignClassifier)
    np.testing.assert_allclose(again.predict_proba(cells), model.predict_proba(cells), atol=1e-6)
    assert (again.channels, again.classes, again.size) == (model.channels, model.classes, (12, 12))
    assert again.may_have_gradients and again.output == "logits"
    assert model_hash(again) == model_hash(model)
    with safe_open(tmp_path / "m.cmx", "pt") as file:
        assert file.metadata()["schema"] == "2"
    with pytest.raises(BundleError, match="holds a model made elsewhere; open it with load_model"):
        load_bundle(tmp_path / "m.cmx")


def test_an_onnx_model_is_saved_with_its_bytes_and_an_altered_one_refused(
    cells: Cells, tmp_path: Path
) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx_bytes())
    model = cm.wrap(tmp_path / "m.onnx", **NAMES)
    path = model.save(tmp_path / "m.cmx")
    (tmp_path / "m.onnx").unlink()
    again = cm.load_model(path)
    np.testing.assert_array_equal(again.predict_proba(cells), model.predict_proba(cells))
    assert not again.may_have_gradients
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match="altered after it was saved"):
        cm.load_model(path)


def test_a_damaged_onnx_model_in_a_bundle_is_one_line(tmp_path: Path) -> None:
    from napari_channelmix.classify.weights_file import write_sealed

    (tmp_path / "m.onnx").write_bytes(onnx_bytes())
    path = cm.wrap(tmp_path / "m.onnx", **NAMES).save(tmp_path / "m.cmx")
    with safe_open(path, "pt") as file:
        about = file.metadata()["about"]
    form = "napari-channelmix bundle"
    write_sealed(path, form, 2, about, {"onnx": torch.zeros(9, dtype=torch.uint8)})
    with pytest.raises(ModelError, match="not a readable ONNX file"):
        cm.load_model(path)
    write_sealed(path, form, 2, about, {"weight": torch.zeros(9)})
    with pytest.raises(BundleError, match="does not hold the ONNX model that it describes"):
        cm.load_model(path)
    write_sealed(path, form, 2, about.replace('"mean"', '"men"'), {"onnx": torch.zeros(9)})
    with pytest.raises(BundleError, match="mean"):
        cm.load_model(path)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_what_would_need_a_pickle_is_refused_and_told_the_way(tmp_path: Path) -> None:
    class Own(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(dim=(2, 3))[:, :2]

    class LikeTiny(type(NetworkSpec("tiny", 3, 2).build())):  # type: ignore[misc]
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return -super().forward(x)

    LikeTiny.__qualname__ = "SmallNetwork"
    faults: list[tuple[Any, str]] = [
        (Own(), r"none of the networks with a name.*torch\.onnx\.export.*file\.py:name"),
        (torch.jit.script(Own()), r"TorchScript cannot be saved.*torch\.onnx\.export"),
        (lambda x: x[:, :2, 0, 0], r"a function cannot be saved.*file\.py:name"),
        (LikeTiny(3, 2, (8, 16, 32)), "answers otherwise than network 'tiny'"),
    ]
    for model, says in faults:
        with pytest.raises(ModelError, match=says) as error:
            cm.wrap(model, **NAMES).save(tmp_path / "m.cmx")
        assert "\n" not in str(error.value)
        assert not (tmp_path / "m.cmx").exists()
    with pytest.raises(ModelError, match="is not network 'small'"):
        cm.wrap(Own(), **NAMES).save(tmp_path / "m.cmx", network="small")


class OfTimm(nn.Module):
    """What the library makes: a convolution, and a head."""

    def __init__(self, name: str, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 4, 3, padding=1)
        self.head = nn.Linear(4, classes)
        self.pretrained_cfg = {"architecture": name}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[2] < 8:
            raise AssertionError("Input height doesn't match model (8).")
        return self.head(torch.relu(self.stem(x)).mean(dim=(2, 3)))


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """A stand-in for the library; gives what it was asked to make."""
    made: list[tuple[str, dict[str, Any]]] = []
    library = ModuleType("timm")

    def create_model(name: str, **options: Any) -> nn.Module:
        made.append((name, options))
        if name != "net4":
            raise RuntimeError(f"Unknown model ({name})")
        return OfTimm(name, options["in_chans"], options["num_classes"])

    library.create_model = create_model  # type: ignore[attr-defined]
    library.list_models = lambda: ["net4", "net2"]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "timm", library)
    return made


def test_a_network_of_a_library_is_trained_saved_and_opened(
    timm: list[Any], cells: Cells, tmp_path: Path
) -> None:
    model = cm.train_classifier(cells, network="timm:net4", epochs=1, device="cpu")
    assert isinstance(model.network, OfTimm)
    assert all(options["pretrained"] is False for _, options in timm)
    assert timm[0] == ("net4", {"pretrained": False, "in_chans": 3, "num_classes": 2})
    again = cm.load_model(model.save(tmp_path / "m.cmx"))
    np.testing.assert_array_equal(again.predict_proba(cells), model.predict_proba(cells))
    mixed = cm.train_classifier(cells, network="timm:net4", mixes=1, epochs=1, device="cpu")
    assert mixed.mixing is not None and mixed.network.network.stem.in_channels == 1
    assert cm.network_names("timm") == ("timm:net2", "timm:net4")


def test_a_wrapped_network_of_a_library_is_saved_by_the_name_it_has(
    timm: list[Any], cells: Cells, tmp_path: Path
) -> None:
    model = cm.wrap(OfTimm("net4", 3, 2), **NAMES)
    again = cm.load_model(model.save(tmp_path / "m.cmx"))
    np.testing.assert_allclose(again.predict_proba(cells), model.predict_proba(cells), atol=1e-6)
    sys.modules["timm"] = None  # type: ignore[assignment]
    with pytest.raises(ModelError, match=r"comes from timm, which is not installed.*\[timm\]"):
        cm.load_model(tmp_path / "m.cmx")


def test_networks_that_cannot_be_made_are_one_line(timm: list[Any], cells: Cells) -> None:
    faults = [
        ("timm:none", r"timm cannot make it \(.*Unknown model"),
        ("timm:hf-hub:someone/net", "name a network of timm, such as timm:resnet18"),
        ("timm:", "name a network of timm"),
        ("torchvision:resnet18", r"which is not installed.*\[torchvision\]"),
        ("net4", "is unknown; use tiny, small"),
    ]
    for name, says in faults:
        with pytest.raises(ModelError, match=says):
            cm.train_classifier(cells, network=name, device="cpu")
    with pytest.raises(ModelError, match=r"cannot take crops of 6 pixels \(Input height"):
        NetworkSpec("timm:net4", 3, 2).trial(6)
    with pytest.raises(ModelError, match="library 'keras' is unknown"):
        cm.network_names("keras")


def test_training_starts_from_the_weights_of_a_file(
    timm: list[Any], cells: Cells, tmp_path: Path
) -> None:
    start = OfTimm("net4", 3, 2)
    save_file(start.state_dict(), tmp_path / "start.safetensors")
    options: dict[str, Any] = {"network": "timm:net4", "epochs": 1, "rate": 1e-9, "device": "cpu"}
    model = cm.train_classifier(cells, weights=str(tmp_path / "start.safetensors"), **options)
    torch.testing.assert_close(model.network.stem.weight, start.stem.weight, atol=1e-4, rtol=0)
    assert len(model.provenance["weights"]) == 64
    noted = [line for line in model.record["warnings"] if "start.safetensors" in line]
    assert len(noted) == 1 and "hold only if those weights were not trained on them" in noted[0]
    other = OfTimm("net4", 1, 5)
    save_file({"more": torch.zeros(2), **other.state_dict()}, tmp_path / "other.safetensors")
    with pytest.raises(
        ModelError,
        match=r"weights of another network: stem\.weight is \(4, 1, 3, 3\), the network has "
        r"\(4, 3, 3, 3\); head\.weight is \(5, 4\), .*; head\.bias .*; and 1 more",
    ):
        cm.train_classifier(cells, weights=str(tmp_path / "other.safetensors"), **options)
    torch.save(start.state_dict(), tmp_path / "start.pt")
    with pytest.raises(BundleError, match="pickle"):
        cm.train_classifier(cells, weights=str(tmp_path / "start.pt"), **options)
    (tmp_path / "text.safetensors").write_text("no")
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        cm.train_classifier(cells, weights=str(tmp_path / "text.safetensors"), **options)
    with pytest.raises(ModelError, match="no such file"):
        cm.train_classifier(cells, weights=str(tmp_path / "none.safetensors"), **options)


def test_networks_of_torchvision_take_other_channels_by_their_first_convolution(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def get_model(name: str, **options: Any) -> nn.Module:
        asked.append(options)
        if name == "flat":
            return nn.Sequential(nn.Flatten(), nn.LazyLinear(options["num_classes"]))
        return nn.Sequential(
            nn.Conv2d(3, 8, 7, stride=2, padding=3, bias=False),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, options["num_classes"]),
        )

    library, models = ModuleType("torchvision"), ModuleType("torchvision.models")
    models.get_model = get_model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", library)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    network = NetworkSpec("torchvision:resnet18", 5, 4).build()
    assert network(torch.zeros(2, 5, 16, 16)).shape == (2, 4)
    assert (network[0].stride, network[0].bias) == ((2, 2), None)
    assert asked[0] == {"weights": None, "num_classes": 4}
    with pytest.raises(ModelError, match="cannot take 5 channels"):
        NetworkSpec("torchvision:flat", 5, 4).build()


def test_networks_of_transformers_give_their_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    class Vit(nn.Module):
        def __init__(self, config: Any) -> None:
            super().__init__()
            self.head = nn.Linear(config.num_channels, config.num_labels)

        def forward(self, x: torch.Tensor) -> Any:
            return SimpleNamespace(logits=self.head(x.mean(dim=(2, 3))))

    library = ModuleType("transformers")
    library.AutoConfig = SimpleNamespace(  # type: ignore[attr-defined]
        for_model=lambda name, **options: SimpleNamespace(name=name, **options)
    )
    library.AutoModelForImageClassification = SimpleNamespace(  # type: ignore[attr-defined]
        from_config=Vit
    )
    monkeypatch.setitem(sys.modules, "transformers", library)
    network = NetworkSpec("transformers:vit", 5, 4).build()
    assert network(torch.zeros(2, 5, 16, 16)).shape == (2, 4)
