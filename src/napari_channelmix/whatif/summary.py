"""Answers of all cells put together: tables, sentences, and what speaks against reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.provenance import provenance
from napari_channelmix.whatif.answer_lines import answer_lines
from napari_channelmix.whatif.curves import curve_table
from napari_channelmix.whatif.doubts import doubts_of
from napari_channelmix.whatif.flips import flip_tables
from napari_channelmix.whatif.purity import with_notes
from napari_channelmix.whatif.result import WhatIf
from napari_channelmix.whatif.robustness import robustness_lines, robustness_table
from napari_channelmix.whatif.stored import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from napari_channelmix.whatif.smallest_change import CellChanges
    from napari_channelmix.whatif.what_if_task import ChunkOfAnswers, WhatIfTask

__all__ = ["smallest_table", "summarised"]


def summarised(task: WhatIfTask, answers: ChunkOfAnswers) -> WhatIf:
    """The result of a task from the answers about its cells, or about some of them."""
    responses, classes = answers.responses, task.asker.classes
    chosen = task.chosen
    place = {int(cell): row for row, cell in enumerate(chosen.positions.tolist())}
    rows = np.array([place[int(cell)] for cell in responses.positions.tolist()], np.int64)
    groups, labels = chosen.groups[rows], chosen.labels[rows]
    number = len(np.unique(groups))
    if number == 1:
        # Of one group all that can be said is how certain it is of this one: its cells vary.
        groups = np.arange(len(responses))
    flips, transitions = flip_tables(responses, task.axes, classes, groups)
    flips = with_notes(flips, task.purity)
    doubts = doubts_of(responses, labels, chosen.groups[rows], classes, chosen.group_kind)
    if doubts.unreadable:
        flips = flips.assign(above_sham=False)
    robustness = robustness_table(responses, task.axes, classes, groups, chosen.group_names)
    curves = curve_table(responses, task.axes, classes, groups)
    if number == 1:
        flips = flips.assign(groups=1)
    result = WhatIf(
        tuple(classes),
        tuple(task.cells.channels),
        len(responses),
        number,
        chosen.group_kind,
        task.settings.scope,
        curves,
        flips,
        transitions,
        smallest_table(answers.changes, classes),
        robustness,
        task.purity,
        (),
        (*task.warnings, *doubts.lines),
        provenance(**task.facts),
    )
    lines = (
        *((chosen.line,) if chosen.line else ()),
        *answer_lines(result, doubts.unreadable),
        *robustness_lines(robustness, task.axes),
    )
    return WhatIf(**{**vars(result), "lines": lines})


def smallest_table(changes: Sequence[CellChanges], classes: Sequence[str]) -> pd.DataFrame:
    """A row for each change that flips a cell, and one for each cell that nothing flips."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for cell in changes:
        common = {"cell": cell.position, "from_class": classes[cell.from_class]}
        if not cell.changes:
            rows.append({**common, **_NOTHING, "sentence": cell.sentence(classes)})
        for rank, change in enumerate(cell.changes, start=1):
            second = len(change.axes) > 1
            rows.append(
                {
                    **common,
                    "rank": rank,
                    "axis": change.axes[0],
                    "amount": change.amounts[0],
                    "unit": change.units[0],
                    "axis_2": change.axes[1] if second else "",
                    "amount_2": change.amounts[1] if second else np.nan,
                    "unit_2": change.units[1] if second else "",
                    "to_class": classes[change.to_class],
                    "probability": change.probability,
                    "size": change.size,
                    "plausible": change.plausible,
                    "real_cells": change.real_cells,
                    "inside": True,
                    "technical": change.technical,
                    "sentence": cell.sentence(classes, rank - 1),
                }
            )
    return pd.DataFrame(rows, columns=list(TABLES["smallest"]))


_NOTHING: dict[str, Any] = {
    "rank": 1,
    "axis": "",
    "amount": np.nan,
    "unit": "",
    "axis_2": "",
    "amount_2": np.nan,
    "unit_2": "",
    "to_class": "",
    "probability": np.nan,
    "size": np.nan,
    "plausible": np.nan,
    "real_cells": 0,
    "inside": False,
    "technical": False,
}
