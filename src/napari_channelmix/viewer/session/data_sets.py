"""A data set that a session has open, with all that was found of it. It knows no Qt.

The session has one data set in use. What was found of the others is kept here, and comes back with
them (`Session.switch`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from napari_channelmix.viewer.session.shown import ShownBefore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.drl import Latents
    from napari_channelmix.viewer.session.edits import Edits
    from napari_channelmix.viewer.session.explanation import Explanation
    from napari_channelmix.viewer.session.predictions import Predictions
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.viewer.session.what_if_answers import WhatIfAnswers

__all__ = ["DataSetState", "ShownBefore", "answered_by", "owner_of", "unique_name"]


@dataclass(frozen=True, eq=False)
class DataSetState:
    """One data set of a session. Never changed: replaced whole.

    Attributes
    ----------
    key : int
        The same for the same data set as long as it is open.
    name : str
        No other data set of the session has it.
    cells : Cells
        With the classes they have now.
    original : Cells
        With the classes they came with.
    source : str
        Where they came from, in words, or the path of their data-set file.
    shown : ShownBefore
    edits : Edits
        Changes of classes that can be taken back.
    prior : str, dict of str to float, or None
        With which prior its probabilities are shown.
    classifier : Trained or None
        That was trained on these cells, or opened while they were in use; the last one.
    explained_by : Trained or None
        The classifier whose answers were explained.
    history, predictions, importance, latents, what_if, explained, selected, saved
        As in the session.
    """

    key: int
    name: str
    cells: Cells
    original: Cells
    source: str
    shown: ShownBefore
    edits: Edits
    prior: PriorChoice = None
    classifier: Trained | None = None
    explained_by: Trained | None = None
    history: tuple[dict[str, float], ...] = ()
    predictions: Predictions | None = None
    importance: ChannelImportance | None = field(default=None, repr=False)
    latents: Latents | None = field(default=None, repr=False)
    what_if: WhatIfAnswers | None = field(default=None, repr=False)
    explained: tuple[Explanation, ...] = field(default=(), repr=False)
    selected: tuple[int, ...] = ()
    saved: tuple[Cells, Path] | None = field(default=None, repr=False)

    @property
    def answered_by(self) -> tuple[Trained, ...]:
        """Classifiers that gave its predictions and explanations."""
        return answered_by(self)

    @property
    def saved_in(self) -> Path | None:
        """The data-set file saved with these very cells, or the one that they came from."""
        if self.saved is not None and self.saved[0] is self.cells:
            return self.saved[1]
        path = Path(self.source)
        return path if path.suffix.lower() == ".toml" and path.is_file() else None

    @property
    def edited(self) -> bool:
        """Whether classes were changed since it was opened, and not saved since."""
        saved = self.saved is not None and self.saved[0] is self.cells
        return self.edits.undoable > 0 and not saved

    @property
    def results(self) -> tuple[str, ...]:
        """What was found of it, in words."""
        parts = {
            "classifier": self.classifier,
            "channel importance": self.importance,
            "predictions": self.predictions,
            "explained cells": self.explained or None,
            "latents": self.latents,
        }
        known = tuple(name for name, part in parts.items() if part is not None)
        return known if self.what_if is None else (*known, *self.what_if.words)


class _Answers(Protocol):
    """Predictions and explanations of one data set."""

    @property
    def predictions(self) -> Predictions | None: ...
    @property
    def explained(self) -> tuple[Explanation, ...]: ...
    @property
    def explained_by(self) -> Trained | None: ...
    @property
    def what_if(self) -> WhatIfAnswers | None: ...


def answered_by(answers: _Answers) -> tuple[Trained, ...]:
    """Classifiers that gave the predictions and the explanations of a data set."""
    givers = [
        None if answers.predictions is None else answers.predictions.trained,
        answers.explained_by if answers.explained else None,
        None if answers.what_if is None else answers.what_if.trained,
    ]
    return tuple(giver for giver in givers if giver is not None)


class _HasClassifier(Protocol):
    @property
    def classifier(self) -> Trained | None: ...


Owner = TypeVar("Owner", bound=_HasClassifier)


def owner_of(trained: Trained | None, data_sets: Iterable[Owner]) -> Owner | None:
    """The data set that a classifier belongs to: whose last one it is; None where there is none."""
    if trained is None:
        return None
    return next((state for state in data_sets if state.classifier is trained), None)


def unique_name(name: str, others: Collection[str]) -> str:
    """A name that no other has, with a number where it is needed: ``plate (2)``."""
    own, count = name, 2
    while own in others:
        own, count = f"{name} ({count})", count + 1
    return own
