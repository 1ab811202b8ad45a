from __future__ import annotations

from typing import Any

from napari_channelmix.viewer.pages.report.export_list import ExportList
from napari_channelmix.viewer.pages.report.exports import Item


def test_names_of_exports_are_whole_beside_their_formats(qtbot: Any) -> None:
    items = ExportList()
    qtbot.addWidget(items)
    items.resize(280, 200)
    formats = "PNG, SVG, CSV, JSON, OME-TIFF, OME-Zarr"
    items.show_items((Item("one", "Insertion and deletion", formats, lambda _: None, "a tip"),))
    items.show()
    qtbot.waitUntil(lambda: items.columnWidth(0) >= items.sizeHintForColumn(0), timeout=2000)
    assert formats in items.topLevelItem(0).toolTip(1)
