"""Sets in which no axis does more than its sham: how often one is said to be above it all the same.

    python benchmarks/whatif_null.py [--sets 400] [--groups 4 8 12 24] [--cells 10 30 80]
                                     [--axes 20] [--workers 1] [--json FILE]

A cell flips along an axis where a normal number is above a threshold; so it does along the sham.
Part of that number's variance is of its group (a group may go along with one axis and not with
another), part of the cell itself, whatever is done to it. All axes and the sham flip as many cells
of a class on average over groups: whatever is said to be above the sham is false. The
flips are read by `above_sham` and `significant` of `whatif.flip_intervals`, as those of a
classifier are. Kinds of sets:
which classes a group holds (both, or one), how many cells flip, and how alike cells of a group are
(`KINDS`). The figure is the share of sets with any false axis; the aim is at most .05, the upper
end of its 95 % interval (Wilson) at most .07. Ends with 1 where it is missed.

Power: one axis flips more cells than the sham, by 30 % of them in the mean; the share of sets in
which it is found (`--power`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.special import ndtri

from napari_channelmix.phenotypes.wilson import wilson
from napari_channelmix.whatif.flip_intervals import above_sham, significant

# Part of the variance that is of the cell, whatever is done to it.
OF_CELL = 0.3
# By how much more cells the axis flips of which the power is measured.
MORE = 0.3
AIM, AIM_HIGH = 0.05, 0.07


@dataclass(frozen=True)
class Kind:
    """How cells flip in a set.

    Attributes
    ----------
    name : str
    rate : float
        Share of cells that flip along any axis, and along the sham.
    alike : float
        Part of the variance that is of the group and the axis.
    varying : float
        Share of the axes of which that is so; along the others only cells differ.
    mixed : bool
        Whether a group holds cells of both classes; else of one.
    """

    name: str
    rate: float
    alike: float
    varying: float = 1.0
    mixed: bool = True


KINDS = (
    Kind("cells independent", 0.2, 0.0),
    Kind("groups differ", 0.2, 0.2),
    Kind("groups differ much", 0.2, 0.6),
    Kind("groups differ, few flips", 0.05, 0.3),
    Kind("groups differ, many flips", 0.5, 0.3),
    Kind("groups differ much along a quarter of the axes", 0.2, 0.6, varying=0.25),
    Kind("groups differ much along one axis", 0.2, 0.6, varying=0.05),
    Kind("a class in each group", 0.2, 0.2, mixed=False),
    Kind("a class in each group, groups differ much", 0.2, 0.6, mixed=False),
)


def flips_of(
    rng: np.random.Generator, kind: Kind, groups: int, cells: int, axes: int, more: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flips (n, axes + 1), the sham last; class and group of each cell (n,)."""
    group = np.repeat(np.arange(groups), cells)
    classes = rng.integers(0, 2, len(group)) if kind.mixed else group % 2
    alike = np.full(axes + 1, kind.alike)
    if kind.varying < 1:
        alike[max(1, round(kind.varying * axes)) :] = 0.0
    of_group = rng.normal(size=(groups, 2, axes + 1))[group, classes]
    of_cell = rng.normal(size=(len(group), 1))
    own = rng.normal(size=(len(group), axes + 1))
    score = (
        np.sqrt(alike) * of_group
        + np.sqrt(OF_CELL * (1 - alike)) * of_cell
        + np.sqrt((1 - OF_CELL) * (1 - alike)) * own
    )
    rate = np.full(axes + 1, kind.rate)
    rate[0] += more
    return score > -ndtri(rate), classes, group


def above_in(seed: int, kind: Kind, groups: int, cells: int, axes: int, more: float) -> np.ndarray:
    """Rows (2, axes) of class and axis that are said to be above the sham in one set."""
    rng = np.random.default_rng(seed)
    flips, classes, group = flips_of(rng, kind, groups, cells, axes, more)
    made = above_sham(flips[:, :-1], np.repeat(flips[:, -1:], axes, axis=1), group, classes)
    _, above = significant(made.p_value.ravel(), made.low.ravel())
    return above.reshape(-1, axes)


@dataclass(frozen=True)
class Row:
    """Share of the sets of a kind with a false axis, or in which the true one is above its sham."""

    kind: str
    groups: int
    cells: int
    what: str
    share: float
    low: float
    high: float
    sets: int

    @property
    def reached(self) -> bool:
        return self.what != "false" or (self.share <= AIM and self.high <= AIM_HIGH)


def measured(kind: Kind, groups: int, cells: int, axes: int, sets: int, power: bool) -> Row:
    """One row: many sets of a kind."""
    more, first = (MORE, 10**6) if power else (0.0, 0)
    hits = 0
    for number in range(sets):
        above = above_in(first + number, kind, groups, cells, axes, more)
        hits += int(above[:, 0].any() if power else above.any())
    low, high = wilson(hits, sets)
    what = "found" if power else "false"
    return Row(kind.name, groups, cells, what, hits / sets, float(low), float(high), sets)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, default=400, help="of each kind and size")
    parser.add_argument("--groups", type=int, nargs="+", default=[4, 8, 12, 24])
    parser.add_argument("--cells", type=int, nargs="+", default=[10, 30, 80], help="in a group")
    parser.add_argument("--axes", type=int, default=20)
    parser.add_argument("--kinds", type=int, nargs="+", default=list(range(len(KINDS))))
    parser.add_argument("--power", action="store_true", help="also how often a true axis is found")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    wanted = itertools.product(
        [KINDS[number] for number in args.kinds],
        args.groups,
        args.cells,
        (False, True) if args.power else (False,),
    )
    jobs = [
        (kind, groups, cells, args.axes, args.sets, power) for kind, groups, cells, power in wanted
    ]
    rows = []
    with ProcessPoolExecutor(args.workers) as pool:
        for row in pool.map(measured, *zip(*jobs, strict=True)):
            rows.append(row)
            word = "" if row.reached else "  MISSED"
            print(
                f"{row.kind}, {row.groups} groups of {row.cells} cells, {row.what}: "
                f"{row.share:.3f} ({row.low:.3f} to {row.high:.3f}), {row.sets} sets{word}",
                flush=True,
            )
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")
    missed = [row for row in rows if not row.reached]
    print(f"{len(missed)} of {sum(row.what == 'false' for row in rows)} rows miss the aim")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
