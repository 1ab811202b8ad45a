"""Values of cells become pictures: whole cells, or rings along their outlines."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.data.label_images import Ranked
from napari_channelmix.viewer.layers import label_lookup as lookup
from napari_channelmix.viewer.layers.label_lookup import Outlines, fill, table_of

Labels = npt.NDArray[Any]


def slow_rings(labels: Labels, width: int) -> Labels:
    """Pixels of cells from which another label is reached in ``width`` steps."""
    height, breadth = labels.shape
    found = np.zeros(labels.shape, bool)
    for y in range(height):
        for x in range(breadth):
            for dy in range(-width, width + 1):
                for dx in range(abs(dy) - width, width - abs(dy) + 1):
                    if 0 <= y + dy < height and 0 <= x + dx < breadth:
                        found[y, x] |= labels[y, x] != labels[y + dy, x + dx]
    return found & (labels > 0)


def drawn(labels: Labels, width: int) -> Labels:
    """The label of each ring's pixels, 0 elsewhere."""
    rings = Outlines.of(labels, width)
    picture = np.zeros(labels.shape, labels.dtype)
    return rings.fill(picture, np.arange(int(labels.max()) + 1, dtype=labels.dtype))


def crowded(shape: tuple[int, int], seed: int = 0) -> Labels:
    """Blocks of all sizes, many of which touch."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    for number in range(1, 15):
        y, x = (int(rng.integers(0, side)) for side in shape)
        labels[y : y + int(rng.integers(1, 12)), x : x + int(rng.integers(1, 12))] = number
    return labels


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("shape", [(40, 31), (1, 50), (50, 1), (2, 2)])
def test_a_ring_is_what_lies_within_its_width_of_another_label(
    shape: tuple[int, int], width: int
) -> None:
    labels = crowded(shape)
    np.testing.assert_array_equal(drawn(labels, width), labels * slow_rings(labels, width))


def test_touching_cells_have_a_ring_each_and_tiny_ones_are_filled() -> None:
    labels = np.zeros((20, 30), np.uint16)
    labels[4:16, 4:14], labels[4:16, 14:24], labels[1:3, 26:29] = 1, 2, 3
    found = drawn(labels, 2)
    assert found[9].tolist() == (
        [0] * 4 + [1, 1] + [0] * 6 + [1, 1, 2, 2] + [0] * 6 + [2, 2] + [0] * 6
    )
    assert (found[1:3, 26:29] == 3).all()


def test_labels_are_looked_up_whatever_their_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "AT_ONCE", 64)
    for kind in (np.uint8, np.int32, np.uint64):
        labels = crowded((40, 31)).astype(kind)
        table = table_of(Ranked(labels, 14), np.array([2, 5]), np.array([7, 9], np.uint8))
        picture = fill(np.ones(labels.shape, np.uint8), labels, table)
        np.testing.assert_array_equal(picture, 7 * (labels == 2) + 9 * (labels == 5))
    # Below zero is ground.
    assert fill(np.ones((1, 2), np.uint8), np.array([[-3, 2]]), table).tolist() == [[0, 7]]


def test_a_table_has_a_value_for_each_label_and_passes_over_cells_that_are_not_there() -> None:
    labels = Ranked.of(np.array([[0, 1, 3, 2]]))
    numbers = table_of(labels, np.array([1, 6]), np.array([0.5, 2.0], np.float32), np.nan)
    np.testing.assert_array_equal(numbers, np.float32([np.nan, 0.5, np.nan, np.nan]))
    none = table_of(labels, np.zeros(0, np.int64), np.zeros(0, np.uint8))
    assert none.tolist() == [0, 0, 0, 0]


def test_a_table_of_large_ids_is_as_short_as_the_labels_are_few() -> None:
    labels = Ranked.of(np.array([[0, 2**60, 5, 2**40]]))
    table = table_of(labels, np.array([2**60, 5]), np.array([7, 9], np.uint8))
    assert table.tolist() == [0, 9, 0, 7]
    picture = fill(np.ones((1, 4), np.uint8), labels.image, table)
    assert picture.tolist() == [[0, 7, 9, 0]]


def test_rings_of_some_cells_are_found_few_or_many(monkeypatch: pytest.MonkeyPatch) -> None:
    rings = Outlines.of(crowded((40, 31)), 2)
    chosen = np.zeros(15, bool)
    chosen[[2, 5, 9]] = True
    few = rings.of_some(chosen)
    monkeypatch.setattr(lookup, "ONE_BY_ONE", 1)
    assert set(few) == set(rings.of_some(chosen))
    assert set(rings.labels[few]) == {2, 5, 9} & set(rings.labels)
    assert not len(rings.of_some(np.zeros(15, bool)))
