"""Tab 'Confusion': labels against predictions, and what that can be trusted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.phenotypes.confusion import Confusion, confusion_of
from napari_channelmix.phenotypes.held_out import UNKNOWN, held_out_of
from napari_channelmix.viewer.charts.recall_bars import RecallBars
from napari_channelmix.viewer.pages.phenotypes.confusion_view import ConfusionView
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["ConfusionPage", "honesty", "summary"]


class ConfusionPage(QWidget):
    """The matrix, balanced accuracy beneath it, and a word on which cells these are.

    Signals
    -------
    pair_chosen(object)
        A label and a prediction, or None where the field that is shown was pressed again.
    """

    pair_chosen = Signal(object)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = ConfusionView(theme)
        self.summary_label = QLabel()
        self.summary_label.setWordWrap(True)
        self.recalls = RecallBars(theme)
        self.honest = Notice()
        self.head = QLabel("Rows: label. Columns: prediction. Click a field to see its cells.")
        self.head.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self.head, self.view, self.summary_label, self.recalls, self.honest):
            column.addWidget(widget)
        self.view.pressed.connect(self._pressed)

    def show_facts(
        self, facts: Facts | None, trained: Trained | None, *, held_out: bool = True
    ) -> None:
        """Count anew, with ``held_out`` the cells alone that were not trained on."""
        confusion = accuracy = None
        if facts is not None and facts.predictions is not None:
            chosen = facts.held_out.chosen if held_out else np.ones(len(facts), dtype=bool)
            confusion = confusion_of(
                facts.labels[chosen],
                facts.cells.classes,
                facts.predicted[chosen],
                facts.predicted_classes,
            )
            accuracy = facts.accuracy(chosen)
        there = confusion is not None and confusion.total > 0
        self.view.show_confusion(confusion if there else None)
        self.head.setVisible(there)
        self.view.setVisible(there)
        self.summary_label.setText(summary(confusion, accuracy))
        self.recalls.show_accuracy(accuracy, () if facts is None else facts.palette)
        source = "" if facts is None or facts.predictions is None else facts.predictions.source
        line = honesty(trained, source, facts, held_out=held_out) if there else ""
        self.honest.say(line, "warning")

    def frame(self, pair: tuple[int, int] | None) -> None:
        """Set off the field whose cells are shown."""
        self.view.frame(pair)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.view.follow_theme(theme)
        self.recalls.follow_theme(theme)

    def _pressed(self, row: int, column: int) -> None:
        pair = row, column
        self.pair_chosen.emit(None if pair == self.view.framed else pair)


def summary(confusion: Confusion | None, accuracy: AccuracyEstimate | None = None) -> str:
    """Balanced accuracy with its interval and counts, or what is missing."""
    if confusion is None:
        return "No predictions yet: press 'Classify all cells' on the page 'Classifier'."
    if not confusion.total:
        return "No cell has a class yet, so there is nothing to compare the predictions with."
    cells = f"{confusion.total:,} cells with a class"
    if confusion.unlabelled:
        cells += f"; {confusion.unlabelled:,} without one are not counted"
    if confusion.balanced is None:
        return (
            f"{cells}. None of their classes is one that the classifier predicts, so there is no "
            "accuracy."
        )
    between = weak = ""
    if accuracy is not None:
        between = f" ({accuracy.interval_text})"
        if accuracy.n_groups < accuracy.n_cells:
            cells += f", in {counted(accuracy.n_groups, 'group')}"
        weak = f" {accuracy.warning[:1].upper()}{accuracy.warning[1:]}." if accuracy.warning else ""
    text = f"Balanced accuracy {confusion.balanced:.3f}{between} over {cells}.{weak}"
    if confusion.unknown:
        text += (
            " Not counted, since the classifier does not know them: "
            f"{', '.join(confusion.unknown)}."
        )
    return text


def honesty(
    trained: Trained | None, source: str, facts: Facts | None, *, held_out: bool = True
) -> str:
    """Whether these predictions are of cells that were trained on."""
    known = None if facts is None or facts.predictions is None else facts.predictions.training
    if facts is not None and known is not None and UNKNOWN not in known:
        line = held_out_of(np.asarray(known), "the figures are", "held-out" if held_out else "all")
        text = line.line or "The classifier was trained on none of these cells"
        return f"{text[0].upper()}{text[1:]}."
    if trained is None or facts is None:
        return "It is not known which cells this classifier was trained on."
    if trained.source != source:
        return "These predictions are of another classifier than the one in use."
    if not trained.source.startswith("trained on "):
        return (
            "The classifier was opened from a file: it is not known whether it was trained on "
            "these cells. If it was, these figures are too good."
        )
    if source != f"trained on {facts.cells.name}":
        return f"The classifier was {source}: these are other cells, or another set's name."
    text = (
        f"All cells are counted, and the classifier was trained on {trained.n_train:,} of them: "
        "use this to find wrong labels, not as an accuracy."
    )
    if trained.accuracy is not None:
        between = "" if trained.estimate is None else f" ({trained.estimate.interval_text})"
        text += (
            f" On the {trained.n_test:,} cells held out when it was trained, balanced accuracy was "
            f"{trained.accuracy:.3f}{between}."
        )
    return text
