"""Models made elsewhere in configs, reports and on the command line, with consent and without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_channelmix import load_model, open_dataset, run_config
from napari_channelmix.config import Config, ExplanationPart, read_config, write_config
from napari_channelmix.config.from_results import classifier_part, data_part
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import ModelError
from napari_channelmix.run.cli import main

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")

NAMES = ["--channel-names", "DNA", "stress", "--class-names", "dark", "bright"]
SCALE = ["--mean", "1", "2", "--std", "100", "50"]
SOURCE = """
import numpy as np
def predict(x):
    v = x[:, 0].mean(axis=(1, 2))
    return np.stack([-v, v], axis=1)
def pair(x):
    return predict(x), x
"""


class Bright(torch.nn.Module):
    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        v = crops[:, 0].mean(dim=(1, 2))
        return torch.stack([-v, v], dim=1)


def python_file(folder: Path) -> str:
    (folder / "models").mkdir()
    (folder / "models" / "bright.py").write_text(SOURCE)
    return f"{folder / 'models' / 'bright.py'}:predict"


def python_module(folder: Path) -> str:
    (folder / "channelmix_consent.py").write_text(SOURCE)
    return "channelmix_consent:predict"


def torchscript(folder: Path) -> str:
    torch.jit.trace(Bright(), torch.zeros(2, 2, 24, 24)).save(str(folder / "bright.pt"))
    return str(folder / "bright.pt")


def onnx_file(folder: Path) -> str:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kinds = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["z"]),
        ],
        "bright",
        [helper.make_tensor_value_info("x", kinds.FLOAT, ["n", 2, "h", "w"])],
        [helper.make_tensor_value_info("z", kinds.FLOAT, ["n", 2])],
        [onnx.numpy_helper.from_array(np.array([[-1, 1], [0, 0]], np.float32), "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), folder / "bright.onnx")
    return str(folder / "bright.onnx")


KINDS = [python_file, python_module, torchscript, onnx_file]


@pytest.fixture
def plate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return synthetic_plate(wells=2, cells_per_well=4, side=64, crop=24).save(tmp_path / "plate")


def by_hand(dataset: Path) -> Any:
    level = (open_dataset(dataset).with_channels(["DNA"]).read()[:, 0].mean(axis=(1, 2)) - 1) / 100
    return 1 / (1 + np.exp(-2 * level))


@pytest.mark.parametrize("kind", KINDS)
def test_a_config_that_names_a_model_made_elsewhere_is_run(
    kind: Callable[[Path], str], plate: Path, tmp_path: Path
) -> None:
    source = kind(tmp_path)
    model = load_model(
        source,
        channels=["DNA", "stress"],
        classes=["dark", "bright"],
        mean=[1.0, 2.0],
        std=[100.0, 50.0],
        allow_code=True,
    )
    part = classifier_part(model)
    assert part is not None
    config = Config(
        data=data_part(open_dataset(plate), plate),
        classifier=part,
        explanations=(ExplanationPart(cells=(1,), mode="blackbox", forwards=20),),
    )
    (tmp_path / "there").mkdir()
    file = write_config(config, tmp_path / "there" / "config.json")
    assert read_config(file) == config
    named = json.loads(file.read_text("utf-8"))["classifier"]["file"]
    # Paths go with the config, the names of modules stay.
    assert named == source or named.startswith("../")
    if kind is not onnx_file:
        with pytest.raises(ModelError, match=r"allow_code=True, or --allow-code on the command"):
            run_config(file)
    arguments = ["run", str(file), "--out", "done", "--quiet"]
    assert main([*arguments, *([] if kind is onnx_file else ["--allow-code"])]) == 0
    content = json.loads((tmp_path / "done/explanations/1/explain.json").read_text("utf-8"))
    np.testing.assert_allclose(content["probabilities"][0][1], by_hand(plate)[1], atol=2e-6)
    assert content["output"].startswith("logits (detected from")
    assert (tmp_path / "done/report.html").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_explain_and_report_take_the_same_model(
    kind: Callable[[Path], str], plate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = kind(tmp_path)
    model = ["--model", source, *NAMES, *SCALE]
    consent = [] if kind is onnx_file else ["--allow-code"]
    explain = ["explain", str(plate), "--out", "maps", "--forwards", "20", *model]
    report = ["report", str(plate), "--out", "page.html", "--explain", "maps", *model]
    if consent:
        for command in (explain, report):
            assert main(command) == 2
            assert "--allow-code" in capsys.readouterr().err
    assert main([*explain, *consent]) == 0
    assert "what the model gives: logits (detected from" in capsys.readouterr().out
    assert main([*report, *consent]) == 0
    assert (tmp_path / "page.html").is_file()


def test_an_output_is_chosen_on_the_command_line(
    plate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = python_file(tmp_path).replace(":predict", ":pair")
    arguments = [
        "explain",
        str(plate),
        "--out",
        "maps",
        "--forwards",
        "20",
        "--model",
        source,
        *NAMES,
        *SCALE,
        "--allow-code",
    ]
    assert main(arguments) == 2
    assert "gives 2 outputs (0: (6, 2) float32, 1: (6, 2, 24, 24) float32)" in (
        capsys.readouterr().err
    )
    assert main([*arguments, "--select", "0", "--output", "logits"]) == 0
    assert "logits (declared)" in capsys.readouterr().out
    assert main([*arguments, "--select", "9", "--out", "others"]) == 2
    assert "has no output '9'" in capsys.readouterr().err


def test_a_moved_file_is_the_same_model_and_an_old_config_keeps_working(
    plate: Path, tmp_path: Path
) -> None:
    from napari_channelmix.classify.model_hash import earlier_hashes, model_hash

    names: dict[str, Any] = {"channels": ["DNA"], "classes": ["a", "b"], "allow_code": True}
    source = torchscript(tmp_path)
    one = load_model(source, **names)
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "bright.pt"
    moved.write_bytes(Path(source).read_bytes())
    other = load_model(moved, **names)
    assert model_hash(one) == model_hash(other)
    assert model_hash(load_model(moved, select="x", **names)) != model_hash(other)
    # What the first version wrote: the path as it was given, and its word for logits.
    import hashlib

    about = [one.channels, one.classes, [[0.0], [1.0]], source, "scores"]
    digest = hashlib.sha256(json.dumps(about).encode() + Path(source).read_bytes())
    assert digest.hexdigest() in earlier_hashes(load_model(source, output="scores", **names))
    assert digest.hexdigest() in earlier_hashes(one)
