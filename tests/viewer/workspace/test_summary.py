from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from napari_channelmix.classify.accuracy import AccuracyEstimate
from napari_channelmix.viewer.session.session import Session, Trained
from napari_channelmix.viewer.workspace.summary import accuracy_text, cells_text, model_tip

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


def measured(low: float = 0.94, groups: int = 12, warning: str = "") -> Trained:
    classifier: Any = SimpleNamespace(channels=("DNA",), classes=("a", "b"))
    estimate = AccuracyEstimate(0.975, low, 0.99, 0.5, 441, groups, (), warning)
    return Trained(classifier, "trained on plate", 0.975, 0.5, {}, 1326, 441, estimate)


def test_cells_are_counted_and_named(plate: Cells) -> None:
    session = Session()
    assert cells_text(session) == "No cells yet"
    session.open(plate)
    assert cells_text(session) == f"60 cells · 4 channels · {plate.name}"
    session.open(plate.with_channels(["DNA"]))
    assert "· 1 channel ·" in cells_text(session)


def test_an_accuracy_comes_with_its_interval_and_groups() -> None:
    assert accuracy_text(measured()) == ("Accuracy 0.97 (0.94–0.99), 12 held-out groups", True)
    assert accuracy_text(measured(groups=441))[0].endswith("441 held-out cells")
    assert accuracy_text(None) == ("No model yet", True)
    assert "chance 0.50" in model_tip(measured())


def test_an_accuracy_that_must_not_be_read_says_so_first() -> None:
    assert accuracy_text(measured(low=0.4))[0].startswith("At chance: accuracy 0.97 (0.40–0.99)")
    text, reliable = accuracy_text(measured(groups=2, warning="2 groups are too few"))
    assert not reliable and text == "Uncertain: accuracy 0.97 (0.94–0.99), 2 held-out groups"


def test_a_model_made_elsewhere_has_no_figure() -> None:
    classifier: Any = SimpleNamespace(channels=("DNA",), classes=("a", "b"))
    assert "unknown" in accuracy_text(Trained(classifier, "model.onnx"))[0]
