"""What is known of all cells: labels, predictions, latents, and what follows. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.borders import AT_BORDER
from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.phenotypes.fractions import (
    Fractions,
    Grouping,
    fractions_of,
    grouping_of,
)
from napari_channelmix.phenotypes.held_out import YES, HeldOut, Marks, held_out_of
from napari_channelmix.phenotypes.label_quality import class_distance, disagreement, margin
from napari_channelmix.viewer.charts.colors import palette_of

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.data import Cells
    from napari_channelmix.drl import Latents
    from napari_channelmix.viewer.session.session import Predictions, Session

__all__ = ["NO_CLASS", "Facts"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NO_CLASS = "no class"


@dataclass(frozen=True, eq=False)
class Facts:
    """Everything is worked out when it is asked for first, and kept.

    Attributes
    ----------
    cells : Cells
    predictions : Predictions or None
    latents : Latents or None
    """

    cells: Cells
    predictions: Predictions | None = None
    latents: Latents | None = field(default=None, repr=False)

    @classmethod
    def of(cls, session: Session, before: Facts | None = None) -> Facts | None:
        """What the session knows; ``before`` lends what did not change."""
        cells, predictions, latents = session.cells, session.predictions, session.latents
        if cells is None:
            return None
        if predictions is not None and len(predictions.probabilities) != len(cells):
            predictions = None
        if latents is not None and len(latents.values) != len(cells):
            latents = None
        facts = cls(cells, predictions, latents)
        if before is not None:
            facts._borrow(before)
        return facts

    def _borrow(self, before: Facts) -> None:
        """Groups are texts, and slow to bring together: keep them while only classes change."""
        if before.cells.fields is self.cells.fields and len(before.cells) == len(self.cells):
            mine, theirs = self.cells.table, before.cells.table
            if "grouping" in before.__dict__ and mine["group"].equals(theirs["group"]):
                self.__dict__["grouping"] = before.grouping
        if before.predictions is self.predictions and "margin" in before.__dict__:
            self.__dict__["margin"] = before.margin

    def __len__(self) -> int:
        return len(self.cells)

    # ---------------------------------------------------------------- of each cell

    @cached_property
    def at_border(self) -> npt.NDArray[np.bool_]:
        """Cells (N,) whose crops reach over the border of their image."""
        return self.cells.at_border

    @cached_property
    def labels(self) -> IntArray:
        """Class of each cell (N,), -1 for none."""
        return self.cells.labels

    @cached_property
    def predicted(self) -> IntArray:
        """Predicted class of each cell (N,), a position in the predictions' classes."""
        assert self.predictions is not None
        return self.predictions.codes

    @cached_property
    def predicted_fractions(self) -> Fractions:
        """Predicted classes in each group, with the adjusted fractions where they are known."""
        assert self.predictions is not None
        fractions = fractions_of(
            self.grouping, self.predicted, self.predicted_classes, training=self._training
        )
        adjusted = self.predictions.adjusted
        if adjusted is not None and len(adjusted.fractions) == len(self.grouping.names):
            fractions = replace(fractions, adjusted=adjusted)
        return fractions

    @cached_property
    def held_out_fractions(self) -> Fractions:
        """The same without the cells that the classifier was trained on."""
        if self._training is None:
            return self.predicted_fractions
        return self.predicted_fractions.of_held_out(self.predicted, self._training)

    @property
    def _training(self) -> Marks | None:
        """Whether the classifier was trained on each cell (N,), where that is known."""
        marks = None if self.predictions is None else self.predictions.training
        return None if marks is None or len(marks) != len(self) else np.asarray(marks)

    @property
    def predicted_classes(self) -> tuple[str, ...]:
        """Classes that can be predicted."""
        return () if self.predictions is None else self.predictions.classes

    @cached_property
    def palette(self) -> tuple[str, ...]:
        """The classes, and then those that are predicted only: positions are colours."""
        return palette_of(self.cells.classes, self.predicted_classes)

    @cached_property
    def predicted_colors(self) -> IntArray:
        """Predicted class of each cell (N,) as a position in `palette`; -1 without predictions."""
        if self.predictions is None:
            return np.full(len(self), -1)
        return matching(self.predicted, self.predicted_classes, self.palette)

    @cached_property
    def differs(self) -> npt.NDArray[np.bool_]:
        """Cells (N,) whose label is another class than is predicted."""
        both = (self.labels >= 0) & (self.predicted_colors >= 0)
        return np.asarray(both & (self.labels != self.predicted_colors))

    @cached_property
    def called_apart(self) -> npt.NDArray[np.bool_]:
        """Cells (N,) with a prediction that their label does not say: another one, or none."""
        called = self.predicted_colors >= 0
        return np.asarray(called & (self.labels != self.predicted_colors))

    @cached_property
    def margin(self) -> FloatArray:
        """How far the most probable class lies ahead of the next (N,)."""
        assert self.predictions is not None
        return margin(self.predictions.probabilities)

    @cached_property
    def disagreement(self) -> FloatArray:
        """How strongly predictions contradict labels (N,)."""
        assert self.predictions is not None
        return disagreement(
            self.predictions.probabilities, self.predicted_classes, self.labels, self.cells.classes
        )

    @cached_property
    def distance(self) -> FloatArray:
        """How unlike its class each cell is (N,), over the latents that vary."""
        assert self.latents is not None
        return class_distance(self.latents.values[:, self.latents.active], self.labels)

    @cached_property
    def held_out(self) -> HeldOut:
        """The cells that the classifier of the predictions was not trained on; all without."""
        if self._training is None:
            return HeldOut(np.ones(len(self), dtype=bool), "")
        return held_out_of(self._training)

    @cached_property
    def grouping(self) -> Grouping:
        """Which cells belong together."""
        return grouping_of(self.cells)

    def accuracy(self, chosen: npt.NDArray[np.bool_]) -> AccuracyEstimate | None:
        """Of the predictions for some cells (N,), over their groups.

        None where none of them has a class that can be predicted.
        """
        if self.predictions is None:
            return None
        labels = matching(self.labels, self.cells.classes, self.predicted_classes)
        known = chosen & (labels >= 0)
        if not known.any():
            return None
        # PyTorch is there where there are predictions.
        from napari_channelmix.classify.accuracy import estimate_accuracy

        groups = self.grouping.codes[known] if self.grouping.kind == "group" else None
        return estimate_accuracy(
            labels[known], self.predicted[known], groups, self.predicted_classes
        )

    # ---------------------------------------------------------------- in words

    def class_name(self, code: int) -> str:
        """A position in the palette, in words."""
        return self.palette[code] if 0 <= code < len(self.palette) else NO_CLASS

    def describe(self, cell: int) -> str:
        """A cell in a few lines."""
        row = self.cells.table.iloc[cell]
        lines = [f"Cell {self.cells.name_of(cell)}"]
        place = self.cells.fields[int(row["field"])].name
        lines.append(f"Field of view: {place}")
        if self.at_border[cell]:
            lines.append(AT_BORDER)
        if self.grouping.kind == "group":
            lines.append(f"Group: {self.grouping.names[self.grouping.codes[cell]]}")
        lines.append(f"Class: {self.class_name(int(self.labels[cell]))}")
        if self.predictions is not None:
            best = float(self.predictions.probabilities[cell].max())
            name = self.predicted_classes[int(self.predicted[cell])]
            lines.append(f"Predicted: {name}, probability {best:.3f}")
            if self.predictions.prior is not None:
                lines.append(f"({self.predictions.prior.text()})")
            lines.append(f"Margin to the next class: {self.margin[cell]:.3f}")
            known = self.predictions.training
            if known is not None and cell < len(known) and known[cell] == YES:
                lines.append("The classifier was trained on it")
        return "\n".join(lines)
