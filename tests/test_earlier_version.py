"""Files, names and options of an earlier version still work.

`tests/earlier_version/` was written by the version before pages had packages: a plate of 36 cells,
a classifier, channel importance, maps, latents, predictions, annotations, a config and its script.
`interface.json` lists the options of its commands and the public names with their parameters.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import napari_channelmix as cm
from napari_channelmix.run.cli import main

STORED = Path(__file__).with_name("earlier_version")
INTERFACE = json.loads((STORED / "interface.json").read_text("utf-8"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = shutil.copytree(STORED, tmp_path / "work")
    monkeypatch.chdir(copy)
    return copy


def run(*args: str) -> None:
    assert main([*args, "--quiet"]) in (0, None)


def test_a_bundle_gives_the_probabilities_that_the_earlier_version_gave(folder: Path) -> None:
    model, cells = cm.load_model("model.cmx"), cm.open_dataset("plate/dataset.toml")
    table = pd.read_csv("predict/cells.csv")
    stored = table[[f"probability of {name}" for name in model.classes]].to_numpy(np.float64)
    np.testing.assert_allclose(model.predict_proba(cells), stored, atol=2e-4)
    assert model.accuracy is not None


def test_finished_repeats_of_channel_importance_are_used_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = json.loads(Path("importance/importance.json").read_text("utf-8"))

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("a repeat was computed again")

    monkeypatch.setattr("napari_channelmix.dcmix.repeats.train_on", fail)
    run(
        "importance",
        "plate/dataset.toml",
        "--out",
        "importance",
        "--network",
        "tiny",
        "--epochs",
        "2",
        "--seeds",
        "2",
    )
    after = json.loads(Path("importance/importance.json").read_text("utf-8"))
    assert after["share"] == before["share"]
    assert set(before) <= set(after)


def test_finished_maps_are_used_again(folder: Path) -> None:
    maps = Path("maps/maps.zarr/c/0/0/0")
    before, stored = maps.read_bytes(), json.loads(Path("maps/explain.json").read_text("utf-8"))
    run(
        "explain",
        "plate/dataset.toml",
        "--model",
        "model.cmx",
        "--out",
        "maps",
        "--limit",
        "2",
        "--score",
    )
    after = json.loads(Path("maps/explain.json").read_text("utf-8"))
    assert maps.read_bytes() == before
    assert set(stored) <= set(after)
    # Scores are measured anew, for there are more kinds of reference; of the same maps with the
    # two kinds of then they are the same.
    now = after["scores"]["pcim"]
    of_then = [now["by_reference"][kind]["srg"] for kind in ("background", "smooth")]
    assert len(now["by_reference"]) > 2
    assert np.mean(of_then) == pytest.approx(stored["scores"]["pcim"]["srg"], abs=2e-4)


def test_a_report_is_made_of_the_folders(folder: Path) -> None:
    run(
        "report",
        "plate/dataset.toml",
        "--importance",
        "importance",
        "--explain",
        "maps",
        "--latents",
        "latents",
        "--out",
        "report.html",
    )
    assert "reporter" in Path("report.html").read_text("utf-8")


def test_a_config_is_read_and_its_script_uses_names_that_exist(folder: Path) -> None:
    from napari_channelmix.config import read_config, script_of

    config = read_config("config.json")
    assert config.classifier is not None and config.importance is not None
    assert config.classifier.training is not None and config.classifier.training.epochs == 3
    assert config.explanations[0].cells == (1, 2)
    compile(script_of(config), "script.py", "exec")
    compile(Path("script.py").read_text("utf-8"), "script.py", "exec")


def test_annotations_are_restored(folder: Path) -> None:
    from napari_channelmix.data.annotation_files import read_given
    from napari_channelmix.data.annotations import matched_cells

    cells, stored = cm.open_dataset("plate/dataset.toml"), read_given("classes.csv")
    rows = matched_cells(cells, stored.rows)
    assert rows.tolist() == list(range(len(cells)))
    assert stored.palette == cells.classes


@pytest.mark.parametrize("command", sorted(INTERFACE["options"]))
def test_commands_keep_their_options(command: str) -> None:
    from napari_channelmix.run.parser import parser

    commands = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    known = {
        name for action in commands.choices[command]._actions for name in action.option_strings
    }
    assert set(INTERFACE["options"][command]) <= known


@pytest.mark.parametrize("name", sorted(INTERFACE["names"]))
def test_public_names_keep_their_parameters(name: str) -> None:
    room, _, rest = name.rpartition(":")
    value: Any = importlib.import_module(
        f"napari_channelmix.{room}" if room else "napari_channelmix"
    )
    fields: dict[str, Any] = {}
    for part in rest.split("."):
        fields = getattr(value, "__dataclass_fields__", {})
        value = getattr(value, part) if hasattr(value, part) else fields[part]
    parameters = INTERFACE["names"][name]
    if parameters is None or not callable(value):
        return
    now = inspect.signature(value).parameters
    if any(p.kind is p.VAR_KEYWORD for p in now.values()):
        return
    assert [p for p in parameters if p not in now and p not in ("args", "kwargs")] == []
