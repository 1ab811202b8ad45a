"""How often 'latents are ahead' is said of two sets of columns that tell classes apart alike.

    python benchmarks/latents_null.py [--sets 200] [--groups 8 12 24] [--learners linear|own]

Both sets of columns are drawn in the same way: four columns, of which two carry the class, with a
deviation that all cells of a group share (its share of the variance: 0 or .3). So neither is ahead
of the other but by chance. Groups of 16 cells are of one class each, or hold both. Each row is one
kind of data; `0 left out` is how often the 95 % interval of the lead leaves 0 out.

`linear` chooses between linear discriminants and naive Bayes, which take milliseconds; `own`
between the trees and the network of the package, which take half a minute a set. Ends with 1 where
0 is left out in more than 5 % over all rows of some number of groups, or where the upper 95 % limit
(Wilson) of that is above 8 %.
"""

from __future__ import annotations

import argparse
import os
import sys
from itertools import product
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.separation import Learner, separation_job
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.phenotypes import wilson

CELLS, COLUMNS = 16, 4
SIGNALS, SHARES = (0.0, 1.5), (0.0, 0.3)


def null_set(
    rng: np.random.Generator, groups: int, signal: float, share: float, mixed: bool
) -> tuple[dict[str, npt.NDArray[np.float64]], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Two sets of columns that tell two classes apart alike, labels and groups."""
    group = np.repeat(np.arange(groups), CELLS)
    labels = rng.integers(0, 2, len(group)) if mixed else group % 2
    sets = {}
    for name in ("latents", "hand-crafted"):
        own = rng.normal(size=(len(group), COLUMNS)) * np.sqrt(1 - share)
        own += rng.normal(size=(groups, COLUMNS))[group] * np.sqrt(share)
        own[:, 0] += signal * labels
        own[:, 1] += signal / 2 * labels
        sets[name] = own
    return sets, labels, group


def linear() -> dict[str, Learner]:
    """Two classifiers that take milliseconds."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.naive_bayes import GaussianNB

    def learner(of: Any) -> Learner:
        def learn(x: npt.NDArray[np.float64], y: npt.NDArray[np.int64], seed: int) -> Job[Any]:
            yield Progress(0, 1, "")
            return of().fit(x, y)

        return learn

    return {"linear": learner(LinearDiscriminantAnalysis), "naive Bayes": learner(GaussianNB)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=200, help="in each row of the table")
    parser.add_argument("--groups", type=int, nargs="+", default=[8, 12, 24])
    parser.add_argument("--learners", choices=("linear", "own"), default="linear")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    learners = linear() if args.learners == "linear" else None
    print("| groups | classes in a group | signal, sd | share of the group | 0 left out | width |")
    print("|---|---|---|---|---|---|")
    met = True
    for groups in args.groups:
        outs = 0
        designs = list(product((False, True), SIGNALS, SHARES))
        for mixed, signal, share in designs:
            out, widths = 0, []
            for _ in range(args.sets):
                sets, labels, group = null_set(rng, groups, signal, share, mixed)
                job = separation_job(
                    sets,
                    labels,
                    group,
                    ("a", "b"),
                    {},
                    learners=learners,
                    seed=int(rng.integers(2**31)),
                )
                lead = drain(job).ahead["hand-crafted"]
                out += not lead.low <= 0 <= lead.high
                widths.append(lead.high - lead.low)
            outs += out
            print(
                f"| {groups} | {'both' if mixed else 'one'} | {signal:g} | {share:g} | "
                f"{out / args.sets:.1%} | {np.median(widths):.2f} |",
                flush=True,
            )
        total = args.sets * len(designs)
        upper = wilson(outs, total)[1]
        met &= outs <= 0.05 * total and upper <= 0.08
        print(f"| {groups} | all | | | **{outs / total:.1%}** (up to {upper:.1%}) | |", flush=True)
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
