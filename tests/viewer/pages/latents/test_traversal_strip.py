from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.viewer.charts.latent_axes import axes_of
from napari_channelmix.viewer.pages.latents.pictures import cell_image
from napari_channelmix.viewer.pages.latents.traversal_strip import COUNT, NearestStrip

from ...latent_cases import cells, latents


@pytest.fixture
def strip(qtbot: Any) -> NearestStrip:
    found = NearestStrip("dark")
    qtbot.addWidget(found)
    found.resize(340, 200)
    given = latents()
    found.show_latents(given, axes_of(given))
    found.show()
    qtbot.waitExposed(found)
    return found


def test_before_a_cell_is_chosen_there_is_room_and_nothing_to_click(
    strip: NearestStrip, qtbot: Any
) -> None:
    height = strip.sizeHint().height()
    chosen: list[int] = []
    strip.cell_chosen.connect(chosen.append)
    qtbot.mouseClick(strip.real, Qt.MouseButton.LeftButton, pos=strip.real.place(1).center())
    assert not chosen and all(tile.below is None for tile in strip.real.tiles)
    strip.show_cell(5)
    assert strip.sizeHint().height() == height


def test_one_cell_has_no_neighbours(strip: NearestStrip) -> None:
    assert strip.real.isVisible()
    given = latents(cells().subset([4]))
    strip.show_latents(given, axes_of(given))
    strip.show_cell(0)
    assert strip.real.isHidden() and strip.drawn.isVisible()


def test_the_nearest_real_cells_stand_in_the_order_of_the_axis(strip: NearestStrip) -> None:
    strip.turn_to("Scale")
    strip.show_cell(5)
    found = strip._latents
    assert strip.cells == tuple(found.nearest(5, "Scale", COUNT).tolist())
    assert len(strip.real.tiles) == len(strip.drawn.tiles) == COUNT
    values = found.of_axis("Scale")[list(strip.cells)]
    assert values[-1] > values[0]
    assert strip.real.tiles[0].below == cell_image(
        found.shown(found.prepared.pictures[strip.cells[0]])
    )


def test_the_cell_itself_is_framed(strip: NearestStrip) -> None:
    strip.turn_to("Scale")
    for cell in range(12):
        strip.show_cell(cell)
        expected = strip.cells.index(cell) if cell in strip.cells else None
        assert strip.real.framed == expected


def test_a_click_on_a_real_cell_chooses_it(strip: NearestStrip, qtbot: Any) -> None:
    strip.show_cell(5)
    with qtbot.waitSignal(strip.cell_chosen) as heard:
        qtbot.mouseClick(strip.real, Qt.MouseButton.LeftButton, pos=strip.real.place(2).center())
    assert heard.args == [strip.cells[2]]


def test_an_angle_goes_once_around(strip: NearestStrip) -> None:
    strip.show_cell(5)
    strip.turn_to("Orientation")
    tips = [tile.tip for tile in strip.drawn.tiles]
    degrees = [int(tip.split("Orientation ")[1].split("°")[0]) for tip in tips]
    np.testing.assert_allclose(np.diff(degrees), 360 / COUNT, atol=1)


def test_all_pictures_stand_in_one_row_in_a_narrow_dock(strip: NearestStrip, qtbot: Any) -> None:
    strip.show_cell(5)
    strip.resize(316, strip.height())
    qtbot.wait(20)
    tops = {strip.real.place(at).top() for at in range(COUNT)}
    assert len(tops) == 1
