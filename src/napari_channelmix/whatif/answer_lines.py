"""What a what-if result says, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.whatif.flip_intervals import ALPHA
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.whatif.result import WhatIf

__all__ = ["answer_lines", "flip_text"]

# Axes that are named for each class.
NAMED = 3
# Between the cell and all cells of the crop: a difference of shares that is worth a line.
DIFFERS = 0.2
# Shams that flip more cells than this are a fault of the classifier.
SHAM_FAULT = 0.05
# Of fewer cells of a class no axis can be above its sham, whatever it does: each is a coin.
LEAST_CELLS = 1 + int(np.log2(1 / ALPHA))


def answer_lines(result: WhatIf, unreadable: str = "") -> tuple[str, ...]:
    """What moves the decision, class by class; how much the shams do; the cell or the crop."""
    flips = result.flips
    # The acquisition has lines of its own: see `robustness`.
    technical = flips["family"].isin(["sham", "acquisition"])
    own = flips[(flips["scope"] == result.scope) & ~technical]
    lines = []
    most = int(own["n"].max()) if len(own) else 0
    if not unreadable and 0 < most < LEAST_CELLS:
        lines.append(
            f"{counted(most, 'cell')} of a class at most: too few to tell an edit from its sham"
        )
    elif unreadable or not own["above_sham"].any():
        cells = f"{counted(result.n, 'cell')} of {counted(result.groups, result.group_kind)}"
        lines.append(f"nothing moves the decision more than its sham, as far as {cells} tell")
    else:
        for name in result.classes:
            rows = own[own["from_class"] == name]
            if len(rows):
                lines.append(_class_line(name, rows))
    lines += _sham_lines(flips[flips["scope"] == result.scope])
    lines += _scope_lines(result)
    return tuple(lines)


def flip_text(row: pd.Series) -> str:
    """A row of flips: ``DNA brightness 70 % (95 % interval 57 to 80 %), most to G2``."""
    interval = ""
    if np.isfinite(row["low"]):
        interval = f" (95 % interval {100 * row['low']:.0f} to {100 * row['high']:.0f} %)"
    to_class = f", most to {row['to_class']}" if row["to_class"] else ""
    to_class += f" ({row['note']})" if row["note"] else ""
    return f"{row['axis']} {100 * row['share']:.0f} %{interval}{to_class}"


def _class_line(name: str, rows: pd.DataFrame) -> str:
    count = counted(int(rows["n"].iloc[0]), "cell")
    sham = rows["sham"].iloc[0]
    floor = f"; shams {100 * sham:.0f} %" if np.isfinite(sham) else ""
    above = rows[rows["above_sham"]].sort_values("difference", ascending=False)
    if int(rows["n"].iloc[0]) < LEAST_CELLS:
        return f"predicted as {name} ({count}): too few to tell an edit from its sham{floor}"
    if not len(above):
        return (
            f"predicted as {name} ({count}): nothing moves the decision more than its sham{floor}"
        )
    named = "; ".join(flip_text(row) for _, row in above.head(NAMED).iterrows())
    more = (
        f"; and {len(above) - NAMED} more {'axis' if len(above) == NAMED + 1 else 'axes'}"
        if len(above) > NAMED
        else ""
    )
    return f"predicted as {name} ({count}), flipped by: {named}{more}{floor}"


def _sham_lines(flips: pd.DataFrame) -> list[str]:
    """Shams that flip cells beyond doubt."""
    lines = []
    shams = flips[(flips["family"] == "sham") & (flips["low"] > SHAM_FAULT)]
    for name, rows in shams.groupby("axis", sort=False):
        worst = rows.iloc[int(rows["share"].argmax())]
        what = "resampling" if name == "resampling" else f"a {name}"
        lines.append(
            f"the classifier is sensitive to {what}, which must not matter: it flips "
            f"{100 * worst['share']:.0f} % of the cells predicted as {worst['from_class']} "
            f"(95 % interval {100 * worst['low']:.0f} to {100 * worst['high']:.0f} %, "
            f"n = {int(worst['n']):,})"
        )
    return lines


def _scope_lines(result: WhatIf) -> list[str]:
    """Where an edit of all cells of the crop flips many more cells than one of the cell."""
    flips = result.flips
    if {"cell", "crop"} - set(flips["scope"]):
        return []
    keys = ["axis", "from_class"]
    both = flips[flips["scope"] == "cell"].merge(
        flips[flips["scope"] == "crop"], on=keys, suffixes=("", "_crop")
    )
    far = both[(both["share_crop"] - both["share"] >= DIFFERS) & both["above_sham_crop"]]
    if not len(far):
        return []
    row = far.iloc[int((far["share_crop"] - far["share"]).argmax())]
    return [
        "the classifier judges the crop, not the cell alone: "
        f"{row['axis']} of the cell alone flips {100 * row['share']:.0f} %, of all cells in the "
        f"crop {100 * row['share_crop']:.0f} % of {counted(int(row['n']), 'cell')} predicted as "
        f"{row['from_class']}"
    ]
