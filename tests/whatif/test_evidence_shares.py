"""Which share of the evidence lies in the cell, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.whatif.crops import CellCrops
from napari_channelmix.whatif.evidence_shares import (
    CellParts,
    EvidenceShares,
    mean_share_line,
    part_shares,
)


def one() -> CellCrops:
    """A crop of 10 x 10 with a cell of 2 x 2 and another one of 2 x 2."""
    cell, others = np.zeros((2, 1, 10, 10), bool)
    cell[0, 2:4, 2:4], others[0, 7:9, 7:9] = True, True
    return CellCrops(
        np.zeros((1, 1, 10, 10), np.float32),
        ("DNA",),
        cell,
        others,
        np.array(["label"]),
        None,
        np.zeros((1, 1), np.float32),
        np.array([0]),
    )


def test_magnitudes_are_shared_out_whatever_their_sign() -> None:
    maps = np.zeros((1, 10, 10), np.float32)
    maps[0, 2, 2], maps[0, 7, 7], maps[0, 0, 9] = -6, 3, 1
    shares, areas = part_shares(maps, one(), margin=0)
    assert shares.tolist() == [[0.6, 0.3, 0.1]]
    assert areas.tolist() == [[0.04, 0.04, 0.92]]
    # Maps of two channels count together.
    both = np.stack([maps, maps], axis=1)
    assert part_shares(both, one(), margin=0)[0].tolist() == shares.tolist()


def labelled(crop: int = 16) -> Cells:
    """Two cells of 4 x 4 in a row, 3 pixels apart."""
    labels = np.zeros((20, 40), np.int32)
    labels[8:12, 10:14], labels[8:12, 17:21] = 1, 2
    plane = np.where(labels > 0, 9.0, 1.0).astype(np.float32)
    return Cells.from_labels((plane,), ("GFP",), labels, crop=crop)


def test_a_cell_is_its_outline_with_the_margin_and_the_rest_is_its_neighbours_or_none() -> None:
    cells = labelled()
    parts = CellParts.of_cells(cells)
    # 0.3 of the radius of 4 x 4 pixels is less than 2 pixels, the least there is.
    assert parts.margin == 2.0
    pixels = cells.read([0])
    maps = np.zeros((1, 16, 16), np.float32)
    y0, x0 = cells.boxes[0][:2]
    # One pixel beside the cell, on the other cell, and far from both.
    for (y, x), value in (((10, 14), 2.0), ((10, 18), -1.0), ((y0, x0), 1.0)):
        maps[0, y - y0, x - x0] = value
    size = np.ones_like(maps)
    shares = parts.shares([0], pixels, maps, size)
    assert shares.outline.tolist() == ["label"] and len(shares) == 1
    assert shares.evidence.tolist() == [[0.5, 0.25, 0.25]]
    # Of even evidence each part has its share of the pixels.
    assert shares.magnitude[0] == pytest.approx(shares.areas[0])
    assert shares.as_dict()["evidence"] == [[0.5, 0.25, 0.25]]
    assert shares.words(0).startswith(
        "Evidence for or against: 50 % in the cell, 25 % in neighbours, 25 % in the background"
    )
    assert parts.shares([0], pixels, 0 * maps, size).words(0) == ""


def test_without_a_label_image_there_is_no_neighbour_and_without_light_no_figure() -> None:
    crops = np.zeros((2, 1, 20, 20), np.float32)
    crops[0, 0, 7:13, 7:13] = 5
    parts = CellParts.of_cells(Cells.from_array(crops, ["GFP"]))
    maps = np.zeros((2, 20, 20), np.float32)
    maps[:, 10, 10], maps[:, 0, 0] = 3, -1
    shares = parts.shares([0, 1], crops, maps, np.abs(maps))
    assert shares.outline.tolist() == ["light", "disc"]
    assert shares.words(0).startswith("Evidence for or against: 75 % in the cell, 25 % outside it")
    assert "found by its light" in shares.words(0)
    assert shares.words(1) == (
        "No outline of this cell is known: where its evidence lies is not counted."
    )
    stored = shares.as_dict()
    assert stored["evidence"] == [[0.75, None, 0.25], None]
    assert stored["areas"][1] is None


def test_a_mean_share_has_its_interval_over_groups_and_its_counts() -> None:
    shares = np.array([[0.5, 0.2, 0.3], [0.7, 0.1, 0.2], [0.6, 0.2, 0.2], [np.nan] * 3])
    areas = np.full((4, 3), 0.2)
    # Student's t with two degrees of freedom: 0.6 -+ 4.303 x 0.1 / sqrt(3).
    assert mean_share_line(shares, areas, np.array(list("abcd")), "evidence") == (
        "evidence: on average 60 % (95 % interval 35 % to 85 %) lie in the cell, which covers 20 % "
        "of the crop; n = 3 maps"
    )
    of_one = mean_share_line(shares, areas, np.array(list("aaaa")), "evidence")
    assert "interval" not in of_one and "3 maps of 1 group; 1 group is too few" in of_one
    assert mean_share_line(shares[3:], areas[3:], np.array(["a"]), "evidence") == ""


def test_words_of_no_outline() -> None:
    blank = np.full((1, 3), np.nan)
    shares = EvidenceShares(np.array(["disc"]), blank, blank, blank, 2.0)
    assert "No outline" in shares.words(0) and "No outline" in shares.words(0, magnitude=True)
