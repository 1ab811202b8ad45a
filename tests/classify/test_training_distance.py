"""Distances of cells from training cells, by hand on one channel and on two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.classify.training_data import QUANTILES, TrainingData
from napari_channelmix.classify.training_distance import likeness, plain_likeness
from napari_channelmix.data.crop_profile import FEATURES, CropProfile

F = len(FEATURES)
MEAN = FEATURES.index("mean")


def known(channels: int = 1, **more: Any) -> TrainingData:
    """Training cells whose figures have the mean 0 and lie within 1, with nothing else to spread.

    Groups spread by .3, cells by .8, classes reach .5 from the mean, which is known to .1.
    """
    pairs = channels * (channels - 1) // 2
    table, paired = (F, channels), (4, pairs)
    rising = [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]
    content = {
        "n": 400,
        "mean": np.zeros(channels),
        "sd": np.ones(channels),
        "constant": np.zeros(channels),
        "centre": np.zeros(table),
        "within": np.full(table, 0.8),
        "between": np.full(table, 0.3),
        "apart": np.full(table, 0.5),
        "error": np.full(table, 0.1),
        "pair_centre": np.zeros(paired),
        "pair_within": np.full(paired, 0.8),
        "pair_between": np.full(paired, 0.3),
        "pair_apart": np.full(paired, 0.5),
        "pair_error": np.full(paired, 0.1),
        "quantiles": np.tile(np.reshape(rising, (len(QUANTILES), 1, 1)), (1, F, channels)),
    }
    empty = np.zeros(channels)
    return TrainingData(
        channels=tuple("abc"[:channels]),
        groups=12,
        class_shares={},
        dtypes=(),
        crop=8,
        pixel_size=None,
        minimum=empty,
        maximum=empty,
        saturated=empty,
        percentiles=np.zeros((8, channels)),
        correlation=np.eye(channels),
        **{**content, **more},
    )


def seen(figures: Any) -> CropProfile:
    """Cells with these figures (N, F, C)."""
    features = np.asarray(figures, np.float32)
    count, _, channels = features.shape
    return CropProfile(
        features,
        np.zeros((count, channels), np.float32),
        np.zeros((count, channels), bool),
        features.min(axis=(0, 1)) - 100,
        np.zeros((1, channels), np.float32),
        np.eye(channels),
    )


def test_a_distance_is_what_lies_beyond_the_classes_in_units_of_what_is_ordinary() -> None:
    # The mean of four cells: 2.5 away, .5 of which a class may be.
    figures = np.zeros((4, F, 1))
    figures[:, MEAN] = 2.5
    found = likeness(known(), seen(figures))
    ordinary = np.sqrt(0.3**2 + 0.8**2 / 4 + 0.1**2)
    assert found.distances[MEAN, 0] == pytest.approx(2.0 / ordinary)
    assert found.distances[0, 0] == 0
    assert found.figure == ("mean",)
    # Said from 5 on, and from 5 * (1 + 4 / n) on of so few.
    assert found.limit == pytest.approx(5 * (1 + 4 / 4))
    assert not found.differs(0)
    figures[:, MEAN] = 0.5 + 10.1 * ordinary
    farther = likeness(known(quantiles=50 * known().quantiles), seen(figures))
    assert farther.differs(0)
    assert not farther.differs(0, ("sd",))


@pytest.mark.parametrize(("apart", "parted"), [(3.12, ((0, 1),)), (2.7, ())])
def test_channels_are_parted_by_the_difference_of_their_figures(
    apart: float, parted: tuple[tuple[int, int], ...]
) -> None:
    # One lies above and the other below its mean, neither of them far for its groups.
    figures = np.zeros((16, F, 2))
    figures[:, MEAN] = apart / 2, -apart / 2
    found = likeness(known(2, between=np.full((F, 2), 9.0)), seen(figures))
    # The limit of 16 cells is 6.25.
    assert ((apart - 0.5) / np.sqrt(0.3**2 + 0.8**2 / 16 + 0.1**2) > 6.25) == bool(parted)
    assert found.parted == parted
    assert (found.distance < 0.2).all()


@pytest.mark.parametrize(
    ("figure", "strange"),
    # Four times as far from the median as 99 of 100 cells: 4 * 2; beyond all by their range and,
    # for 400 cells, by half of it more: 3 + 1.5 * 3.
    [(8.1, True), (7.9, False), (-8.1, True), (-7.9, False)],
)
def test_a_cell_is_strange_far_outside_of_all_training_cells(figure: float, strange: bool) -> None:
    figures = np.zeros((10, F, 1))
    figures[3, MEAN] = figure
    assert likeness(known(), seen(figures)).strange.tolist() == [
        strange and at == 3 for at in range(10)
    ]


@pytest.mark.parametrize(("n", "limit"), [(400, 7.5), (100, 12.0), (10_000, 6.06)])
def test_of_few_training_cells_a_strange_one_must_be_farther(n: int, limit: float) -> None:
    # 99 of 100 cells lie within 1.2, so that the range of all decides: 3 + (1 + 200 / n) * 3.
    quantiles = known().quantiles.copy()
    quantiles[1], quantiles[5] = -1.2, 1.2
    figures = np.zeros((10, F, 1))
    figures[3, MEAN], figures[5, MEAN] = limit + 0.01, limit - 0.01
    found = likeness(known(n=n, quantiles=quantiles), seen(figures))
    assert np.flatnonzero(found.strange).tolist() == [3]


def test_a_strange_cell_lies_outside_by_half_a_spread_of_pixels_at_least() -> None:
    # Training cells that are all alike.
    figures = np.zeros((10, F, 1))
    figures[2, MEAN], figures[3, MEAN] = 0.49, 0.51
    smooth = FEATURES.index("smoothness")
    figures[5, smooth], figures[6, smooth] = 0.09, 0.11
    found = likeness(known(quantiles=0 * known().quantiles), seen(figures))
    assert np.flatnonzero(found.strange).tolist() == [3, 6]


def test_a_few_strange_cells_do_not_make_the_others_look_strange() -> None:
    figures = np.zeros((10, F, 1))
    figures[:4, MEAN] = 100
    assert (likeness(known(), seen(figures)).distances == 0).all()
    figures[:5, MEAN] = 100
    assert likeness(known(), seen(figures)).distances[MEAN, 0] > 100


def test_without_statistics_of_crops_mean_and_spread_are_all_there_is() -> None:
    figures = np.zeros((8, F, 1))
    figures[:, MEAN] = 3.0
    # Half a standard deviation of the mean, and a factor of two of the spread, are the limit.
    found = plain_likeness(np.array([2.0]), np.array([4.0]), seen(figures))
    assert found.distances[MEAN, 0] == pytest.approx(5 * (1 / 4) / 0.5)
    assert found.distances[FEATURES.index("sd"), 0] == pytest.approx(5 * np.log(4) / np.log(2))
    assert found.limit == pytest.approx(5 * 1.5)


def two(first: float, second: float, count: int = 100) -> CropProfile:
    figures = np.zeros((count, F, 2))
    figures[:, :, 0], figures[:, :, 1] = first, second
    return seen(figures)


@pytest.mark.parametrize(
    ("first", "second", "exchanged"),
    [(10.0, 0.0, {0: 1, 1: 0}), (0.0, 10.0, {}), (10.0, 10.0, {}), (30.0, 0.0, {})],
)
def test_channels_are_exchanged_where_that_explains_most_of_the_distance(
    first: float, second: float, exchanged: dict[int, int]
) -> None:
    # In training the first is at 0 and the second at 10.
    centre = np.zeros((F, 2))
    centre[:, 1] = 10
    quantiles = known(2).quantiles * 50
    data = known(2, centre=centre, pair_centre=np.full((4, 1), -10.0), quantiles=quantiles)
    assert likeness(data, two(first, second)).exchanged == exchanged


@pytest.mark.parametrize(("distance", "exchanged"), [(4.0, {0: 1, 1: 0}), (2.5, {})])
def test_an_exchange_is_looked_for_where_a_distance_is_nearly_said(
    distance: float, exchanged: dict[int, int]
) -> None:
    # Said from 5 on; differences between the channels may be large here.
    ordinary = np.sqrt(0.3**2 + 0.8**2 / 100 + 0.1**2)
    apart = 0.5 + distance * ordinary
    centre = np.zeros((F, 2))
    centre[:, 1] = apart
    data = known(
        2,
        centre=centre,
        pair_centre=np.full((4, 1), -apart),
        pair_apart=np.full((4, 1), 2.5),
        quantiles=known(2).quantiles * 50,
    )
    assert likeness(data, two(apart, 0.0)).exchanged == exchanged


@pytest.mark.parametrize(("left", "exchanged"), [(0.4, {0: 1, 1: 0}), (0.6, {})])
def test_an_exchange_must_leave_less_than_half_of_the_largest_distance(
    left: float, exchanged: dict[int, int]
) -> None:
    # The first two seem exchanged; the third is off by so much of their distance in any order.
    centre = np.tile([0.0, 5.0, 100.0], (F, 1))
    data = known(
        3, centre=centre, pair_apart=np.full((4, 3), 1e6), quantiles=known(3).quantiles * 500
    )
    figures = np.tile([5.0, 0.0, 100.0 + 0.5 + left * (5 - 0.5)], (100, F, 1))
    assert likeness(data, seen(figures)).exchanged == exchanged
