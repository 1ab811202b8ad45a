"""Open napari with the workspace, go to one of its pages, or open all pages as docks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["DOCKS", "launch", "open_dock", "open_docks", "open_workspace"]

PLUGIN, WORKSPACE, FIRST_STEPS = "napari-channelmix", "Workspace", "First steps"
# Pages of the workspace, by their names in the menus.
DOCKS = (
    "Images and cells",
    "Annotate",
    "Classifier",
    "Channel importance",
    "Explain a cell",
    "What if",
    "Latent traversals",
    "Phenotypes",
    "Report and script",
)


def open_dock(viewer: Any, name: str, *, front: bool = True) -> Any:
    """Go to a page, wherever it is, and give its widget.

    Parameters
    ----------
    viewer : napari viewer
    name : str
        One of `DOCKS`; or ``"Workspace"`` or ``"First steps"``, which give the workspace.
    front : bool
        Bring it to the front; else it is only made.
    """
    return _entry(name).open(viewer, front=front)


def open_workspace(viewer: Any, page: str = "") -> Any:
    """Open the workspace, or bring it to the front, and give it; ``page``: one of `DOCKS`."""
    workspace = open_dock(viewer, WORKSPACE)
    if page:
        workspace.show_page(page)
    return workspace


def _entry(name: str) -> Any:
    """What the manifest has for a name.

    Asked for there, not imported: pages use this module to go to other pages.
    """
    from npe2 import PluginManager

    for widget in PluginManager.instance().iter_widgets():
        if widget.plugin_name == PLUGIN and widget.display_name == name:
            return widget.get_callable()
    raise KeyError(f"no page is called {name!r}; there are {', '.join(DOCKS)}")


def open_docks(viewer: Any, front: str = DOCKS[0]) -> tuple[Any, ...]:
    """Open every page as a dock of its own, one behind the other, with one of them in front.

    Parameters
    ----------
    viewer : napari viewer
    front : str
        Its name.

    Returns
    -------
    tuple
        The widgets, in the order of `DOCKS`.
    """
    from qtpy.QtCore import QTimer

    docks = []
    for place, name in enumerate(DOCKS):
        dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, name, tabify=place > 0)
        # One that is not shown yet is no tab, and what comes next would take its place.
        dock.show()
        docks.append((dock, widget))
    # Once more when the window stands: the tabs are arranged only then.
    first = docks[DOCKS.index(front)][0]
    first.raise_()
    QTimer.singleShot(0, first.raise_)
    return tuple(widget for _, widget in docks)


def launch(cells: Cells | None = None, source: str = "") -> None:
    """Open a viewer with the workspace and, where given, a data set; returns when it is closed.

    ``source`` says where the cells are from, such as the path of their data-set file.
    """
    import napari

    viewer = napari.Viewer(title="ChannelMix")
    workspace = open_workspace(viewer)
    if cells is not None:
        workspace.show_page("Images and cells").open_cells(cells, source)
    napari.run()
