"""The dock in a real window: look, question, relabel, and what may go wrong meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QScrollBar,
    QSpinBox,
    QTabBar,
    QWidget,
)

from napari_channelmix.data import Cells
from napari_channelmix.viewer.pages.latents.page import LatentsPage
from napari_channelmix.viewer.pages.phenotypes import crop_reader
from napari_channelmix.viewer.pages.phenotypes.page import PhenotypesPage
from napari_channelmix.viewer.pages.pixels.page import PixelsPage
from napari_channelmix.viewer.session.session import Predictions

from ...conftest import canvas_of, canvas_point
from ...latent_cases import latents

if TYPE_CHECKING:
    from collections.abc import Callable

LEFT = Qt.MouseButton.LeftButton


def predicted(of: Cells, wrong: tuple[int, ...] = (3, 40)) -> Predictions:
    """The label of each cell, but for some."""
    found = np.full((len(of), len(of.classes)), 0.1, np.float32)
    found[np.arange(len(of)), of.labels] = 0.9
    for place, cell in enumerate(wrong):
        found[cell] = found[cell, ::-1]
        found[cell, 1 - of.labels[cell]] += 0.05 * place
    return Predictions(
        of.classes, found / found.sum(axis=1, keepdims=True), f"trained on {of.name}"
    )


@pytest.fixture
def opened(open_plate: Any, dock: Any, qtbot: Any, plate: Cells) -> Callable[..., Any]:
    """The dock in front, with the plate and predictions."""

    def made(known: bool = True) -> Any:
        images = open_plate()
        found = dock(PhenotypesPage)
        if known:
            images.session.predictions = predicted(plate)
        settled(found, qtbot)
        return found

    return made


def settled(found: Any, qtbot: Any) -> None:
    """Wait until nothing is on its way."""
    qtbot.wait(150)
    qtbot.waitUntil(
        lambda: not (found.gallery.reader.busy or found._soon.isActive() or found.going.task.busy)
    )


def press(found: Any, cell: int, qtbot: Any, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
    gallery = found.gallery
    assert gallery.reveal(cell)
    qtbot.mouseClick(
        gallery.viewport(), LEFT, keys, gallery.rect_of(gallery.place_of(cell)).center()
    )


def test_a_click_selects_everywhere_and_goes_to_another_field(
    viewer: Any, opened: Any, qtbot: Any, plate: Cells
) -> None:
    found = opened()
    cell = int(np.flatnonzero(plate.table["field"] == 4)[0])
    press(found, cell, qtbot)
    assert found.session.selected == (cell,)
    qtbot.waitUntil(lambda: found.session.shown.field == 4)
    settled(found, qtbot)
    row = plate.table.iloc[cell]
    middle = plate.centres[cell]
    world = found.session.shown.reference.data_to_world(middle)
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], world, atol=1e-3)
    np.testing.assert_allclose(viewer.layers["selected cells"].data, [middle], atol=1)
    assert viewer.layers["cells"].selected_label == row["object"]
    assert found.session.selected == (cell,)


def test_a_click_in_the_picture_brings_the_cell_into_the_gallery(
    viewer: Any, opened: Any, qtbot: Any, plate: Cells
) -> None:
    found = opened()
    found.form.choose_order("class")
    here = np.flatnonzero(plate.table["field"] == found.session.shown.field)
    reference = found.session.shown.reference

    def click(cell: int, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
        point = canvas_point(viewer, reference.data_to_world(plate.centres[cell]))
        qtbot.mouseClick(canvas_of(viewer), LEFT, keys, point)

    first, second = int(here[0]), int(here[5])
    click(first)
    assert found.session.selected == (first,), found.notice.text()
    assert found.gallery.place_of(first) in found.gallery.in_sight()
    click(second, Qt.KeyboardModifier.ShiftModifier)
    assert found.session.selected == (second, first)
    assert found.relabel.button.text() == "Class of 2 selected cells"
    click(second, Qt.KeyboardModifier.ShiftModifier)
    assert found.session.selected == (first,)


def test_the_gallery_opens_with_contradictions_until_another_order_is_chosen(
    opened: Any, qtbot: Any, plate: Cells
) -> None:
    found = opened()
    assert found.form.order.currentData() == "disagreement" and found.form.turn.isChecked()
    assert found.gallery.order[:2].tolist() == [40, 3]
    assert "contradictions first" in found.count.text()
    given = found.session.predictions
    found.session.predictions = None
    found.refresh()
    # Nothing can contradict a label.
    assert found.form.order.currentData() == "data"
    assert found.gallery.order.tolist() == list(range(len(plate)))
    found.form.choose_order("class")
    found.session.predictions = given
    found.refresh()
    assert found.form.order.currentData() == "class"


def test_disagreements_are_found_relabelled_and_taken_back(
    opened: Any, qtbot: Any, plate: Cells
) -> None:
    found = opened()
    found.form.choose_order("disagreement")
    assert found.gallery.order[:2].tolist() == [40, 3]
    said = "contradictions first: 2 predictions differ from the label"
    assert found.count.text() == f"{len(plate)} cells, {said}"
    order = found.gallery.order.copy()
    press(found, 40, qtbot)
    press(found, 3, qtbot, Qt.KeyboardModifier.ControlModifier)
    before = found.session.cells.labels.copy()
    qtbot.keyClick(found.gallery, Qt.Key.Key_1 if before[40] else Qt.Key.Key_2)
    settled(found, qtbot)
    after = found.session.cells.labels
    assert after[40] == after[3] == 1 - before[40]
    assert found.session.edits.undoable == 1
    # Nothing jumps away under the mouse; sorting again is up to the user.
    np.testing.assert_array_equal(found.gallery.order, order)
    assert found.again.isVisible()
    found.again.click()
    assert found.gallery.order[0] != 40
    assert not found.again.isVisible()
    found.relabel.undo.click()
    np.testing.assert_array_equal(found.session.cells.labels, before)
    qtbot.keyClick(found.gallery, Qt.Key.Key_9)
    assert "no class 9" in found.notice.text()


def test_a_field_of_the_matrix_and_a_group_narrow_the_gallery(
    opened: Any, qtbot: Any, plate: Cells
) -> None:
    found = opened()
    found.tabs.setCurrentIndex(1)
    qtbot.wait(50)
    view = found.confusion.view
    code = int(plate.labels[3])
    place = view.field(code, 1 - code).center()
    qtbot.mouseClick(view, LEFT, pos=place)
    wrong = [cell for cell in (3, 40) if plate.labels[cell] == code]
    assert sorted(found.gallery.order.tolist()) == wrong
    assert found.count.text().startswith(f"{len(wrong)} of {len(plate)} cells")
    assert found.form.pair_chip.text().endswith("×")
    qtbot.mouseClick(view, LEFT, pos=place)
    assert len(found.gallery.order) == len(plate)
    found.tabs.setCurrentIndex(2)
    qtbot.wait(50)
    table = found.groups.table
    qtbot.mouseClick(
        table.viewport(), LEFT, pos=table.visualRect(table.model().index(1, 0)).center()
    )
    assert set(plate.groups[found.gallery.order]) == {found.facts.grouping.names[1]}
    found.tabs.setCurrentIndex(0)
    found.form.group_chip.click()
    assert len(found.gallery.order) == len(plate)


def test_only_what_was_selected_stays_while_others_are_clicked(opened: Any, qtbot: Any) -> None:
    found = opened()
    found.session.select(5, 6, 7)
    found.form.only.click()
    assert sorted(found.gallery.order.tolist()) == [5, 6, 7]
    press(found, 6, qtbot)
    assert len(found.gallery.order) == 3 and found.again.isVisible()
    found.again.click()
    assert found.gallery.order.tolist() == [6]
    found.form.only.click()
    assert len(found.gallery.order) > 3


def test_orders_that_are_not_possible_say_why(opened: Any, qtbot: Any, plate: Cells) -> None:
    found = opened(known=False)
    at = found.form.order.findData("margin")
    assert not found.form.order.model().item(at).isEnabled()
    assert "no predictions yet" in found.form.order.itemText(at)
    assert not found.form.predicted.isEnabled()
    assert "Classify all cells" in found.confusion.summary_label.text()
    found.session.predictions = predicted(plate)
    settled(found, qtbot)
    assert found.form.order.model().item(at).isEnabled()
    found.form.choose_order("margin")
    assert found.form.choice.key == "margin"
    found.session.predictions = None
    settled(found, qtbot)
    assert found.form.choice.key == "data"
    assert len(found.gallery.order) == len(plate)


def test_classes_are_chosen_in_a_menu(opened: Any, plate: Cells) -> None:
    found = opened()
    menu = found.form.classes
    menu.actions_of_classes()[1].trigger()
    assert set(plate.labels[found.gallery.order]) == {1}
    assert plate.classes[1][:6] in menu.text()
    # A palette with one class more: what was chosen by name stays.
    found.session.classify(plate.labels + 1, ("new", *plate.classes))
    found.refresh()
    assert menu.chosen == frozenset({2})
    menu.choose(None)
    assert len(found.gallery.order) == len(plate)


def test_colours_follow_the_choice_the_field_and_the_user(
    viewer: Any, opened: Any, qtbot: Any, plate: Cells
) -> None:
    found = opened()
    found.tabs.setCurrentIndex(3)
    found.colors.choose("disagreement")
    layer = viewer.layers["phenotypes: disagreement"]
    here = np.flatnonzero(plate.table["field"] == found.session.shown.field)
    labels = plate.fields[found.session.shown.field].labels
    wrong = [cell for cell in (3, 40) if cell in here]
    objects = plate.table["object"].to_numpy()
    assert set(np.unique(labels[layer.data > 0])) == {objects[cell] for cell in wrong}
    assert "2 cells are predicted as another class" in found.colors.legend.text()
    found.colors.choose("margin")
    assert not layer.visible
    scores = viewer.layers["phenotypes: margin"]
    np.testing.assert_allclose(scores.data[labels == objects[here[0]]], 0.8, atol=0.02)
    found.colors.choose("probability of a class")
    assert found.colors.of.count() == len(plate.classes)
    assert f"phenotypes: probability of {plate.classes[0]}" in viewer.layers
    viewer.layers.remove(f"phenotypes: probability of {plate.classes[0]}")
    qtbot.waitUntil(lambda: found.colors.coloring[0] == "nothing")
    found.colors.choose("labels")
    found.session.assign([int(here[0])], -1)
    settled(found, qtbot)
    assert viewer.layers["phenotypes: labels"].data[labels == objects[here[0]]].max() == 0
    found.colors.choose("nothing")
    assert not [one for one in viewer.layers if "phenotypes" in one.name]


def test_crops_look_as_the_layers_do(viewer: Any, opened: Any, qtbot: Any, plate: Cells) -> None:
    found = opened()
    first = int(found.gallery.order[0])
    before = found.gallery.cache.get(first).picture
    name = plate.channels[0]
    viewer.layers[name].visible = False
    qtbot.waitUntil(lambda: found.gallery.looks[0] is None)
    qtbot.waitUntil(lambda: found.gallery.cache.get(first).looks == found.gallery.looks)
    assert found.gallery.cache.get(first).picture != before
    viewer.layers[name].name = "renamed"
    viewer.layers.remove("renamed")
    qtbot.waitUntil(lambda: found.gallery.looks[0] is not None)
    settled(found, qtbot)
    press(found, first, qtbot)


def test_all_layers_may_go_while_cells_are_looked_at(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened()
    found.colors.choose("labels")
    for layer in list(viewer.layers):
        viewer.layers.remove(layer)
    settled(found, qtbot)
    press(found, 2, qtbot)
    settled(found, qtbot)
    assert "gone" in found.notice.text()
    qtbot.keyClick(found.gallery, Qt.Key.Key_2)
    assert found.session.cells.labels[2] == 1


def test_other_cells_take_the_place_of_these(
    viewer: Any, opened: Any, qtbot: Any, plate: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, read = [], crop_reader._read

    def watched(*given: Any) -> Any:
        try:
            return read(*given)
        except Exception as error:
            failed.append(error)
            raise

    monkeypatch.setattr(crop_reader, "_read", watched)
    found = opened()
    found.form.choose_order("disagreement")
    found.form.choose_group(2)
    found.session.select(3)
    one = Cells.from_array(
        np.random.default_rng(0).random((1, 2, 8, 8)).astype(np.float32), ["DNA", "GFP"], name="one"
    )
    found.session.open(one)
    settled(found, qtbot)
    assert found.count.text() == "1 cell, in the order of the data set"
    assert found.gallery.order.tolist() == [0] and 0 in found.gallery.cache
    # Nor were they looked at with the channels of those before.
    assert not failed
    assert found.session.selected == () and not found.relabel.button.isEnabled()
    assert "no class yet" in found.relabel.button.toolTip()
    found.session.open(None)
    settled(found, qtbot)
    assert "No cells yet" in found.count.text()
    found.halt()


def test_the_docks_share_one_selection(
    viewer: Any, opened: Any, dock: Any, qtbot: Any, plate: Cells
) -> None:
    found = opened()
    explain, axes = dock(PixelsPage), dock(LatentsPage)
    found.session.latents = latents(plate)
    qtbot.wait(100)
    told: list[Any] = []
    found.session.selected_changed.connect(told.append)
    found.parent().raise_()
    qtbot.wait(100)
    press(found, 4, qtbot)
    assert explain.number.value() == axes.number.value() == axes.cell == 4
    assert axes.pages.cells_tab.scatter.marked == 4
    # Several stay several, though other docks look at one of them.
    press(found, 6, qtbot, Qt.KeyboardModifier.ShiftModifier)
    assert found.session.selected == (6, 4, 5) and axes.cell == 6
    axes.go(8)
    assert found.gallery.choosing.cells == (8,) and explain.number.value() == 8
    settled(found, qtbot)
    found.session.select(8)
    assert told == [(4,), (6, 4, 5), (8,)]


def test_every_control_says_what_it_does(opened: Any) -> None:
    found = opened()
    kinds = (QAbstractButton, QComboBox, QAbstractSlider, QSpinBox)
    plot = [
        child
        for one in (found.groups.plot, found.groups.plate)
        for child in one.findChildren(QWidget)
    ]
    for kind in kinds:
        for control in found.findChildren(kind):
            # What Qt and pyqtgraph bring along: arrows beside tabs, a menu that is never shown.
            theirs = isinstance(control, QScrollBar) or control.objectName().startswith("qt_")
            theirs |= isinstance(control.parent(), QTabBar) or control in plot
            if not theirs:
                assert control.toolTip(), f"{type(control).__name__} {control.objectName()}"


def test_both_themes_and_a_large_font(viewer: Any, opened: Any, qtbot: Any) -> None:
    found = opened()
    viewer.theme = "light"
    for at in range(found.tabs.count()):
        found.tabs.setCurrentIndex(at)
        qtbot.wait(30)
        picture = found.gallery.viewport().grab().toImage()
        assert picture.pixelColor(1, 1).lightness() > 128
    font = found.font()
    font.setPointSizeF(1.5 * font.pointSizeF())
    found.setFont(font)
    qtbot.wait(50)
    assert found.gallery.height() >= 200
    viewer.theme = "dark"
