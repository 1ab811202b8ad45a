from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt

from napari_channelmix.viewer.charts.latent_axes import axes_of
from napari_channelmix.viewer.pages.latents.cells_tab import CellsPage, telling

from ...latent_cases import latents


@pytest.fixture
def page(qtbot: Any) -> CellsPage:
    found, given = CellsPage("dark"), latents()
    qtbot.addWidget(found)
    found.resize(350, 500)
    found.show_latents(given, axes_of(given))
    found.show()
    qtbot.waitExposed(found)
    qtbot.wait(50)
    return found


def test_the_axes_that_separate_most_come_first(page: CellsPage) -> None:
    found = latents()
    assert telling(found, axes_of(found))[:2] == ("PosY", "Orientation")
    assert page.across.currentData() == "PosY" and page.up.currentData() == "Orientation"
    unlabelled = dataclasses.replace(found, separation=None)
    first = telling(unlabelled, axes_of(found))[0]
    spread = {axis.name: axis.values.std() for axis in axes_of(found) if not axis.cyclic}
    assert first == max(spread, key=spread.__getitem__)


def test_axes_follow_what_separates_until_the_user_chooses(page: CellsPage) -> None:
    found = latents()
    early = dataclasses.replace(found, separation=None)
    page.show_latents(None, ())
    page.show_latents(early, axes_of(early))
    page.up.setCurrentIndex(page.up.findData("Shape"))
    page.up.activated.emit(page.up.currentIndex())
    page.show_separation(found)
    assert page.across.currentData() == telling(found, page.axes)[0]
    assert page.up.currentData() == "Shape"


def test_another_axis_moves_the_points(page: CellsPage) -> None:
    before = page.scatter.places.copy()
    page.across.setCurrentIndex(page.across.findData("Scale"))
    assert (page.scatter.places[:, 0] != before[:, 0]).all()
    assert (page.scatter.places[:, 1] == before[:, 1]).all()


def test_a_point_that_is_clicked_is_handed_on(page: CellsPage, qtbot: Any) -> None:
    point = page.scatter.point_of(6)
    with qtbot.waitSignal(page.cell_chosen) as heard:
        qtbot.mouseClick(
            page.scatter.viewport(),
            Qt.MouseButton.LeftButton,
            pos=QPoint(round(point.x()), round(point.y())),
        )
    assert heard.args == [6]


def test_colouring_is_asked_for_once_and_follows_the_axis(page: CellsPage, qtbot: Any) -> None:
    heard: list[str | None] = []
    page.coloring_changed.connect(
        lambda: heard.append(page.coloring.name if page.coloring else None)
    )
    page.color_axis.setCurrentIndex(page.color_axis.findData("Scale"))
    assert not heard
    qtbot.mouseClick(page.color, Qt.MouseButton.LeftButton)
    page.color_axis.setCurrentIndex(page.color_axis.findData("Orientation"))
    qtbot.mouseClick(page.color, Qt.MouseButton.LeftButton)
    assert heard == ["Scale", "Orientation", None]


def test_classes_that_were_painted_colour_the_points(page: CellsPage) -> None:
    found = latents()
    other = dataclasses.replace(found, cells=found.cells.with_labels([-1] * 12, ("a",)))
    page.show_classes(other)
    assert len(page.scatter._points) == 1 and "no class" in page.legend.text()


def test_without_latents_nothing_can_be_coloured(page: CellsPage) -> None:
    page.color.setChecked(True)
    page.show_latents(None, ())
    assert not page.color.isEnabled() and page.coloring is None
    assert not len(page.scatter.places)
