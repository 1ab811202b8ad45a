"""Open napari with the docks, and a data set in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["DOCKS", "launch", "open_dock", "open_docks"]

PLUGIN, PLUGIN_TITLE = "napari-channelmix", "ChannelMix"
DOCKS = (
    "First steps",
    "Images and cells",
    "Annotate",
    "Classifier",
    "Channel importance",
    "Explain a cell",
    "Latent traversals",
    "Phenotypes",
    "Report and script",
)


def open_dock(viewer: Any, name: str, *, front: bool = True) -> Any:
    """Open one of `DOCKS`, or take the one that is open, and give its widget.

    ``front``: bring it before the others; a dock that was hidden is shown.
    """
    dock, widget = _dock(viewer, name, tabify=True)
    if front:
        dock.show()
        dock.raise_()
    return widget


def _dock(viewer: Any, name: str, *, tabify: bool) -> tuple[Any, Any]:
    """Dock and widget, under the name that the menus give it, so that they know it is open.

    napari's `add_plugin_dock_widget` gives it another name: what was opened in one way would be
    opened once more in the other.
    """
    from npe2 import PluginManager

    title, window = f"{name} ({PLUGIN_TITLE})", viewer.window
    widget = window.dock_widgets.get(title)
    if widget is not None:
        return widget.parent(), widget
    kinds = {
        one.display_name: one
        for one in PluginManager.instance().iter_widgets()
        if one.plugin_name == PLUGIN
    }
    widget = kinds[name].get_callable()(viewer)
    return window.add_dock_widget(widget, name=title, tabify=tabify), widget


def open_docks(viewer: Any, front: str = DOCKS[0]) -> tuple[Any, ...]:
    """Open the docks, one behind the other, with one of them in front.

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
        dock, widget = _dock(viewer, name, tabify=place > 0)
        # One that is not shown yet is no tab, and what comes next would take its place.
        dock.show()
        docks.append((dock, widget))
    # Once more when the window stands: the tabs are arranged only then.
    first = docks[DOCKS.index(front)][0]
    first.raise_()
    QTimer.singleShot(0, first.raise_)
    return tuple(widget for _, widget in docks)


def launch(cells: Cells | None = None, source: str = "") -> None:
    """Open a viewer with the docks and, where given, a data set; returns when it is closed.

    ``source`` says where the cells are from, such as the path of their data-set file.
    """
    import napari

    viewer = napari.Viewer(title="ChannelMix")
    # Whoever brings cells has taken the first step.
    _, images, *_ = open_docks(viewer, DOCKS[0] if cells is None else DOCKS[1])
    if cells is not None:
        images.open_cells(cells, source)
    napari.run()
