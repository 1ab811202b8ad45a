from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QScrollArea

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.viewer.layers import role_of
from napari_channelmix.viewer.pages.data.merging import summary
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.pages.data.samples import open_synthetic_plate
from napari_channelmix.viewer.selection.picking import cell_at

from ...annotating import show_squares

if TYPE_CHECKING:
    from pathlib import Path

ODD = {
    "scale": (3.0, 0.5, 0.25),
    "translate": (7.0, 10.0, -20.0),
    "units": ("um",) * 3,
    "axis_labels": ("z", "rows", "columns"),
}


@pytest.fixture
def images(dock: Any) -> Any:
    found = dock(DataPage)
    found.origin.setCurrentIndex(1)
    return found


def blobs(side: int = 96) -> Any:
    """A picture of 9 bright nuclei and their label image."""
    y, x = np.mgrid[0:side, 0:side]
    picture, labels = np.zeros((side, side)), np.zeros((side, side), int)
    for number in range(9):
        row, column = divmod(number, 3)
        inside = (y - 16 - 32 * row) ** 2 + (x - 16 - 32 * column) ** 2 < 64
        picture[inside], labels[inside] = 100, number + 1
    return picture + np.random.default_rng(0).normal(0, 2, picture.shape), labels


def tick(images: Any, qtbot: Any, *rows: int) -> None:
    qtbot.wait(50)
    for row in rows:
        images.channels.list.item(row).setCheckState(Qt.CheckState.Checked)


def use(images: Any, qtbot: Any, click: Any) -> Any:
    click(images.use)
    qtbot.waitUntil(lambda: not images.task.busy)
    assert images.session.cells is not None, images.notice.text()
    return images.session.cells


def test_a_data_set_is_shown_with_its_pixel_size(viewer: Any, open_plate: Any, plate: Any) -> None:
    images = open_plate()
    one = plate.fields[0]
    for name in plate.channels:
        layer = viewer.layers[name]
        np.testing.assert_allclose(layer.scale, one.pixel_size or (1, 1))
    assert "60 cells, 4 channels, classes untreated 30, treated 30; 6 groups" in (
        images.summary.text()
    )
    assert viewer.layers["classes"].data.shape == one.shape


def test_another_field_of_view_is_shown_in_the_same_layers(
    viewer: Any, open_plate: Any, plate: Any, qtbot: Any
) -> None:
    images = open_plate()
    before = list(viewer.layers)
    viewer.layers["DNA"].contrast_limits = (5, 50)
    images.dataset.field.setValue(4)
    qtbot.waitUntil(lambda: images.session.shown.field == 3)
    qtbot.wait(150)
    assert list(viewer.layers) == before
    np.testing.assert_array_equal(viewer.layers["DNA"].data, plate.fields[3].planes[0])
    assert tuple(viewer.layers["DNA"].contrast_limits) == (5, 50)


@pytest.mark.parametrize("how", ["cancelled", "another"])
def test_a_data_set_that_is_half_shown_is_shown_to_its_end(
    viewer: Any, open_plate: Any, plate: Any, qtbot: Any, how: str
) -> None:
    images = open_plate()
    other = replace(plate.subset(range(20)), name="other")
    counts: list[int] = []
    viewer.layers.events.inserted.connect(lambda _: counts.append(len(viewer.layers)))
    images.open_cells(other)
    qtbot.waitUntil(lambda: bool(counts))
    assert images.task.busy and len(images.session.data_sets) == 1
    if how == "cancelled":
        images.task.stop()
        assert not images.task.busy
    else:
        images.open_cells(plate)
    qtbot.waitUntil(lambda: not images.task.busy)
    assert len(images.session.data_sets) == 2
    assert images.session.cells.name == ("other" if how == "cancelled" else plate.name)
    # The layers of one data set, and all of them.
    qtbot.waitUntil(lambda: "classes" in viewer.layers)
    roles = sorted(role_of(layer) for layer in viewer.layers)
    expected = ["cells", "classes", *(f"channel {name}" for name in plate.channels)]
    assert roles == sorted(expected)
    assert images.session.shown.is_in(viewer.layers)


def test_cells_of_a_slice_keep_its_place(viewer: Any, images: Any, qtbot: Any, click: Any) -> None:
    picture, _ = blobs()
    stack = np.stack([picture * 0, picture, picture * 2])
    for name in ("DNA", "GFP"):
        viewer.add_image(stack, name=name, **ODD)
    viewer.dims.set_point(0, 7.0 + 3.0)
    tick(images, qtbot, 0, 1)
    assert not images.use.isEnabled() and "choose the layer" in images.reason.text()
    click(images.cells.find_button)
    qtbot.waitUntil(lambda: not images.task.busy)
    nuclei = viewer.layers["nuclei in DNA"]
    assert nuclei.data.max() == 9
    source = viewer.layers["DNA"]
    for corner in ((0, 0), (95, 3)):
        # In their slice, and in no other.
        expected = source.data_to_world((1, *corner))
        np.testing.assert_allclose(nuclei.data_to_world((0, *corner)), expected)
    assert nuclei.axis_labels == ("z", "rows", "columns")
    images.cells.crop.setValue(20)
    cells = use(images, qtbot, click)
    assert len(cells) == 9 and cells.channels == ("DNA", "GFP")
    np.testing.assert_allclose(cells.read([0])[0, 0, 4:16, 4:16], picture[10:22, 10:22], rtol=1e-5)
    assert images.session.shown.slice_position == {0: 1}
    viewer.dims.set_point(0, 7.0 + 6.0)
    images.use_layers()
    assert "nuclei of another slice" in images.notice.text()
    assert images.session.cells is cells


def test_the_maximum_over_z_is_the_users_choice(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    viewer.add_image(np.stack([picture, picture * 3]), name="DNA", **ODD)
    viewer.add_labels(labels, name="mask", **{k: v[1:] for k, v in ODD.items()})
    tick(images, qtbot, 0)
    assert images.channels.note.isVisible()
    images.channels.slice_choices[0].setCurrentIndex(1)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(20)
    cells = use(images, qtbot, click)
    expected = np.maximum(picture, picture * 3)[10:22, 10:22]
    np.testing.assert_allclose(cells.read([0])[0, 0, 4:16, 4:16], expected, rtol=1e-5)


def test_no_channel_axis_is_preselected_unless_the_layer_names_it(
    viewer: Any, images: Any, qtbot: Any
) -> None:
    viewer.add_image(np.zeros((3, 64, 64)), name="stack")
    images.channels.kind.setCurrentIndex(1)
    qtbot.wait(50)
    assert images.channels.axis.currentData() is None
    assert not images.use.isEnabled() and "choose which axis" in images.reason.text()
    viewer.layers.clear()
    viewer.add_image(np.zeros((3, 64, 64)), name="named", axis_labels=("c", "y", "x"))
    qtbot.wait(50)
    assert images.channels.axis.currentData() == 0
    assert [images.channels.list.item(i).text() for i in range(3)] == [
        "named 0",
        "named 1",
        "named 2",
    ]


def test_channels_of_an_axis_can_be_named(viewer: Any, images: Any, qtbot: Any, click: Any) -> None:
    picture, labels = blobs()
    viewer.add_image(
        np.stack([picture, picture + 1], axis=-1),
        name="stack",
        rgb=False,
        axis_labels=("y", "x", "c"),
    )
    viewer.add_labels(labels, name="mask")
    images.channels.kind.setCurrentIndex(1)
    qtbot.wait(50)
    images.channels.list.item(0).setText("DNA")
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(20)
    cells = use(images, qtbot, click)
    assert cells.channels == ("DNA", "stack 1")
    crop = cells.read([0])[0]
    np.testing.assert_allclose(crop[1], crop[0] + 1, rtol=1e-5)


def test_classes_are_taken_from_a_features_column(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    kinds = ["round"] * 5 + ["long"] * 3 + [""]
    viewer.add_image(picture, name="DNA")
    viewer.add_labels(
        labels, name="mask", features=pd.DataFrame({"index": range(1, 10), "kind": kinds})
    )
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.column.setCurrentIndex(1)
    images.cells.crop.setValue(20)
    cells = use(images, qtbot, click)
    assert cells.class_counts == {"long": 3, "round": 5}
    assert "classes long 3, round 5" in summary(cells)


def test_points_mark_cells_too(viewer: Any, images: Any, qtbot: Any, click: Any) -> None:
    picture, _ = blobs()
    viewer.add_image(picture, name="DNA", scale=(0.5, 0.5))
    viewer.add_points(
        [(8.0, 8.0), (24.0, 24.0)], name="seeds", features=pd.DataFrame({"kind": ["a", "b"]})
    )
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["seeds"])
    images.cells.column.setCurrentIndex(1)
    images.cells.crop.setValue(20)
    cells = use(images, qtbot, click)
    assert cells.class_counts == {"a": 1, "b": 1}
    qtbot.wait(150)
    np.testing.assert_allclose(viewer.layers["classes"].scale, (0.5, 0.5))


def test_reasons_stand_beside_the_disabled_button(viewer: Any, images: Any, qtbot: Any) -> None:
    picture, labels = blobs()
    viewer.add_image(picture, name="DNA")
    viewer.add_image(np.zeros((8, 8, 3), np.uint8), name="stained", rgb=True)
    viewer.add_image(picture[:50], name="cut")
    viewer.add_labels(labels, name="mask")
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["mask"])
    assert images.use.isEnabled()
    for row, word in ((1, "RGB image"), (2, "all channels must have one size")):
        tick(images, qtbot, row)
        assert not images.use.isEnabled() and word in images.reason.text()
        images.channels.list.item(row).setCheckState(Qt.CheckState.Unchecked)
    images.cells.crop.setValue(300)
    assert "larger than the image" in images.reason.text()


def test_no_nuclei_is_said(viewer: Any, images: Any, qtbot: Any, click: Any) -> None:
    viewer.add_image(np.ones((64, 64)), name="flat")
    tick(images, qtbot, 0)
    click(images.cells.find_button)
    qtbot.waitUntil(lambda: bool(images.notice.text()))
    assert "no nuclei were found" in images.notice.text()
    assert "nuclei in flat" not in viewer.layers


def test_a_broken_data_set_leaves_what_is_there(
    open_plate: Any, qtbot: Any, tmp_path: Path
) -> None:
    images = open_plate()
    before = images.session.cells
    images.open_file(tmp_path / "none.toml")
    qtbot.waitUntil(lambda: bool(images.notice.text()))
    assert "no such file" in images.notice.text() and images.notice.kind == "error"
    assert images.session.cells is before


def test_two_docks_show_the_same(dock: Any, open_plate: Any, qtbot: Any) -> None:
    first, second = open_plate(), dock(DataPage)
    assert second.summary.text() == first.summary.text()
    first.session.classify(np.zeros(60, int), ("one", "two"))
    assert "one 60, two 0" in second.summary.text()


def test_names_and_ticks_of_an_axis_outlive_other_layers(
    viewer: Any, images: Any, qtbot: Any
) -> None:
    picture, labels = blobs()
    viewer.add_image(np.stack([picture] * 3), name="stack", axis_labels=("c", "y", "x"))
    images.channels.kind.setCurrentIndex(1)
    qtbot.wait(50)
    images.channels.list.item(0).setText("DNA")
    images.channels.list.item(2).setCheckState(Qt.CheckState.Unchecked)
    viewer.add_labels(labels, name="mask")
    viewer.layers["stack"].name = "cells"
    qtbot.wait(50)
    items = [images.channels.list.item(row) for row in range(3)]
    assert [item.text() for item in items] == ["DNA", "cells 1", "cells 2"]
    assert [item.checkState() == Qt.CheckState.Checked for item in items] == [True, True, False]


def test_a_layer_renamed_in_the_viewer_is_listed_by_its_new_name(
    viewer: Any, images: Any, qtbot: Any
) -> None:
    picture, _ = blobs()
    viewer.add_image(picture, name="Image")
    tick(images, qtbot, 0)
    viewer.layers["Image"].name = "DNA"
    qtbot.wait(50)
    assert images.channels.list.item(0).text() == "DNA"
    assert images.cells.nuclei_channel.currentText() == "DNA"


def test_the_tab_for_layers_is_in_front_where_images_are_open(
    viewer: Any, dock: Any, open_plate: Any
) -> None:
    assert dock(DataPage).origin.currentIndex() == 0
    viewer.add_image(np.zeros((64, 64)), name="mine")
    assert dock(DataPage).origin.currentIndex() == 1
    open_plate()
    assert dock(DataPage).origin.currentIndex() == 0


def test_an_rgb_layer_is_refused_before_its_axis_is_asked_for(
    viewer: Any, images: Any, qtbot: Any
) -> None:
    viewer.add_image(np.zeros((64, 64, 3), np.uint8), name="stained", rgb=True)
    images.channels.kind.setCurrentIndex(1)
    qtbot.wait(50)
    assert "RGB image" in images.reason.text()


def test_painted_classes_outlive_a_correction_of_the_labels(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    viewer.add_image(picture, name="DNA")
    mask = viewer.add_labels(labels, name="mask")
    tick(images, qtbot, 0)
    images.cells.choose_source(mask)
    images.cells.crop.setValue(20)
    use(images, qtbot, click)
    images.session.classify([0, 0, 0, 0, 1, 1, 1, 1, -1], ("a", "b"))
    mask.data = np.where(labels == 2, 0, labels)
    before = images.session.cells
    use(images, qtbot, click)
    qtbot.waitUntil(lambda: images.session.cells is not before)
    assert images.session.cells.labels.tolist() == [0, 0, 0, 1, 1, 1, 1, -1]
    assert images.session.cells.classes == ("a", "b")


def test_cells_cut_out_anew_do_not_take_the_place_of_results(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    viewer.add_image(picture, name="DNA")
    mask = viewer.add_labels(labels, name="mask")
    tick(images, qtbot, 0)
    images.cells.choose_source(mask)
    images.cells.crop.setValue(20)
    use(images, qtbot, click)
    session = images.session
    session.classify([0] * 5 + [1] * 4, ("a", "b"))
    first, importance = session.data_set, object()
    for at_work in (True, False):
        # A run under way is lost like one that is done.
        if at_work:
            session.begin("channel importance", first)
        else:
            session.switch(first, session.of(first).shown.again(viewer.layers))
            session.importance = importance
        mask.data = np.where(labels == 2 + at_work, 0, labels)
        before = session.data_set
        click(images.use)
        qtbot.waitUntil(lambda: not images.task.busy)
        assert session.data_set != before, images.notice.text()
        assert session.of(first) is not None and len(session.cells) == 8
        assert session.cells.classes == ("a", "b")
        session.end("channel importance", first)
    assert session.importance is None and session.of(first).importance is importance


def test_what_closing_a_data_set_costs_is_asked(
    images: Any, plate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, asked = images.session, []
    cancel = QMessageBox.StandardButton.Cancel
    monkeypatch.setattr(QMessageBox, "question", lambda *args: asked.append(args[2]) or cancel)
    session.open(plate, "layers of the viewer")
    first = session.data_set
    session.open(plate.subset(slice(9)), "a sample")
    # Nothing was found of it, and nothing is at work.
    assert images.switching.may_close(session.of(first)) and not asked
    session.begin("channel importance", first)
    images.close_data_set(first)
    assert "running jobs will be stopped: channel importance" in asked[0]
    session.end("channel importance", first)
    trained = SimpleNamespace(classifier=SimpleNamespace(classes=("a",)), accuracy=None)
    session.put_classifier(first, trained)
    images.close_data_set(first)
    assert "are lost: classifier" in asked[1] and "in no data-set file" in asked[1]
    assert len(session.data_sets) == 2


def test_crops_that_overlap_are_marked_by_rings(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, _ = blobs()
    viewer.add_image(picture, name="DNA")
    viewer.add_points(
        [(16.0, 16.0), (16.0, 28.0)], name="seeds", features=pd.DataFrame({"kind": ["a", "b"]})
    )
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["seeds"])
    images.cells.column.setCurrentIndex(1)
    for side, symbol in ((10, "square"), (20, "disc")):
        if "classes" in viewer.layers:
            viewer.layers.remove("classes")
        images.cells.crop.setValue(side)
        use(images, qtbot, click)
        qtbot.waitUntil(lambda: "classes" in viewer.layers)
        assert str(viewer.layers["classes"].symbol[0]) == symbol


def test_what_is_painted_in_the_labels_later_is_no_cell_of_these(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    viewer.add_image(picture, name="DNA")
    mask = viewer.add_labels(labels, name="mask")
    tick(images, qtbot, 0)
    images.cells.choose_source(mask)
    images.cells.crop.setValue(20)
    cells = use(images, qtbot, click)
    mask.selected_label = 77
    mask.paint((16, 48), 77)
    mask.fill((48, 48), 0)
    qtbot.wait(150)
    assert cells.fields[0].labels.max() == 9 and (cells.fields[0].labels == 5).any()
    images.session.classify([0] * 9, ("a",))
    qtbot.wait(150)
    assert set(np.unique(viewer.layers["classes"].data)) == {0, 1}
    assert (viewer.layers["mask"].data == 77).any()


def test_cells_of_another_image_are_added_and_their_classes_kept(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    for name, data in (("DNA", picture), ("GFP", picture + 5)):
        viewer.add_image(data, name=name)
    viewer.add_labels(labels, name="mask")
    tick(images, qtbot, 0, 1)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(20)
    assert not images.more.isEnabled() and "First create a cell set" in images.more.toolTip()
    use(images, qtbot, click)
    images.session.classify([0] * 5 + [1] * 4, ("a", "b"))
    click(images.more)
    qtbot.waitUntil(lambda: bool(images.notice.text()))
    assert "are in use already" in images.notice.text()
    for name, data in (("DNA [1]", picture * 2), ("GFP [1]", picture * 3)):
        viewer.add_image(data, name=name, translate=(0, 100))
    viewer.add_labels(labels, name="mask [1]", translate=(0, 100))
    entries = images.channels.list
    qtbot.waitUntil(
        lambda: any("GFP [1]" in entries.item(row).text() for row in range(entries.count())),
    )
    for row in range(entries.count()):
        item = entries.item(row)
        other = Qt.CheckState.Checked if "[1]" in item.text() else Qt.CheckState.Unchecked
        item.setCheckState(other)
    images.cells.choose_source(viewer.layers["mask [1]"])
    click(images.more)
    qtbot.waitUntil(lambda: len(images.session.cells) == 18)
    cells = images.session.cells
    said = "9 cells of DNA [1] and 1 other channel added; DNA [1] as DNA, GFP [1] as GFP"
    assert said in images.notice.text()
    assert cells.labels.tolist() == [0] * 5 + [1] * 4 + [-1] * 9 and cells.classes == ("a", "b")
    assert cells.channels == ("DNA", "GFP") and images.session.shown.field == 1
    np.testing.assert_allclose(cells.read([9]), cells.read([0]) * [[[[2]], [[3]]]], atol=16)
    # The first image comes back when it is asked for.
    images.origin.setCurrentIndex(0)
    images.dataset.field.setValue(1)
    qtbot.waitUntil(lambda: images.session.shown.field == 0)


def test_a_sample_from_the_menu_is_ready_to_be_used(
    viewer: Any, dock: Any, click: Any, qtbot: Any
) -> None:
    images = dock(DataPage)
    for data, options, kind in open_synthetic_plate():
        getattr(viewer, f"add_{kind}")(data, **options)
    qtbot.wait(50)
    images.origin.setCurrentIndex(1)
    assert images.use.isEnabled() and images.channels.choose().names[0] == "DNA"
    # What the user chooses instead stays.
    images.cells.column.setCurrentIndex(0)
    viewer.add_points([[3.0, 3.0]])
    qtbot.wait(50)
    assert images.cells.column.currentIndex() == 0
    images.cells.column.setCurrentIndex(1)
    click(images.use)
    qtbot.waitUntil(lambda: not images.task.busy)
    cells = images.session.cells
    assert set(cells.classes) == {"treated", "untreated"} and len(cells.channels) == 4
    assert cells.name == "DNA and 3 other channels"


# -------------------------------------------------------------------- axes and ids


def test_a_long_axis_is_never_taken_for_slices_in_silence(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    viewer.add_image(np.stack([picture + n for n in range(7)]), name="stack")
    viewer.add_labels(labels, name="mask")
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(20)
    question = images.channels.question
    assert question.isVisible() and question.yes.text() == "7 channels"
    assert "'stack' has 7 planes (axis 0): channels or slices?" in question.text.text()
    assert not images.use.isEnabled() and "say above whether" in images.reason.text()
    click(question.yes)
    assert not question.isVisible() and images.use.isEnabled()
    cells = use(images, qtbot, click)
    assert cells.channels == tuple(f"stack {n}" for n in range(7))
    crops = cells.read([0])[0]
    np.testing.assert_allclose(crops[6], crops[0] + 6, rtol=1e-5)


def test_ids_may_be_one_object_in_all_slices(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    viewer.add_image(np.stack([picture, picture * 2]), name="film", axis_labels=("t", "y", "x"))
    viewer.add_labels(np.stack([labels, labels]), name="mask", axis_labels=("t", "y", "x"))
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(20)
    qtbot.wait(50)
    assert not images.cells.tracks.isVisible()
    images.channels.slice_choices[0].setCurrentIndex(2)
    qtbot.waitUntil(images.cells.tracks.isVisible)
    cells = use(images, qtbot, click)
    assert set(cells.groups) == {"film: t=0", "film: t=1"}
    click(images.cells.tracks)
    cells = use(images, qtbot, click)
    assert len(set(cells.groups)) == 9 and len(cells) == 18
    assert "each of 9 objects is a group" in images.notice.text()


def test_slices_are_slices_once_the_user_said_so(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    viewer.add_image(np.stack([picture, picture * 2, picture * 3]), name="stack")
    viewer.add_labels(np.stack([labels, labels, labels * 0]), name="mask")
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(20)
    click(images.channels.question.no)
    assert images.use.isEnabled() and len(images.channels.slice_choices) == 1
    # Another layer that comes does not ask again.
    viewer.add_points([(1.0, 2.0)])
    qtbot.wait(50)
    assert images.use.isEnabled()
    # Every slice a field of view: the one in the viewer is the one that is shown.
    images.channels.slice_choices[0].setCurrentIndex(2)
    viewer.dims.set_point(0, 1)
    cells = use(images, qtbot, click)
    session = images.session
    assert [field.name for field in cells.fields] == ["stack: axis 0=0", "stack: axis 0=1"]
    assert session.shown.field == 1 and session.shown.slice_position == {0: 1}
    assert "1 of 3 slices hold no cell and are left out" in images.notice.text()
    assert "9 ids occur in several slices" in images.notice.text()
    assert cell_at(session, viewer, (1, 16, 16)) == 9
    viewer.dims.set_point(0, 0)
    assert session.shown.field == 0 and cell_at(session, viewer, (0, 16, 16)) == 0
    assert cell_name(cells, 9) == "1 (axis 0=1)"
    # Classes are drawn in the slice of their cells only.
    session.classify([0] * 9 + [1] * 9, ("a", "b"))
    qtbot.waitUntil(lambda: "classes" in viewer.layers)
    for place, value in ((0, 1), (1, 2), (2, None)):
        viewer.dims.set_point(0, place)
        qtbot.wait(150)
        seen = viewer.layers["classes"].get_value((place, 9, 16), world=True)
        assert seen == value or (value is None and not seen)
    images.origin.setCurrentIndex(0)
    images.dataset.field.setValue(1)
    assert viewer.dims.point[0] == 0 and session.shown.field == 0


def test_classes_are_kept_for_cells_of_the_same_slice_only(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    names = {"axis_labels": ("z", "y", "x")}
    viewer.add_image(np.stack([picture, picture * 2]), name="DNA", **names)
    viewer.add_labels(np.stack([labels, labels]), name="mask", **names)
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(20)
    viewer.dims.set_point(0, 0)
    use(images, qtbot, click)
    images.session.classify([0] * 9, ("a",))
    use(images, qtbot, click)
    assert images.session.cells.labels.tolist() == [0] * 9
    viewer.dims.set_point(0, 1)
    before = images.session.cells
    use(images, qtbot, click)
    qtbot.waitUntil(lambda: images.session.cells is not before)
    assert images.session.cells.classes == ()


def test_columns_that_disagree_ask_for_a_choice(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    kinds = ["round"] * 5 + ["long"] * 4
    viewer.add_image(picture, name="DNA")
    viewer.add_labels(
        labels,
        name="mask",
        features=pd.DataFrame({"kind": kinds, "index": range(9), "label": range(1, 10)}),
    )
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(20)
    assert images.cells.ids.isVisible()
    images.cells.column.setCurrentText("column 'kind'")
    assert not images.use.isEnabled() and "'index' and 'label'" in images.reason.text()
    images.cells.ids.setCurrentText("column 'label'")
    assert images.cells.column.currentText() == "column 'kind'"
    cells = use(images, qtbot, click)
    assert cells.labels.tolist() == [1] * 5 + [0] * 4 and cells.classes == ("long", "round")
    qtbot.waitUntil(lambda: "class" in viewer.layers["mask"].features)
    table = viewer.layers["mask"].features
    assert table["class"].tolist() == kinds and table["index"].tolist() == list(range(9))


def test_points_with_ids_are_selected_by_them(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, _ = blobs()
    viewer.add_image(picture, name="DNA")
    seeds = viewer.add_points(
        [(16.0, 16.0), (48.0, 48.0)], name="seeds", features=pd.DataFrame({"object": [70, 20]})
    )
    tick(images, qtbot, 0)
    images.cells.choose_source(seeds)
    images.cells.crop.setValue(20)
    assert not images.cells.unit.isVisible()
    cells = use(images, qtbot, click)
    assert cell_name(cells, 1) == "20"
    images.session.select(1)
    assert set(seeds.selected_data) == {1}
    seeds.selected_data = {0}
    assert images.session.selected == (0,)


def test_regions_and_border_are_choices(viewer: Any, images: Any, qtbot: Any, click: Any) -> None:
    picture, labels = blobs()
    viewer.add_image(picture, name="DNA")
    viewer.add_labels((labels > 0).astype(int), name="mask")
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(40)
    cells = use(images, qtbot, click)
    assert len(cells) == 1 and "pieces" in images.notice.text()
    images.cells.unit.setCurrentIndex(1)
    assert len(use(images, qtbot, click)) == 9
    images.cells.inside.setChecked(True)
    before = images.session.cells
    click(images.use)
    qtbot.waitUntil(lambda: images.session.cells is not before)
    assert len(images.session.cells) == 1
    assert "8 of 9 cells at the border are left out" in images.notice.text()


def test_the_remedy_for_cells_at_the_border_is_the_box_in_the_dock(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    picture, labels = blobs()
    viewer.add_image(picture, name="DNA")
    viewer.add_labels(labels, name="mask")
    tick(images, qtbot, 0)
    images.cells.choose_source(viewer.layers["mask"])
    images.cells.crop.setValue(40)
    use(images, qtbot, click)
    said = [line for line in images.notice.text().splitlines() if "border" in line]
    assert len(said) == 1 and said[0].startswith("8 of 9 cells reach over the border")
    assert said[0].endswith(f"; tick {images.cells.inside.text()!r} to do without them")
    assert "[cells]" not in images.notice.text()


def test_long_names_of_layers_do_not_cut_off_the_dock(
    viewer: Any, images: Any, qtbot: Any, click: Any
) -> None:
    name = "20261128_plate_0003_reimaged_after_the_second_staining_well_B07.ome.tif"
    picture, labels = blobs()
    viewer.add_image(np.stack([picture] * 3), name=name, axis_labels=("c", "y", "x"))
    viewer.add_labels(labels, name=f"labels of {name}")
    qtbot.wait(100)
    images.origin.setCurrentIndex(1)
    images.channels.kind.setCurrentIndex(1)
    images.channels.axis.setCurrentIndex(1)
    images.cells.choose_source(viewer.layers[f"labels of {name}"])
    images.cells.crop.setValue(20)
    use(images, qtbot, click)
    qtbot.wait(100)
    scroll = images.findChild(QScrollArea)
    assert scroll.widget().width() <= scroll.viewport().width()
    assert name in images.summary.toolTip()


def test_the_column_taken_for_the_ids_is_named(viewer: Any, images: Any, qtbot: Any) -> None:
    picture, labels = blobs()
    viewer.add_image(picture, name="DNA")
    table = pd.DataFrame({"label": range(1, 10), "kind": ["a", "b", "c"] * 3})
    mask = viewer.add_labels(labels, name="mask", features=table)
    tick(images, qtbot, 0)
    images.cells.choose_source(mask)
    assert images.cells.ids.itemText(0) == "column 'label', by its name"
    mask.features = table[["kind"]].assign(weight=range(9))
    images.cells.fill()
    assert images.cells.ids.itemText(0) == "by its name, if there is any"


def test_a_data_set_of_the_users_layers_comes_back_in_them(
    viewer: Any, open_plate: Any, qtbot: Any
) -> None:
    images = open_plate()
    session, plate = images.session, images.session.data_set
    show_squares(viewer, session)
    mine, shown = session.data_set, session.shown
    images.switch_to(plate)
    qtbot.waitUntil(lambda: session.data_set == plate)
    assert session.shown.images["DNA"] is not shown.images["DNA"]
    images.switch_to(mine)
    assert session.data_set == mine and session.shown == shown
    assert images.origin.currentIndex() == 1
    # Of the other data set, nothing is left in sight.
    assert not any(role_of(layer).startswith("channel") for layer in viewer.layers)
    # Without its layers it is shown as a data set is.
    images.switch_to(plate)
    qtbot.waitUntil(lambda: session.data_set == plate)
    viewer.layers.remove(shown.images["GFP"])
    images.switch_to(mine)
    qtbot.waitUntil(lambda: session.data_set == mine)
    assert set(session.shown.images) == {"DNA", "GFP"} and session.shown != shown
