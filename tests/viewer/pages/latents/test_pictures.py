from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.viewer.charts.thumbnails import Tile
from napari_channelmix.viewer.pages.latents.pictures import Pictures, cell_image
from napari_channelmix.viewer.widgets.theme import chart_colors

RED = np.stack([np.ones((8, 8)), np.zeros((8, 8)), np.zeros((8, 8))]).astype(np.float32)
GREEN = RED[[1, 0, 2]]


@pytest.fixture
def pictures(qtbot: Any) -> Pictures:
    found = Pictures("cells", "dark")
    qtbot.addWidget(found)
    found.resize(340, 100)
    found.show_tiles([Tile(cell_image(RED)) for _ in range(3)])
    found.show()
    return found


def test_colour_and_grey_and_whole_numbers_are_drawn_as_they_are() -> None:
    assert cell_image(RED).pixelColor(3, 3).getRgb()[:3] == (255, 0, 0)
    assert cell_image(0.5 * RED[:1]).pixelColor(0, 0).getRgb()[:3] == (128, 128, 128)
    assert cell_image((200 * GREEN).astype(np.uint8)).pixelColor(0, 0).green() == 200
    assert cell_image(3 * RED).pixelColor(0, 0).red() == 255


def test_one_picture_is_drawn_anew_and_the_others_stay(pictures: Pictures) -> None:
    pictures.redraw(2, cell_image(GREEN))
    seen = pictures.grab().toImage()
    colors = [seen.pixelColor(pictures.place(at).center()) for at in range(3)]
    assert [one.green() > 200 for one in colors] == [False, False, True]


def test_a_click_tells_which_picture_where_they_may_be_clicked(
    pictures: Pictures, qtbot: Any
) -> None:
    clicked: list[int] = []
    pictures.clicked.connect(clicked.append)
    qtbot.mouseClick(pictures, Qt.MouseButton.LeftButton, pos=pictures.place(1).center())
    assert not clicked
    pictures.make_pressable()
    qtbot.mouseClick(pictures, Qt.MouseButton.LeftButton, pos=pictures.place(1).center())
    assert clicked == [1]


def test_a_frame_stands_around_one_picture(pictures: Pictures) -> None:
    pictures.frame(1)
    seen = pictures.grab().toImage()
    edge = pictures.place(1).adjusted(1, 1, 0, 0).topLeft()
    assert seen.pixelColor(edge).name().upper() == chart_colors("dark").second
    assert seen.pixelColor(pictures.place(0).adjusted(1, 1, 0, 0).topLeft()).red() == 255
