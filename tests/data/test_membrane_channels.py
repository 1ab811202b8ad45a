"""Membrane markers by name, and channels that are bright at the outlines."""

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.data.membrane_channels import (
    bright_at_rims,
    bright_at_rims_job,
    channels_called,
    membrane_by_name,
)
from napari_channelmix.errors import DataError

SIDE, RADIUS, STEP = 160, 9, 26


SURFACE = """CD3 CD45RO cd11c 141Pr-CD38 CD20_AF647 E-cadherin EpCAM HLA-DR Na/K-ATPase PANCK
Pan-Cytokeratin CK19 KRT5 PD-1 PD-L1 B2M WGA"""
OTHERS = "DAPI FOXP3 Ki67 CD68 CD107a CDX2 CDK4 GFP AF blank CK Cy3 ABCD3 HistoneH3 collagen"


@pytest.mark.parametrize("name", SURFACE.split())
def test_names_of_markers_of_the_surface(name):
    assert membrane_by_name([name]) == (name,)


@pytest.mark.parametrize("name", OTHERS.split())
def test_names_of_others(name):
    assert membrane_by_name([name]) == ()


def test_names_patterns_and_words():
    names = ["DAPI", "CD3", "CD20", "rims"]
    assert channels_called(names, "CD20") == ("CD20",)
    assert channels_called(names, "cd*") == ("CD3", "CD20")
    assert channels_called(names, "membrane") == ("CD3", "CD20")
    assert channels_called(names, "rims") == ("rims",)
    assert channels_called(names[:3], "rims") is None
    assert channels_called(["DAPI"], "membrane") is None
    assert channels_called(names, "KI67") == ()


def field(rng, well):
    """A field of 25 discs of odd brightness: one channel at the rim, one inside, one even."""
    labels = np.zeros((SIDE, SIDE), int)
    rim, inside = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    y, x = np.mgrid[:SIDE, :SIDE]
    for number, (top, left) in enumerate(np.ndindex(5, 5), start=1):
        away = np.hypot(y - 20 - STEP * top, x - 20 - STEP * left)
        labels[away < RADIUS] = number
        # Some cells have no antigen at all, as in tissue.
        light = rng.uniform(200, 400) if number % 3 == 0 else 0.0
        rim += light * np.exp(-(((away - RADIUS + 1.5) / 1.5) ** 2))
        inside += light * (away < 4)
    planes = [700 + plane + rng.normal(0, 5, plane.shape) for plane in (rim, inside)]
    even = 300.0 * (labels > 0) + rng.normal(0, 5, labels.shape)
    cells = Cells.from_labels([*planes, even], ["rim", "inside", "even"], labels, crop=24)
    return cells.with_labels([-1] * len(cells), ())


def test_the_channel_at_the_rim_is_measured_among_cells_that_have_it():
    rng = np.random.default_rng(3)
    cells = Cells.together([field(rng, well) for well in range(4)], "tissue")
    assert bright_at_rims(cells) == ("rim",)
    # 100 cells in batches of 64: it can be cancelled between them.
    assert [(step.done, step.total) for step in bright_at_rims_job(cells)] == [(0, 100), (64, 100)]


def test_noise_has_no_rim():
    rng = np.random.default_rng(5)
    labels = np.kron(np.arange(1, 101).reshape(10, 10), np.pad(np.ones((10, 10), int), 3))
    planes = [rng.normal(100, 30, labels.shape) for _ in range(39)]
    cells = Cells.from_labels(planes, [f"m{one}" for one in range(39)], labels, crop=14)
    assert bright_at_rims(cells) == ()


def test_cells_without_outlines_are_refused():
    cells = Cells.from_array(np.random.default_rng(0).random((5, 1, 8, 8)), ["a"], name="squares")
    with pytest.raises(DataError, match=r"squares: no cell has an outline .*; name the channels"):
        bright_at_rims(cells)
