"""Cells at the border and classifiers that know borders which look otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_channelmix.classify import (
    Classifier,
    TrainingSettings,
    border_warning,
    load_model,
    train_classifier,
)
from napari_channelmix.data import Cells


@pytest.fixture(scope="module")
def cells() -> Cells:
    rng = np.random.default_rng(0)
    plane = rng.normal(100, 5, (64, 64))
    places = [(y, x) for y in range(0, 64, 9) for x in range(0, 64, 9)]
    codes = np.arange(len(places)) % 2
    for (y, x), code in zip(places, codes, strict=True):
        plane[y, x] += 300 * code
    made = Cells.from_points([plane], ["A"], places, crop=9)
    return made.with_labels(codes, ["dim", "bright"])


@pytest.fixture(scope="module")
def trained(cells: Cells) -> Classifier:
    return train_classifier(cells, settings=TrainingSettings(epochs=1), device="cpu")


def test_a_bundle_keeps_how_borders_were_filled(
    trained: Classifier, cells: Cells, tmp_path: Path
) -> None:
    assert trained.record["border"] == "background"
    again = load_model(trained.save(tmp_path / "m.cmx"))
    assert isinstance(again, Classifier) and again.record["border"] == "background"
    assert border_warning(again, cells) is None


def test_a_bundle_of_an_earlier_version_is_warned_of_at_the_border(
    trained: Classifier, cells: Cells
) -> None:
    record: dict[str, Any] = {k: v for k, v in trained.record.items() if k != "border"}
    before = replace(trained, record=record)
    # 8 x 8 points, of which the outer ones (y or x of 0 and 63) reach over the border.
    said = border_warning(before, cells)
    assert said is not None and said.startswith("28 of 64 cells reach over the border of their im")
    assert "mirror images" in said and "\n" not in said
    assert border_warning(before, cells.without_border()) is None
