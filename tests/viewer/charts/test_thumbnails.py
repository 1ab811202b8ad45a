from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.viewer.charts.attribution_colormap import evidence_image
from napari_channelmix.viewer.charts.thumbnails import (
    Thumbnails,
    Tile,
    grey_image,
    grey_levels,
)


@pytest.fixture
def strip(qtbot: Any) -> Thumbnails:
    found = Thumbnails("pictures")
    qtbot.addWidget(found)
    found.resize(340, 100)
    found.show()
    return found


def test_every_channel_is_stretched_by_itself_and_a_constant_one_is_black() -> None:
    crops = np.stack(
        [np.arange(16.0).reshape(4, 4), 1e4 * np.arange(16.0).reshape(4, 4), np.full((4, 4), 7.0)]
    ).astype(np.float32)
    levels = grey_levels(crops)
    np.testing.assert_allclose(levels[0], levels[1], atol=1)
    assert levels[0].max() > 150 and not levels[2].any()


def test_many_channels_stand_in_rows_within_the_width(strip: Thumbnails) -> None:
    below = grey_image(np.zeros((8, 8), np.uint8))
    for count in (1, 4, 7, 40):
        strip.show_tiles([Tile(below, title=f"channel {i}") for i in range(count)])
        places = [strip.place(at) for at in range(count)]
        assert max(place.right() for place in places) <= strip.width()
        assert max(place.bottom() for place in places) < strip.height()
        assert not any(
            one.intersects(other) for i, one in enumerate(places) for other in places[:i]
        )


def test_a_new_map_is_seen_over_the_same_picture(strip: Thumbnails, qtbot: Any) -> None:
    strip.show_tiles([Tile(grey_image(np.zeros((8, 8), np.uint8)))])
    strip.cover([evidence_image(np.ones((8, 8), np.float32), "signed")])
    middle = strip.place(0).center()
    color = strip.grab().toImage().pixelColor(middle)
    assert color.red() > 150 and color.red() > color.blue()
    strip.cover([None])
    assert strip.grab().toImage().pixelColor(middle).red() == 0


def test_pictures_that_belong_together_stand_in_a_row(qtbot):
    strip = Thumbnails("pictures")
    qtbot.addWidget(strip)
    strip.resize(300, 100)
    strip.show_tiles([Tile(None)] * 4, 2)
    assert [strip.place(index).top() > 0 for index in range(4)] == [False, False, True, True]
    # Where a row has no room they follow each other.
    strip.show_tiles([Tile(None)] * 10, 5)
    assert strip.place(9).right() <= 300
