"""Maps of cells that lie at any angle are brought together before they are averaged."""

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.data import Cells
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.mean_maps import mean_maps, pose_of

SIDE = 32
ANGLES = (0, 30, 75, 120, 160, 200, 250, 300)


def stick(angle, off=(0.0, 0.0)):
    """A drop of 18 x 6 pixels whose thick end lies at an angle (degrees), and that end."""
    y, x = np.mgrid[:SIDE, :SIDE] - 15.5
    y, x = y - off[0], x - off[1]
    turn = np.deg2rad(angle)
    along, across = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    outline = (np.abs(along) < 9) & (np.abs(across) < 2.2)
    end = np.hypot(along - 8, across) < 4.5
    return outline | end, end


def test_the_pose_of_an_outline_is_its_middle_its_axis_and_the_longer_tail():
    outline = np.zeros((20, 20), bool)
    outline[4:6, 3:17] = True
    pose = pose_of(outline)
    assert (pose.y, pose.x, pose.angle) == pytest.approx((4.5, 9.5, 0))
    # Spreads of 14 and 2 pixels: sqrt(196 / 4).
    assert pose.ratio == pytest.approx(7)
    # Turned by 90 degrees, with a head: the tail, at the lower end, comes to the right.
    outline = np.zeros((20, 20), bool)
    outline[2:18, 9:11] = True
    outline[2:6, 6:14] = True
    assert pose_of(outline).angle == pytest.approx(np.pi / 2)
    assert pose_of(outline[::-1]).angle == pytest.approx(-np.pi / 2)


def test_a_round_or_empty_outline_has_no_direction():
    y, x = np.mgrid[:21, :21] - 10
    assert pose_of(np.hypot(y, x) < 8).angle == 0
    assert pose_of(np.zeros((4, 6), bool)).y == 1.5


@pytest.fixture(scope="module")
def attribution():
    """Cells in a picture, at all angles; the map of each is bright at its thick end."""
    rng = np.random.default_rng(0)
    picture = np.zeros((SIDE, SIDE * len(ANGLES)), np.float32)
    labels = np.zeros(picture.shape, np.int32)
    ends = []
    for number, angle in enumerate(ANGLES):
        outline, end = stick(angle, rng.uniform(-2, 2, 2))
        part = np.s_[:, number * SIDE : (number + 1) * SIDE]
        picture[part] = outline
        labels[part] = (number + 1) * outline
        ends.append(end)
    cells = Cells.from_labels((picture,), ("DNA",), labels, crop=SIDE)

    def predict(crops):
        light = crops.mean((1, 2, 3))
        return np.stack([light - 9, 9 - light], axis=1)

    result = cm.explain(predict, cells, forwards=8, check=False, output="logits")
    for row, number in enumerate(cells.table["object"].to_numpy()):
        y0, x0, _, _ = cells.boxes[row]
        left = x0 - (int(number) - 1) * SIDE
        shifted = np.roll(ends[int(number) - 1], (-int(y0), -int(left)), (0, 1))
        result.maps[row] = shifted
    return result


def test_turning_brings_maps_together_that_blur_when_they_are_only_laid_on_each_other(attribution):
    turned, centred, laid = (mean_maps(attribution, how) for how in ("axis", "centre", "none"))
    assert turned.agreement[0] > 0.8 > 0.5 > centred.agreement[0]
    assert turned.maps.shape == (1, 1, SIDE, SIDE) and turned.channels == ("all channels",)
    # Each map has an evidence of 1 in all.
    assert turned.maps.sum() == pytest.approx(1, abs=0.05)
    # At one end of the stick, on the middle line.
    evidence = turned.maps[0, 0] / turned.maps.sum()
    rows, columns = np.mgrid[:SIDE, :SIDE] - 15.5
    assert abs((evidence * rows).sum()) < 1 < 3 < abs((evidence * columns).sum())
    # Where no groups are known each cell is one.
    assert laid.lines == () and laid.groups.tolist() == [8]
    assert "8 by their labels" in turned.lines[0]
    assert turned.to_frame().columns.tolist() == ["class_name", "n", "groups", "agreement"]


def test_channels_have_mean_maps_of_their_own_where_they_have_maps():
    crops = np.random.default_rng(0).normal(0, 1, (4, 2, 16, 16)).astype(np.float32)
    crops[2:, 0] += 2

    def predict(pixels):
        light = pixels[:, 0].mean((1, 2))
        return np.stack([1 - light, light], axis=1)

    result = cm.explain(
        predict, crops, channels="separate", forwards=20, check=False, output="logits"
    )
    mean = mean_maps(result, "none")
    assert mean.channels == ("channel 0", "channel 1") and mean.maps.shape == (2, 2, 16, 16)
    shares = result.channel_maps / np.abs(result.channel_maps).sum((1, 2, 3), keepdims=True)
    first = shares[result.target == 0].mean(axis=0)
    np.testing.assert_allclose(mean.maps[0], first, atol=1e-6)
    np.testing.assert_allclose(mean.crops[1], crops[2:].mean(axis=0), atol=1e-6)
    figure = mean.figure()
    assert len(figure.axes) == 4


def test_one_cell_has_no_agreement_and_other_words_are_refused(attribution):
    crops = np.zeros((1, 1, 16, 16), np.float32)
    crops[:, :, 5:11, 5:11] = 4
    predict = lambda x: np.stack([-x.mean((1, 2, 3)), x.mean((1, 2, 3))], axis=1)  # noqa: E731
    mean = mean_maps(cm.explain(predict, crops, forwards=8, check=False, output="logits"))
    assert np.isnan(mean.agreement[0]) and any("one cell" in line for line in mean.lines)
    with pytest.raises(ModelError, match="use axis, centre or none"):
        mean_maps(attribution, "up")
