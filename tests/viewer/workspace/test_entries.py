"""Menus, command palette and Python: each finds the page, and none hides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from napari_channelmix.viewer.page_parts.open_page import DOCKS, open_dock
from napari_channelmix.viewer.workspace.page_list import PAGES, page_info
from napari_channelmix.viewer.workspace.workspace import Workspace

from .conftest import in_front

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS = dict(
    zip(
        DOCKS,
        (
            "images",
            "annotate",
            "classify",
            "importance",
            "explain",
            "whatif",
            "latents",
            "phenotypes",
            "reproduce",
        ),
        strict=True,
    )
)


def names(viewer: Any) -> list[str]:
    return list(viewer.window.dock_widgets)


def test_every_entry_brings_its_page_to_the_front_and_hides_nothing(
    viewer: Any, filled: Workspace, menu: Callable[[str], None]
) -> None:
    for dock, command in (*COMMANDS.items(), *list(COMMANDS.items())[-2:]):
        key = page_info(dock).key
        menu(command)
        assert filled.current == key and in_front(filled.frames[key]), dock
        assert names(viewer) == ["ChannelMix"]
        # There is no classifier yet, which is said in the place of that page.
        assert in_front(filled.page(key)) == (key not in ("pixels", "whatif")), dock


def test_the_first_entry_opens_the_workspace_at_its_page(
    viewer: Any, menu: Callable[[str], None], qtbot: Any
) -> None:
    menu("annotate")
    (workspace,) = viewer.window.dock_widgets.values()
    assert isinstance(workspace, Workspace) and names(viewer) == ["ChannelMix"]
    assert workspace.current == "annotate" and in_front(workspace.frames["annotate"])
    for command in ("workspace", "first_steps", "workspace"):
        menu(command)
        assert names(viewer) == ["ChannelMix"] and in_front(workspace)
    # What comes first is to have cells.
    assert workspace.current == "data"
    qtbot.waitUntil(lambda: in_front(workspace.page("data")))


def test_a_hidden_workspace_is_shown_by_every_entry(
    workspace: Workspace, menu: Callable[[str], None]
) -> None:
    for command in ("workspace", "first_steps", "images", "explain"):
        workspace.parent().hide()
        assert not workspace.isVisible()
        menu(command)
        assert in_front(workspace), command


def test_the_command_palette_lists_every_page_and_goes_there(
    filled: Workspace, palette: Callable[[str], None]
) -> None:
    for page in PAGES[-2:]:
        # No brackets: without rapidfuzz, napari reads what is typed as a regular expression.
        palette(f"{page.dock} ChannelMix")
        assert filled.current == page.key and in_front(filled.page(page.key))


def test_what_python_opens_alone_stays_alone(
    viewer: Any, registered: Any, menu: Callable[[str], None], qtbot: Any
) -> None:
    dock, widget = viewer.window.add_plugin_dock_widget("napari-channelmix", "Classifier")
    qtbot.wait(50)
    assert names(viewer) == ["Classifier (napari-channelmix)"]
    assert type(widget).__name__ == "ClassifierPage" and in_front(widget)
    assert viewer.window.add_plugin_dock_widget("napari-channelmix", "Classifier")[1] is widget
    # A menu brings it to the front where it is; it is a page that is out.
    menu("classify")
    assert in_front(widget) and widget.parent() is dock
    assert open_dock(viewer, "Classifier") is widget


def test_python_takes_a_page_out_of_the_workspace(
    viewer: Any, filled: Workspace, qtbot: Any
) -> None:
    page = filled.page("classifier")
    dock, widget = viewer.window.add_plugin_dock_widget("napari-channelmix", "Classifier")
    qtbot.wait(50)
    assert widget is page and filled.frames["classifier"].dock is dock
    # As a tab: below the workspace it would have little room.
    assert filled.parent() in viewer.window._qt_window.tabifiedDockWidgets(dock)
    assert in_front(page)


def test_two_viewers_have_pages_of_their_own(
    workspace: Workspace, make_napari_viewer: Any, qtbot: Any
) -> None:
    other = make_napari_viewer(show=True)
    second = open_dock(other, "Images and cells")
    assert second is not workspace.page("data")
    _, alone = workspace.viewer.window.add_plugin_dock_widget("napari-channelmix", "Phenotypes")
    assert alone.session is workspace.session and second.session is not workspace.session
    second.window().findChild(Workspace).halt()


def test_a_name_that_is_no_page_is_refused(viewer: Any, registered: Any) -> None:
    with pytest.raises(KeyError, match="no page is called 'Explain'"):
        open_dock(viewer, "Explain")
