"""The form for a model made elsewhere: what it asks, and what it hands on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_channelmix.classify.outputs import OUTPUTS
from napari_channelmix.viewer.pages.classifier.foreign_model_form import (
    GIVES,
    ModelForm,
    needs_form,
)


@pytest.fixture
def form(qtbot: Any) -> ModelForm:
    made = ModelForm()
    qtbot.addWidget(made)
    return made


def test_every_meaning_of_an_output_can_be_chosen() -> None:
    assert {name for _, name in GIVES} == set(OUTPUTS) - {"scores"}
    assert needs_form(Path("m.pth")) and needs_form(Path("m.py")) and not needs_form(Path("m.cmx"))


def test_what_was_chosen_is_handed_on_and_not_kept_for_the_next_model(
    form: ModelForm, qtbot: Any
) -> None:
    given: list[Any] = []
    form.confirmed.connect(lambda path, how: given.append((path, how)))
    form.ask(Path("a.onnx"), ("DNA",), ("n", "p"))
    form.output.setCurrentIndex(form.output.findData("one_logit"))
    form.select.setText(" logits ")
    form.load.click()
    form.ask(Path("b.onnx"), ("DNA",), ("n", "p"))
    form.load.click()
    names = {"channels": ["DNA"], "classes": ["n", "p"], "allow_code": False}
    assert given == [
        (Path("a.onnx"), {**names, "output": "one_logit", "select": "logits"}),
        (Path("b.onnx"), {**names, "output": "auto", "select": None}),
    ]


def test_the_form_fits_a_narrow_dock(form: ModelForm) -> None:
    form.ask(Path("a_model_of_a_rather_long_name_20261128_v3_final_of_all.pt"), ("DNA",), ("n",))
    assert form.minimumSizeHint().width() <= 330


def test_a_python_file_is_asked_for_a_name_alone_and_runs_only_with_consent(
    form: ModelForm,
) -> None:
    given: list[Any] = []
    form.confirmed.connect(lambda source, how: given.append((source, how)))
    form.ask(Path("folder/mine.py"), ("DNA",), ("n", "p"))
    assert form.name.isVisibleTo(form) and not form.load.isEnabled()
    form.consent.setChecked(True)
    assert form.load.isEnabled()
    form.name.setText("two words")
    assert not form.load.isEnabled()
    form.name.setText("best")
    form.load.click()
    ((source, how),) = given
    assert (source, how["channels"], how["classes"]) == (
        f"{Path('folder/mine.py')}:best",
        None,
        None,
    )
    form.ask(Path("b.onnx"), ("DNA",), ("n", "p"))
    assert not form.name.isVisibleTo(form) and form.load.isEnabled()
