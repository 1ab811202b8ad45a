"""Squares are bounded before memory is asked for."""

import pytest

from napari_channelmix.data.bounds import square_side
from napari_channelmix.errors import DataError


def test_ordinary_boxes_and_images_have_their_longer_side() -> None:
    assert square_side(10.4, 7, (60, 70)) == 10
    assert square_side(1, 2, (60, 70)) == 4
    assert square_side(60, 70, (60, 70), whole=True) == 70
    # A box may reach over the border, and an image may be long.
    assert square_side(280, 3, (60, 70)) == 280
    assert square_side(8, 64, (8, 64), whole=True) == 64


@pytest.mark.parametrize(
    ("height", "width", "shape", "whole", "says"),
    [
        (4, 20000, (4, 20000), True, "4 x 20000 pixels would be made square, but is more than 8"),
        (8, 65, (8, 65), True, "more than 8 times as long as wide"),
        (281, 3, (60, 70), False, "more than 4 times as large as the image of 60 x 70"),
        (9000, 9000, (9000, 9000), True, "a square of more than 67,108,864 pixels"),
        (9000, 2, (9000, 9000), False, "a square of more than 67,108,864 pixels"),
    ],
)
def test_what_would_fill_the_memory_is_refused(height, width, shape, whole, says) -> None:
    with pytest.raises(DataError, match=says):
        square_side(height, width, shape, whole=whole)
