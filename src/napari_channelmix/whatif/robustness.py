"""Robustness: how many predictions a change of the acquisition alters, by class and by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.amount_words import DOUBLINGS, amount_text
from napari_channelmix.whatif.flip_intervals import share_intervals
from napari_channelmix.whatif.stored import TABLES
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.responses import Responses

__all__ = ["added_amounts", "robustness_lines", "robustness_table"]

IntArray = npt.NDArray[np.int64]

#: What a row is of: all cells, those called a class, those of a group.
ALL, CLASS, GROUP = "all", "class", "group"
#: An exposure that is 20 % higher, and lower: what differs between runs of one microscope.
USUAL = (float(np.log2(1.2)), float(np.log2(0.8)))
# Lines are of axes that change more predictions than this.
WORTH_A_LINE = 0.05


def added_amounts(axis: Axis) -> tuple[float, ...]:
    """Amounts at which a card should have a figure, beside those of the grid."""
    if axis.family != "acquisition" or not axis.unit.startswith(DOUBLINGS):
        return ()
    return tuple(amount for amount in USUAL if axis.low <= amount <= axis.high)


def robustness_table(
    responses: Responses,
    axes: Sequence[Axis],
    classes: Sequence[str],
    groups: IntArray,
    group_names: Sequence[str],
) -> pd.DataFrame:
    """Share of the predictions that each amount of the acquisition axes changes.

    Parameters
    ----------
    responses : Responses
        Of n cells.
    axes : sequence of Axis
    classes : sequence of str
    groups : (n,) int array
        Position of each cell's group in ``group_names``.
    group_names : sequence of str

    Returns
    -------
    data frame
        See `result.WhatIf.robustness`.
    """
    import pandas as pd

    by_name = {axis.name: axis for axis in axes}
    base = responses.calls
    parts: list[tuple[str, str, npt.NDArray[np.bool_]]] = [(ALL, "", np.ones(len(base), bool))]
    parts += [(CLASS, classes[int(code)], base == code) for code in np.unique(base)]
    kinds = np.unique(groups)
    if 1 < len(kinds) < len(base):
        parts += [(GROUP, group_names[int(code)], groups == code) for code in kinds]
    rows = []
    for answers in responses.axes:
        axis = by_name[answers.name]
        if axis.family != "acquisition":
            continue
        changed = answers.calls != base[:, None]
        for of, name, some in parts:
            # Cells of one group: as if they were independent, the group says nothing of others.
            own = np.arange(int(some.sum())) if of == GROUP else groups[some]
            low, high = (end[0] for end in share_intervals(changed[some], own))
            for place, amount in enumerate(answers.amounts.tolist()):
                if amount == float(np.float32(axis.neutral)):
                    continue
                share = float(changed[some, place].mean())
                row = (axis.name, amount, axis.unit, of, name, share, low[place], high[place])
                rows.append((*row, int(some.sum())))
    return pd.DataFrame(rows, columns=list(TABLES["robustness"]))


def robustness_lines(
    table: pd.DataFrame, axes: Sequence[Axis], wrong: Sequence[str] = ()
) -> tuple[str, ...]:
    """A sentence for each axis: ``an exposure 20 % higher changes 31 % of the predictions``.

    Of the usual differences, where they were asked for; else of the smallest amounts.

    Parameters
    ----------
    table : data frame
        As of `robustness_table`.
    axes : sequence of Axis
    wrong : sequence of str
        Names of axes that cannot be read.
    """
    lines, calm = [], []
    whole = table[table["of"] == ALL]
    for axis in axes:
        rows = whole[whole["axis"] == axis.name]
        if axis.family != "acquisition" or not len(rows) or axis.name in wrong:
            continue
        usual = rows[[bool(np.isclose(rows_amount, USUAL).any()) for rows_amount in rows["amount"]]]
        near = usual if len(usual) else _smallest(rows, axis)
        worst = near.iloc[int(near["changed"].argmax())]
        words = _acquisition_words(axis, float(worst["amount"]))
        figure, n = f"{100 * worst['changed']:.0f} %", int(worst["n"])
        ends = (worst["low"], worst["high"])
        known = bool(np.isfinite(ends).all())
        between = f"{100 * ends[0]:.0f} to {100 * ends[1]:.0f}" if known else ""
        if worst["changed"] >= WORTH_A_LINE:
            interval = f"95 % interval {between} %, " if known else ""
            lines.append(f"{words} changes {figure} of the predictions ({interval}n = {n:,})")
        else:
            calm.append(f"{words} ({figure}{f', {between}' if known else ''})")
    if calm:
        of = f"share of {counted(n, 'prediction')}, 95 % interval"
        lines.append(f"hardly changes the predictions ({of}): {'; '.join(calm)}")
    return tuple(lines)


def _smallest(rows: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Rows of the smallest amount on each side."""
    far = (rows["amount"] - axis.neutral).abs()
    nearest: pd.DataFrame = rows[far <= far.min() * (1 + 1e-6)]
    return nearest


def _acquisition_words(axis: Axis, amount: float) -> str:
    """``an exposure 20 % higher``, ``blur of 0.5 px``."""
    if axis.unit.startswith(DOUBLINGS):
        percent = 100 * (2.0**amount - 1)
        article = "an" if axis.name[:1].lower() in "aeiou" else "a"
        return f"{article} {axis.name} {abs(percent):.0f} % {'higher' if percent > 0 else 'lower'}"
    return f"{axis.name} of {amount_text(axis, amount)}"
