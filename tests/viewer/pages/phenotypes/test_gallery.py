"""The gallery: mouse and keys, what is read and what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_channelmix.data.crop_rendering import Look
from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
from napari_channelmix.viewer.pages.phenotypes.gallery import Gallery

from ...phenotype_cases import cells, facts, predictions

LOOKS = (Look(Look.of_color("#FFFFFF").table, 0.0, 255.0), None)
LEFT = Qt.MouseButton.LeftButton
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def gallery(qtbot: Any) -> Any:
    """A gallery of 200 cells, last one first."""
    found = Gallery("dark")
    qtbot.addWidget(found)
    found.resize(350, 400)
    found.arrange(facts(200), np.arange(200)[::-1].copy())
    found.show_looks(LOOKS)
    with qtbot.waitExposed(found):
        found.show()
    qtbot.waitUntil(lambda: not found.reader.busy)
    yield found
    found.reader.stop()
    qtbot.waitUntil(lambda: not found.reader.busy)


def press(gallery: Any, at: int, qtbot: Any, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.mouseClick(gallery.viewport(), LEFT, keys, gallery.rect_of(at).center())


def test_only_what_is_near_is_read(gallery: Any) -> None:
    near = len(gallery.in_sight())
    assert near < 60
    assert near <= len(gallery.cache) <= 3 * near
    first = gallery.in_sight().start
    assert int(gallery.order[first]) in gallery.cache and 0 not in gallery.cache


def test_a_tile_shows_its_cell_in_the_colour_of_its_class(gallery: Any) -> None:
    picture = gallery.viewport().grab().toImage()
    for at in (0, 7):
        cell, place = int(gallery.order[at]), gallery.rect_of(at)
        ratio = picture.devicePixelRatio()
        middle = picture.pixelColor((QPointF(place.center()) * ratio).toPoint())
        assert middle.red() == pytest.approx(cell, abs=2)
        edge = picture.pixelColor((QPointF(place.left() + 1, place.center().y()) * ratio).toPoint())
        assert edge.name().upper() == class_hex(int(gallery.facts.labels[cell]))


def test_another_prediction_is_a_corner(qtbot: Any, gallery: Any) -> None:
    of = cells(12)
    gallery.arrange(Facts(of, predictions(of, wrong=(1,))), np.arange(12))
    qtbot.waitUntil(lambda: not gallery.reader.busy)
    picture = gallery.viewport().grab().toImage()
    colors = [
        picture.pixelColor(gallery.rect_of(at).topRight() + QPoint(-3, 3)).name().upper()
        for at in (1, 4)
    ]
    assert colors[0] == class_hex(2) != colors[1]


def test_cells_without_a_class_show_what_is_predicted(qtbot: Any, gallery: Any) -> None:
    of = cells(12, classes=())
    found = predictions(of, wrong=(1,))
    gallery.arrange(Facts(of, found), np.arange(12))
    qtbot.waitUntil(lambda: not gallery.reader.busy)
    picture = gallery.viewport().grab().toImage()
    colors = [
        picture.pixelColor(gallery.rect_of(at).topRight() + QPoint(-3, 3)).name().upper()
        for at in range(6)
    ]
    assert colors == [class_hex(int(code)) for code in found.codes[:6]]
    assert len(set(colors)) == 2


def test_clicks_select_and_a_plain_one_goes_there(gallery: Any, qtbot: Any) -> None:
    chosen: list[Any] = []
    went: list[int] = []
    gallery.selected.connect(chosen.append)
    gallery.visited.connect(went.append)
    press(gallery, 2, qtbot)
    press(gallery, 5, qtbot, SHIFT)
    press(gallery, 8, qtbot, CONTROL)
    press(gallery, 3, qtbot, CONTROL)
    assert chosen == [(197,), (194, 197, 196, 195), (191, 194, 197, 196, 195), (191, 194, 197, 195)]
    assert went == [197]


def test_keys_move_select_scroll_and_give_classes(gallery: Any, qtbot: Any) -> None:
    gallery.setFocus()
    columns = gallery.grid.columns
    typed: list[int] = []
    gallery.class_typed.connect(typed.append)

    def key(which: Any, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
        qtbot.keyClick(gallery, which, modifiers)

    key(Qt.Key.Key_Right)
    assert gallery.choosing.cells == (199,)
    key(Qt.Key.Key_Right)
    key(Qt.Key.Key_Down)
    assert gallery.choosing.cells == (198 - columns,)
    key(Qt.Key.Key_Up, SHIFT)
    assert len(gallery.choosing.cells) == columns + 1
    key(Qt.Key.Key_End)
    assert gallery.choosing.cells == (0,)
    assert gallery.place_of(0) in gallery.in_sight()
    key(Qt.Key.Key_Home)
    assert gallery.choosing.cells == (199,) and gallery.verticalScrollBar().value() <= 5
    key(Qt.Key.Key_PageDown)
    assert gallery.verticalScrollBar().value() > 200
    assert gallery.choosing.cells == (199,)
    key(Qt.Key.Key_Right, CONTROL)
    assert gallery.choosing.cells == (199,) and gallery.choosing.current == 198
    key(Qt.Key.Key_Space)
    assert gallery.choosing.cells == (198, 199)
    key(Qt.Key.Key_A, CONTROL)
    assert len(gallery.choosing.cells) == 200
    key(Qt.Key.Key_3)
    key(Qt.Key.Key_0)
    assert typed == [2, -1]
    key(Qt.Key.Key_Escape)
    assert gallery.choosing.cells == ()


def test_a_cell_selected_elsewhere_comes_into_sight(gallery: Any) -> None:
    told: list[Any] = []
    gallery.selected.connect(told.append)
    gallery.show_selected((20, 21))
    assert gallery.place_of(20) in gallery.in_sight()
    assert told == []
    assert not gallery.reveal(5000)


def wheel(gallery: Any, steps: int) -> None:
    view = gallery.viewport()
    middle = QPointF(view.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(view.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, -120 * steps),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def test_the_wheel_reaches_the_end_and_pictures_come(gallery: Any, qtbot: Any) -> None:
    while gallery.verticalScrollBar().value() < gallery.verticalScrollBar().maximum():
        before = gallery.verticalScrollBar().value()
        wheel(gallery, 5)
        assert gallery.verticalScrollBar().value() > before
    qtbot.waitUntil(
        lambda: all(int(gallery.order[at]) in gallery.cache for at in gallery.in_sight())
    )
    assert gallery.in_sight().stop == 200


def test_other_sizes_keep_the_place(gallery: Any, qtbot: Any) -> None:
    gallery.verticalScrollBar().setValue(600)
    top = int(gallery.order[gallery.in_sight().start])
    columns = gallery.grid.columns
    gallery.resize_tiles(32)
    assert gallery.grid.columns > columns
    assert gallery.place_of(top) in gallery.in_sight()
    gallery.resize(700, 400)
    qtbot.wait(50)
    assert gallery.place_of(top) in gallery.in_sight()


def test_other_cells_do_not_show_pictures_of_those_before(gallery: Any, qtbot: Any) -> None:
    other = facts(6)
    gallery.arrange(other, np.array([5, 4]))
    assert len(gallery.cache) == 0
    qtbot.waitUntil(lambda: len(gallery.cache) == 2)
    assert (gallery.cache.get(5).pixels == 5).all()
    gallery.arrange(None, np.zeros(0, np.int64))
    gallery.arrange(facts(1), np.array([0]))
    qtbot.keyClick(gallery, Qt.Key.Key_Down)
    assert gallery.choosing.cells == (0,)


def test_other_classes_read_nothing_anew(gallery: Any, qtbot: Any) -> None:
    known = gallery.facts
    labels = known.labels.copy()
    labels[199] = -1
    before = gallery.cache.get(199)
    gallery.inform(Facts(known.cells.with_labels(labels, known.cells.classes), known.predictions))
    assert gallery.cache.get(199) is before
    assert "no class" in gallery.facts.describe(199)


def test_other_colours_are_drawn_from_what_was_read(gallery: Any, qtbot: Any) -> None:
    pixels = gallery.cache.get(199).pixels
    gallery.show_looks((Look(Look.of_color("#FF0000").table, 0.0, 255.0), None))
    # The old picture is shown until the new one is there.
    assert gallery.cache.get(199) is not None
    qtbot.waitUntil(lambda: gallery.cache.get(199).looks == gallery.looks)
    assert gallery.cache.get(199).picture.pixelColor(3, 3).blue() == 0
    np.testing.assert_array_equal(gallery.cache.get(199).pixels, pixels)


def test_memory_that_is_freed_is_filled_with_what_is_in_sight(gallery: Any, qtbot: Any) -> None:
    gallery.verticalScrollBar().setValue(900)
    qtbot.waitUntil(lambda: not gallery.reader.busy)
    kept = gallery.cache.nbytes
    assert gallery.free() == kept > 0
    qtbot.waitUntil(
        lambda: all(int(gallery.order[at]) in gallery.cache for at in gallery.in_sight())
    )
