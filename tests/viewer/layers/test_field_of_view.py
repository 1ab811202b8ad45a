"""How a field of view is shown: its contrast."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.jobs import drain
from napari_channelmix.viewer import layers


def field_of(names: tuple[str, ...]) -> Cells:
    """One cell on a field that is bright in the first channel and dim in the last."""
    rng = np.random.default_rng(3)
    planes = [rng.integers(low, low + 40, (31, 37), np.uint8) for low in (180, 120, 20)]
    labels = np.zeros((31, 37), np.int32)
    labels[9:20, 12:22] = 5
    return Cells.from_labels(planes, names, labels, crop=16)


def test_a_photo_keeps_the_proportions_of_its_colours() -> None:
    limits = drain(layers.field_job(field_of(("R", "G", "B")), 0)).limits
    assert len(set(limits)) == 1
    assert limits[0] == (0.0, pytest.approx(219, abs=2))


def test_each_stain_has_contrast_of_its_own() -> None:
    limits = drain(layers.field_job(field_of(("DNA", "GFP", "actin")), 0)).limits
    assert len(set(limits)) == 3
