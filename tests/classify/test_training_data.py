"""What a classifier remembers of its training cells: right, small, and the same after a file."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_channelmix.classify import TrainingData, load_bundle
from napari_channelmix.classify.training_data import _spreads, channel_pairs, dtypes_of
from napari_channelmix.data.crop_profile import FEATURES

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
    [
        {"mean": [1.0]},
        {"mean": "a"},
        {"centre": None},
        {"channels": ["a", "b"]},
        {"sd": [float("nan"), 1]},
        {"n": "many"},
        {"class_shares": 3},
    ],
)
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


# ---------------------------------------------------------------- the formulas, by hand


def spreads_of(values, labels, groups) -> dict[str, float]:  # type: ignore[no-untyped-def]
    found = _spreads(values, labels, groups, np.zeros((1, 1)))
    return {name: value.item() for name, value in found.items()}


def test_spreads_of_two_classes_in_four_groups_of_five() -> None:
    # Class 0 at 0 and class 1 at 10; groups a and c are .5 above the others; cells spread by sd 1.
    cells = np.array([-1.5, -0.75, 0.0, 0.75, 1.5]) / np.sqrt(1.125)
    values = np.concatenate([cells + 0.5, cells, cells + 10.5, cells + 10])[:, None, None]
    labels, groups = np.repeat([0, 0, 1, 1], 5), np.repeat(list("abcd"), 5)
    found = spreads_of(values, labels, groups)
    assert found["centre"] == pytest.approx(5.25)
    assert found["apart"] == pytest.approx(5.0)
    total = np.sqrt(5.0**2 + 0.25**2 + 1)
    assert found["within"] == pytest.approx(total)
    assert found["error"] == pytest.approx(total / np.sqrt(10))
    # Means of the groups within their class: +-.25 of four, two of which are free; less what
    # means of five cells vary by; pulled towards a quarter of the cells' spread as if by 4 groups.
    within = 0.25**2 + 1
    between = 4 * 0.25**2 / 2 - (within - 0.25**2) / 5
    assert between < 0
    prior = 4 * 0.25**2 * within
    assert found["between"] == pytest.approx(np.sqrt((prior + 0) / (4 + 2)))
    # With groups five times as far apart their variance counts.
    values = np.concatenate([cells + 2.5, cells, cells + 12.5, cells + 10])[:, None, None]
    found = spreads_of(values, labels, groups)
    within = 1.25**2 + 1
    between = 4 * 1.25**2 / 2 - 1 / 5
    wanted = (4 * 0.25**2 * within + 2 * between) / (4 + 2)
    assert found["between"] == pytest.approx(np.sqrt(wanted))


def test_a_spread_between_groups_is_a_twentieth_of_the_pixels_or_a_hundredth_at_least(
    plate: Cells,
) -> None:
    crops = plate.read()
    crops[:] = crops[:1]
    crops[:, :, 0, 0] += np.arange(len(crops))[:, None] * 1e-3
    from napari_channelmix.data import Cells

    still = Cells.from_array(
        crops, plate.channels, plate.labels, plate.classes, plate.groups.tolist()
    )
    data = TrainingData.of(still, still.statistics().profile)
    least = 0.05 * data.sd
    np.testing.assert_allclose(data.between[FEATURES.index("mean")], least, rtol=1e-4)
    np.testing.assert_allclose(data.between[FEATURES.index("smoothness")], 0.01, rtol=1e-4)
    np.testing.assert_allclose(data.pair_between, max(least), rtol=1e-4)
