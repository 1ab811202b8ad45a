from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt

from napari_channelmix.viewer.charts.latent_axes import axes_of, inactive_of
from napari_channelmix.viewer.pages.latents.slider import AxisSlider
from napari_channelmix.viewer.pages.latents.sliders import Sliders

from ...latent_cases import latents


def made(qtbot: Any, **how: Any) -> Sliders:
    found, sliders = latents(**how), Sliders("dark")
    qtbot.addWidget(sliders)
    sliders.resize(340, 400)
    sliders.show_axes(axes_of(found), inactive_of(found))
    sliders.show()
    qtbot.waitExposed(sliders)
    return sliders


def test_there_is_a_slider_for_each_active_axis(qtbot: Any) -> None:
    sliders = made(qtbot)
    names = [one.axis.name for one in sliders.sliders]
    assert names == ["Texture", "Color", "Shape", "Scale", "Orientation", "PosY"]
    # The name is never torn apart at the end of a line.
    assert sliders.inactive.text().endswith("in all cells: Position\N{NO-BREAK SPACE}x.")


def test_where_all_cells_are_alike_that_is_said(qtbot: Any) -> None:
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
    sliders = made(qtbot, inactive=every)
    assert not sliders.sliders
    said = sliders.inactive.text().replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("Nothing to move: Typical texture, Colour")


def test_moves_are_gathered_and_taken_back(qtbot: Any) -> None:
    sliders = made(qtbot)
    sliders.show_cell(4)
    scale = sliders.of("Scale")
    with qtbot.waitSignal(sliders.moved):
        qtbot.mouseClick(scale, Qt.MouseButton.LeftButton, pos=scale.place(0.6).toPoint())
    assert set(sliders.moves) == {"Scale"}
    qtbot.mouseDClick(scale, Qt.MouseButton.LeftButton, pos=scale.place(0.6).toPoint())
    assert sliders.moves == {}
    qtbot.mouseClick(scale, Qt.MouseButton.LeftButton, pos=scale.place(0.6).toPoint())
    sliders.reset()
    assert sliders.moves == {} and scale.amount == scale.own


def test_another_cell_forgets_the_moves(qtbot: Any) -> None:
    sliders = made(qtbot)
    sliders.show_cell(4)
    scale = sliders.of("Scale")
    qtbot.mouseClick(scale, Qt.MouseButton.LeftButton, pos=scale.place(0.6).toPoint())
    sliders.show_cell(5)
    assert sliders.moves == {} and scale.amount == scale.axis.values[5]


def test_other_latents_leave_no_slider_behind(qtbot: Any) -> None:
    sliders = made(qtbot)
    found = latents(channels=1)
    for _ in range(3):
        sliders.show_axes(axes_of(found), inactive_of(found))
    qtbot.wait(20)
    assert len(sliders.findChildren(AxisSlider)) == len(sliders.sliders) == 7
    assert "Typical texture" in [one.axis.title for one in sliders.sliders]
