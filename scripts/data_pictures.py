"""Pictures of the page Data and of the import of files: `scripts/data_pictures.py FOLDER`.

Images and plates are drawn by `made_cells.py`; no file of a user is shown.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from hand import LEFT, NO_KEY, PLUGIN, Hand, keep, picture, see
from made_cells import STAINS, field_of_cells, plate_folder
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

SIZE = (1600, 1000)
MICROSCOPE = "screen1_{well}_s{field}_w{number}{channel}.tif"
# Nothing in these names says what it is.
UNKNOWN = "scan7~{well}~pos{field}~q{number}.tif"
# The boxes around cells are yellow and orange.
COLORS = {"DAPI": "bop blue", "GFP": "bop purple", "Actin": "gray"}


def import_window(hand: Hand, folder: Path) -> Any:
    """Open a folder as if it were dropped onto the page Data; the window that then shows it."""
    page = hand.open("Images and cells")
    page.files.open((folder,))
    hand.until(lambda: page.files.window is not None, "the import window opens")
    window = page.files.window
    at_rest(hand, window)
    return window


def at_rest(hand: Hand, window: Any) -> None:
    """Wait until changes are read and pictures are drawn."""
    hand.until(lambda: not window.task.busy and not window.images.task.busy, "it is all read")
    hand.pause(0.4)


def take(hand: Hand, window: Any, path: Path) -> None:
    """Keep a picture of the import window."""
    at_rest(hand, window)
    path.parent.mkdir(parents=True, exist_ok=True)
    window.grab().save(str(path))
    keep(path)


def wells_of_a_plate(hand: Hand, window: Any) -> None:
    """Give classes on the plate map: drag, type, Enter; then what has none yet."""
    window.tabs.setCurrentWidget(window.wells)
    hand.pause(0.2)
    plate = window.wells.map
    for first, last, name in (("B02", "D04", "control"), ("B05", "D06", "treated")):
        start, end = (plate.well_rect(well).center() for well in (first, last))
        QTest.mousePress(plate, LEFT, NO_KEY, start)
        for share in (0.3, 0.6, 1.0):
            QTest.mouseMove(plate, start + (end - start) * share)
            hand.pause(0.02)
        QTest.mouseRelease(plate, LEFT, NO_KEY, end)
        see(bool(plate.selection), "wells are selected")
        QTest.keyClicks(window.wells.edit, name)
        QTest.keyClick(window.wells.edit, Qt.Key.Key_Return)
        at_rest(hand, window)
    QTest.keyClicks(window.wells.edit, "recovered")


def imports(hand: Hand, pictures: Path) -> None:
    """The import window: files, classes of wells, parts of a name."""
    # Relative, so that no folder of this computer is shown.
    plate_folder(Path("plate1"), MICROSCOPE)
    window = import_window(hand, Path("plate1"))
    wells_of_a_plate(hand, window)
    take(hand, window, pictures / "import-wells.png")
    window.tabs.setCurrentIndex(0)
    take(hand, window, pictures / "import-files.png")
    hand.page("Images and cells").files.close()

    plate_folder(Path("scan7"), UNKNOWN, rows="AB", columns=4)
    window = import_window(hand, Path("scan7"))
    window.by_example.setChecked(True)
    hand.pause(0.2)
    name = window.pattern.line.toPlainText()
    for part, text, before in (("well", "A02", "~"), ("field", "1", "pos"), ("channel", "q1", "~")):
        start = name.index(before + text) + len(before)
        window.pattern.line.select(start, start + len(text))
        hand.click(window.pattern.buttons[part])
        at_rest(hand, window)
    take(hand, window, pictures / "import-pattern.png")
    hand.page("Images and cells").files.close()


def layers(hand: Hand, pictures: Path) -> None:
    """Cells out of layers: the preview of a segmentation, and the crops around cells."""
    planes, nuclei = field_of_cells(7, 512, 84, entered=0.5)
    viewer = hand.viewer
    for channel, plane in zip(STAINS, planes, strict=True):
        viewer.add_image(
            plane,
            name=channel,
            colormap=COLORS[channel],
            blending="additive",
            contrast_limits=(220, float(plane.max()) * 0.8),
            scale=(0.32, 0.32),
            units=("um", "um"),
        )
    page = hand.open("Images and cells")
    page.origin.setCurrentIndex(1)
    hand.pause(0.5)
    for channel in STAINS:
        viewer.layers[channel].visible = channel == "DAPI"
    viewer.layers["DAPI"].colormap = "gray"
    viewer.layers.selection.active = viewer.layers["DAPI"]
    viewer.reset_view()
    panel = page.cells.segmentation
    hand.click(panel.previewing)
    hand.until(lambda: not panel.preview.waiting and panel.preview.layer, "outlines are drawn")
    hand.scroll_to(page.use)
    picture(viewer, pictures / "segmentation-preview.png")
    hand.click(panel.previewing)

    for channel in STAINS:
        viewer.layers[channel].visible = channel != "GFP"
    viewer.layers["Actin"].gamma = 1.6
    viewer.layers["DAPI"].colormap = COLORS["DAPI"]
    labels = viewer.add_labels(nuclei, name="nuclei", scale=(0.32, 0.32), units=("um", "um"))
    labels.visible = False
    hand.until(lambda: page.cells.crop_size.measured is not None, "the cells are measured")
    page.cells.crop_size.spin.setValue(32)
    hand.until(lambda: not page.cells.crop_size.task.busy, "boxes are drawn")
    viewer.scene.camera.zoom *= 1.1
    hand.scroll_to(page.use)
    picture(viewer, pictures / "layers.png")


def main(pictures: Path) -> None:
    """Take all of them."""
    import napari
    import platformdirs
    from napari.settings import get_settings

    pictures = pictures.resolve()
    get_settings().appearance.theme = "dark"
    viewer = napari.Viewer(title=PLUGIN)
    viewer.window.resize(*SIZE)
    with tempfile.TemporaryDirectory() as files:
        platformdirs.user_cache_path = lambda *_, **__: Path(files) / "cache"
        platformdirs.user_data_path = lambda *_, **__: Path(files) / "user"
        before = Path.cwd()
        os.chdir(files)
        try:
            hand = Hand(viewer, Path(files))
            hand.pause(0.3)
            imports(hand, pictures)
            layers(hand, pictures)
        finally:
            os.chdir(before)
        viewer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
