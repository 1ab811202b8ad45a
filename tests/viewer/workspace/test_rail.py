from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_channelmix.viewer.workspace.page_list import PAGES
from napari_channelmix.viewer.workspace.page_state import PageState
from napari_channelmix.viewer.workspace.rail import Rail

KEYS = [page.key for page in PAGES]


@pytest.fixture
def rail(viewer: Any, qtbot: Any) -> Rail:
    made = Rail(PAGES, "dark")
    viewer.window.add_dock_widget(made, name="rail")
    made.window().activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def test_arrow_keys_go_from_page_to_page(rail: Rail, qtbot: Any) -> None:
    chosen: list[str] = []
    rail.chosen.connect(chosen.append)
    rail.buttons["data"].setFocus()
    for key in (
        Qt.Key.Key_Down,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_End,
        Qt.Key.Key_Down,
        Qt.Key.Key_Home,
    ):
        qtbot.keyClick(rail.focusWidget(), key)
    assert chosen == ["annotate", "classifier", "annotate", "report", "report", "data"]
    assert rail.window().focusWidget() is rail.buttons["data"] and rail.buttons["data"].isChecked()


def test_the_button_that_has_the_keyboard_is_seen(rail: Rail, qtbot: Any) -> None:
    button = rail.buttons["latents"]
    before = button.grab().toImage()
    button.setFocus()
    qtbot.wait(20)
    assert button.grab().toImage() != before


def test_a_state_is_drawn_named_and_explained(rail: Rail) -> None:
    button, seen = rail.buttons["channels"], []
    for kind, word in (("done", "done"), ("ready", "ready"), ("blocked", "something is missing")):
        rail.show_states({"channels": PageState(kind, "why it is so", (), "data")})  # type: ignore[arg-type]
        assert button.accessibleName() == f"Channels: {word}"
        assert "why it is so" in button.toolTip()
        seen.append(button.grab().toImage().copy(button.dot))
    assert seen[0] != seen[1] != seen[2] != seen[0]
    rail.show_states({"channels": PageState("done", "it is done", doubt="too few groups")})
    assert "care" in button.accessibleName() and "too few groups" in button.toolTip()
    assert button.grab().toImage().copy(button.dot) not in seen


def test_a_click_on_the_dot_goes_where_it_is_mended_only_of_a_blocked_page(
    rail: Rail, click: Any
) -> None:
    chosen: list[str] = []
    mended: list[str] = []
    rail.chosen.connect(chosen.append)
    rail.fix_requested.connect(mended.append)
    button = rail.buttons["pixels"]
    click(button, button.dot.center())
    assert (chosen, mended) == (["pixels"], [])
    rail.show_states({"pixels": PageState("blocked", "A classifier is missing", (), "classifier")})
    click(button, button.dot.center())
    click(button)
    assert (chosen, mended) == (["pixels", "pixels"], ["pixels"])


def test_every_word_fits_under_its_icon_and_the_theme_is_followed(rail: Rail) -> None:
    for button in rail.buttons.values():
        assert button.fontMetrics().horizontalAdvance(button.text()) <= button.width()
    button = rail.buttons["report"]
    before = button.grab().toImage()
    rail.follow_theme("light")
    assert button.grab().toImage() != before
    # Room for one more page, 'What if', in a window of 800 pixels with napari's own bars.
    height = button.height()
    assert (len(KEYS) + 1) * height + rail.fold.height() <= 640
