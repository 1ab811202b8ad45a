"""How often the 95 % intervals of an EC50, a Z'-factor and an SSMD hold the true value.

    python benchmarks/dose_intervals.py [--series 240] [--wells 2 3 4 8] [--slopes 1 2 4]
                                        [--parts ec50 bounds flat controls] [--seed 0]

Wells of a dose series are simulated: nine doses, half a power of ten or a factor of two apart,
plateaus between .02 and .15 and between .70 and .95, an EC50 within one step of the middle dose,
60 to 300 cells a well. Wells differ by more than the chance of cells:

logit   a normal deviation of each well on the scale of the logit, sd .3
beta    a beta-binomial count, correlation .02 within a well
shift   a normal deviation of each well's dose, sd .08 powers of ten: wells on a plateau agree
gauss   a normal deviation of the fraction, sd .04, the same at every dose

The first table has a row for wells a dose and slope, over all of these and both spacings: how often
an EC50 was given, and how often its interval holds the truth; beside it the intervals of curve_fit
(its covariance and 1.96), and of HC3 residuals with Student's t, for the same series. Ends with 1
where coverage over all series is not between 92 and 98 %.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from itertools import product

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from napari_channelmix.phenotypes.control_wells import control_quality
from napari_channelmix.phenotypes.logistic import Logistic, curve, fit_curve

FloatArray = npt.NDArray[np.float64]

KINDS = ("logit", "beta", "shift", "gauss")
STEPS = (float(np.log10(2)), 0.5)
DOSES = 9
PARTS = ("ec50", "bounds", "flat", "controls")


def series(
    rng: np.random.Generator,
    kind: str,
    step: float,
    wells: int,
    slope: float,
    middle: float | None = None,
    flat: bool = False,
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64], float]:
    """Logarithms of doses, fractions and cells of each well, and the logarithm of the EC50."""
    levels = np.arange(DOSES) * step
    logs = np.repeat(levels, wells)
    truth = float(levels.mean() + rng.uniform(-1, 1) * step) if middle is None else middle
    low, high = rng.uniform(0.02, 0.15), rng.uniform(0.7, 0.95)
    if flat:
        low = high = rng.uniform(0.02, 0.95)
    shift = rng.normal(0, 0.08, len(logs)) if kind == "shift" else 0.0
    share = curve(logs + shift, low, high, truth, slope)
    if kind == "logit":
        share = 1 / (1 + (1 / share - 1) * np.exp(-rng.normal(0, 0.3, len(logs))))
    elif kind == "beta":
        share = rng.beta(share * 49, (1 - share) * 49)
    elif kind == "gauss":
        share = np.clip(share + rng.normal(0, 0.04, len(logs)), 0, 1)
    cells = rng.integers(60, 300, len(logs))
    return logs, rng.binomial(cells, share) / cells, cells, truth


def simpler(logs: FloatArray, fractions: FloatArray, truth: float) -> tuple[bool, bool]:
    """Whether curve_fit's own interval, and that of HC3 and t, hold the truth."""
    from scipy.optimize import curve_fit

    start = (fractions.min(), fractions.max(), logs.mean(), 1.5)
    bounds = ([-0.1, -0.1, logs[0] - 1, 0.1], [1.1, 1.1, logs[-1] + 1, 20])
    try:
        with np.errstate(all="ignore"):
            found, covariance = curve_fit(
                curve, logs, fractions, p0=np.clip(start, *bounds), bounds=bounds, maxfev=4000
            )
    except RuntimeError:
        return False, False
    away = abs(found[2] - truth)
    plain = bool(away <= 1.96 * np.sqrt(covariance[2, 2]))
    step = 1e-5
    design = np.stack(
        [
            (curve(logs, *(found + step * one)) - curve(logs, *(found - step * one))) / (2 * step)
            for one in np.eye(4)
        ],
        axis=1,
    )
    weights = design @ np.linalg.pinv(design.T @ design)
    leverage = np.clip((weights * design).sum(axis=1), 0, 1 - 1e-6)
    residuals = (fractions - curve(logs, *found)) / (1 - leverage)
    error = np.sqrt(((weights[:, 2] * residuals) ** 2).sum())
    return plain, bool(away <= t.ppf(0.975, len(logs) - 4) * error)


def ec50(rng: np.random.Generator, count: int, wells: list[int], slopes: list[float]) -> bool:
    """Coverage by wells and slope."""
    print(f"\n{count} series in each row, {DOSES} doses\n")
    print(
        "| wells a dose | slope | EC50 given | holds the truth | curve_fit | HC3, t | median "
        "width, powers of ten | refused because |"
    )
    print("|---|---|---|---|---|---|---|---|")
    every: list[bool] = []
    others: list[tuple[bool, bool]] = []
    kinds: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    designs = list(product(KINDS, STEPS))
    for many, slope in product(wells, slopes):
        holds, beside, widths = [], [], []
        why: Counter[str] = Counter()
        for at in range(count):
            kind, step = designs[at % len(designs)]
            logs, fractions, cells, truth = series(rng, kind, step, many, slope)
            found = fit_curve(10**logs, fractions, cells)
            if not isinstance(found, Logistic):
                why[_short(found.why)] += 1
                continue
            low, high = np.log10(found.interval)
            holds.append(bool(low <= truth <= high))
            kinds[kind].append(holds[-1])
            widths.append(high - low)
            beside.append(simpler(logs, fractions, truth))
        every += holds
        others += beside
        rest = np.mean(beside, axis=0)
        reasons = ", ".join(f"{reason} {number}" for reason, number in why.most_common())
        print(
            f"| {many} | {slope:g} | {len(holds) / count:.1%} | {np.mean(holds):.1%} | "
            f"{rest[0]:.1%} | {rest[1]:.1%} | {np.median(widths):.2f} | {reasons or '–'} |",
            flush=True,
        )
    rest = np.mean(others, axis=0)
    total = float(np.mean(every))
    print(
        f"| all | | {len(every) / (count * len(wells) * len(slopes)):.1%} | **{total:.1%}** | "
        f"{rest[0]:.1%} | {rest[1]:.1%} | | |"
    )
    said = ", ".join(f"{kind} {np.mean(one):.1%}" for kind, one in kinds.items())
    print(f"\nby how wells differ: {said}")
    return 0.92 <= total <= 0.98


def bounds(rng: np.random.Generator, count: int, wells: list[int]) -> None:
    """Series that end half way: what is said instead of an EC50."""
    print(f"\n{count} series whose EC50 lies at the highest dose, slope 2\n")
    print(
        "| wells a dose | EC50 given | its interval holds the truth | 'EC50 above x' | of these, "
        "it does lie above |"
    )
    print("|---|---|---|---|---|")
    for many in wells:
        given, bound, right, holds = 0, 0, 0, 0
        for at in range(count):
            kind, step = KINDS[at % 4], STEPS[at // 4 % 2]
            logs, fractions, cells, truth = series(rng, kind, step, many, 2.0, (DOSES - 1) * step)
            found = fit_curve(10**logs, fractions, cells)
            if isinstance(found, Logistic):
                given += 1
                holds += found.interval[0] <= 10**truth <= found.interval[1]
            elif found.above is not None:
                bound += 1
                right += np.log10(found.above) <= truth
        held = f"{holds / given:.1%}" if given else "–"
        print(
            f"| {many} | {given / count:.1%} | {held} | {bound / count:.1%} | "
            f"{right / max(bound, 1):.1%} |",
            flush=True,
        )


def flat(rng: np.random.Generator, count: int, wells: list[int]) -> None:
    """Series without a response: how often an EC50 is given all the same."""
    print(f"\n{count} series without a response\n")
    print("| wells a dose | EC50 given |")
    print("|---|---|")
    for many in wells:
        given = 0
        for at in range(count):
            logs, fractions, cells, _ = series(
                rng, KINDS[at % 4], STEPS[at // 4 % 2], many, 2.0, flat=True
            )
            given += isinstance(fit_curve(10**logs, fractions, cells), Logistic)
        print(f"| {many} | {given / count:.1%} |", flush=True)


def controls(rng: np.random.Generator, count: int) -> None:
    """Coverage of the intervals of Z' and SSMD for normal wells."""
    print(f"\n{count} pairs of controls in each row, normal wells\n")
    print("| wells of each control | true Z' | true SSMD | Z' held | SSMD held |")
    print("|---|---|---|---|---|")
    for wells, (apart, ratio) in product((3, 4, 8, 16), ((6.0, 1.0), (12.0, 3.0), (2.0, 1.0))):
        z_prime, ssmd = 1 - 3 * (1 + ratio) / apart, apart / np.hypot(1, ratio)
        held = np.zeros(2)
        for _ in range(count):
            found = control_quality(rng.normal(0, 1, wells), rng.normal(apart, ratio, wells))
            pairs = ((found.z_interval, z_prime), (found.ssmd_interval, ssmd))
            held += [one is not None and one[0] <= true <= one[1] for one, true in pairs]
        print(
            f"| {wells} | {z_prime:.2f} | {ssmd:.1f} | {held[0] / count:.1%} | "
            f"{held[1] / count:.1%} |",
            flush=True,
        )


def _short(why: str) -> str:
    """The kind of a reason."""
    for part, name in (
        ("jumps", "jump"),
        ("still changes at the highest", "no upper plateau"),
        ("has begun below the lowest", "no lower plateau"),
        ("do not tell", "interval too wide"),
        ("chance", "no response"),
        ("lack of fit", "lack of fit"),
        ("disagree", "wells disagree"),
    ):
        if part in why:
            return name
    return why


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=240, help="in each row of the tables")
    parser.add_argument("--wells", type=int, nargs="+", default=[2, 3, 4, 8])
    parser.add_argument("--slopes", type=float, nargs="+", default=[1, 2, 4])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    met = True
    if "ec50" in args.parts:
        met = ec50(rng, args.series, args.wells, args.slopes)
    if "bounds" in args.parts:
        bounds(rng, args.series, args.wells)
    if "flat" in args.parts:
        flat(rng, args.series, args.wells)
    if "controls" in args.parts:
        controls(rng, args.series)
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
