"""Preparation: one zoom and one brightness for all cells, outlines from labels or from light."""

import json

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.drl.channel_view import View
from napari_channelmix.drl.preparation import FRAME_SIDE, Preparation, prepare_job, prepared_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain


def prepared(cells, view=None):
    return drain(prepare_job(cells, view or View.one(cells.channels[0])))


def lit(pictures):
    """Pixels of each picture (N,) that are not black."""
    return (pictures > 20).any(axis=1).sum(axis=(1, 2))


@pytest.fixture
def unlabelled(make_ellipse):
    """Crops of one channel, bright ellipses of half axes 6 and 12 on a background of 100."""
    rng = np.random.default_rng(0)
    crops = 100 + rng.normal(0, 2, (10, 1, 48, 48)).astype(np.float32)
    for at, crop in enumerate(crops):
        size = 12 if at % 2 else 6
        crop[0] += 300 * make_ellipse(48, (size, size), 0, (23.5, 23.5))
    return Cells.from_array(crops, ["DNA"])


# ---------------------------------------------------------------- size


def test_a_cell_twice_as_large_stays_twice_as_large(unlabelled):
    found = prepared(unlabelled)
    area = lit(found.pictures)
    assert area[1::2].mean() / area[::2].mean() == pytest.approx(4, rel=0.1)
    assert found.features["area"][1] / found.features["area"][0] == pytest.approx(4, rel=0.1)


def test_the_largest_cells_are_as_large_as_the_largest_sprites(unlabelled):
    found = prepared(unlabelled)
    across = (found.pictures[1, 0] > 20).any(axis=0).sum()
    assert 38 <= across <= 44
    assert found.how.zoom == pytest.approx(41 / 24, rel=0.06)


def test_the_longest_cells_are_as_long_as_the_longest_sprites(make_ellipse):
    mask = make_ellipse(60, (6, 24), 0, (29.5, 29.5)).astype(np.int32)
    found = prepared(strip(100 * np.stack([mask] * 3)[:, None], np.stack([mask] * 3)))
    assert found.how.zoom == pytest.approx(52 / 48, rel=0.06)


def test_the_brightest_cells_are_as_bright_as_sprites_and_dim_ones_keep_their_place(make_ellipse):
    mask = make_ellipse(40, (12, 12), 0, (19.5, 19.5)).astype(np.float32)
    speck = mask.copy()
    speck[mask > 0] = 0.1
    speck[18:22, 18:22] = 1.0
    masks = np.stack([mask] * 3).astype(np.int32)
    flat, dim = (prepared(strip(np.stack([one] * 3)[:, None], masks)) for one in (mask, speck))
    assert flat.pictures.max() == pytest.approx(128, abs=8)
    assert dim.pictures.max() > 240


def test_cells_stand_in_the_middle_wherever_they_lay(make_ellipse):
    crops = np.zeros((6, 1, 60, 60), np.float32)
    for at, (y, x) in enumerate([(29, 29), (20, 35), (35, 22), (25, 25), (38, 30), (30, 38)]):
        crops[at, 0] = make_ellipse(60, (9, 9), 0, (y, x))
    found = prepared(Cells.from_array(crops, ["DNA"]))
    for picture in found.pictures[:, 0]:
        y, x = np.nonzero(picture > 20)
        assert (y.mean(), x.mean()) == pytest.approx((31.5, 31.5), abs=0.6)


def test_a_few_giants_are_cut_and_said_to_be_cut_only_where_they_are_many(make_ellipse):
    def crops(giants):
        made = np.zeros((40, 1, 96, 96), np.float32)
        for at, crop in enumerate(made):
            # Wide giants: they reach over the left and right edge alone.
            axes = (8, 46) if at < giants else (8, 8)
            crop[0] = make_ellipse(96, axes, 0, (47.5, 47.5))
        labels = (made[:, 0] > 0).astype(np.int32)
        return strip(made, labels)

    assert not any("cut" in line for line in prepared(crops(1)).warnings)
    many = Preparation(View.one("DNA"), (0.0,), (1.0,), 3.0)
    found = drain(prepared_job(crops(10), many))
    assert any(line.startswith("25% of the cells are larger") for line in found.warnings)


def strip(crops, masks, name="strip"):
    """Cells of one field, crop beside crop, with their masks as labels."""
    side = crops.shape[-1]
    labels = np.concatenate([mask * (at + 1) for at, mask in enumerate(masks)], axis=1)
    planes = [np.concatenate(list(channel), axis=1) for channel in crops.swapaxes(0, 1)]
    channels = ["DNA", "GFP", "RFP"][: len(planes)]
    return Cells.from_labels(planes, channels, labels, crop=side, name=name)


# ---------------------------------------------------------------- brightness


def test_brightness_is_not_stretched_cell_by_cell(make_ellipse):
    masks = np.stack([make_ellipse(40, (12, 12), 0, (19.5, 19.5))] * 4).astype(np.int32)
    levels = np.array([50, 100, 200, 400], np.float32)
    crops = 1000 + masks[:, None] * levels[:, None, None, None]
    found = prepared(strip(crops, masks))
    middle = found.pictures[:, 0, 28:36, 28:36].mean(axis=(1, 2)) / 255
    np.testing.assert_allclose(middle / middle[3], levels / 400, atol=0.02)
    assert found.how.background == (1000,)


def test_units_do_not_matter(unlabelled):
    crops = unlabelled.read()
    found = prepared(unlabelled)
    for scaled in (crops * 1e-4 - 3, crops * 50):
        other = prepared(Cells.from_array(scaled, ["DNA"]))
        assert np.abs(other.pictures.astype(int) - found.pictures).max() <= 2


def test_bright_field_is_inverted(unlabelled):
    dark = Cells.from_array(1000 - unlabelled.read(), ["DNA"])
    found, wanted = prepared(dark), prepared(unlabelled)
    assert found.how.spread[0] < 0
    assert np.abs(found.pictures.astype(int) - wanted.pictures).max() <= 2
    assert "the background is brighter than the cells: images are inverted" in found.warnings
    assert not any("inverted" in line for line in wanted.warnings)


def test_channels_are_added_in_their_colors(make_ellipse):
    left, right = (make_ellipse(40, (10, 6), 0, (19.5, x)) for x in (13, 27))
    mask = ((left + right) > 0).astype(np.int32)[None]
    found = prepared(strip(np.stack([left, right])[None], mask), View.colors(["DNA", "GFP"]))
    picture = found.pictures[0] / 255
    half = FRAME_SIDE // 2
    red, green, blue = picture
    assert red[:, :half].max() > 0.9
    assert red[:, half:].max() < 0.1
    assert green[:, half:].max() > 0.9
    assert green[:, :half].max() < 0.1
    assert blue.max() == 0


def test_a_blend_adds_channels_by_their_shares(make_ellipse):
    mask = make_ellipse(40, (12, 12), 0, (19.5, 19.5)).astype(np.int32)[None]
    crops = np.stack([mask[0] * 1.0, mask[0] * 0.0 + np.arange(40)])[None].astype(np.float32)
    found = prepared(strip(crops, mask), View.blend({"DNA": 1, "GFP": 0}))
    alone = prepared(strip(crops, mask), View.one("DNA"))
    np.testing.assert_array_equal(found.pictures, alone.pictures)


def test_a_color_picture_keeps_its_colors():
    rng = np.random.default_rng(0)
    crops = np.full((8, 3, 40, 40), 200.0, np.float32) + rng.normal(0, 1, (8, 3, 40, 40))
    # Darkest in blue, and hardly in red.
    crops[:, :, 10:30, 10:30] -= np.array([20, 60, 100])[:, None, None]
    cells = Cells.from_array(crops.astype(np.float32), ["R", "G", "B"])
    found = prepared(cells, View.colors(cells.channels))
    middle = found.pictures[:, :, 28:36, 28:36].mean(axis=(0, 2, 3)) / 255
    assert middle / middle[2] == pytest.approx([0.2, 0.6, 1.0], abs=0.05)


# ---------------------------------------------------------------- outlines


def test_labels_are_the_outlines_whatever_the_brightness(make_ellipse):
    masks = np.zeros((3, 40, 40), np.int32)
    masks[:, 12:28, 8:32] = 1
    bright = make_ellipse(40, (5, 5), 0, (19.5, 19.5))
    found = prepared(strip(np.stack([bright + 0.2] * 3)[:, None], masks))
    assert found.features["area"].tolist() == [16 * 24] * 3
    assert found.outlined.all()
    assert not any("label" in line for line in found.warnings)


def test_what_lies_outside_the_outline_is_black(make_ellipse):
    bright, mask = (make_ellipse(40, (size, size), 0, (19.5, 19.5)) for size in (14, 8))
    found = prepared(strip(np.stack([bright] * 3)[:, None], np.stack([mask] * 3).astype(np.int32)))
    drawn = (found.pictures[:, 0] > found.pictures.max() / 2).sum(axis=(1, 2))
    np.testing.assert_allclose(drawn, mask.sum() * found.how.zoom**2, rtol=0.03)


def test_without_labels_an_outline_is_found_by_brightness_and_said_to_be(unlabelled):
    found = prepared(unlabelled)
    assert found.outlined.all()
    np.testing.assert_allclose(
        found.features["area"], [np.pi * (144 if at % 2 else 36) for at in range(10)], rtol=0.12
    )
    assert "the cells have no label image: outlines were found by brightness" in found.warnings


def test_a_neighbour_in_the_corner_is_not_the_cell(unlabelled):
    crops = unlabelled.read().copy()
    crops[:, :, :9, :9] += 600
    found = prepared(Cells.from_array(crops, ["DNA"]))
    apart = found.features["area"] / prepared(unlabelled).features["area"]
    assert apart.between(0.7, 1.1).all()


def test_of_two_blobs_the_one_in_the_middle_is_the_cell(make_ellipse):
    crops = np.zeros((4, 1, 48, 48), np.float32)
    crops[:, 0] = make_ellipse(48, (5, 5), 0, (23.5, 23.5)) + make_ellipse(48, (6, 6), 0, (23, 39))
    found = prepared(Cells.from_array(crops, ["DNA"]))
    assert found.features["area"].between(60, 95).all()


def test_a_tiny_label_beside_a_bright_neighbour_is_drawn_as_it_is():
    labels = np.zeros((40, 80), np.int32)
    labels[10:30, 2:18] = 1
    labels[19:21, 24:26] = 2
    labels[12:28, 50:70] = 3
    plane = np.isin(labels, (1, 3)) * 9.0 + (labels == 2) * 1.0
    cells = Cells.from_labels([plane.astype(np.float32)], ["DNA"], labels, crop=32)
    assert prepared(cells).features["area"].tolist() == [20 * 16, 4, 16 * 20]


def test_a_filled_border_never_becomes_a_part_of_the_cell():
    labels = np.zeros((60, 60), np.int32)
    labels[0:10, 20:40] = 1
    labels[30:50, 20:40] = 2
    plane = np.where(labels > 0, 500.0, 100.0).astype(np.float32)
    cells = Cells.from_labels([plane], ["DNA"], labels, crop=40)
    assert (cells.table["y0"] < 0).any()
    # No second cell above the border.
    assert (cells.read()[0, 0] > 300).sum() == 10 * 20
    found = prepared(cells)
    assert found.features["area"].tolist() == [200, 400]
    assert lit(found.pictures)[0] == pytest.approx(200 * found.how.zoom**2, rel=0.15)
    points = Cells.from_points([plane], ["DNA"], [[5, 30], [40, 30]], crop=30)
    assert prepared(points).features["area"][0] == pytest.approx(200, rel=0.15)


def test_cells_of_one_pixel_are_prepared():
    labels = np.zeros((30, 30), np.int32)
    labels[5, 5], labels[20, 20] = 1, 2
    plane = np.where(labels > 0, 500.0, 100.0).astype(np.float32)
    found = prepared(Cells.from_labels([plane], ["DNA"], labels, crop=9))
    assert np.isfinite(found.pictures).all()
    assert np.isfinite(found.features).all(axis=None)
    crops = np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1)
    with pytest.raises(DataError, match="no cell stands out"):
        prepared(Cells.from_array(crops, ["DNA"]))


def test_cells_without_an_outline_get_a_disc_and_are_counted(unlabelled):
    crops = unlabelled.read().copy()
    crops[3] = 100
    found = prepared(Cells.from_array(crops, ["DNA"]))
    assert found.outlined.tolist() == [at != 3 for at in range(10)]
    assert "1 of 10 cells have no clear outline; a disc stands for it" in found.warnings
    assert found.pictures[3].max() < 20


# ---------------------------------------------------------------- bad input, and the rest


def test_nan_is_refused_with_cell_and_channel(make_ellipses):
    cells = make_ellipses(9)
    y, x = np.argwhere(cells.fields[0].labels == 5)[0]
    cells.fields[0].planes[1][y, x] = np.nan
    with pytest.raises(DataError, match="image: channel 'B' has NaN or infinite pixels in cell 5"):
        prepared(cells, View.colors(cells.channels))
    # A channel that is not looked at may hold anything.
    prepared(cells, View.one("A"))


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_a_constant_image_is_refused(level):
    cells = Cells.from_array(np.full((4, 2, 20, 20), level, np.float32), ["DNA", "GFP"])
    with pytest.raises(DataError, match="array: DNA, GFP is constant over all cells"):
        prepared(cells, View.colors(cells.channels))


def test_one_constant_channel_among_others_stays_black(unlabelled):
    crops = np.concatenate([unlabelled.read(), np.full((10, 1, 48, 48), 3.0)], axis=1)
    cells = Cells.from_array(crops.astype(np.float32), ["DNA", "empty"])
    found = prepared(cells, View.colors(cells.channels))
    assert found.pictures[:, 1].max() == 0
    assert found.pictures[:, 0].max() > 100


def test_no_cells_and_channels_that_are_not_there_are_refused(unlabelled):
    with pytest.raises(DataError, match="array: there are no cells"):
        prepared(unlabelled.subset([]))
    with pytest.raises(DataError, match="array has no channel 'GFP'; it has DNA"):
        prepared(unlabelled, View.one("GFP"))


def test_other_cells_are_prepared_as_the_first_were(unlabelled):
    how = prepared(unlabelled).how
    again = drain(prepared_job(unlabelled.subset([0, 2, 4]), how))
    np.testing.assert_array_equal(again.pictures, prepared(unlabelled).pictures[[0, 2, 4]])
    # By themselves, the small ones would fill the frame.
    assert (
        lit(prepared(unlabelled.subset([0, 2, 4])).pictures).min() > 3 * lit(again.pictures).max()
    )


def test_how_cells_were_prepared_goes_through_json(unlabelled):
    how = prepared(unlabelled).how
    assert Preparation.from_dict(json.loads(json.dumps(how.as_dict()))) == how


def test_a_grey_picture_in_colors_is_warned_of(unlabelled):
    line = "a grey image: the latent Color is of no use here"
    assert line in prepared(unlabelled, View.one("DNA", 3)).warnings
    assert line not in prepared(unlabelled).warnings


def test_progress_never_goes_back_and_comes_with_every_cell(ellipses):
    steps = list(prepare_job(ellipses, View.one("A")))
    done = [step.fraction for step in steps]
    assert done == sorted(done)
    assert done[-1] == 1
    assert len(steps) >= 3 * len(ellipses)


def test_cells_side_by_side_without_a_background_are_prepared():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.repeat(np.arange(1, 17).reshape(4, 4), 20, axis=0), 20, axis=1)
    pixels = (labels * 10 + rng.normal(0, 2, labels.shape)).astype(np.float32)
    cells = Cells.from_labels([pixels], ["membrane"], labels, crop=24)
    found = drain(prepare_job(cells, View.one("membrane")))
    assert found.outlined.all()
    assert found.pictures.max() > 0
