"""Normalised crops, balanced epochs, and turning by right angles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_channelmix.classify import held_crops
from napari_channelmix.classify.crops import (
    NormalisedCrops,
    balanced_order,
    epoch_length,
    normalised,
    random_flip_rotate,
)
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


def test_normalised_crops_have_zero_mean_and_unit_spread(cells: Cells) -> None:
    found = cells.statistics()
    x = normalised(cells.read(), found.mean, found.std)
    assert x.shape == cells.shape
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(x.std((0, 2, 3)), torch.ones(3), atol=1e-2, rtol=0)


def test_crops_in_memory_and_crops_read_anew_are_the_same(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, read = (NormalisedCrops(cells, cells.statistics()) for _ in range(2))
    drain(held.load())
    monkeypatch.setattr(held_crops, "MEMORY_BYTES", 100)
    drain(read.load())
    assert read._cached is None
    chosen = np.array([5, 0, 47])
    torch.testing.assert_close(held.take(chosen), read.take(chosen), rtol=0, atol=0)
    subset = held.subset(np.array([5, 0]))
    torch.testing.assert_close(subset.take(np.array([0])), read.take(np.array([5])))
    assert subset.labels.tolist() == cells.labels[[5, 0]].tolist()
    batches = list(read.batches(20))
    assert [len(at) for at, _ in batches] == [20, 20, 8]
    torch.testing.assert_close(torch.cat([x for _, x in batches]), held.take(np.arange(48)))


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    least=st.sampled_from([0, 7, 100]),
    seed=st.integers(0, 9),
)
def test_every_class_comes_equally_often_and_every_cell_in_turn(
    counts: list[int], least: int, seed: int
) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    order = balanced_order(labels, np.random.default_rng(seed), least)
    assert len(order) == epoch_length(labels, least) >= max(len(labels), least)
    times = np.bincount(order, minlength=len(labels))
    for code in range(len(counts)):
        of_class = times[labels == code]
        assert of_class.sum() == len(order) // len(counts)
        assert of_class.max() - of_class.min() <= 1


def test_the_cells_that_come_once_more_are_drawn_anew() -> None:
    labels = np.array([0] * 10 + [1] * 3)
    more = set()
    for seed in range(20):
        times = np.bincount(balanced_order(labels, np.random.default_rng(seed)), minlength=13)
        more.add(int(times[10:].argmax()))
    assert more == {0, 1, 2}


def test_turning_gives_all_eight_views_of_the_same_pixels() -> None:
    crop = torch.arange(2 * 5 * 5.0).reshape(1, 2, 5, 5)
    views = [torch.rot90(crop[0], k, (1, 2)) for k in range(4)]
    views += [view.flip(2) for view in views]
    seen = set()
    for one in random_flip_rotate(crop.repeat(200, 1, 1, 1), np.random.default_rng(0)):
        (which,) = (i for i, view in enumerate(views) if torch.equal(one, view))
        seen.add(which)
    assert seen == set(range(8))


def test_turning_repeats_with_its_seed() -> None:
    crops = torch.randn(10, 2, 4, 4)
    one, same, other = (
        random_flip_rotate(crops, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_cells_of_other_sizes_are_loaded_by_the_batch(make_cells: Callable[..., Cells]) -> None:
    many = make_cells(count=300, side=4)
    loaded = NormalisedCrops(many, many.statistics())
    steps = list(loaded.load())
    assert [step.done for step in steps] == [0, 256, 300]
    assert list(loaded.load()) == [], "what is loaded is not read again"


def test_normalised_is_value_minus_mean_over_spread() -> None:
    crops = np.array([[[[1, 3]], [[10, 40]]]], np.float32)
    found = normalised(crops, np.array([2.0, 20.0]), np.array([0.5, 10.0]))
    assert found.tolist() == [[[[-2, 2]], [[-1, 2]]]]


@pytest.mark.parametrize(
    ("counts", "least", "length"),
    [([4, 2], 0, 6), ([4, 3], 0, 8), ([5, 1, 1], 0, 9), ([4, 2], 7, 8), ([4, 2], 8, 8)],
)
def test_an_epoch_has_room_for_all_cells_in_equal_parts(
    counts: list[int], least: int, length: int
) -> None:
    assert epoch_length(np.repeat(np.arange(len(counts)), counts), least) == length


def test_a_rare_cell_comes_as_often_as_its_class_is_short_of_cells() -> None:
    # An epoch of 8 cells, 4 of each class: each common cell once, the rare one four times.
    labels = np.array([0, 0, 0, 0, 1, 0, 0])
    times = np.bincount(balanced_order(labels, np.random.default_rng(0)), minlength=7)
    assert times[4] == 4
    assert sorted(times[labels == 0]) == [0, 0, 1, 1, 1, 1]


def test_the_order_of_an_epoch_mixes_the_classes() -> None:
    labels = np.repeat([0, 1], 50)
    order = labels[balanced_order(labels, np.random.default_rng(0))]
    assert 15 < order[:50].sum() < 35
