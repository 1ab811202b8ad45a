"""A data set that a session has open, with all that was found of it. It knows no Qt.

The session has one data set in use. What was found of the others is kept here, and comes back with
them (`Session.switch`).
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.drl import Latents
    from napari_channelmix.viewer.session.edits import Edits
    from napari_channelmix.viewer.session.explanation import Explanation
    from napari_channelmix.viewer.session.session import Predictions, Shown, Trained

__all__ = ["RESULTS", "DataSetState", "ShownBefore", "unique_name"]

#: What belongs to one data set, as the session and `DataSetState` name it.
RESULTS = ("history", "predictions", "importance", "latents", "explained", "selected", "saved")


class ShownBefore:
    """How a data set was shown, without keeping its layers alive: those removed hold pixels."""

    def __init__(self, shown: Shown | None) -> None:
        self.field = 0 if shown is None else shown.field
        self._bare = None if shown is None else replace(shown, images={}, objects=None)
        images = {} if shown is None else shown.images
        self._images = {name: weakref.ref(layer) for name, layer in images.items()}
        objects = None if shown is None else shown.objects
        self._objects = None if objects is None else weakref.ref(objects)

    def again(self, layers: Collection[Any]) -> Shown | None:
        """The same, where all of its layers are still among these; else None."""
        images = {name: layer() for name, layer in self._images.items()}
        objects = None if self._objects is None else self._objects()
        used = [*images.values(), *([] if self._objects is None else [objects])]
        if self._bare is None or not used:
            return None
        if any(layer is None or layer not in layers for layer in used):
            return None
        return replace(self._bare, images=images, objects=objects)


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
    history, predictions, importance, latents, explained, selected, saved
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
    explained: tuple[Explanation, ...] = field(default=(), repr=False)
    selected: tuple[int, ...] = ()
    saved: tuple[Cells, Path] | None = field(default=None, repr=False)

    @property
    def answered_by(self) -> tuple[Trained, ...]:
        """Classifiers that gave its predictions and explanations."""
        found = [
            None if self.predictions is None else self.predictions.trained,
            self.explained_by if self.explained else None,
        ]
        return tuple(one for one in found if one is not None)

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
        return tuple(name for name, part in parts.items() if part is not None)


def unique_name(name: str, others: Collection[str]) -> str:
    """A name that no other has, with a number where it is needed: ``plate (2)``."""
    own, count = name, 2
    while own in others:
        own, count = f"{name} ({count})", count + 1
    return own
