"""EC50 intervals of calls and of adjusted fractions: how often they hold the truth.

A classifier of recall .9 and specificity .85, which differ from well to well, calls cells of plates
with nine doses; its confusion is known from eight held-out wells of 80 cells.

    python benchmarks/adjusted_doses.py --series 200
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt

from napari_channelmix.phenotypes.adjusted import HeldOutCalls, adjusted_fractions
from napari_channelmix.phenotypes.dose_response import DoseResponse, dose_response
from napari_channelmix.phenotypes.fractions import Fractions, Grouping
from napari_channelmix.phenotypes.responses import PREDICTED, response_of

DOSES = np.geomspace(0.01, 100, 9)
FALSE, RIGHT = 0.15, 0.9
# Cells that a well's rates are as certain as; and how wells differ, on the logit scale.
ALIKE, WELLS_DIFFER = 40, 0.4
# Wells a dose, and slope.
KINDS = ((2, 1), (2, 3), (4, 2), (4, 3))
WAYS = ("calls", "adjusted", "cut at 0 and 1")


def rates(mean: float, count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Rate (count,) of each well."""
    return rng.beta(mean * ALIKE, (1 - mean) * ALIKE, count)


def series(wells: int, slope: float, rng: np.random.Generator) -> tuple[float, Fractions]:
    """The EC50, and the called cells of a series with their adjusted fractions."""
    middle = rng.uniform(-0.6, 0.6)
    doses = np.repeat(DOSES, wells)
    logit = slope * np.log(doses / 10**middle) + rng.normal(0, WELLS_DIFFER, len(doses))
    cells = rng.integers(60, 300, len(doses))
    positive = rng.binomial(cells, 1 / (1 + np.exp(-logit)))
    called = rng.binomial(positive, rates(RIGHT, len(doses), rng))
    called += rng.binomial(cells - positive, rates(FALSE, len(doses), rng))
    known = np.zeros((8, 2, 2), np.int64)
    for well in range(8):
        hits = rng.binomial(80, rates((FALSE, RIGHT)[well % 2], 1, rng)[0])
        known[well, well % 2] = 80 - hits, hits
    counts = np.stack([cells - called, called], axis=1)
    adjusted = adjusted_fractions(counts, HeldOutCalls(("no", "yes"), known), draws=2)
    names = tuple(map(str, range(len(doses))))
    grouping = Grouping("group", names, np.zeros(0, np.int64))
    return 10**middle, Fractions(grouping, ("no", "yes"), counts, cells, adjusted)


def answer(way: str, wells: int, fractions: Fractions) -> DoseResponse:
    """The dose-response in one of the `WAYS`."""
    doses = np.repeat(DOSES, wells)
    if way == "cut at 0 and 1":
        return dose_response(doses, fractions.best[:, 1], fractions.classed)
    return response_of(doses, fractions, 1, PREDICTED, adjust=way == "adjusted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    rows: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for wells, slope in KINDS:
        for _ in range(args.series):
            truth, fractions = series(wells, slope, rng)
            for way in WAYS:
                fit = answer(way, wells, fractions).fit
                row = (
                    ()
                    if fit is None
                    else (float(fit.interval[0] <= truth <= fit.interval[1]), fit.low, fit.high)
                )
                for kind in (f"{wells} wells, slope {slope}", "all"):
                    rows.setdefault((kind, way), []).append(row)
    print("| series | fractions | EC50 given | interval holds the truth | begins | ends |")
    print("|---|---|---|---|---|---|")
    for (kind, way), found in rows.items():
        given = np.array([row for row in found if row])
        holds, low, high = given.mean(axis=0)
        share = len(given) / len(found)
        print(f"| {kind} | {way} | {share:.1%} | {holds:.1%} | {low:.2f} | {high:.2f} |")


if __name__ == "__main__":
    main()
