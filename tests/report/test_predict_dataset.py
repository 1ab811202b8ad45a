"""The command 'predict': which prior was used stands in every file, and the numbers follow it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_channelmix import load_model, open_dataset
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.run.cli import main

QUICK = ["--device", "cpu", "--quiet"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set and a classifier of it."""
    folder = tmp_path_factory.mktemp("made")
    synthetic_plate(wells=8, cells_per_well=8, side=128, crop=24).save(folder / "plate")
    train = [
        "train",
        str(folder / "plate" / "dataset.toml"),
        "--out",
        str(folder / "M.cmx"),
        "--network",
        "tiny",
        "--epochs",
        "3",
    ]
    assert main([*train, *QUICK]) == 0
    return folder


def predict(made: Path, out: Path, *more: str) -> int:
    return main(
        [
            "predict",
            str(made / "plate" / "dataset.toml"),
            "--model",
            str(made / "M.cmx"),
            "--out",
            str(out),
            "--device",
            "cpu",
            *more,
        ]
    )


def test_cells_groups_and_prior_are_written(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(made, tmp_path / "a") == 0
    said = capsys.readouterr().out
    assert "probabilities: prior as in training (" in said and "calibrated on " in said
    content = json.loads((tmp_path / "a" / "predictions.json").read_text("utf-8"))
    assert content["schema"] == "napari-channelmix/predict/1"
    assert content["prior"]["kind"] == "training" and sum(content["called"].values()) == 64
    cells = pd.read_csv(tmp_path / "a" / "cells.csv")
    model = load_model(made / "M.cmx")
    assert model.accuracy is not None and f"when it was trained: {model.accuracy.text()}" in said
    assert content["accuracy"]["low"] == model.accuracy.low
    plate = open_dataset(made / "plate" / "dataset.toml")
    expected = model.predict_proba(plate)
    shown = cells[[f"probability of {name}" for name in model.classes]].to_numpy()
    np.testing.assert_allclose(shown, expected, atol=1e-5)
    assert cells["prediction"].tolist() == [model.classes[at] for at in model.predict(plate)]
    # Which of the cells it was trained on is known again by their pixels.
    trained = (cells["training"] == "yes").sum()
    assert 0 < trained < 64 and set(cells["training"]) == {"yes", "no"}
    assert f"trained on {trained} of these 64 cells" in content["training"]
    assert content["training"] in said
    groups = pd.read_csv(tmp_path / "a" / "groups.csv")
    assert len(groups) == 8 and {"fraction treated", "low treated"} <= set(groups)
    held_out = model.held_out_calls
    assert held_out is not None
    assert ("adjusted fraction treated" in groups) == (not held_out.why_not)


def test_a_prior_is_followed_and_a_wrong_one_is_one_line(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(made, tmp_path, "--prior", "treated=0.001", "--quiet") == 0
    content = json.loads((tmp_path / "predictions.json").read_text("utf-8"))
    assert content["prior"]["shares"] == pytest.approx({"treated": 0.001, "untreated": 0.999})
    assert content["mean_probability"]["treated"] < 0.4
    assert predict(made, tmp_path, "--prior", "estimated", "--quiet") == 0
    content = json.loads((tmp_path / "predictions.json").read_text("utf-8"))
    # What EM ends with: the mean of the probabilities is the prior.
    assert content["mean_probability"] == pytest.approx(content["prior"]["shares"], abs=1e-3)
    capsys.readouterr()
    assert predict(made, tmp_path, "--prior", "half") == 2
    said = capsys.readouterr().err
    assert "--prior 'half': use training, balanced, estimated, or CLASS=SHARE" in said
    assert said.count("\n") == 1


def test_evaluate_explain_and_report_say_their_prior(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plate, model = str(made / "plate" / "dataset.toml"), str(made / "M.cmx")
    asked = ["--model", model, "--prior", "untreated=0.9", "treated=0.1", "--device", "cpu"]
    assert main(["evaluate", plate, *asked]) == 0
    said = capsys.readouterr().out
    assert "prior given shares (treated 10.0 %, untreated 90.0 %)" in said
    assert "calibration error " in said and "Brier score " in said
    # These are the cells that were held out in training, on which the temperature was fitted.
    assert "measured on the cells it was calibrated on, so too good" in said
    maps = tmp_path / "maps"
    explain = ["explain", plate, *asked, "--out", str(maps), "--limit", "3", "--no-check"]
    assert main([*explain, "--method", "saliency", "--quiet"]) == 0
    content = json.loads((maps / "explain.json").read_text("utf-8"))
    assert content["prior"]["shares"] == pytest.approx({"treated": 0.1, "untreated": 0.9})
    assert content["target"] == content["predicted"]
    page = tmp_path / "report.html"
    assert main(["report", plate, *asked, "--out", str(page), "--quiet"]) == 0
    text = page.read_text("utf-8")
    assert "Shown with the prior given shares (treated 10.0 %, untreated 90.0 %)" in text
    assert "Calibration of its probabilities" in text and "Brier score" in text
