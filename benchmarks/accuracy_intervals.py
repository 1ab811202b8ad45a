"""How often do 95 % intervals of accuracy hold the truth, for cells that come in groups.

Draws the right and wrong answers of a classifier of two classes for groups (wells) of 16 cells.
Each group has a rate of right answers of its own, from a beta distribution with the true accuracy
as mean and the correlation that is asked for between cells of one group. 'constant': all cells of a
group have one class, as with treated and untreated wells; 'mixed': half of each. Counts how often
the interval of the balanced accuracy, and those of the two recalls, hold the true value.

The second table is of the difference of two classifiers on the same cells, of which the second is
worse by as much as is said; 'alike' is the correlation of what makes them err. Both together take
about a minute.

    python benchmarks/accuracy_intervals.py [--sets 400] [--seed 0] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from napari_channelmix.classify.intervals import GroupedRecall, difference_interval

GROUPS, CORRELATIONS = (4, 6, 12, 24), (0.0, 0.1, 0.2, 0.4)
ACCURACIES = (0.6, 0.8, 0.95, 0.99)
CLASSES, CELLS = 2, 16
# Of the second table: groups, accuracy, difference; spread between groups of what makes a
# classifier err, in the units of what differs from cell to cell; how alike two of them err.
PAIRS = ((12, 0.85, 0.0), (12, 0.85, 0.1), (24, 0.85, 0.0), (24, 0.85, 0.1), (24, 0.97, 0.05))
SPREADS, ALIKE = (0.3, 0.8), (0.0, 0.5, 0.9)
# What a 95 % interval is allowed.
WITHIN = (0.90, 0.98)


def cells_of(layout: str, groups: int) -> np.ndarray:
    """Cells of each group and class (G, K)."""
    if layout == "mixed":
        return np.full((groups, CLASSES), CELLS // CLASSES)
    cells = np.zeros((groups, CLASSES), np.int64)
    cells[np.arange(groups), np.arange(groups) % CLASSES] = CELLS
    return cells


def rates(rng: np.random.Generator, accuracy: float, correlation: float, groups: int) -> np.ndarray:
    """Share of right answers in each group (G,)."""
    if not correlation:
        return np.full(groups, accuracy)
    size = 1 / correlation - 1
    return rng.beta(accuracy * size, (1 - accuracy) * size, groups)


def coverage(
    layout: str, groups: int, accuracy: float, correlation: float, sets: int, seed: int
) -> dict[str, Any]:
    """How often the intervals hold the true accuracy, and how wide that of all classes is."""
    rng = np.random.default_rng(seed)
    cells = cells_of(layout, groups)
    held, held_class, widths = 0, 0.0, []
    for _ in range(sets):
        rate = np.broadcast_to(rates(rng, accuracy, correlation, groups)[:, None], cells.shape)
        found = GroupedRecall(cells.astype(float), rng.binomial(cells, rate).astype(float))
        below, above = found.balanced_reach()
        low, high = max(0.0, found.balanced - below), min(1.0, found.balanced + above)
        # All right is no miss of a truth of nearly 1, but for rounding.
        held += low - 1e-9 <= accuracy <= high + 1e-9
        widths.append(high - low)
        below, above = found.reach()
        near = (found.recall - below - 1e-9 <= accuracy) & (accuracy <= found.recall + above + 1e-9)
        held_class += near.mean()
    return {
        "layout": layout,
        "groups": groups,
        "accuracy": accuracy,
        "correlation": correlation,
        "coverage": held / sets,
        "class_coverage": held_class / sets,
        "width": float(np.mean(widths)),
    }


def difference_coverage(
    groups: int, accuracy: float, less: float, spread: float, alike: float, sets: int, seed: int
) -> float:
    """How often the interval of a difference of two accuracies holds the true one."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), CELLS)
    labels = group % CLASSES

    def pair(size: int) -> tuple[np.ndarray, np.ndarray]:
        """Standard normal numbers with the correlation ``alike``."""
        first, other = rng.normal(size=(2, size))
        return first, alike * first + np.sqrt(1 - alike**2) * other

    held = 0
    for _ in range(sets):
        answers = []
        for rate, of_group, of_cell in zip(
            (accuracy, accuracy - less), pair(groups), pair(len(group)), strict=True
        ):
            hard = (spread * of_group[group] + of_cell) / np.sqrt(1 + spread**2)
            answers.append(np.where(hard < norm.ppf(rate), labels, 1 - labels))
        _, low, high = difference_interval(labels, *answers, group, CLASSES)
        held += low - 1e-9 <= less <= high + 1e-9
    return held / sets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=400, help="for each field of the tables")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    head = " | ".join(f"correlation {value:g}" for value in CORRELATIONS)
    print(f"{args.sets} sets a field: coverage of accuracy / of recalls (mean width)\n")
    print(f"| classes in a group | groups | accuracy | {head} |")
    print("|---|---|---|" + "---|" * len(CORRELATIONS), flush=True)
    rows = []
    for layout, groups, accuracy in product(("constant", "mixed"), GROUPS, ACCURACIES):
        fields = [
            coverage(layout, groups, accuracy, correlation, args.sets, args.seed)
            for correlation in CORRELATIONS
        ]
        rows += fields
        shown = " | ".join(
            f"{one['coverage']:.3f} / {one['class_coverage']:.3f} ({one['width']:.2f})"
            for one in fields
        )
        print(f"| {layout} | {groups} | {accuracy:g} | {shown} |", flush=True)
    print()
    for groups in GROUPS:
        some = np.array([row["coverage"] for row in rows if row["groups"] == groups])
        inside = ((some >= WITHIN[0]) & (some <= WITHIN[1])).sum()
        print(
            f"{groups} groups: coverage {some.min():.3f} to {some.max():.3f}, mean "
            f"{some.mean():.3f}; {inside} of {len(some)} within {WITHIN[0]:g} to {WITHIN[1]:g}, "
            f"{(some < WITHIN[0]).sum()} below"
        )
    columns = list(product(SPREADS, ALIKE))
    print(
        "\n| groups | accuracy | difference | "
        + " | ".join(f"spread {spread:g}, alike {alike:g}" for spread, alike in columns)
        + " |\n|---|---|---|"
        + "---|" * len(columns),
        flush=True,
    )
    differences = []
    for groups, accuracy, less in PAIRS:
        found = [
            difference_coverage(groups, accuracy, less, *column, args.sets, args.seed)
            for column in columns
        ]
        differences.append(
            {"groups": groups, "accuracy": accuracy, "difference": less, "coverage": found}
        )
        print(
            f"| {groups} | {accuracy:g} | {less:g} | "
            + " | ".join(f"{value:.3f}" for value in found)
            + " |",
            flush=True,
        )
    if args.json:
        args.json.write_text(json.dumps({"accuracy": rows, "difference": differences}, indent=2))


if __name__ == "__main__":
    main()
