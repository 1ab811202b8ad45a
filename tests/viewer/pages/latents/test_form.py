from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QComboBox

from napari_channelmix.settings import EncodingSettings
from napari_channelmix.viewer.pages.latents.form import BLEND, COLORS, ONE, SUM, LatentsForm
from napari_channelmix.viewer.session.session import Session, Shown

from ...latent_cases import cells, tiny


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def form(session: Session, qtbot: Any) -> LatentsForm:
    found = LatentsForm(session)
    qtbot.addWidget(found)
    found.show()
    return found


def open_cells(
    session: Session, form: LatentsForm, channels: int = 2, shared: bool = False
) -> None:
    found = cells(channels)
    pixels = np.zeros((4, 4), np.float32)
    colors = ("blue", "green", "red", "magenta", "cyan", "yellow", "gray", "orange")
    layers = [
        Image(pixels, name=name, colormap=color)
        for name, color in zip(found.channels, colors, strict=False)
    ]
    images = {
        name: layers[0] if shared else layer
        for name, layer in zip(found.channels, layers, strict=True)
    }
    session.open(found, "a test", Shown(0, images))
    form.fill()


def take(form: LatentsForm, kind: str) -> None:
    form.look.setCurrentIndex(form.look.findData(kind))


def importance(channels: tuple[str, ...], share: tuple[float, ...]) -> Any:
    @dataclasses.dataclass
    class Result:
        channels: tuple[str, ...]
        share: tuple[float, ...]

    return Result(channels, share)


def test_without_cells_it_says_where_they_come_from(form: LatentsForm) -> None:
    assert not form.run.isEnabled() and form.chosen_look is None
    assert "'Data'" in form.reason.text() and form.reason.isVisible()


def test_layers_are_looked_at_in_their_own_colours(session: Session, form: LatentsForm) -> None:
    open_cells(session, form)
    look = form.chosen_look
    assert look.channels == ("DNA", "GFP")
    np.testing.assert_allclose(look.colors, [(0, 0, 1), (0, 1, 0)])
    assert "#0000FF" in form.seen.text() and form.run.isEnabled()


def test_a_photo_is_looked_at_in_its_own_colours(session: Session, form: LatentsForm) -> None:
    open_cells(session, form, 3)
    assert "#0000FF" in form.seen.text()
    found, shown = session.cells.with_channels(session.cells.channels), session.shown
    photo = dataclasses.replace(found, channels=("R", "G", "B"))
    images = dict(zip(photo.channels, shown.images.values(), strict=True))
    session.open(photo, "a photo", Shown(0, images))
    form.fill()
    assert form.seen.text() == "a photo, in its own colours"


def test_hidden_layers_are_not_looked_at(session: Session, form: LatentsForm) -> None:
    open_cells(session, form, 8)
    form.model.setCurrentIndex(form.model.findData("texture-sprites"))
    take(form, COLORS)
    assert "show 6 or fewer" in form.reason.text() and not form.run.isEnabled()
    for name in session.cells.channels[2:]:
        session.shown.images[name].visible = False
    form.fill()
    assert form.chosen_look.channels == ("DNA", "GFP")


def test_more_channels_than_colours_is_a_reason_in_words(
    session: Session, form: LatentsForm
) -> None:
    open_cells(session, form, 8, shared=True)
    assert form.chosen_model.depth == 1 and form.look.currentData() == ONE
    assert form.run.isEnabled() and not form.reason.isVisible()
    form.model.setCurrentIndex(form.model.findData("texture-sprites"))
    take(form, COLORS)
    assert form.reason.text() == (
        "8 channels, but only 6 colours can be told apart: show 6 or fewer, or choose one channel, "
        "a sum or a blend."
    )
    assert not form.run.isEnabled()


PANEL = ("DAPI", "CD3", "CD20", "FOXP3", "PANCK", "SMA", "CD45", "Ki67")


def open_panel(session: Session, form: LatentsForm) -> None:
    open_cells(session, form, 8, shared=True)
    panel = dataclasses.replace(session.cells, channels=PANEL)
    images = dict(zip(PANEL, session.shown.images.values(), strict=True))
    session.open(panel, "a panel", Shown(0, images))
    form.fill()


def test_of_many_channels_the_sum_of_the_membrane_markers_is_proposed(
    session: Session, form: LatentsForm
) -> None:
    open_panel(session, form)
    assert form.look.currentData() == SUM and form.chosen_model.name == "cell-sprites"
    assert form.summed.isVisible() and not form.channel.isVisible()
    assert form.seen.text() == "sum of CD3, CD20, PANCK, CD45 (4 channels, by name)"
    assert form.chosen_look.summed and form.run.isEnabled()


def test_a_sum_is_named_by_hand(session: Session, form: LatentsForm) -> None:
    open_panel(session, form)
    form.summed.setEditText("cd*, SMA")
    assert form.seen.text() == "sum of CD3, CD20, SMA, CD45 (4 channels)"
    form.summed.setEditText("rims")
    assert "measured to be brightest at the outlines" in form.seen.text()
    form.summed.setEditText("CD3, <b>")
    assert form.reason.text() == "No channel fits '<b>'." and not form.run.isEnabled()
    form.summed.setEditText(" , ")
    assert "Name the channels" in form.reason.text() and not form.run.isEnabled()


def test_one_channel_is_chosen_by_name(session: Session, form: LatentsForm) -> None:
    open_cells(session, form)
    assert not form.channel.isVisible()
    take(form, ONE)
    form.channel.setCurrentText("GFP")
    assert form.channel.isVisible() and form.chosen_look.channels == ("GFP",)
    assert form.chosen_look.colors is None


def test_a_blend_needs_a_result_of_channel_importance(session: Session, form: LatentsForm) -> None:
    open_cells(session, form)
    item = form.look.model().item(form.look.findData(BLEND))
    assert not item.isEnabled() and "'Channels'" in item.toolTip()
    session.importance = importance(("DNA", "GFP"), (0.25, 0.75))
    form.fill()
    assert item.isEnabled()
    take(form, BLEND)
    assert form.chosen_look.shares == (0.25, 0.75)
    assert form.seen.text().startswith("75 % GFP")
    session.importance = importance(("DNA", "actin"), (0.25, 0.75))
    form.fill()
    assert "of other channels" in form.reason.text() and not form.run.isEnabled()


def test_a_model_of_one_channel_is_shown_one_channel(
    session: Session, form: LatentsForm, tmp_path: Path
) -> None:
    from napari_channelmix.drl import save_disentangler

    open_cells(session, form)
    path = save_disentangler(tiny(1), tmp_path / "grey.safetensors")
    form.take_file(path)
    assert form.look.currentData() == ONE
    assert not form.look.model().item(form.look.findData(COLORS)).isEnabled()
    assert form.value.model == str(path)


def test_the_model_that_suits_the_cells_is_proposed_until_one_is_chosen(
    session: Session, form: LatentsForm
) -> None:
    if form.model.findText("cell-sprites") < 0:
        pytest.skip("cell-sprites are not shipped yet")
    open_cells(session, form, 1)
    assert form.model.currentText() == "cell-sprites" and form.run.isEnabled()
    assert form.chosen_look.channels == ("DNA",)
    open_cells(session, form, 2)
    assert form.model.currentText() == "texture-sprites" and form.look.currentData() == COLORS
    form.model.activated.emit(0)
    open_cells(session, form, 1)
    assert form.model.currentText() == "texture-sprites"


def test_fine_tuning_is_off_until_it_is_wanted(session: Session, form: LatentsForm) -> None:
    open_cells(session, form)
    assert form.value.finetune == 0
    form.finetune.setChecked(True)
    assert form.value.finetune == 20
    form.epochs.setValue(5)
    assert form.value.finetune == 5


def test_run_waits_while_something_runs(session: Session, form: LatentsForm, qtbot: Any) -> None:
    open_cells(session, form)
    with qtbot.waitSignal(form.run_requested):
        qtbot.mouseClick(form.run, Qt.MouseButton.LeftButton)
    form.fill(busy=True)
    assert not form.run.isEnabled() and not form.reason.isVisible()
    form.fill(busy=False)
    assert form.run.isEnabled()


def test_every_control_says_what_it_does(form: LatentsForm) -> None:
    for kind in (QAbstractButton, QComboBox):
        assert all(one.toolTip() for one in form.findChildren(kind))


def test_settings_that_few_people_change_are_in_the_form_too(form: LatentsForm) -> None:
    assert form.value == EncodingSettings()
    form.seed.setValue(7)
    form.settings["pixels"].setChecked(True)
    assert form.value == EncodingSettings(seed=7, pixels=True)


def test_a_file_that_is_opened_twice_is_offered_once(form: LatentsForm, tmp_path: Path) -> None:
    from napari_channelmix.drl import save_disentangler

    before = form.model.count()
    path = save_disentangler(tiny(1), tmp_path / "grey.safetensors")
    form.take_file(path)
    form.model.setCurrentIndex(0)
    form.take_file(path)
    assert form.model.count() == before + 1 and form.value.model == str(path)


def test_learning_to_draw_is_a_box_to_tick(form: LatentsForm) -> None:
    assert form.value.drawing == "named"
    form.draws.setChecked(True)
    assert form.value.drawing == "residual"
    assert form.value.drawing_steps == 1000
    assert "minutes" in form.draws.toolTip()


def test_input_is_read_whole_on_a_narrow_page(
    form: LatentsForm, session: Session, qtbot: Any
) -> None:
    open_cells(session, form)
    # As wide as the page is in a window of 1280 x 800 pixels.
    form.resize(300, form.sizeHint().height())
    for kind, second in ((ONE, form.channel), (SUM, form.summed)):
        take(form, kind)
        qtbot.wait(20)
        assert form.width() == 300
        for box in (form.look, second):
            assert box.isVisible()
            text = box.fontMetrics().horizontalAdvance(box.currentText())
            # Beside the text stand an arrow and the frame.
            assert text + 30 <= box.width(), box.currentText()
