"""Explanations say where cells are not like those of training, and refuse other crops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_channelmix.classify import TrainingData
from napari_channelmix.data import Cells
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim import explain

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier


@pytest.fixture(scope="module")
def training() -> Cells:
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(60, 2, 16, 16)).cumsum(axis=3) + 50
    return Cells.from_array(
        pixels.astype(np.float32), ["channel 0", "channel 1"], np.arange(60) % 2, ["a", "b"]
    )


@pytest.fixture
def remembering(classifier: Classifier, training: Cells) -> Classifier:
    """An untrained classifier that knows what it might have been trained on."""
    statistics = training.statistics()
    data = TrainingData.of(training, statistics.profile)
    return replace(classifier, mean=data.mean, std=data.sd, training_data=data)


def test_ordinary_cells_are_explained_without_a_word_on_them(
    remembering: Classifier, training: Cells
) -> None:
    cells = Cells.from_array(training.read(), training.channels)
    found = explain(remembering, cells, method="saliency", only=[3, 4, 5], device="cpu")
    # That a classifier which was never trained is undecided is all there is to say.
    (line,) = found.warnings
    assert line.startswith("3 of 3 predictions are close to undecided")


def test_differences_are_among_the_warnings(remembering: Classifier, training: Cells) -> None:
    found = explain(remembering, training.read() * 16, method="saliency", device="cpu", batch=7)
    assert found.warnings[0].startswith("brightness is scaled (another bit depth?): channel 0")
    assert found.warnings[-1].startswith("predicted now: ")


def test_a_strange_cell_keeps_its_number_in_the_set(
    remembering: Classifier, training: Cells
) -> None:
    crops = training.read()
    crops[41] *= 16
    cells = Cells.from_array(crops, training.channels)
    found = explain(remembering, cells, method="saliency", only=[2, 41, 7, 8], device="cpu")
    assert found.warnings[0] == "cell 41 lies far outside what was trained on"


def test_crops_of_another_side_are_refused(remembering: Classifier) -> None:
    for side in (12, 24):
        crops = np.zeros((2, 2, side, side), np.float32)
        for cells in (crops, Cells.from_array(crops, remembering.channels)):
            with pytest.raises(ModelError, match=f"these are {side}; set crop = 16"):
                explain(remembering, cells)
