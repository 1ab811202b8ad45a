"""Models made elsewhere in another process: opened again there, the same file, with consent."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix.classify import ForeignClassifier, load_model
from napari_channelmix.classify.opened_model import OpenedModel
from napari_channelmix.errors import ModelError

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")

NAMES: dict[str, Any] = {"channels": ["a", "b"], "classes": ["n", "p"]}
KINDS = ("onnx", "torchscript", "export", "file.py:name", "module:name")
FUNCTIONS = """
import numpy as np

def answers(crops):
    level = crops[:, 1].mean(axis=(1, 2)) - 0.5
    return np.stack([-level, level], axis=1)
"""
# What a worker does: it has the pickle, and no more.
ELSEWHERE = """
import pickle, sys
import numpy as np
model = pickle.load(open(sys.argv[1], "rb"))
np.save(sys.argv[3], model.predict_proba(np.load(sys.argv[2])))
"""


class Level(nn.Module):
    """Mean of the second channel, less 0.5, as a logit for the second class."""

    def forward(self, x: Any) -> Any:
        level = (x[:, 1].mean(dim=(1, 2)) - 0.5)[:, None]
        return torch.cat([-level, level], dim=1)


def crops(count: int = 5) -> np.ndarray[Any, Any]:
    return 4 * np.random.default_rng(0).random((count, 2, 8, 8)).astype(np.float32)


def opened(folder: Path, kind: str) -> ForeignClassifier:
    """The same model in each form."""
    consent = {**NAMES, "allow_code": True}
    if kind == "onnx":
        helper = pytest.importorskip("onnx.helper")
        numpy_helper = pytest.importorskip("onnx.numpy_helper")
        nodes = [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["level"]),
        ]
        weight = np.zeros((2, 64, 2), np.float32)
        weight[1] = np.array([-1, 1]) / 64
        inputs = [helper.make_tensor_value_info("x", 1, ["n", 2, 8, 8])]
        outputs = [helper.make_tensor_value_info("level", 1, ["n", 2])]
        weights = [numpy_helper.from_array(weight.reshape(128, 2), "w")]
        graph = helper.make_graph(nodes, "level", inputs, outputs, weights)
        content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        content.ir_version = 8
        (folder / "m.onnx").write_bytes(content.SerializeToString())
        return load_model(folder / "m.onnx", **NAMES)
    if kind == "torchscript":
        torch.jit.trace(Level(), torch.zeros(2, 2, 8, 8)).save(str(folder / "m.pt"))
        return load_model(folder / "m.pt", **consent)
    if kind == "export":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.export.save(
                torch.export.export(Level(), (torch.zeros(4, 2, 8, 8),)), folder / "m.pt2"
            )
        return load_model(folder / "m.pt2", **consent)
    (folder / "channelmix_opened_models.py").write_text(FUNCTIONS)
    suffix = ".py" if kind == "file.py:name" else ""
    return load_model(f"channelmix_opened_models{suffix}:answers", **consent)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pickled_model_is_opened_again_and_answers_the_same(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = opened(tmp_path, kind)
    before = model.predict_proba(crops())
    # Elsewhere the current folder is another one.
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(crops()), before)
    assert (again.channels, again.classes, again.source) == (
        model.channels,
        model.classes,
        model.source,
    )
    # What its numbers mean is not found out anew from what a worker happens to see first.
    assert again.reading == model.reading
    again._known.reading = None
    assert model.reading is not None


def test_a_fresh_process_opens_a_function_from_its_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = opened(tmp_path, "module:name")
    paths = [tmp_path / name for name in ("model.bin", "crops.npy", "answers.npy")]
    paths[0].write_bytes(pickle.dumps(model))
    np.save(paths[1], crops())
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ELSEWHERE, *map(str, paths)],
        check=True,
        cwd="/",
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    np.testing.assert_array_equal(np.load(paths[2]), model.predict_proba(crops()))


def test_code_runs_in_another_process_with_the_consent_that_was_given_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    function: Any = opened(tmp_path, "torchscript").function
    assert isinstance(function, OpenedModel)
    again = pickle.loads(pickle.dumps(function))
    assert again.allow_code
    again.allow_code = False
    with pytest.raises(ModelError, match="runs code of its maker; if you trust it, allow it"):
        again(crops())


def test_another_file_in_the_place_of_the_one_that_was_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = opened(tmp_path, "file.py:name")
    content, path = pickle.dumps(model), tmp_path / "channelmix_opened_models.py"
    path.write_text(FUNCTIONS + "\n")
    with pytest.raises(ModelError, match="is not the one that was opened"):
        pickle.loads(content).predict_proba(crops())
    with pytest.raises(ModelError, match="has changed since it was opened; load it anew"):
        pickle.dumps(load_and_change(path))
    path.unlink()
    with pytest.raises(ModelError, match="its file must be there under the same path"):
        pickle.loads(content).predict_proba(crops())


def load_and_change(path: Path) -> ForeignClassifier:
    """A model whose file was written over since."""
    model = load_model(f"{path.name}:answers", **NAMES, allow_code=True)
    path.write_text(FUNCTIONS)
    return model
