from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt

from napari_channelmix.viewer.pages.report.export_list import ExportList
from napari_channelmix.viewer.pages.report.exports import Item


def test_names_of_exports_are_whole_beside_their_formats(qtbot: Any) -> None:
    items = ExportList()
    qtbot.addWidget(items)
    items.resize(280, 200)
    formats = "PNG, SVG, CSV, JSON, OME-TIFF, OME-Zarr"
    items.show_items((Item("one", "Insertion and deletion", formats, lambda _: None, "a tip"),))
    items.show()
    qtbot.waitUntil(lambda: items.columnWidth(0) >= items.sizeHintForColumn(0))
    assert formats in items.topLevelItem(0).toolTip(1)


def test_what_takes_long_is_ticked_by_the_user_alone(qtbot: Any) -> None:
    rows = ExportList()
    qtbot.addWidget(rows)
    quick = Item("quick", "Table", "CSV", lambda _: None)
    large = Item("large", "Crops", "H5SC", lambda _: None, ticked=False)
    rows.show_items((quick, large))
    assert rows.chosen == (quick,)
    rows.topLevelItem(1).setCheckState(0, Qt.CheckState.Checked)
    rows.show_items((quick,))
    rows.show_items((quick, large))
    assert rows.chosen == (quick, large)
