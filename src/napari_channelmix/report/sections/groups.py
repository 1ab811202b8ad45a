"""Fractions of the classes in each group, as a table."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.phenotypes.responses import PREDICTED
from napari_channelmix.report.sections.fractions import class_fractions

if TYPE_CHECKING:
    from napari_channelmix.phenotypes.fractions import Fractions
    from napari_channelmix.report.findings import Findings

__all__ = ["groups_section"]

# Rows at most, and classes beside each other: with adjusted shares fewer fit on a page of print.
GROUPS, ACROSS, ADJUSTED_ACROSS = 400, 8, 4


def groups_section(findings: Findings) -> dict[str, Any] | None:
    """Fractions of the classes in each group: of the predictions, or else of the labels."""
    fractions = class_fractions(findings, adjust=True)
    if fractions is None or len(fractions[0].groups) < 2:
        return None
    table, of = fractions
    grouping, classes = table.grouping, table.classes
    shares, adjusted = table.fractions, table.adjusted
    known = adjusted is not None and not adjusted.why_not
    trained_on = np.zeros(len(table.groups), int) if table.trained_on is None else table.trained_on
    rows = [
        (
            name,
            int(table.cells[index]),
            int(trained_on[index]),
            [
                (
                    int(table.counts[index, code]),
                    _share(shares[index, code]),
                    _adjusted(table, index, code) if known else "",
                )
                for code in range(len(classes))
            ],
        )
        for index, name in enumerate(table.groups[:GROUPS])
    ]
    why = "" if adjusted is None else adjusted.why_not or adjusted.note
    return {
        "kind": grouping.kind,
        "of": "prediction" if of == PREDICTED else "label",
        "classes": classes,
        "rows": rows,
        "blocks": _blocks(len(classes), ADJUSTED_ACROSS if known else ACROSS),
        "adjusted": known,
        "why": why,
        "trained_on": bool(trained_on.any()),
        "more": max(0, len(table.groups) - GROUPS),
    }


def _blocks(classes: int, most: int) -> list[range]:
    """Positions of the classes of each table, evenly: no table of a single class is left over."""
    tables = -(-classes // most)
    ends = [round(classes * place / max(tables, 1)) for place in range(tables + 1)]
    return [range(start, end) for start, end in pairwise(ends)]


def _adjusted(fractions: Fractions, group: int, code: int) -> str:
    """An adjusted fraction with its interval, in per cent."""
    assert fractions.adjusted is not None
    values = [
        of[group, code]
        for of in (fractions.adjusted.fractions, fractions.adjusted.low, fractions.adjusted.high)
    ]
    if np.isnan(values).any():
        return ""
    share, low, high = (100 * value for value in values)
    return f"{share:.1f} % ({low:.1f} to {high:.1f})"


def _share(value: float) -> str:
    return "" if np.isnan(value) else f"{100 * value:.0f} %"
