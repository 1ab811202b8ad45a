"""Channels scaled group by group: stain goes, what is within a group stays, losses are said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_channelmix import Cells
from napari_channelmix.errors import DataError


def stained(gains=(1.0, 2.0, 1.0, 2.0), labels=(0, 0, 1, 1), cells=12, side=12):
    """Wells of cells whose second channel is stained as ``gains`` say."""
    rng = np.random.default_rng(0)
    count = len(gains) * cells
    crops = rng.normal(100, 10, (count, 2, side, side))
    crops[:, 1] = crops[:, 1] * np.repeat(gains, cells)[:, None, None] + 7
    groups = np.repeat([f"w{at}" for at in range(len(gains))], cells)
    return Cells.from_array(
        crops.astype(np.float32),
        ("DNA", "stain"),
        np.repeat(labels, cells),
        ("a", "b"),
        list(groups),
    )


def levels(cells):
    means = cells.read().mean((2, 3))
    return pd.DataFrame(means, columns=cells.channels).groupby(cells.groups).median()


def test_every_group_gets_the_same_level_and_spread():
    cells = stained()
    assert levels(cells)["stain"].max() > 1.8 * levels(cells)["stain"].min()
    scaled = cells.normalised_by_group()
    np.testing.assert_allclose(levels(scaled)["stain"], levels(scaled)["stain"].iloc[0], rtol=1e-4)
    spreads = pd.Series(scaled.read()[:, 1].std((1, 2))).groupby(scaled.groups).median()
    np.testing.assert_allclose(spreads, spreads.iloc[0], rtol=1e-4)


def test_the_formula_by_hand():
    # Two wells of one cell, one channel of two values: level 15 and 30, spread 5 and 10; the
    # medians are 22.5 and 7.5.
    crops = np.array([[10, 20, 10, 20], [20, 40, 20, 40]], np.float32).reshape(2, 1, 2, 2)
    cells = Cells.from_array(crops, ("a",), groups=["w1", "w2"])
    expected = 22.5 + 7.5 * np.array([-1, 1, -1, 1]).reshape(2, 2)
    np.testing.assert_allclose(cells.normalised_by_group().read(), [[expected], [expected]])


def test_only_the_chosen_channels_are_scaled():
    cells = stained()
    scaled = cells.normalised_by_group(channels=["stain"])
    np.testing.assert_array_equal(scaled.read()[:, 0], cells.read()[:, 0])
    assert np.abs(scaled.read()[:, 1] - cells.read()[:, 1]).max() > 10


def test_subsets_and_other_orders_of_channels_are_scaled_alike():
    scaled = stained().normalised_by_group()
    chosen = [40, 3, 17]
    part = scaled.subset(chosen).with_channels(["stain", "DNA"])
    np.testing.assert_array_equal(part.read(), scaled.read(chosen)[:, ::-1])


def test_groups_within_one_image_are_scaled_apart():
    rng = np.random.default_rng(1)
    image = rng.normal(100, 10, (40, 80)).astype(np.float32)
    image[:, 40:] *= 3
    points = [(y, x) for y in (10, 20, 30) for x in (10, 20, 30, 50, 60, 70)]
    cells = Cells.from_points([image], ["a"], points, crop=8)
    cells = replace(cells, table=cells.table.assign(group=["l", "l", "l", "r", "r", "r"] * 3))
    scaled = cells.normalised_by_group()
    assert len(scaled.fields) == 2
    np.testing.assert_allclose(levels(scaled)["a"]["l"], levels(scaled)["a"]["r"], rtol=1e-4)
    np.testing.assert_array_equal(scaled.centres, cells.centres)


def test_classes_within_a_plate_keep_their_difference():
    cells = stained(gains=(1.0, 1.5, 2.0, 3.0), labels=(0, 1, 0, 1))
    plates = pd.DataFrame({"plate": ["p1", "p1", "p2", "p2"]}, index=["w0", "w1", "w2", "w3"])
    cells = replace(cells, conditions=plates)
    per_plate = levels(cells.normalised_by_group(per="plate"))["stain"]
    assert per_plate["w1"] > 1.2 * per_plate["w0"]
    assert per_plate["w0"] == pytest.approx(per_plate["w2"], rel=0.05)
    per_well = levels(cells.normalised_by_group())["stain"]
    assert per_well["w1"] == pytest.approx(per_well["w0"], rel=1e-3)


def test_what_is_lost_is_said():
    assert "every group holds one class only" in stained().normalised_by_group().warnings[-1]
    plates = pd.DataFrame({"plate": ["p1", "p2"] * 2}, index=["w0", "w1", "w2", "w3"])
    said = replace(stained(), conditions=plates).normalised_by_group(per="plate").warnings[-1]
    assert said == (
        "each channel was scaled per plate: differences in brightness between them are gone"
    )


def test_pixels_that_were_scaled_have_another_signature():
    cells = stained()
    assert cells.normalised_by_group().signature != cells.signature
    assert cells.normalised_by_group().signature == cells.normalised_by_group().signature


@pytest.mark.parametrize(
    ("conditions", "per", "said"),
    [
        (None, "plate", "normalise per one of: group"),
        ({"plate": ["p1", "p1", "p2", ""]}, "plate", "12 cells have no 'plate'"),
        ({"plate": ["p1"] * 4}, "batch", "one of: group, plate"),
    ],
)
def test_a_column_that_does_not_say_it_is_refused(conditions, per, said):
    frame = None if conditions is None else pd.DataFrame(conditions, ["w0", "w1", "w2", "w3"])
    with pytest.raises(DataError, match=said):
        replace(stained(), conditions=frame).normalised_by_group(per=per)


def test_a_channel_that_is_constant_in_a_group_is_refused():
    cells = stained()
    crops = cells.read()
    crops[:12, 1] = 5
    flat = Cells.from_array(crops, cells.channels, cells.labels, cells.classes, list(cells.groups))
    with pytest.raises(DataError, match="'stain' is constant in most cells of 'w0'"):
        flat.normalised_by_group()


@pytest.mark.parametrize(
    ("column", "refused"),
    [
        (["a", "a", "b", "b"], True),  # the class itself
        (["p", "q", "r", "r"], True),  # treatments: each of one class
        (["p1", "p2", "p1", "p2"], False),
        (["p1", "p1", "p1", "p2"], False),
        (["w0", "w1", "w2", "w3"], False),  # wells under another name
    ],
)
def test_a_column_that_follows_the_class_is_refused(column, refused):
    frame = pd.DataFrame({"kind": column}, index=["w0", "w1", "w2", "w3"])
    cells = replace(stained(), conditions=frame)
    if refused:
        with pytest.raises(DataError, match="every 'kind' holds one class only and stands for it"):
            cells.normalised_by_group(per="kind")
    else:
        assert len(cells.normalised_by_group(per="kind")) == len(cells)


def test_groups_that_are_classes_are_refused():
    cells = stained(gains=(1.0, 2.0), labels=(0, 1))
    with pytest.raises(DataError, match="scaling per group would read the class"):
        cells.normalised_by_group()
    # Without labels, or where cells are of one class, there is nothing to be read.
    same = stained(gains=(1.0, 2.0), labels=(0, 0))
    assert len(same.normalised_by_group()) == len(cells)
    bare = replace(cells, table=cells.table.assign(label=-1))
    assert len(bare.normalised_by_group()) == len(cells)
