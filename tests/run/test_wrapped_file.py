"""Classifiers that a Python file wraps, by their name: command line, config, script, workers."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.config import Config, write_config
from napari_channelmix.config.from_results import classifier_part, data_part
from napari_channelmix.config.script import script_of
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import ModelError
from napari_channelmix.run.cli import main
from napari_channelmix.run.rerun import run_config

SOURCE = """
import torch
from torch import nn
import napari_channelmix as cm

class Bright(nn.Module):
    def __init__(self):
        super().__init__()
        with open("gain.txt") as file:
            self.gain = nn.Parameter(torch.tensor(float(file.read())))
    def forward(self, crops):
        v = self.gain * crops[:, 0].mean(dim=(1, 2))
        return torch.stack([-v, v], dim=1)

names = dict(channels=["DNA", "stress"], classes=["dark", "bright"], mean=[1, 2], std=[100, 50])
model = cm.wrap(Bright(), output="logits", size=24, **names)

def make():
    return model

def nothing():
    return 3

def raises():
    return cm.wrap(Bright(), channels=["DNA"])

def crops(crops):
    return crops[:, :2, 0, 0]
"""


@pytest.fixture
def plate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(SOURCE)
    Path("gain.txt").write_text("1")
    return synthetic_plate(wells=2, cells_per_well=4, side=64, crop=24).save(tmp_path / "plate")


def by_hand(dataset: Path) -> Any:
    cells = cm.open_dataset(dataset).with_channels(["DNA"])
    level = (cells.read()[:, 0].mean(axis=(1, 2)) - 1) / 100
    return 1 / (1 + np.exp(-2 * level))


@pytest.mark.parametrize("name", ["model", "make"])
def test_names_and_normalisation_come_from_the_file(name: str, plate: Path) -> None:
    with pytest.raises(ModelError, match="runs code of its maker"):
        cm.load_model(f"mine.py:{name}")
    model = cm.load_model(f"mine.py:{name}", allow_code=True)
    assert (model.channels, model.classes) == (("DNA", "stress"), ("dark", "bright"))
    assert model.source == f"mine.py:{name}" and model.may_have_gradients
    cells = cm.open_dataset(plate)
    np.testing.assert_allclose(model.predict_proba(cells)[:, 1], by_hand(plate), atol=1e-5)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(cells), model.predict_proba(cells))
    assert model_hash(again) == model_hash(model)


def test_the_command_line_needs_no_names_for_it(plate: Path, capsys: Any) -> None:
    chosen = ["--model", "mine.py:model", "--allow-code", "--quiet"]
    assert main(["predict", str(plate), "--out", "predictions", *chosen]) == 0
    content = json.loads(Path("predictions/predictions.json").read_text("utf-8"))
    assert content["classes"] == ["dark", "bright"]
    assert main(["explain", str(plate), "--out", "maps", "--limit", "2", *chosen]) == 0
    content = json.loads(Path("maps/explain.json").read_text("utf-8"))
    assert (content["method"], content["mode"]) == ("pcim", "autograd")
    assert main(["predict", str(plate), "--out", "p", "--model", "mine.py:model", "--quiet"]) == 2
    assert "runs code of its maker" in capsys.readouterr().err
    assert main(["predict", str(plate), "--out", "p", "--class-names", "a", "b", *chosen]) == 2
    assert "has its own classes (dark, bright)" in capsys.readouterr().err
    assert main(["predict", str(plate), "--out", "p", "--size", "9", "9", "9", *chosen]) == 2
    assert "--size 9 9 9: give a side in pixels" in capsys.readouterr().err


def test_a_config_names_the_file_alone_and_other_weights_are_another_model(plate: Path) -> None:
    cells = cm.open_dataset(plate)
    model = cm.load_model("mine.py:model", allow_code=True)
    part = classifier_part(model)
    assert part is not None and part.channels is None
    assert part.file == f"{Path('mine.py').resolve()}:model"
    config = Config(data=data_part(cells, plate), classifier=part)
    file = write_config(config, Path("config.json"))
    with pytest.raises(ModelError, match="runs code of its maker"):
        run_config(file, "again")
    again = run_config(file, "again", allow_code=True)
    np.testing.assert_array_equal(again.classifier.predict(cells), model.predict(cells))
    assert "allow_code=True" in script_of(config)
    # The file is the same, what it loads is not.
    Path("gain.txt").write_text("2")
    assert model_hash(cm.load_model("mine.py:model", allow_code=True)) != part.sha256


def test_what_a_file_does_not_wrap_is_one_line(plate: Path) -> None:
    faults = [
        ("nothing", r"must return a classifier.*returned int"),
        ("raises", "name the classes"),
        ("crops", "name the channels"),
        ("none", "cannot be imported"),
    ]
    for name, says in faults:
        with pytest.raises(ModelError, match=says) as error:
            cm.load_model(f"mine.py:{name}", allow_code=True)
        assert "\n" not in str(error.value)
    for change in ({"mean": 3.0}, {"size": 12}, {"output": "probabilities"}):
        with pytest.raises(ModelError, match="has its own"):
            cm.load_model("mine.py:model", allow_code=True, **change)
