"""What moves a classifier's decision, for print: a matrix of flips, and response curves."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.charts import literal
from napari_channelmix.dcmix.chart import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_channelmix.whatif.result import WhatIf

__all__ = ["what_if_figure"]

# Axes of the matrix, response curves below it, and classes drawn in each.
AXES, CURVES, CLASSES = 16, 4, 5
# Classes up to which rows have room for large letters.
FEW = 10
COLORS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#999999")


def what_if_figure(result: WhatIf) -> Figure:
    """Share of cells that flip, class by axis; below it the curves of the axes that move most.

    Bold: above the sham. Curves are dashed where at least half of the cells would be like none of
    the data; the band is the 95 % interval over groups, the grey line the sham.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    rows = result.flips[result.flips["scope"] == result.scope]
    drawn = _drawn(result)
    names, classes = _names(rows), list(dict.fromkeys(rows["from_class"]))
    width = max(7.0, 1.9 * max(len(drawn), 1), 2.2 + 0.62 * len(names))
    # Of many classes the rows are lower: all stands on one page of print.
    row = 0.34 if len(classes) <= FEW else 0.2
    height = 1.9 + row * max(len(classes), 1) + (2.7 if drawn else 0)
    figure = Figure(figsize=(width, height), layout="constrained")
    ratios = [1.2 + row * max(len(classes), 1), 2.5] if drawn else [1]
    parts = figure.subfigures(len(ratios), 1, height_ratios=ratios, squeeze=False)[:, 0]
    _draw_matrix(parts[0], rows, names, classes)
    parts[0].suptitle(
        f"Cells that flip within the data's own range (n = {result.n}, {result.groups} "
        f"{result.group_kind}s; bold: above the sham)",
        fontsize="small",
    )
    if drawn:
        panels = parts[1].subplots(1, len(drawn), sharey=True, squeeze=False)[0]
        for panel, (axis, from_class) in zip(panels, drawn, strict=True):
            _draw_curve(panel, result, axis, from_class)
        panels[0].set_ylabel("mean probability", fontsize="x-small")
    return figure


def _names(rows: Any) -> list[str]:
    """Axes of the matrix: those that flip most, in the order of the table; shams last."""
    most = rows.groupby("axis", sort=False)["share"].max()
    order = list(dict.fromkeys(rows["axis"]))
    kept = set(most.sort_values(ascending=False, kind="stable").index[:AXES])
    shams = set(rows.loc[rows["family"] == "sham", "axis"])
    names = [name for name in order if name in kept or name in shams]
    return sorted(names, key=lambda name: name in shams)


def _drawn(result: WhatIf) -> list[tuple[str, str]]:
    """Axis and class of the curves: what moves most, each axis once."""
    moves = result.moves
    pairs = zip(moves["axis"], moves["from_class"], strict=True)
    first: dict[str, str] = {}
    for axis, from_class in pairs:
        first.setdefault(axis, from_class)
    return list(first.items())[:CURVES]


def _draw_matrix(place: Any, rows: Any, names: list[str], classes: list[str]) -> None:
    axes = place.subplots()
    shares = np.full((len(classes), len(names)), np.nan)
    bold = np.zeros(shares.shape, bool)
    for row in rows.itertuples():
        if row.axis in names:
            index = classes.index(row.from_class), names.index(row.axis)
            shares[index], bold[index] = row.share, row.above_sham
    axes.imshow(np.nan_to_num(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    shown = [literal(name) for name in names]
    axes.set_xticks(range(len(names)), shown, rotation=40, ha="right", fontsize="x-small")
    axes.set_yticks(range(len(classes)), [*map(literal, classes)], fontsize="x-small")
    axes.set_ylabel("predicted", fontsize="x-small")
    for (row, column), share in np.ndenumerate(shares):
        if np.isfinite(share):
            axes.text(
                column,
                row,
                f"{100 * share:.0f}",
                ha="center",
                va="center",
                fontsize="x-small",
                weight="bold" if bold[row, column] else "normal",
                color="white" if share > 0.55 else "black" if bold[row, column] else "0.45",
            )


def _draw_curve(panel: Any, result: WhatIf, axis: str, from_class: str) -> None:
    table = result.curve(axis, from_class)
    called = textwrap.wrap(f"predicted as {from_class}", 34, max_lines=2, placeholder=" …")
    panel.set_title(literal("\n".join([axis, *called])), fontsize="x-small")
    spread = table.groupby("class_name", sort=False)["probability"].agg(np.ptp)
    kept = list(spread.sort_values(ascending=False, kind="stable").index[:CLASSES])
    # The same in each panel, whichever class moves most there.
    order = list(result.classes) if len(result.classes) <= len(COLORS) else kept
    for name in kept:
        color = COLORS[order.index(name)]
        rows = table[table["class_name"] == name].sort_values("amount")
        amounts, values = rows["amount"].to_numpy(), rows["probability"].to_numpy()
        outside = rows["outside"].to_numpy() >= 0.5
        panel.plot(amounts, values, "--", color=color, linewidth=1)
        panel.plot(amounts, np.where(outside, np.nan, values), color=color, label=literal(name))
        panel.fill_between(amounts, rows["low"], rows["high"], color=color, alpha=0.15, lw=0)
        sham = float(rows["sham"].iloc[0])
        if name == from_class and np.isfinite(sham):
            panel.axhline(sham, color="0.6", linewidth=0.8)
    panel.set_ylim(-0.02, 1.02)
    panel.set_xlabel(str(table["unit"].iloc[0]), fontsize="x-small")
    panel.tick_params(labelsize="x-small")
    panel.legend(fontsize="xx-small")
