from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.drl.slider_check import SliderEffect
from napari_channelmix.viewer.charts.latent_axes import moved
from napari_channelmix.viewer.pages.latents.cell_tab import MOVED, CellPage
from napari_channelmix.viewer.pages.latents.pictures import cell_image

from ...latent_cases import latents, latents_of_features, learnt_to_draw


@pytest.fixture
def page(qtbot: Any) -> CellPage:
    found = CellPage("dark")
    qtbot.addWidget(found)
    found.resize(350, 700)
    found.show_latents(latents())
    found.show()
    qtbot.waitExposed(found)
    return found


def drag(qtbot: Any, page: CellPage, name: str, value: float) -> None:
    slider = page.sliders.of(name)
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=slider.place(value).toPoint())


def test_before_a_cell_is_chosen_nothing_can_be_moved(page: CellPage) -> None:
    assert page.title.text() == "Click a cell in the image."
    assert not page.sliders.isEnabled() and not page.grid.isEnabled()


def test_a_cell_stands_beside_its_reconstruction(page: CellPage) -> None:
    page.show_cell(4)
    found, tiles = page.latents, page.pictures.tiles
    assert tiles[0].below == cell_image(found.shown(found.prepared.pictures[4]))
    again = found.disentangler.decode(found.values[4][None])[0]
    assert tiles[1].below == cell_image(found.shown(again)) == tiles[MOVED].below
    assert page.title.text() == "<b>Cell 5</b> · labelled dim"


def test_a_slider_draws_what_the_decoder_makes_of_it(page: CellPage, qtbot: Any) -> None:
    page.show_cell(4)
    before = page.pictures.tiles[MOVED].below
    drag(qtbot, page, "Scale", 0.8)
    qtbot.waitUntil(lambda: page.pictures.tiles[MOVED].below != before)
    found = page.latents
    z = moved(found, 4, page.axes, page.sliders.moves)
    drawn = found.shown(found.disentangler.decode(z[None])[0])
    assert page.pictures.tiles[MOVED].below == cell_image(drawn)
    assert page.pictures.tiles[1].below == before


def test_a_cell_with_residual_latents_is_drawn_from_both(page: CellPage, qtbot: Any) -> None:
    found = page.latents
    learnt = learnt_to_draw(found)
    drawing = learnt.drawing.drawing
    page.show_latents(learnt)
    page.show_cell(4)
    codes = drawing.encode(found.prepared.pictures[4][None], found.values[4][None])
    own = found.shown(drawing.decode(found.values[4][None], codes)[0])
    assert page.pictures.tiles[1].below == cell_image(own)
    drag(qtbot, page, "Scale", 0.8)
    qtbot.waitUntil(lambda: page.pictures.tiles[MOVED].below != page.pictures.tiles[1].below)
    z = moved(found, 4, page.axes, page.sliders.moves)
    drawn = found.shown(drawing.decode(z[None], codes)[0])
    assert page.pictures.tiles[MOVED].below == cell_image(drawn)


def test_a_picture_of_the_cell_before_never_appears(page: CellPage, qtbot: Any) -> None:
    page.show_cell(4)
    drag(qtbot, page, "Scale", 0.8)
    page.show_cell(7)
    shown = page.pictures.tiles[MOVED].below
    qtbot.wait(30)
    assert page.pictures.tiles[MOVED].below == shown
    again = page.latents.disentangler.decode(page.latents.values[7][None])[0]
    assert shown == cell_image(page.latents.shown(again))


def test_back_to_the_cell_takes_all_moves_back(page: CellPage, qtbot: Any) -> None:
    page.show_cell(4)
    assert not page.reset.isEnabled()
    for name, value in (("Scale", 0.8), ("Orientation", 3.0)):
        drag(qtbot, page, name, value)
    qtbot.waitUntil(lambda: page.pictures.tiles[MOVED].below != page.pictures.tiles[1].below)
    qtbot.mouseClick(page.reset, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.pictures.tiles[MOVED].below == page.pictures.tiles[1].below)
    assert not page.sliders.moves and not page.reset.isEnabled()


def test_the_axis_of_the_slider_is_that_of_the_real_cells(page: CellPage, qtbot: Any) -> None:
    page.show_cell(4)
    drag(qtbot, page, "Shape", 0.1)
    assert page.strip.axis.currentData() == "Shape"


def test_the_grid_is_asked_for_and_taken_away(page: CellPage, qtbot: Any) -> None:
    page.show_cell(4)
    with qtbot.waitSignal(page.grid_requested):
        qtbot.mouseClick(page.grid, Qt.MouseButton.LeftButton)
    page.mark_grid(True)
    assert page.grid.text() == "Remove the layer"
    with qtbot.waitSignal(page.grid_removal_requested):
        qtbot.mouseClick(page.grid, Qt.MouseButton.LeftButton)


def test_other_classes_change_the_words_and_move_nothing(page: CellPage, qtbot: Any) -> None:
    import dataclasses

    page.show_cell(4)
    drag(qtbot, page, "Scale", 0.8)
    found = page.latents
    page.show_classes(
        dataclasses.replace(found, cells=found.cells.with_labels([1] * 12, ("a", "b")))
    )
    assert page.title.text() == "<b>Cell 5</b> · labelled b" and "Scale" in page.sliders.moves


def test_grey_pictures_are_shown_as_well(page: CellPage) -> None:
    page.show_latents(latents(channels=1))
    page.show_cell(2)
    color = page.pictures.tiles[0].below.pixelColor(32, 32)
    assert color.red() == color.green() == color.blue()
    assert np.isfinite(page.latents.values).all()


def test_where_nothing_can_be_moved_the_line_that_says_so_is_readable(page: CellPage) -> None:
    every = (
        "Texture",
        "Color",
        "Shape",
        "Scale",
        "Orientation",
        "Orientation (sin)",
        "PosX",
        "PosY",
    )
    page.show_latents(latents(inactive=every))
    page.show_cell(2)
    assert page.sliders.inactive.isVisible() and page.sliders.inactive.isEnabled()
    assert not page.grid.isEnabled() and not page.reset.isEnabled()


def test_how_pictures_come_closer_is_said_until_it_was_done(page: CellPage) -> None:
    found = latents()
    page.show_latents(found)
    assert page.hint.isVisible()
    assert "Learn to draw these cells" in page.hint.text()
    assert learnt_to_draw(found).drawing is not None
    page.show_latents(learnt_to_draw(found))
    assert page.hint.isHidden()


def test_sliders_that_do_not_do_what_they_say_are_named_below_them(page: CellPage) -> None:
    effects = [
        SliderEffect("Scale", "area", 0.9, "light", 0.1, 1.6, 1.0, 48),
        SliderEffect("Rim", "rim", 0.5, "granularity", 0.4, 1.0, 1.0, 48),
        SliderEffect("PosX", "place x", 0.1, "area", 0.2, 1.0, 1.0, 48),
    ]
    found = learnt_to_draw(latents())
    page.show_latents(
        dataclasses.replace(found, drawing=dataclasses.replace(found.drawing, sliders=effects))
    )
    assert page.sliders.doubts.text() == (
        "In these drawings sliders do not do what they say: Rim moves granularity as well "
        "(x 0.40 of its own change); Position x does not move place x."
    )
    assert page.sliders.doubts.isVisible()
    page.show_latents(found)
    assert page.sliders.doubts.isHidden()


def test_where_features_have_no_picture_the_nearest_cell_is_shown(
    page: CellPage, qtbot: Any
) -> None:
    """And it is said that there is no reconstruction."""
    found = latents_of_features()
    page.show_latents(found)
    page.show_cell(4)
    tiles = page.pictures.tiles
    assert [tile.title for tile in tiles] == ["original", "no picture", "nearest cell"]
    assert page.hint.isHidden()
    assert tiles[1].below is None
    own = cell_image(found.shown(found.prepared.pictures[4]))
    assert tiles[0].below == tiles[MOVED].below == own
    assert page.strip.drawn.isHidden() and page.strip.real.isVisible()
    drag(qtbot, page, "Scale", 0.8)
    qtbot.waitUntil(lambda: page.pictures.tiles[MOVED].below != own)
    z = moved(found, 4, page.axes, page.sliders.moves)
    nearest = int(found.nearest_to(z[None], ["Scale"])[0])
    assert nearest != 4
    drawn = found.shown(found.prepared.pictures[nearest])
    assert page.pictures.tiles[MOVED].below == cell_image(drawn)
    # Pixels again: all three pictures, and what is drawn along the axis.
    page.show_latents(latents())
    page.show_cell(4)
    assert page.pictures.tiles[1].below is not None and page.strip.drawn.isVisible()
