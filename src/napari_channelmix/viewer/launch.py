"""Open napari with the docks, and a data set in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["DOCKS", "launch", "open_docks"]

PLUGIN = "napari-channelmix"
DOCKS = (
    "Images and cells",
    "Annotate",
    "Classifier",
    "Channel importance",
    "Explain a cell",
    "Latent traversals",
    "Phenotypes",
    "Report and script",
)


def open_docks(viewer: Any) -> tuple[Any, ...]:
    """Open the docks, one behind the other, with the first in front.

    Returns
    -------
    tuple
        The widgets, in the order of `DOCKS`.
    """
    from qtpy.QtCore import QTimer

    docks = []
    for place, name in enumerate(DOCKS):
        # Through the plugin, so that the Plugins menu knows that they are open.
        dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, name, tabify=place > 0)
        docks.append((dock, widget))
    # Once more when the window stands: the tabs are arranged only then.
    docks[0][0].raise_()
    QTimer.singleShot(0, docks[0][0].raise_)
    return tuple(widget for _, widget in docks)


def launch(cells: Cells | None = None, source: str = "") -> None:
    """Open a viewer with the docks and, where given, a data set; returns when it is closed.

    ``source`` says where the cells are from, such as the path of their data-set file.
    """
    import napari

    viewer = napari.Viewer(title="ChannelMix")
    images, *_ = open_docks(viewer)
    if cells is not None:
        images.open_cells(cells, source)
    napari.run()
