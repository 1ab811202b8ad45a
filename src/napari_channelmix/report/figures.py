"""Charts for print that no other room draws: confusion, learning, fidelity, doses, plates."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.charts import literal, write_counts
from napari_channelmix.classify.calibration_metrics import BINS
from napari_channelmix.dcmix.chart import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_channelmix.classify.calibration import ReliabilityBin
    from napari_channelmix.phenotypes.plate import Plate
    from napari_channelmix.phenotypes.responses import Response

__all__ = [
    "confusion_figure",
    "dose_figures",
    "fidelity_figure",
    "learning_figure",
    "plate_figure",
    "reliability_figure",
    "worst_calibrated",
]

# Classes up to which every field of the matrix has its number in it, and those with cells.
NUMBERED, MOST_NUMBERED = 15, 30
#: Classes whose reliability is drawn.
CURVES = 6
# Powers of ten between dose 0, which has no logarithm, and the lowest dose above it.
APART = 0.6
# Dose-responses side by side, and in a figure: more would not stand on a page.
ACROSS, RESPONSES = 3, 12
# Below this, fractions are drawn on a scale of their own.
SMALL = 0.5
# Groups of a dose whose mean has an interval worth drawing.
FEWEST = 3


def confusion_figure(counts: npt.ArrayLike, rows: Sequence[str], columns: Sequence[str]) -> Figure:
    """Counts (R, C) of labels against predictions; the tint is the share of the row."""
    from matplotlib.figure import Figure

    table = np.asarray(counts, dtype=np.int64)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    many = max(table.shape) > NUMBERED
    side = max(3.2, 1.6 + (0.34 if many else 0.55) * min(max(table.shape), MOST_NUMBERED))
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    # Drawn wider, the letters of many classes would be too small on a page of print.
    turned = {"rotation": 90} if many else {"rotation": 45, "ha": "right"}
    size = "x-small" if many else "medium"
    axes.set_xticks(range(len(columns)), [*map(literal, columns)], fontsize=size, **turned)
    axes.set_yticks(range(len(rows)), [*map(literal, rows)], fontsize=size)
    axes.set_xlabel("predicted")
    axes.set_ylabel("label")
    if max(table.shape) <= MOST_NUMBERED:
        write_counts(axes, table, shares, size, zeros=not many)
    figure.colorbar(image, ax=axes, label="share of the row", shrink=0.8)
    return figure


def learning_figure(history: Sequence[Mapping[str, float]]) -> Figure:
    """Loss and balanced accuracy on cells held back from training, by epoch."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(5.4, 3.0), layout="constrained")
    axes = figure.subplots()
    epochs = [entry.get("epoch", index + 1) for index, entry in enumerate(history)]
    for name, title, color, style in (
        ("loss", "training loss", BLUE, "-"),
        ("validation_loss", "validation loss", BLUE, "--"),
    ):
        if all(name in entry for entry in history):
            axes.plot(epochs, [entry[name] for entry in history], style, color=color, label=title)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("loss")
    handles, labels = axes.get_legend_handles_labels()
    if all("accuracy" in entry for entry in history):
        right = axes.twinx()
        right.plot(
            epochs,
            [entry["accuracy"] for entry in history],
            color=ORANGE,
            label="balanced accuracy",
        )
        right.set_ylabel("balanced accuracy")
        right.set_ylim(0, 1.02)
        more, more_labels = right.get_legend_handles_labels()
        handles, labels = handles + more, labels + more_labels
    axes.legend(handles, labels, fontsize="small", loc="center right")
    return figure


def fidelity_figure(fidelity: Any, title: str = "") -> Figure:
    """Insertion and deletion curves, the mean over the cells; see `pcim.scores.Fidelity`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 3.0), layout="constrained")
    axes = figure.subplots()
    for curves, name, color in (
        (fidelity.mean_inserting, "insertion", BLUE),
        (fidelity.mean_deleting, "deletion", ORANGE),
    ):
        axes.plot(fidelity.shares, curves[0], color=color, label=name)
    axes.set_xlabel("share of the pixels")
    axes.set_ylabel("probability")
    axes.set_ylim(-0.02, 1.02)
    axes.set_title(title, fontsize="small", loc="left")
    axes.legend(fontsize="small")
    return figure


def dose_figures(responses: Sequence[Response]) -> tuple[Figure, ...]:
    """Fractions against doses: a point per group, mean and 95 % interval of each dose, the curve.

    A panel for each, up to twelve in a figure; dose 0 stands at the left edge. The band is the
    95 % interval of the EC50.
    """
    parts = [responses[start : start + RESPONSES] for start in range(0, len(responses), RESPONSES)]
    return tuple(_dose_figure(shown) for shown in parts)


def _dose_figure(shown: Sequence[Response]) -> Figure:
    from matplotlib.figure import Figure

    across = min(ACROSS, len(shown))
    down = -(-len(shown) // across)
    figure = Figure(figsize=(2.7 * across, 2.3 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, response in zip(panels, shown, strict=False):
        _draw_response(axes, response)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    return figure


def _draw_response(axes: Any, response: Response) -> None:
    curve, fit = response.dose_response, response.dose_response.fit
    positive = curve.levels[curve.levels > 0]
    zero = float(np.log10(positive[0])) - APART if len(positive) else 0.0

    def place(doses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.where(doses > 0, np.log10(np.where(doses > 0, doses, 1.0)), zero)

    axes.plot(
        place(curve.doses),
        curve.fractions,
        "o",
        color=BLUE,
        alpha=0.4,
        markersize=4,
        markeredgewidth=0,
    )
    middle = place(curve.levels)
    reach = np.nan_to_num(np.stack([curve.mean - curve.low, curve.high - curve.mean]))
    # Two groups have an interval as wide as the plot.
    reach[:, curve.counts < FEWEST] = 0
    axes.errorbar(middle, curve.mean, reach, fmt="_", color="black", capsize=3, linewidth=1)
    if fit is not None:
        line = np.linspace(np.log10(positive[0]), np.log10(positive[-1]), 160)
        axes.plot(line, fit.at(10**line), color=BLUE)
        axes.axvspan(*np.log10(fit.interval), color=BLUE, alpha=0.15, linewidth=0)
        axes.axvline(np.log10(fit.ec50), color=ORANGE, linestyle="--", linewidth=1)
    step = max(1, -(-len(middle) // 6))
    chosen = sorted({0, *range(len(middle) - 1, 0, -step)}) if len(middle) else []
    axes.set_xticks(
        middle[chosen], [f"{curve.levels[index]:g}" for index in chosen], fontsize="small"
    )
    # Adjusted fractions may lie a little outside; those of a rare class would be a line at 0.
    top = max(*curve.fractions, *(curve.mean + reach[1]), 0.02)
    top = max(1.0, top) if top > SMALL else 1.1 * top
    axes.set_ylim(min(0, *curve.fractions) - 0.03 * top, 1.03 * top)
    axes.set_xlabel(literal(response.column))
    axes.set_ylabel("adjusted fraction" if curve.adjusted else "fraction")
    title = textwrap.wrap(response.name, 34, max_lines=2, placeholder=" …")
    axes.set_title(literal("\n".join(title)), fontsize="small", loc="left")


def plate_figure(plate: Plate, values: npt.ArrayLike, title: str) -> Figure:
    """A value 0..1 for each group (G,) as the wells lie; wells without are left blank.

    Where all are below .5, the scale ends at the largest of them.
    """
    from matplotlib.figure import Figure

    from napari_channelmix.phenotypes.plate import row_name

    rows, columns = plate.shape
    figure = Figure(
        figsize=(1.6 + 0.42 * min(columns, 24), 0.9 + 0.36 * min(rows, 16)), layout="constrained"
    )
    axes = figure.subplots()
    largest = float(np.nanmax(np.asarray(values, np.float64), initial=0.0))
    most = 1.0 if largest > SMALL else max(np.ceil(20 * largest) / 20, 0.05)
    image = axes.imshow(plate.arranged(values), cmap="viridis", vmin=0, vmax=most)
    across, down = (range(0, count, -(-count // 24)) for count in (columns, rows))
    axes.set_xticks(across, [str(index + 1) for index in across], fontsize="small")
    axes.set_yticks(down, [row_name(index) for index in down], fontsize="small")
    axes.xaxis.tick_top()
    axes.set_title(title, fontsize="medium", loc="left")
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def reliability_figure(curve: Mapping[str, Sequence[ReliabilityBin]]) -> Figure:
    """Share of a class among cells against their probability of it, with 95 % intervals.

    Of two classes one is drawn: the other is its mirror image. Above it stand the cells of each
    bin. More classes have a panel each; of more than six, those of `worst_calibrated`.
    """
    from matplotlib.figure import Figure

    names = list(curve)[-1:] if len(curve) == 2 else worst_calibrated(curve)
    if len(names) > 1:
        # On top of each other, their intervals would hide each other.
        return _reliability_panels({name: curve[name] for name in names})
    figure = Figure(figsize=(4.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for name in names:
        bins = curve[name]
        _draw_reliability(axes, bins, name)
        # Above the plot, where neither curve nor ticks are.
        above = axes.secondary_xaxis("top")
        above.set_xticks(
            [_middle(bin_) for bin_ in bins], [f"{bin_.n}" for bin_ in bins], fontsize=7
        )
        above.set_xlabel("cells", fontsize=7)
    axes.set_xlabel("probability of the class")
    axes.set_ylabel("share of the class")
    axes.legend(fontsize="small", loc="upper left")
    return figure


def _reliability_panels(curve: Mapping[str, Sequence[ReliabilityBin]]) -> Figure:
    """A panel for each class, three beside each other."""
    from matplotlib.figure import Figure

    across = min(ACROSS, len(curve))
    down = -(-len(curve) // across)
    figure = Figure(figsize=(0.4 + 2.3 * across, 0.4 + 2.3 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for axes in panels[len(curve) :]:
        axes.set_visible(False)
    for axes, (name, bins) in zip(panels, curve.items(), strict=False):
        _draw_reliability(axes, bins, name)
        cells = sum(bin_.n for bin_ in bins)
        title = "\n".join(textwrap.wrap(literal(name), 28))
        axes.set_title(f"{title}\n{cells:,} cells", fontsize="small")
        axes.tick_params(labelsize="small")
    figure.supxlabel("probability of the class", fontsize="medium")
    figure.supylabel("share of the class", fontsize="medium")
    return figure


def _draw_reliability(axes: Any, bins: Sequence[ReliabilityBin], name: str) -> None:
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle=":")
    predicted = np.array([bin_.predicted for bin_ in bins])
    observed = np.array([bin_.observed for bin_ in bins])
    low, high = (np.array([getattr(bin_, end) for bin_ in bins]) for end in ("low", "high"))
    errors = np.maximum([observed - low, high - observed], 0)
    axes.errorbar(
        predicted,
        observed,
        errors,
        marker="o",
        markersize=4,
        linewidth=1,
        capsize=2,
        color=BLUE,
        label=literal(name),
    )
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)


def worst_calibrated(
    curve: Mapping[str, Sequence[ReliabilityBin]], most: int = CURVES
) -> list[str]:
    """The classes whose probabilities are furthest from their shares, in the order of ``curve``.

    Mean distance over the cells. Our definition.

    Examples
    --------
    >>> from napari_channelmix.classify.calibration import ReliabilityBin
    >>> good, bad = (ReliabilityBin(9, 0.5, share, 0, 1) for share in (0.5, 0.9))
    >>> worst_calibrated({"B cell": [bad], "T cell": [good], "Treg": [bad]}, 2)
    ['B cell', 'Treg']
    """

    def distance(name: str) -> float:
        bins = curve[name]
        cells = sum(bin_.n for bin_ in bins)
        apart = sum(bin_.n * abs(bin_.predicted - bin_.observed) for bin_ in bins)
        return apart / cells if cells else 0.0

    chosen = sorted(curve, key=distance, reverse=True)[:most]
    return [name for name in curve if name in chosen]


def _middle(bin_: ReliabilityBin) -> float:
    """The middle of a bin of probabilities."""
    return (min(int(bin_.predicted * BINS), BINS - 1) + 0.5) / BINS
