"""Statistics of channels: as NumPy has them, whatever the batches and offsets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_channelmix.data import Cells
from napari_channelmix.data.statistics import statistics_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Progress, drain


@settings(deadline=None)
@given(
    cuts=st.lists(st.integers(1, 7), min_size=1, max_size=6),
    offset=st.sampled_from([0.0, 1e3, -1e9, 1e12]),
    seed=st.integers(0, 99),
)
def test_statistics_are_those_of_numpy(cuts: list[int], offset: float, seed: int) -> None:
    crops = np.random.default_rng(seed).normal(size=(sum(cuts), 3, 4, 4)) + offset
    batches = np.split(crops, np.cumsum(cuts)[:-1])
    steps: list[Progress] = []
    found = drain(statistics_job(batches, len(crops), ["a", "b", "c"]), steps.append)
    axes = (0, 2, 3)
    np.testing.assert_allclose(found.mean, crops.mean(axes), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.std, (crops - offset).std(axes), rtol=1e-3)
    if abs(offset) < 1e9:
        np.testing.assert_allclose(found.std, crops.std(axes), rtol=1e-9)
    np.testing.assert_array_equal(found.minimum, crops.min(axes))
    np.testing.assert_array_equal(found.maximum, crops.max(axes))
    assert [step.done for step in steps] == np.cumsum(cuts).tolist()


def test_statistics_of_cells_are_over_all_pixels_of_all_crops() -> None:
    crops = np.random.default_rng(0).integers(0, 65535, (301, 2, 5, 5)).astype(np.uint16)
    found = Cells.from_array(crops, ["a", "b"]).statistics()
    np.testing.assert_allclose(found.mean, crops.mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(found.std, crops.std(axis=(0, 2, 3)))


def test_a_constant_channel_is_named_with_its_value() -> None:
    crops = np.random.default_rng(0).normal(size=(3, 2, 4, 4))
    crops[:, 1] = 12
    found = Cells.from_array(crops, ["DNA", "blank"]).statistics()
    assert found.constant == ("blank",)
    how = r"leave it out \(in a data-set file: drop = \[\"blank\"\]\)"
    with pytest.raises(DataError, match=rf"'blank' is constant \(12 in every cell\).*{how}"):
        found.refuse_constant()
    Cells.from_array(crops[:, :1], ["DNA"]).statistics().refuse_constant()


def test_no_cells_are_refused() -> None:
    with pytest.raises(DataError, match="no cells"):
        drain(statistics_job([], 0, ["a"]))


def test_the_profile_is_in_the_order_of_the_table_however_images_are_read() -> None:
    plane = np.random.default_rng(0).normal(size=(60, 60))
    points = np.random.default_rng(1).uniform(8, 52, (20, 2))
    cells = Cells.from_points([plane], ["A"], points, crop=8)
    assert (np.diff(cells.reading_order) < 0).any()
    profile = cells.statistics().profile
    assert profile is not None
    np.testing.assert_allclose(
        profile.of("mean")[:, 0], cells.read().mean(axis=(1, 2, 3)), rtol=1e-5, atol=1e-6
    )
