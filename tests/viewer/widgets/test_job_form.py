from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import pytest
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QSpinBox, QWidget

from napari_channelmix.bounds import Epochs, Flag, Limit, Rate, Share
from napari_channelmix.errors import ModelError
from napari_channelmix.settings import About, ImportanceSettings, settings
from napari_channelmix.viewer.widgets.job_form import JobForm

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


@settings
class Small:
    epochs: Annotated[Epochs, About("Epochs", "passes over the cells")] = 3
    share: Annotated[Share, About("Test fraction", "share held out")] = 0.5
    rate: Annotated[Rate, About("Rate", "learning rate", advanced=True)] = 2e-3
    fast: Annotated[Flag, About("Fast", "less exact")] = False
    kind: Annotated[Literal["a", "b"], About("Kind", "which")] = "b"
    limit: Annotated[Limit | None, About("Cells", "so many")] = None
    rows: tuple[int, ...] | None = None


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def test_the_form_has_a_control_for_each_setting_and_begins_with_the_usual_values(
    parent: QWidget,
) -> None:
    form = JobForm(Small, parent)

    assert list(form.controls) == ["epochs", "share", "rate", "fast", "kind", "limit"]
    assert form.value == Small()
    # What it does, and what it begins with.
    assert form["epochs"].toolTip() == f"Passes over the cells. Default: {Small().epochs}"
    assert form["fast"].toolTip().endswith("Default: off")


def test_what_is_set_in_the_form_is_in_the_settings(parent: QWidget) -> None:
    form = JobForm(Small, parent)
    changes: list[bool] = []
    form.changed.connect(lambda: changes.append(True))

    form["epochs"].setValue(9)
    form["share"].setValue(0.25)
    form["fast"].setChecked(True)
    form["kind"].setCurrentText("a")
    form["limit"].setValue(12)

    assert form.value == Small(epochs=9, share=0.25, fast=True, kind="a", limit=12)
    assert len(changes) == 5


def test_settings_can_be_shown(parent: QWidget) -> None:
    form = JobForm(ImportanceSettings, parent, leave_out=("scaled_per",))
    form.show({"seeds": 7, "split_seed": 0, "decoys": False, "constraint": "over", "rate": 1e-4})

    assert form.value == ImportanceSettings(
        seeds=7, split_seed=0, decoys=False, constraint="over", rate=1e-4
    )
    form.show({"split_seed": None})
    assert form.value.split_seed is None


def test_controls_of_the_caller_take_the_place_of_plain_ones(parent: QWidget) -> None:
    box = QComboBox()
    box.addItem("the first", "a")
    box.addItem("the second", "b")
    form = JobForm(Small, parent, controls={"kind": box})

    assert form["kind"] is box
    assert form.value.kind == "a"


def test_settings_that_no_form_has_yet_go_into_the_next_one(parent: QWidget) -> None:
    usual, others = QFormLayout(parent), QFormLayout()
    usual.addRow(others)
    form = JobForm(Small, parent)
    form.add_to(usual, ["epochs", "fast"])
    form.add_to(others)

    assert (usual.rowCount(), others.rowCount()) == (3, 4)
    tick = form["fast"]
    assert isinstance(tick, QCheckBox) and tick.text() == "Fast"


def test_a_value_that_only_the_setting_refuses_is_refused_when_it_is_read(parent: QWidget) -> None:
    box = QSpinBox()
    box.setRange(-5, 5)
    form = JobForm(Small, parent, controls={"epochs": box})

    with pytest.raises(ModelError, match="epochs must be 1 or more, not 0"):
        _ = form.value


@pytest.mark.parametrize(("ticked", "other"), [(False, True), (True, False)])
def test_a_tick_box_for_a_choice_of_two_begins_with_the_usual_one(
    parent: QWidget, ticked: bool, other: bool
) -> None:
    box = QCheckBox(parent)
    box.setChecked(ticked)
    form = JobForm(Small, parent, controls={"kind": box})

    assert form.value.kind == "b"
    box.setChecked(other)
    assert form.value.kind == "a"
    form.show({"kind": "b"})
    assert box.isChecked() is ticked
