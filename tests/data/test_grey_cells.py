"""Cells in grey: of many channels the display channels, on one scale for all cells."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.data.grey_cells import brightest, grey_display_job, grey_words
from napari_channelmix.jobs import drain

NAMES = ("SMA", "COL4", "AF", "AF-2", "CD31", "CD34", "CD45", "DAPI", "CD3")


def tissue(names: tuple[str, ...] = NAMES, scale: float = 1.0) -> Cells:
    """Sixty cells with a nucleus; every second one has CD3, the rest is noise on a high ground."""
    rng = np.random.default_rng(3)
    crops = rng.normal(900, 30, (60, len(names), 14, 14)).astype(np.float32)
    crops[:, names.index("DAPI"), 4:10, 4:10] += 1500
    crops[1::2, names.index("CD3"), 3:11, 3:11] += 1200
    cells = Cells.from_array(crops * scale, list(names))
    return cells.with_labels(np.arange(60) % 2, ["without", "with"])


def test_of_many_channels_the_display_channels_are_grey_and_nothing_else() -> None:
    cells = tissue()
    display = drain(grey_display_job(cells))
    assert display is not None
    assert {"DAPI", "CD3"} <= set(display.channels)
    crop = cells.read([1])[0]
    shown = brightest(crop, NAMES, display)
    levels = []
    for name in display.channels:
        low, high = display.contrast[name]
        levels.append(np.clip((crop[NAMES.index(name)] - low) / (high - low), 0, 1))
    assert shown == pytest.approx(np.max(levels, axis=0))
    # Fog is grey everywhere; the ground of a picture is dark.
    assert shown[:2].mean() < 0.2 < 0.7 < shown[4:10, 4:10].mean()
    assert grey_words(NAMES, display).startswith("in grey: the brightest of DAPI")


def test_few_channels_are_averaged_each_stretched_by_itself() -> None:
    names = NAMES[-3:]
    cells = tissue(names)
    assert drain(grey_display_job(cells)) is None
    crop = np.stack([np.arange(201.0), 201.0 - np.arange(201.0)])[:, None].astype(np.float32)
    assert brightest(crop, ("a", "b"), None)[0, 1:-1] == pytest.approx(0.5, abs=0.01)
    assert grey_words(names, None) == ""


def test_scaled_cells_have_the_contrast_of_their_own_units() -> None:
    cells = tissue()
    scaled = cells.scaled(arcsinh=100.0)
    raw, own = drain(grey_display_job(cells)), drain(grey_display_job(scaled))
    assert raw is not None and own is not None
    assert raw.contrast["CD3"][1] > 1000 and own.contrast["CD3"][1] < 10
    shown = brightest(scaled.read([1])[0], NAMES, own)
    assert shown[4:10, 4:10].mean() > 0.7
