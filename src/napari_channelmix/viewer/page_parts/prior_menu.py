"""Which prior the probabilities of a viewer have: the choice, and predictions that follow it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from napari_channelmix.errors import ChannelMixError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.widgets.combo_box import choice

if TYPE_CHECKING:
    from napari_channelmix.classify.priors import Prior, PriorChoice
    from napari_channelmix.viewer.session.predictions import Predictions
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.session.trained import Trained

__all__ = ["PriorBox", "explained_prior", "reweighed_job"]

OWN_SHARES = "given"
CHOICES = (
    ("as in training", None),
    ("balanced", "balanced"),
    ("estimated from these cells", "estimated"),
    ("given shares", OWN_SHARES),
)
TIP = (
    "How frequent the classes are before a cell is seen. Probabilities and predicted classes "
    "depend on it; maps do not. Accuracy is measured with the balanced prior"
)
ELSEWHERE = (
    "A model made elsewhere: its training is not known, so its probabilities are not changed"
)


class PriorBox(QWidget):
    """A list of priors, and a line for shares that are given.

    Signals
    -------
    chosen(object)
        A choice as of `Classifier.predict_proba`.
    refused(str)
        Why what was typed is none.
    """

    chosen = Signal(object)
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = choice(TIP)
        for text, value in CHOICES:
            self.box.addItem(text, value)
        self.shares = QLineEdit()
        self.shares.setToolTip("A share for each class, such as: treated=0.05 untreated=0.95")
        self.shares.setAccessibleName("Shares of the classes")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.box)
        column.addWidget(self.shares)
        self.shares.hide()
        self._classes: tuple[str, ...] = ()
        # Given shares were chosen in the list, and are not typed yet.
        self._typing = False
        self.box.currentIndexChanged.connect(self._changed)
        self.shares.editingFinished.connect(self._typed)

    def show_choice(self, prior: PriorChoice, trained: Trained | None, busy: bool) -> None:
        """Show what is chosen; a model made elsewhere leaves no choice."""
        ours = trained is not None and hasattr(trained.classifier, "temperature")
        self._classes = () if trained is None else trained.classifier.classes
        self._typing = self._typing and ours
        if not self._typing:
            current = prior if prior is None or isinstance(prior, str) else OWN_SHARES
            with QSignalBlocker(self.box):
                self.box.setCurrentIndex([value for _, value in CHOICES].index(current))
            self.shares.setVisible(current == OWN_SHARES)
        self.setEnabled(ours and not busy)
        self.box.setToolTip(ELSEWHERE if trained is not None and not ours else TIP)

    def _changed(self, _: object = None) -> None:
        value = self.box.currentData()
        self._typing = value == OWN_SHARES
        self.shares.setVisible(self._typing)
        if not self._typing:
            self.chosen.emit(value)
            return
        even = 1 / max(len(self._classes), 1)
        self.shares.setText(", ".join(f"{name}={even:.3g}" for name in self._classes))
        self.shares.setFocus()
        self.shares.selectAll()

    def _typed(self) -> None:
        # A classifier is there, and so is PyTorch.
        from napari_channelmix.classify.priors import given_prior, prior_argument

        texts = [text.strip() for text in self.shares.text().split(",") if text.strip()]
        try:
            shares = prior_argument(texts)
            known = given_prior(self._classes, shares if isinstance(shares, dict) else {})
        except ChannelMixError as error:
            self.refused.emit(str(error).removeprefix("--"))
            return
        self._typing = False
        self.chosen.emit(dict(zip(known.classes, known.shares, strict=True)))


def reweighed_job(
    trained: Trained, predictions: Predictions, prior: PriorChoice
) -> Job[Predictions]:
    """Predictions with another prior; nothing is classified anew."""
    yield Progress(0, 1, "applying the prior")
    if predictions.balanced is None:
        return predictions
    known = trained.classifier.prior_of(prior, predictions.balanced)
    return dataclasses.replace(
        predictions, prior=known, probabilities=known.applied(predictions.balanced)
    )


def explained_prior(session: Session) -> Prior | None:
    """The prior with which cells are explained; None: that of training.

    One that is estimated is so once the cells are classified.
    """
    chosen, trained, predictions = session.prior, session.trained, session.predictions
    if chosen is None or trained is None:
        return None
    if predictions is not None and predictions.is_by(trained) and predictions.prior is not None:
        return predictions.prior
    classifier: Any = trained.classifier
    if chosen == "estimated" or not hasattr(classifier, "temperature"):
        return None
    prior: Prior = classifier.prior_of(chosen)
    return prior
