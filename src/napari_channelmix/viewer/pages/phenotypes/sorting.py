"""The orders in which cells may be shown, and which cells are. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts

__all__ = ["ORDERS", "Choice", "Filter", "Order", "arranged", "choices_of", "reason_not_possible"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Order:
    """One way to put cells in order.

    Attributes
    ----------
    key, title : str
    up, down : str
        What comes first, in words, ascending and descending; ``{of}`` is a class or a latent.
    descending : bool
        How it is read first.
    needs : str
        ``"classes"``, ``"predictions"``, ``"latents"`` or nothing.
    of : str
        ``"class"`` or ``"latent"`` where one is to be chosen as well.
    tip : str
    """

    key: str
    title: str
    up: str
    down: str
    descending: bool = False
    needs: str = ""
    of: str = ""
    tip: str = ""


ORDERS = (
    Order("data", "data set", "in the order of the data set", "last cell first"),
    Order("class", "class", "first class first", "last class first", needs="classes"),
    Order(
        "predicted",
        "predicted class",
        "first predicted class first",
        "last predicted class first",
        needs="predictions",
    ),
    Order(
        "probability",
        "probability of a class",
        "least probably {of} first",
        "most probably {of} first",
        True,
        "predictions",
        "class",
    ),
    Order(
        "margin",
        "margin",
        "least certain first",
        "most certain first",
        needs="predictions",
        tip="How far the most probable class lies ahead of the next one",
    ),
    Order(
        "disagreement",
        "label against prediction",
        "agreement first",
        "contradictions first",
        True,
        "predictions",
        tip="Probability of the likeliest other class minus that of the label: label against "
        "prediction, the most certain contradictions first. They are wrong labels or wrong "
        "predictions",
    ),
    Order("latent", "latent", "low {of} first", "high {of} first", needs="latents", of="latent"),
    Order(
        "distance",
        "distance to the class",
        "most like their class first",
        "least like their class first",
        True,
        "latents",
        tip="Root mean square of the robust z-scores of the cell's latents within its class",
    ),
    Order("random", "random", "in random order", "in random order"),
)

REASONS = {
    "classes": "no cell has a class yet",
    "predictions": "no predictions yet: press 'Classify all cells' on the page 'Classifier'",
    "latents": "no latents yet: find them on the page 'Latents'",
}


@dataclass(frozen=True)
class Choice:
    """An order, what it is of, which end comes first, and the seed of a random one."""

    key: str = "data"
    of: str = ""
    descending: bool = False
    seed: int = 0

    @property
    def order(self) -> Order:
        """The order that was chosen."""
        return next(order for order in ORDERS if order.key == self.key)

    @property
    def words(self) -> str:
        """What comes first."""
        template = self.order.down if self.descending else self.order.up
        return template.format(of=self.of)


@dataclass(frozen=True)
class Filter:
    """Which cells are shown; None does not ask.

    Attributes
    ----------
    classes : frozenset of int or None
        Classes of the labels, -1 for cells without one.
    predicted : frozenset of int or None
        Predicted classes, positions in the predictions' classes.
    pair : (int, int) or None
        A field of the confusion matrix: label and prediction.
    group : int or None
        A position in the names of the grouping.
    only : tuple of int or None
        These cells alone.
    held_out : bool
        The cells alone that the classifier was not trained on; see `phenotypes.held_out`.
    """

    classes: frozenset[int] | None = None
    predicted: frozenset[int] | None = None
    pair: tuple[int, int] | None = None
    group: int | None = None
    only: tuple[int, ...] | None = None
    held_out: bool = False

    def mask(self, facts: Facts) -> npt.NDArray[np.bool_]:
        """Cells (N,) that are shown. What asks for predictions that are not there is not asked."""
        shown = np.ones(len(facts), dtype=bool)
        if self.classes is not None:
            shown &= np.isin(facts.labels, list(self.classes))
        if facts.predictions is not None:
            if self.predicted is not None:
                shown &= np.isin(facts.predicted, list(self.predicted))
            if self.pair is not None:
                shown &= (facts.labels == self.pair[0]) & (facts.predicted == self.pair[1])
        if self.group is not None:
            shown &= facts.grouping.codes == self.group
        if self.held_out:
            shown &= facts.held_out.chosen
        if self.only is not None:
            chosen = np.zeros(len(facts), dtype=bool)
            chosen[[cell for cell in self.only if cell < len(facts)]] = True
            shown &= chosen
        return shown


def reason_not_possible(order: Order, facts: Facts | None) -> str:
    """Why cells cannot be put in this order, or nothing."""
    if facts is None:
        return "no cells yet"
    there = {
        "": True,
        "classes": bool(facts.cells.classes),
        "predictions": facts.predictions is not None,
        "latents": facts.latents is not None,
    }
    return "" if there[order.needs] else REASONS[order.needs]


def choices_of(order: Order, facts: Facts | None) -> Sequence[str]:
    """Names of what this order may be of."""
    if facts is None or reason_not_possible(order, facts):
        return ()
    if order.of == "class":
        return facts.predicted_classes
    if order.of == "latent" and facts.latents is not None:
        return facts.latents.axes()
    return ()


def arranged(facts: Facts, choice: Choice, which: Filter) -> IntArray:
    """Positions (n,) of the cells that are shown, in order.

    Cells for which the order has no number, such as the distance of a cell without a class, come
    last, whichever end comes first.
    """
    shown = np.flatnonzero(which.mask(facts))
    if choice.key == "data" or reason_not_possible(choice.order, facts):
        return shown[::-1].copy() if choice.descending else shown
    if choice.key == "random":
        return np.random.default_rng(choice.seed).permutation(shown)
    values = _values(facts, choice)[shown]
    return shown[np.argsort(-values if choice.descending else values, kind="stable")]


def _values(facts: Facts, choice: Choice) -> FloatArray:
    if choice.key == "class":
        # Cells without a class come last.
        return np.where(facts.labels < 0, np.nan, facts.labels)
    if choice.key == "predicted":
        return facts.predicted.astype(np.float64)
    if choice.key == "probability":
        assert facts.predictions is not None
        names = facts.predicted_classes
        column = names.index(choice.of) if choice.of in names else 0
        return facts.predictions.probabilities[:, column].astype(np.float64)
    if choice.key == "latent":
        assert facts.latents is not None
        axes = facts.latents.axes()
        if not axes:
            return np.zeros(len(facts))
        return facts.latents.of_axis(choice.of if choice.of in axes else axes[0])
    values: FloatArray = getattr(facts, choice.key)
    return values
