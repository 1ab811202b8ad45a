"""What moves the decision: cells whose prediction flips in the data's range, against the shams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.flip_intervals import above_sham, share_intervals, significant
from napari_channelmix.whatif.stored import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.responses import AxisResponses, Responses

__all__ = ["AxisFlips", "flip_tables", "flips_along", "sham_flips"]

IntArray = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AxisFlips:
    """Whether each cell flips anywhere on the data's own range of an axis.

    Attributes
    ----------
    flips : (n,) bool array
    to_class : (n,) int array
        The class that the smallest change gives; -1 where nothing flips.
    amount : (n,) float32 array
        That change, on the grid; NaN where nothing flips.
    reachable : (n,) bool array
        Cells for which some amount on the data's own range changes something.
    """

    flips: Mask = field(repr=False)
    to_class: IntArray = field(repr=False)
    amount: npt.NDArray[np.float32] = field(repr=False)
    reachable: Mask = field(repr=False)


def flips_along(answers: AxisResponses, base: IntArray, neutral: float) -> AxisFlips:
    """Find the smallest change on the grid that flips each cell (n,) called ``base``."""
    far = np.abs(answers.amounts - np.float32(neutral))
    order = np.argsort(far, kind="stable")
    order = order[far[order] > 0]
    calls = answers.calls[:, order]
    flipped = (calls != base[:, None]) & answers.inside[:, order]
    flips = flipped.any(axis=1)
    rows = np.arange(len(base))
    first = flipped.argmax(axis=1) if len(order) else np.zeros(len(base), np.int64)
    to_class = np.full(len(base), -1)
    amount = np.full(len(base), np.nan, np.float32)
    if len(order):
        to_class[flips] = calls[rows, first][flips]
        amount[flips] = answers.amounts[order][first][flips]
    return AxisFlips(flips, to_class, amount, np.asarray(answers.inside[:, order].any(axis=1)))


def sham_flips(axis: Axis, axes: Sequence[Axis], along: dict[str, AxisFlips]) -> Mask | None:
    """Cells (n,) that the shams of an axis, in its own scope, flip; None where there is none.

    The floor of an axis is all shams together: turns, shifts and resampling must not matter,
    whatever else is done. Of a sham it is the sham that it names itself, such as ``resampling``.
    """
    if axis.family == "sham":
        return along[axis.sham].flips if axis.sham in along else None
    shams = [
        along[other.name].flips for other in axes if other.family == "sham" and other.name in along
    ]
    return np.any(shams, axis=0) if shams else None


def flip_tables(
    responses: Responses,
    axes: Sequence[Axis],
    classes: Sequence[str],
    groups: IntArray,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares of the cells of each class that flip, and of those that flip to each class.

    Parameters
    ----------
    responses : Responses
        Of n cells.
    axes : sequence of Axis
    classes : sequence of str
        K names.
    groups : (n,) int array

    Returns
    -------
    flips : data frame
        A row per scope, axis and class; see `result.WhatIf.flips`.
    transitions : data frame
        A row per scope, axis, class and class that some cell becomes; see
        `result.WhatIf.transitions`.
    """
    by_name = {axis.name: axis for axis in axes}
    base = responses.calls
    along: dict[tuple[str, str], AxisFlips] = {
        (answers.scope, answers.name): flips_along(answers, base, by_name[answers.name].neutral)
        for answers in responses.axes
    }
    rows: list[dict[str, object]] = []
    transitions: list[dict[str, object]] = []
    for scope in dict.fromkeys(scope for scope, _ in along):
        # Shams of the same scope: turning all cells of a crop changes more than turning one.
        own = {name: flips for (of, name), flips in along.items() if of == scope}
        chosen = [(by_name[name], flips) for name, flips in own.items()]
        floors = [sham_flips(axis, axes, own) for axis, _ in chosen]
        rows += _flip_rows(scope, chosen, floors, base, groups, classes)
        for axis, row in chosen:
            transitions += _transition_rows(scope, axis, row, base, groups, classes)
    _mark_above(rows)
    return _frame(rows, "flips"), _frame(transitions, "transitions")


def _flip_rows(
    scope: str,
    chosen: Sequence[tuple[Axis, AxisFlips]],
    floors: Sequence[Mask | None],
    base: IntArray,
    groups: IntArray,
    classes: Sequence[str],
) -> list[dict[str, object]]:
    """A row for each axis of a scope and each class."""
    flips = np.stack([row.flips for _, row in chosen], axis=1)
    none = np.zeros(len(base), bool)
    shams = np.stack([none if floor is None else floor for floor in floors], axis=1)
    low, high = share_intervals(flips, groups, base)
    sham_low, sham_high = share_intervals(shams, groups, base)
    above = above_sham(flips, shams, groups, base)
    rows: list[dict[str, object]] = []
    for kind, code in enumerate(np.unique(base)):
        own = base == code
        for place, (axis, row) in enumerate(chosen):
            to_class, amounts = row.to_class[own], row.amount[own]
            targets, counts = np.unique(to_class[to_class >= 0], return_counts=True)
            main = int(targets[counts.argmax()]) if len(targets) else -1
            floor = floors[place]
            # Of an axis without a sham nothing is known that could be held against it.
            held = {**dict.fromkeys(HELD, float("nan")), "p_value": 1.0}
            if floor is not None:
                numbers = (
                    float(floor[own].mean()),
                    sham_low[kind, place],
                    sham_high[kind, place],
                    above.difference[kind, place],
                    above.low[kind, place],
                    above.high[kind, place],
                    above.p_value[kind, place],
                )
                held = dict(zip(HELD, map(float, numbers), strict=True))
            rows.append(
                {
                    "scope": scope,
                    "axis": axis.name,
                    "family": axis.family,
                    "amount": float(np.nanmedian(amounts)) if len(targets) else np.nan,
                    "unit": axis.unit,
                    "from_class": classes[int(code)],
                    "to_class": classes[main] if main >= 0 else "",
                    "share": float(row.flips[own].mean()),
                    "low": float(low[kind, place]),
                    "high": float(high[kind, place]),
                    "n": int(own.sum()),
                    "groups": len(np.unique(groups[own])),
                    "to_share": float((to_class == main).mean()) if main >= 0 else 0.0,
                    "reachable": float(row.reachable[own].mean()),
                    **held,
                    "above_sham": False,
                    "note": "",
                }
            )
    return rows


HELD = (
    "sham",
    "sham_low",
    "sham_high",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
)


def _transition_rows(
    scope: str,
    axis: Axis,
    row: AxisFlips,
    base: IntArray,
    groups: IntArray,
    classes: Sequence[str],
) -> list[dict[str, object]]:
    """A row for each class and each class that some of its cells become."""
    targets = np.unique(row.to_class[row.to_class >= 0])
    if not len(targets):
        return []
    hits = row.to_class[:, None] == targets
    low, high = share_intervals(hits, groups, base)
    rows: list[dict[str, object]] = []
    for kind, code in enumerate(np.unique(base)):
        own = base == code
        for place in np.flatnonzero(hits[own].any(axis=0)).tolist():
            rows.append(
                {
                    "scope": scope,
                    "axis": axis.name,
                    "from_class": classes[int(code)],
                    "to_class": classes[int(targets[place])],
                    "share": float(hits[own, place].mean()),
                    "low": float(low[kind, place]),
                    "high": float(high[kind, place]),
                    "n": int(own.sum()),
                }
            )
    return rows


def _mark_above(rows: list[dict[str, object]]) -> None:
    """Adjust the p-values for the number of rows; shams are not tested, nor single cells.

    An axis is above its sham where more of these cells flip than by the shams, beyond chance
    (adjusted; see `flip_intervals.significant`), and the interval of the difference over groups
    begins above 0.
    """
    tested: list[dict[str, Any]] = [row for row in rows if row["family"] != "sham"]
    p_values, above = significant(
        [row["p_value"] for row in tested], [row["difference_low"] for row in tested]
    )
    for row, p_value, is_above in zip(tested, p_values.tolist(), above.tolist(), strict=True):
        row["p_value"] = p_value
        row["above_sham"] = is_above


def _frame(rows: list[dict[str, object]], name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(TABLES[name]))
