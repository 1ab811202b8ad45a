"""Pictures of cells show the pixels of the files, as layers do, however classifiers get them."""

from __future__ import annotations

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.data.display_channels import display_channels_job
from napari_channelmix.data.display_limits import display_limits_job
from napari_channelmix.jobs import drain


def cells_of() -> cm.Cells:
    """Twelve crops whose pixels go from 0 to 1,000 in each of two channels."""
    ramp = np.linspace(0, 1000, 144, dtype=np.float32).reshape(12, 12)
    crops = np.broadcast_to(ramp, (12, 2, 12, 12)).copy()
    return cm.Cells.from_array(crops, ("A", "B"))


def test_display_channels_of_scaled_cells_have_the_contrast_of_the_files() -> None:
    cells = cells_of()
    scaled = cells.scaled(percentiles=(0, 100))
    raw, same = drain(display_channels_job(cells)), drain(display_channels_job(scaled))
    assert same.contrast == raw.contrast
    assert raw.contrast["A"][1] > 900
    np.testing.assert_array_equal(same.pictures(scaled, [3]), raw.pictures(cells, [3]))
    assert raw.pictures(cells, [3]).max() > 200


def test_limits_are_in_the_units_of_the_crops_though_raw_ones_were_measured_before() -> None:
    cells = cells_of()
    assert drain(display_limits_job(cells)).of("A")[1] > 900
    scaled = cells.scaled(percentiles=(0, 100), channels=["A"])
    limits = drain(display_limits_job(scaled))
    assert limits.of("A")[1] == pytest.approx(1, abs=0.1)
    assert limits.of("B")[1] > 900
    assert scaled.unscaled.read().max() == 1000
