"""Choosing among many channels in the window: ranges, filter, notes, panel tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_channelmix.viewer.pages.data.channel_list import GROUP, NOTE
from napari_channelmix.viewer.pages.data.page import DataPage

NAMES = ("DAPI", "AF", "Blank", *(f"CD{number}" for number in range(1, 16)), "AF-2", "FOXP3")


@pytest.fixture
def page(dock: Any, viewer: Any, tmp_path: Path, qtbot: Any) -> Any:
    """The page with twenty channels of an OME-TIFF, whose names are in the file alone."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(80, 120, (20, 96, 110)).astype("uint16")
    for channel, row in enumerate(rng.permutation(20)):
        pixels[channel, 4 * row : 4 * row + 9, 30:90] += 500
    pixels[1, 10:20] += 300
    pixels[2] = 7
    pixels[18] = 2 * pixels[1]
    path = tmp_path / "codex.ome.tif"
    about = {"axes": "CYX", "Channel": {"Name": list(NAMES)}}
    tifffile.imwrite(path, pixels, metadata=about, photometric="minisblack")
    viewer.open(str(path), plugin="napari", scale=(1, 0.5, 0.25), translate=(0, 7, -3))
    page = dock(DataPage)
    page.origin.setCurrentIndex(1)
    qtbot.wait(50)
    return page


def ticked(page: Any) -> tuple[str, ...]:
    return page.channels.choose().names


def click(page: Any, row: int, qtbot: Any, *, shift: bool = False) -> None:
    """Click on the box of a row."""
    channels = page.channels.list
    channels.scrollToItem(channels.item(row))
    place = channels.visualItemRect(channels.item(row))
    held = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    where = QPoint(place.left() + 10, place.center().y())
    qtbot.mouseClick(channels.viewport(), Qt.MouseButton.LeftButton, held, where)


def test_names_are_those_of_the_file_and_buttons_act_on_those_in_sight(page: Any) -> None:
    tools = page.channels.tools
    assert ticked(page) == NAMES
    assert tools.isVisible()
    tools.filter.setText("cd")
    tools.none.click()
    assert ticked(page) == ("DAPI", "AF", "Blank", "AF-2", "FOXP3")
    assert "5 of 20 channels ticked; 15 in sight" in tools.text.text()
    tools.filter.setText("")
    tools.invert.click()
    assert ticked(page) == NAMES[3:18]
    tools.all.click()
    assert ticked(page) == NAMES


def test_shift_and_a_click_make_a_range_alike(page: Any, qtbot: Any) -> None:
    click(page, 3, qtbot)
    click(page, 9, qtbot, shift=True)
    assert ticked(page) == NAMES[:3] + NAMES[10:]
    click(page, 5, qtbot)
    click(page, 4, qtbot, shift=True)
    assert ticked(page) == (*NAMES[:3], "CD2", "CD3", *NAMES[10:])


def test_fifteen_rows_are_shown_where_there_is_room(page: Any) -> None:
    page.window().resize(400, 800)
    page.channels.list.fit()
    assert page.channels.list.height() >= 15 * 21


def test_notes_stand_beside_the_channels_and_leave_them_out(page: Any, qtbot: Any) -> None:
    tools = page.channels.tools
    qtbot.waitUntil(lambda: tools.notes is not None, timeout=20_000)
    notes = {item.text(): item.data(NOTE) for item in page.channels.list.items()}
    assert notes["Blank"] == "constant"
    assert notes["AF-2"] == "copy of AF"
    assert not notes["CD1"]
    assert page.channels.list.item(2).toolTip().endswith("constant (7)")
    tools.filter.setText("constant")
    assert "1 in sight" in tools.text.text()
    tools.leave_out.menu().aboutToShow.emit()
    titles = [action.text() for action in tools.leave_out.menu().actions()]
    assert titles[0] == "Constant channels and copies: Blank, AF-2"
    tools.leave_out.menu().actions()[0].trigger()
    assert ticked(page) == tuple(name for name in NAMES if name not in ("Blank", "AF-2"))


def test_a_panel_table_names_ticks_and_groups(page: Any, tmp_path: Path) -> None:
    lines = ["channel,marker,use,group", *(f"{name},m-{name},yes,a" for name in NAMES)]
    lines[3] = "Blank,,no,"
    (tmp_path / "panel.csv").write_text("\n".join(lines))
    page.channels.tools.open_panel(tmp_path / "panel.csv")
    chosen = page.channels.choose()
    assert chosen.names == tuple(f"m-{name}" for name in NAMES if name != "Blank")
    assert chosen.groups["m-CD3"] == "a" and len(chosen.groups) == 19
    assert page.channels.list.item(0).data(GROUP) == "a"


def test_a_table_is_pasted_and_what_is_wrong_is_one_line(page: Any) -> None:
    clipboard, tools = QApplication.clipboard(), page.channels.tools
    clipboard.setText("channel\tmarker\nDAPI\tDNA\nCD3\tT cells")
    tools.paste()
    assert {"DNA", "T cells"} <= {*ticked(page)}
    before = ticked(page)
    clipboard.setText("channel\tmarker\nFOXP-3\tTreg")
    tools.paste()
    assert "has no channel 'FOXP-3'; is 'FOXP3' meant?" in tools.text.text().replace("\u200b", "")
    clipboard.setText("channel\tmarker\nDAPI\tX\nCD3\tX")
    tools.paste()
    assert "have one marker name, 'X'" in tools.text.text().replace("\u200b", "")
    clipboard.setText("")
    tools.paste()
    assert "the clipboard holds no text" in tools.text.text()
    assert ticked(page) == before


def test_many_layers_of_one_file_are_ticked_with_the_names_of_the_file(
    dock: Any, viewer: Any, tmp_path: Path, qtbot: Any
) -> None:
    path = tmp_path / "codex.ome.tif"
    pixels = np.random.default_rng(0).integers(0, 99, (12, 40, 40)).astype("uint16")
    about = {"axes": "CYX", "Channel": {"Name": list(NAMES[:12])}}
    tifffile.imwrite(path, pixels, metadata=about, photometric="minisblack")
    viewer.open(str(path), plugin="napari", channel_axis=0)
    page = dock(DataPage)
    page.origin.setCurrentIndex(1)
    qtbot.wait(50)
    assert len(viewer.layers) == 12
    assert "12 layers of one file are ticked" in page.channels.proposed.text()
    assert ticked(page) == NAMES[:12]


def test_few_channels_need_no_tools(dock: Any, viewer: Any, qtbot: Any) -> None:
    for name in ("DNA", "GFP"):
        viewer.add_image(np.zeros((31, 37)), name=name)
    page = dock(DataPage)
    page.origin.setCurrentIndex(1)
    qtbot.wait(50)
    assert not page.channels.tools.isVisible()


def test_pixels_of_cells_are_scaled_and_layers_stay_raw(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 4000, (64, 64)).astype("uint16") for name in ("DNA", "GFP")}
    labels = np.zeros((64, 64), int)
    for number, (y, x) in enumerate([(12, 12), (12, 40), (40, 12), (40, 40)], 1):
        labels[y : y + 6, x : x + 6] = number
    for name, image in images.items():
        viewer.add_image(image, name=name)
    viewer.add_labels(labels, name="cells")
    page = dock(DataPage)
    page.origin.setCurrentIndex(1)
    qtbot.wait(50)
    box = page.channels.scaling
    box.arcsinh.setChecked(True)
    box.cofactor.setValue(100)
    assert box.text() == "Scale pixels: yes"
    page.use.click()
    qtbot.waitUntil(lambda: page.session.cells is not None, timeout=20_000)
    cells = page.session.cells
    assert cells.scaling.text == "arcsinh with the cofactor 100"
    assert cells.read().max() < 5
    assert viewer.layers["DNA"].data.max() > 3000
    box.percentiles.setChecked(True)
    box.low.setValue(50)
    box.high.setValue(50)
    page.use.click()
    assert "must be below" in page.notice.text()
