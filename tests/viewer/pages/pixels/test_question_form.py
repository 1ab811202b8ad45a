from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtWidgets import QWidget

from napari_channelmix.settings import Question
from napari_channelmix.viewer.pages.pixels import question_form
from napari_channelmix.viewer.pages.pixels.question_form import QuestionForm, compared, methods_for

if TYPE_CHECKING:
    from collections.abc import Iterator

NETWORK = SimpleNamespace(classes=("a", "b", "c"), network=object(), may_have_gradients=True)
ANSWERS = SimpleNamespace(classes=("a", "b"))


@pytest.fixture
def form(qtbot: Any) -> Iterator[QuestionForm]:
    owner = QWidget()
    qtbot.addWidget(owner)
    found = QuestionForm(owner)
    for one in (found.target, found.versus, *found.settings.controls.values()):
        one.setParent(owner)
    found.fill(NETWORK)
    yield found


def test_methods_offered_are_those_there_are() -> None:
    from napari_channelmix.pcim import BASELINES, METHODS

    assert {name: one.title for name, one in METHODS.items()} == question_form.METHODS
    assert question_form.BASELINES == BASELINES
    only = [name for name, one in METHODS.items() if one.mode == "blackbox"]
    assert list(question_form.ANSWERS_ONLY) == only


def test_baselines_are_off_without_captum_and_say_how_to_get_it(
    form: QuestionForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    form.fill(NETWORK)
    model: Any = form.method.model()
    item = model.item(form.method.findData("gradcam"))
    assert not item.isEnabled() and "napari-channelmix[compare]" in item.toolTip()
    assert model.item(form.method.findData("pcim-fidelity")).isEnabled()
    assert compared(NETWORK) == ("pcim", "pcim-fidelity")


def test_what_only_answers_is_asked_as_a_black_box(form: QuestionForm) -> None:
    form.fill(ANSWERS)
    assert form.question.method == "blackbox"
    assert compared(ANSWERS) == ("blackbox", "blackbox-sharp")
    assert "gradients" in methods_for(ANSWERS)["pcim"]


def test_a_class_is_held_against_another_one_only(form: QuestionForm) -> None:
    assert form.question.target is None and not form.versus.isEnabled()
    form.target.setCurrentText("b")
    form.versus.setCurrentText("c")
    assert (form.question.target, form.question.versus) == ("b", "c")
    form.target.setCurrentText("c")
    assert form.question.versus is None
    form.versus.setCurrentText("a")
    form.target.setCurrentIndex(0)
    assert form.question.versus is None and not form.versus.isEnabled()


def test_classes_of_another_classifier_take_the_place_of_these(form: QuestionForm) -> None:
    form.target.setCurrentText("c")
    form.fill(ANSWERS)
    assert [form.target.itemText(i) for i in range(3)] == ["the predicted class", "a", "b"]
    assert form.question.target is None


def test_settings_of_the_map_are_part_of_the_question(form: QuestionForm, qtbot: Any) -> None:
    # The page leads with the channels; the settings' own default stays.
    assert form.question == Question(channels="separate")
    for change in (
        lambda: form.separate.click(),
        lambda: form.seed.setValue(3),
        lambda: form.method.setCurrentIndex(form.method.findData("blackbox")),
        lambda: form.forwards.setValue(400),
    ):
        with qtbot.waitSignal(form.changed):
            change()
    assert form.question == Question(method="blackbox", channels="shared", forwards=400, seed=3)


def test_a_black_box_shares_its_images_between_channels_only_where_it_is_told_to(
    form: QuestionForm,
) -> None:
    black_box = form.method.findData("blackbox")
    asked: list[Question] = []
    form.changed.connect(lambda: asked.append(form.question))
    form.method.setCurrentIndex(black_box)
    # What is told of the change has it whole already.
    assert {question.channels for question in asked} == {"shared"}
    form.method.setCurrentIndex(form.method.findData("pcim"))
    assert form.question.channels == "separate"
    form.separate.click()
    form.separate.click()
    form.method.setCurrentIndex(black_box)
    assert form.question.channels == "separate"
    assert form.separate.toolTip().endswith("Default: on, for a black box off")


def test_only_a_black_box_is_asked_about_a_number_of_images(form: QuestionForm) -> None:
    assert not form.forwards.isEnabled()
    form.method.setCurrentIndex(form.method.findData("blackbox-sharp"))
    assert form.forwards.isEnabled()
    form.fill(NETWORK)
    form.method.setCurrentIndex(form.method.findData("pcim"))
    assert not form.forwards.isEnabled()
    form.fill(ANSWERS)
    assert form.forwards.isEnabled()
