"""What a classifier remembers of its training cells: right, small, and the same after a file."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_channelmix.classify import TrainingData, load_bundle
from napari_channelmix.classify.training_data import channel_pairs, dtypes_of
from napari_channelmix.data.profile import FEATURES

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.classify import Classifier
    from napari_channelmix.data import Cells


def test_training_leaves_the_statistics_of_its_cells(on_plate: Classifier, plate: Cells) -> None:
    data, pixels = on_plate.training_data, plate.read().astype(np.float64)
    assert data is not None
    assert (data.n, data.groups, data.crop, data.pixel_size) == (240, 12, 16, None)
    assert data.class_shares == {"low": 0.5, "high": 0.5}
    assert data.dtypes == ("uint16",)
    np.testing.assert_allclose(data.mean, pixels.mean(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(data.sd, pixels.std(axis=(0, 2, 3)), rtol=1e-4)
    np.testing.assert_array_equal(data.minimum, pixels.min(axis=(0, 2, 3)))
    np.testing.assert_array_equal(data.maximum, pixels.max(axis=(0, 2, 3)))
    flat = np.moveaxis(pixels, 1, 0).reshape(2, -1)
    np.testing.assert_allclose(data.correlation, np.corrcoef(flat), atol=1e-4)
    np.testing.assert_allclose(
        data.centre[FEATURES.index("mean")], pixels.mean(axis=(2, 3)).mean(axis=0), rtol=1e-5
    )


def test_the_spread_between_wells_is_found(plate: Cells) -> None:
    statistics = plate.statistics()
    data = TrainingData.of(plate, statistics.profile)
    alone = replace(plate, table=plate.table.assign(group=[str(i) for i in range(len(plate))]))
    without = TrainingData.of(alone, statistics.profile)
    at = FEATURES.index("mean")
    # The gain of a well varies by 3 percent (a range of 0.1 / sqrt(12)) of the light of a cell.
    means = plate.read()[:, 0].mean(axis=(1, 2)) - 40
    assert data.between[at, 0] == pytest.approx(0.029 * means.mean(), rel=0.6)
    # Without groups a quarter of the spread of single cells stands for it.
    assert without.between[at, 0] == pytest.approx(0.25 * means.std(), rel=0.1)


def test_the_same_comes_back_from_json(on_plate: Classifier) -> None:
    data = on_plate.training_data
    text = json.dumps(data.as_dict(), allow_nan=False)
    assert len(text) < 20_000
    back = TrainingData.from_dict(json.loads(text), on_plate.channels)
    for one in fields(TrainingData):
        mine, theirs = getattr(data, one.name), getattr(back, one.name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_allclose(theirs, mine, rtol=1e-6, atol=1e-12)
        else:
            assert theirs == mine, one.name


@pytest.mark.parametrize(
    "change",
    [{"mean": [1.0]}, {"mean": "a"}, {"centre": None}, {"channels": ["a", "b"]},
     {"sd": [float("nan"), 1]}, {"n": "many"}, {"class_shares": 3}],
)  # fmt: skip
def test_content_that_does_not_fit_is_refused(
    on_plate: Classifier, change: dict[str, object]
) -> None:
    content = on_plate.training_data.as_dict() | change
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        TrainingData.from_dict(content, on_plate.channels)


def test_pairs_are_all_of_few_channels_and_none_of_many() -> None:
    assert [side.tolist() for side in channel_pairs(3)] == [[0, 0, 1], [1, 2, 2]]
    assert len(channel_pairs(1)[0]) == len(channel_pairs(40)[0]) == 0


def test_types_of_the_channels_in_use(plate: Cells) -> None:
    assert dtypes_of(plate) == ("uint16",)


def test_what_was_just_measured_is_what_a_bundle_brings_back(
    on_plate: Classifier, tmp_path: Path
) -> None:
    back = load_bundle(on_plate.save(tmp_path / "m.cmx")).training_data
    assert on_plate.training_data is not None
    assert back is not None
    for one in fields(back):
        np.testing.assert_array_equal(
            getattr(back, one.name), getattr(on_plate.training_data, one.name), err_msg=one.name
        )
