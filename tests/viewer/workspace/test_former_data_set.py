"""Nothing of the former data set or classifier is left in sight when another takes its place."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.pages.data.samples import open_synthetic_plate
from napari_channelmix.viewer.session.session import Trained
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.viewer.workspace.page_list import PAGES

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

LINE = "Saved what was found of the plate"
OF_THE_CELLS = {"data", "annotate"}


def pages(workspace: Any) -> dict[str, Any]:
    return {page.key: workspace.page(page.key) for page in PAGES}


def with_line(workspace: Any) -> set[str]:
    """Pages on which a line is still to be read."""
    return {
        key
        for key, frame in workspace.frames.items()
        for notice in frame.findChildren(Notice)
        if LINE in notice.text() and not notice.isHidden()
    }


def test_lines_and_layers_go_with_what_they_are_about(
    filled: Any, viewer: Any, qtbot: Any, plate: Cells
) -> None:
    every, session = pages(filled), filled.session
    for page in every.values():
        page.notice.say(LINE, "good")
    assert with_line(filled) == set(every)
    classifier = SimpleNamespace(channels=plate.channels, classes=plate.classes)
    session.trained = Trained(classifier, "a model")
    # What was said of the cells holds whatever the classifier is.
    assert with_line(filled) == OF_THE_CELLS

    for page in every.values():
        page.notice.say(LINE, "good")
    names = {layer.name for layer in viewer.layers}
    data = every["data"]
    data.open_cells(plate.subset(slice(0, 40)), "another plate")
    qtbot.waitUntil(lambda: len(session.cells) == 40)
    qtbot.waitUntil(lambda: not data.preview.task.busy)
    assert with_line(filled) == set()
    assert {layer.name for layer in viewer.layers} <= names

    for page in every.values():
        page.notice.say(LINE, "good")
    data.switch_to(session.data_sets[0].key)
    qtbot.waitUntil(lambda: len(session.cells) == len(plate))
    assert with_line(filled) == set()
    qtbot.waitUntil(lambda: not data.preview.task.busy)
    qtbot.wait(100)
    assert {layer.name for layer in viewer.layers} == names


def test_cells_out_of_layers_take_the_place_of_layers_of_ours(
    filled: Any, viewer: Any, qtbot: Any
) -> None:
    data, session = filled.page("data"), filled.session
    before = session.cells
    labels = viewer.layers["cells"].data.copy()
    # Pictures of the user's, beside those of the data set.
    pictures = [viewer.add_image(viewer.layers["DNA"].data * 2.0, name=name) for name in "ab"]
    marks = viewer.add_labels(labels, name="mine")
    data.origin.setCurrentIndex(1)
    qtbot.wait(80)
    listed = data.channels.list
    from qtpy.QtCore import Qt

    for row in range(listed.count()):
        chosen = listed.item(row).text() in ("a", "b")
        listed.item(row).setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
    data.cells.fill()
    data.cells.choose_source(marks)
    data.use_layers()
    qtbot.waitUntil(lambda: session.cells is not before)
    qtbot.waitUntil(lambda: not data.preview.task.busy)
    assert set(session.shown.images.values()) == set(pictures)
    assert {layer.name for layer in viewer.layers} == {"a", "b", "mine"}


def test_layers_of_a_sample_make_room_and_those_that_were_touched_stay(
    workspace: Any, viewer: Any, qtbot: Any, plate: Cells
) -> None:
    from napari.layers import Layer

    data, session = workspace.page("data"), workspace.session
    for made in open_synthetic_plate():
        viewer.add_layer(Layer.create(*made))
    data.origin.setCurrentIndex(1)
    qtbot.waitUntil(data.use.isEnabled)
    data.use_layers()
    qtbot.waitUntil(lambda: session.cells is not None)
    # Painted in, so that it is the user's from now on.
    viewer.layers["cells"].data[:5, :5] = 1
    data.open_cells(plate, "plate.toml")
    qtbot.waitUntil(lambda: len(session.data_sets) == 2)
    qtbot.waitUntil(lambda: not data.preview.task.busy)
    names = [layer.name for layer in viewer.layers]
    assert set(plate.channels) <= set(names)
    assert [name for name in names if name.endswith("[1]")] == ["cells [1]"]
