"""Transplants find the channel, and the part of it, that a rule reads; the sham stands beside."""

import doctest
import json

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.whatif import transplants as module
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.transplanted_pixels import Pairs, compartments_of, transplanted
from napari_channelmix.whatif.transplants_result import Transplants

from .channel_cases import CLASSES, model_of

SIDE = 24


def nuclei_cells(count=60, groups=6, seed=0):
    """DNA shows a nucleus; GFP is bright in it for 'high', around it for 'low'."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    crops, labels = [], np.arange(count) % 2
    for label in labels:
        angle, long = rng.uniform(0, np.pi), rng.uniform(5, 6)
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        nucleus = (u / long) ** 2 + (v / 4.5) ** 2 <= 1
        around = ((u / (long + 3)) ** 2 + (v / 7.5) ** 2 <= 1) & ~nucleus
        gfp = 10.0 + 50 * (nucleus if label else around)
        crops.append(np.stack([gfp, 10.0 + 100 * nucleus]) + rng.normal(0, 1, (2, SIDE, SIDE)))
    wells = [f"well {number * groups // count}" for number in range(count)]
    return cm.Cells.from_array(np.stack(crops), ["GFP", "DNA"], labels, CLASSES, wells)


def inside_against_around(crops):
    """Calls 'high' where GFP is brighter in the middle of the crop than around it."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    radius = np.hypot(y, x)
    high = crops[:, 0, radius < 3].mean(axis=1) > crops[:, 0, (radius > 6.5) & (radius < 8)].mean(
        axis=1
    )
    return np.eye(2, dtype=np.float32)[high.astype(int)]


@pytest.fixture(scope="module")
def cells():
    return nuclei_cells()


@pytest.fixture(scope="module")
def model():
    from napari_channelmix.classify.foreign import ForeignClassifier

    names = ("GFP", "DNA"), CLASSES
    return ForeignClassifier(
        inside_against_around, *names, np.zeros(2), np.ones(2), "probabilities", "a rule"
    )


@pytest.fixture(scope="module")
def result(model, cells):
    return cm.transplant(model, cells)


def test_examples_are_true():
    outcome = doctest.testmod(module)
    assert outcome.attempted and not outcome.failed


def test_the_channel_that_decides_flips_every_call_and_its_sham_none(result):
    table = result.by_part.set_index("part")
    assert table.loc["GFP", "share"] == 1.0 and table.loc["GFP", "sham"] == 0.0
    assert table.loc["DNA", "share"] == 0.0
    assert table.loc["GFP", "as_donor"] == 1.0
    assert bool(table.loc["GFP", "above_sham"])
    assert "GFP of an aligned cell" in result.lines[0]


def test_the_part_that_decides_is_found(result):
    table = result.by_part.set_index("part")
    assert set(table["compartment"]) == {"whole", "nucleus", "ring", "background"}
    assert table.loc["GFP background", "share"] == 0.0
    # Nucleus dark and ring dark, or both bright: the rule compares them, so either may do.
    assert max(table.loc["GFP nucleus", "share"], table.loc["GFP ring", "share"]) > 0.4


def test_the_matrix_has_both_directions_with_cells_groups_and_alignment(result):
    rows = result.matrix
    rows = rows[rows["part"] == "GFP"]
    assert set(zip(rows["from_class"], rows["to_class"], strict=True)) == {
        ("low", "high"),
        ("high", "low"),
    }
    assert (rows["n"] <= 30).all() and (rows["n"] > 20).all()
    assert (rows["n_groups"] == 6).all()
    assert (rows["alignment"] > 0.6).all()
    assert (rows["low"] <= rows["share"]).all() and (rows["share"] <= rows["high"]).all()


def test_donors_are_of_other_groups_and_are_never_the_cell_itself(cells):
    crops = cell_crops(cells)
    from napari_channelmix.settings import TransplantSettings

    settings = TransplantSettings()
    for other in (0, 1):
        pairs = module._paired(crops, cells.labels, cells.groups, 0, other, settings)
        assert len(pairs) > 20
        assert (cells.labels[pairs.donors] == other).all()
        assert (cells.groups[pairs.donors] != cells.groups[pairs.cells]).all()


def test_only_the_channel_and_the_part_are_exchanged(cells):
    crops = cell_crops(cells, np.arange(4))
    parts = compartments_of(crops)
    total = sum(region.astype(int) for region in parts.values())
    assert (total <= 1).all()
    assert (total[~crops.cell] == 1).all()
    pairs = Pairs(np.array([0]), np.array([1]), np.array([0]), np.ones(1, np.float32))
    whole = transplanted(crops, pairs, 0)[0]
    assert (whole[0] == crops.pixels[1, 0]).all() and (whole[1] == crops.pixels[0, 1]).all()
    ring = transplanted(crops, pairs, 0, parts["ring"])[0]
    inside = parts["ring"][0]
    assert (ring[0][inside] == crops.pixels[1, 0][inside]).all()
    assert (ring[0][~inside] == crops.pixels[0, 0][~inside]).all()


def test_a_warp_moves_the_light_of_the_donor_to_the_outline_of_the_cell(model, cells):
    crops = cell_crops(cells)
    pairs = Pairs(np.array([1]), np.array([3]), np.array([0]), np.ones(1, np.float32))
    given = transplanted(crops, pairs, 1, warp=True)[0, 1]
    overlap = (given > 60) & crops.nuclei[1]
    assert overlap.sum() / ((given > 60) | crops.nuclei[1]).sum() > 0.75
    warped = cm.transplant(model, cells, compartments=False, warp=True)
    assert warped.by_part.set_index("part").loc["GFP", "share"] > 0.9


def test_results_go_to_json_and_back(result):
    again = Transplants.from_dict(json.loads(json.dumps(result.as_dict(), allow_nan=False)))
    assert again.as_dict() == result.as_dict()


def test_a_class_with_one_cell_is_said_and_has_no_sham(model, cells):
    rows = np.r_[np.flatnonzero(cells.labels == 0), 1]
    result = cm.transplant(model, cells.subset(rows), compartments=False)
    assert any("high has one cell" in line for line in result.warnings)
    assert any("come from 1 cell only" in line for line in result.warnings)
    row = result.matrix.query("from_class == 'high'").iloc[0]
    assert np.isnan(row["sham"]) and not row["above_sham"]


def test_without_any_sham_nothing_is_said_of_channels(model, cells):
    rows = [int(np.flatnonzero(cells.labels == code)[0]) for code in (0, 1)]
    result = cm.transplant(model, cells.subset(np.array(rows)), compartments=False, only="all")
    assert np.isnan(result.matrix["sham"]).all()
    assert "is not known: no two cells of a class lie alike" in result.lines[0]


def test_cells_that_are_all_called_the_same_are_refused(cells):
    with pytest.raises(ModelError, match="predicts all 60 cells as low"):
        cm.transplant(_of_gfp_and_dna(lambda means: means[:, 0] > 1e6), cells)
    with pytest.raises(DataError, match="no cells"):
        cm.transplant(_of_gfp_and_dna(lambda means: means[:, 0] > 20), cells.subset([]))


def _of_gfp_and_dna(rule):
    from dataclasses import replace

    return replace(model_of(rule, 2), channels=("GFP", "DNA"))
