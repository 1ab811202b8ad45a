"""A four-parameter logistic through the fractions of groups, and an EC50 interval that covers.

1. For a given EC50 and slope, both plateaus follow by linear least squares; the best slope of each
   EC50 gives the profile of the residual sum of squares (`_Profile`).
2. Wells half way vary far more than wells on a plateau. So the rise of the profile is measured
   against the variance of those wells that tell of the EC50, by a covariance that does not assume
   equal variances (`_robust_scale`), and with as many degrees of freedom as that variance has.
3. The interval holds every EC50 whose profile rises by no more than Student's t allows, and is
   never narrower than as many independent cells would have it (`_of_cells`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.lack_of_fit import Means, lack_of_fit, turn_in_words

__all__ = ["FEWEST_DOSES", "Logistic", "Refused", "curve", "fit_curve"]

FloatArray = npt.NDArray[np.float64]

# Two plateaus, a middle and a slope: with as many doses every curve fits.
FEWEST_DOSES = 5
# An EC50 whose interval spans more than this many powers of ten says nothing.
WIDEST = 2.0
# A dose whose response is nearer than this to a plateau, as a share, says nothing of the way there.
EDGE = 0.05
# A plateau is seen where the outermost dose has gone this share of the way to it.
SEEN = 0.8
# Groups of one dose that differ by more than this share of the response disagree.
SCATTER = 0.25
# Chance that a curve is drawn through fractions that do not depend on the dose, and that a right
# one is refused as one that does not fit.
SPURIOUS = 0.01
LEVEL = 0.95
# Fractions are 0 to 1; a plateau may lie as far outside as an adjusted fraction does.
PLATEAUS = (-0.1, 1.1)
SLOPES = (0.1, 20.0)
# How far beyond the doses an EC50 is looked for, in powers of ten, and in what steps.
BEYOND, STEP, SLOPE_STEPS = 1.0, 0.05, 40
# Golden sections of a slope, and places of a grid within a step of the coarser one.
SECTIONS, FINER = 12, 17
# Where dose 0 stands, in powers of ten below the lowest dose: there the curve is at its plateau.
ZERO = 6.0


@dataclass(frozen=True)
class Logistic:
    """fraction = low + (high - low) / (1 + (EC50 / dose) ** slope).

    Attributes
    ----------
    low, high : float
        Fraction far below and far above the EC50; a response may fall as well as rise.
    ec50 : float
        Dose half way between them, in the units of the doses.
    slope : float
        Hill's slope, above 0.
    interval : (float, float)
        95 % interval of the EC50, groups (wells) being the units.
    n_groups, n_doses : int
        Groups that the curve goes through, and doses above 0 among them.
    freedom : float
        Degrees of freedom of the variance that the interval rests on.
    """

    low: float
    high: float
    ec50: float
    slope: float
    interval: tuple[float, float]
    n_groups: int = 0
    n_doses: int = 0
    freedom: float = float("nan")

    def at(self, doses: npt.ArrayLike) -> FloatArray:
        """Fraction at doses, all above 0."""
        return curve(
            np.log10(np.asarray(doses, np.float64)),
            self.low,
            self.high,
            float(np.log10(self.ec50)),
            self.slope,
        )


@dataclass(frozen=True)
class Refused:
    """Why there is no curve.

    Attributes
    ----------
    why : str
    above, below : float or None
        Where a plateau was never seen: the EC50 lies above or below this dose, by its 95 %
        interval.
    """

    why: str
    above: float | None = None
    below: float | None = None


def curve(logs: FloatArray, low: float, high: float, middle: float, slope: float) -> FloatArray:
    """The logistic at logarithms of doses, to base 10."""
    return np.asarray(low + (high - low) * _way(logs, middle, slope))


def fit_curve(
    doses: npt.ArrayLike, fractions: npt.ArrayLike, cells: npt.ArrayLike | None = None
) -> Logistic | Refused:
    """A four-parameter logistic through points, a group each, by least squares; or why not.

    Parameters
    ----------
    doses : (n,) array
        Groups at dose 0 hold the plateau at which the curve begins.
    fractions : (n,) array
    cells : (n,) array, optional
        Cells that each fraction is of.

    Raises
    ------
    DataError
        Doses below 0, and numbers that are not finite.
    """
    x, y = np.asarray(doses, np.float64), np.asarray(fractions, np.float64)
    if not (np.isfinite(x) & (x >= 0) & np.isfinite(y)).all():
        raise DataError(
            "a curve needs a dose of 0 or more and a fraction for each group; leave the others out"
        )
    positive = np.unique(x[x > 0])
    if len(positive) < FEWEST_DOSES:
        return Refused(f"a curve needs {FEWEST_DOSES} doses above 0; there are {len(positive)}")
    if np.ptp(y) < 1e-6:
        return Refused("the fraction is the same at all doses")
    if len(y) < FEWEST_DOSES + 1:
        return Refused("a curve needs more groups than it has parameters")
    logs = np.log10(np.where(x > 0, x, 1.0))
    logs[x <= 0] = np.log10(positive[0]) - ZERO
    ends = np.log10(positive[[0, -1]])
    profile = _Profile(logs, y, ends)
    best = profile.best()
    sizes = None if cells is None else np.asarray(cells, np.float64)
    means = Means.of(logs, y, sizes, ends[0])
    misfit = _misfit(means, best)
    if misfit:
        return Refused(misfit)
    if not _responds(y, best.squares):
        return Refused(_no_response(means))
    scale, freedom = _robust_scale(logs, y, best)
    from scipy.special import ndtri, stdtrit

    # Quantiles of Student's t and of the normal distribution.
    rise = scale * float(stdtrit(freedom, 0.5 + LEVEL / 2)) ** 2
    if sizes is not None:
        least = _of_cells(logs, best, sizes)
        rise = max(rise, least * float(ndtri(0.5 + LEVEL / 2)) ** 2)
    low, high = profile.limits(best, rise)
    zero = bool((x <= 0).any())
    why = _refusal(best, low, high, positive, zero, means.scatter)
    if why is not None:
        return why
    return Logistic(
        best.low,
        best.high,
        10**best.middle,
        best.slope,
        (10**low, 10**high),
        n_groups=len(y),
        n_doses=len(positive),
        freedom=freedom,
    )


def _refusal(
    best: _Fit, low: float, high: float, positive: FloatArray, zero: bool, scatter: float
) -> Refused | None:
    """Why the EC50 cannot be read, or None; limits are logarithms, infinite where there is none.

    ``scatter`` is the standard deviation of groups of one dose, NaN where it is not known.
    """
    logs = np.log10(positive)
    way = _way(logs, best.middle, best.slope)
    above = 10**low if np.isfinite(low) else None
    below = 10**high if np.isfinite(high) else None
    # Where the best curve lies below all doses, it is no matter that one far above may fit as well.
    below_all = best.middle < logs[0]
    within = way[-1] >= SEEN and (way[0] <= 1 - SEEN or zero) and not below_all
    size = abs(best.high - best.low)
    if within and (low < logs[0] or high > logs[-1]) and scatter > SCATTER * size:
        # The doses reach both plateaus: a limit beyond them comes of groups that disagree.
        return Refused(
            "groups of one dose disagree too much to tell where half of the response is reached: "
            f"their standard deviation is {scatter:.2g}, the response {size:.2g}"
        )
    # Half of the response may yet lie beyond the doses: then no plateau is known.
    if not below_all and (way[-1] < SEEN or best.middle > logs[-1] or high > logs[-1]):
        reason = "the response still changes at the highest dose, so its end is not known"
        return Refused(_bounded(reason, "above", above), above=above)
    if (way[0] > 1 - SEEN and not zero) or below_all or low < logs[0]:
        reason = "the response has begun below the lowest dose above 0, so its start is not known"
        return Refused(_bounded(reason, "below", below), below=below)
    if not ((way > EDGE) & (way < 1 - EDGE)).any():
        # Between two doses every EC50 fits alike.
        last = int(np.flatnonzero(way <= EDGE)[-1])
        return Refused(
            f"the response jumps from dose {positive[last]:g} to {positive[last + 1]:g}; "
            "doses between them would tell where half of it is reached"
        )
    if high - low > WIDEST or not np.isfinite(high - low):
        return Refused("the doses do not tell where half of the response is reached")
    return None


def _bounded(why: str, side: str, bound: float | None) -> str:
    return why if bound is None else f"{why}: EC50 {side} {bound:.3g} (95 % limit)"


def _way(logs: FloatArray, middle: npt.ArrayLike, slope: npt.ArrayLike) -> FloatArray:
    """Share of the way from the first plateau to the second."""
    from scipy.special import expit

    return np.asarray(expit(np.log(10) * np.asarray(slope) * (logs - np.asarray(middle))))


def _misfit(means: Means, best: _Fit) -> str:
    """Why the doses show no such curve: their means miss it; empty where they do not."""
    fitted = curve(means.levels, best.low, best.high, best.middle, best.slope)
    chance = lack_of_fit(means, fitted, _linear(means.levels, best)[0])
    if chance is None or chance >= SPURIOUS:
        return ""
    lack = f"lack of fit p {'< 0.001' if chance < 0.001 else f'= {chance:.2g}'}"
    turn = turn_in_words(means, fitted)
    if turn:
        return f"the response turns: {turn}, so no dose is half way ({lack})"
    return f"the curve does not fit ({lack}): the response is not one step between two plateaus"


def _no_response(means: Means) -> str:
    """What is known where a curve is no better than a constant."""
    if means.repeated:
        return "the fraction does not depend on the dose by more than chance"
    return (
        "one step up or down is no better than a constant by more than chance; more than one "
        "group a dose would tell whether the fraction depends on the dose otherwise"
    )


def _responds(y: FloatArray, squares: float) -> bool:
    """Whether the curve is better than a constant by more than chance: an F test."""
    from scipy.special import fdtrc

    free = len(y) - 4
    constant = float(((y - y.mean()) ** 2).sum())
    if squares <= 1e-12 * constant:
        return True
    ratio = (constant - squares) / 3 / (squares / free)
    return bool(fdtrc(3, free, ratio) < SPURIOUS)


@dataclass(frozen=True)
class _Fit:
    low: float
    high: float
    middle: float
    slope: float
    squares: float


class _Profile:
    """The residual sum of squares where the EC50 is held and all else is fitted.

    Groups of one dose have one fitted value: their mean, weighted by their number, tells all.

    Parameters
    ----------
    logs, y : (n,) arrays
    ends : (2,) array
        Logarithms of the lowest and highest dose above 0.
    """

    def __init__(self, logs: FloatArray, y: FloatArray, ends: FloatArray) -> None:
        self.levels, places, counts = np.unique(logs, return_inverse=True, return_counts=True)
        self.weights = counts.astype(np.float64)
        self.means = np.bincount(places, y) / counts
        self.within = float(((y - self.means[places]) ** 2).sum())
        low, high = ends[0] - BEYOND, ends[1] + BEYOND
        self.grid = np.linspace(low, high, round((high - low) / STEP) + 1)

    def plateaus(
        self, middle: FloatArray, slope: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Best plateaus within their bounds, and the sum of squares; arrays of one shape."""
        levels, weights, means = self.levels, self.weights, self.means
        way = _way(levels, middle[..., None], slope[..., None])
        # Two unknowns: low * (1 - way) + high * way.
        first, second = 1 - way, way
        aa, ab, bb = (
            (weights * one * two).sum(-1)
            for one, two in ((first, first), (first, second), (second, second))
        )
        ay, by = ((weights * one * means).sum(-1) for one in (first, second))
        yy = float((weights * means**2).sum())

        def squares(low: FloatArray, high: FloatArray) -> FloatArray:
            return np.asarray(
                yy - 2 * (low * ay + high * by) + low**2 * aa + 2 * low * high * ab + high**2 * bb
            )

        free = aa * bb - ab**2
        safe = np.where(free > 1e-12, free, 1.0)
        low = np.where(free > 1e-12, (bb * ay - ab * by) / safe, ay / np.maximum(aa, 1e-12))
        high = np.where(free > 1e-12, (aa * by - ab * ay) / safe, low)
        inside = (np.minimum(low, high) >= PLATEAUS[0]) & (np.maximum(low, high) <= PLATEAUS[1])
        best, best_low, best_high = np.where(inside, squares(low, high), np.inf), low, high
        for bound in PLATEAUS if not inside.all() else ():
            fixed = np.full_like(low, bound)
            for one, two in (
                (fixed, np.clip((by - bound * ab) / np.maximum(bb, 1e-12), *PLATEAUS)),
                (np.clip((ay - bound * ab) / np.maximum(aa, 1e-12), *PLATEAUS), fixed),
            ):
                misfit = squares(one, two)
                better = ~inside & (misfit < best)
                best = np.where(better, misfit, best)
                best_low = np.where(better, one, best_low)
                best_high = np.where(better, two, best_high)
        return best_low, best_high, np.maximum(best, 0.0) + self.within

    def slopes(self, middle: FloatArray) -> FloatArray:
        """Best slope of each EC50 (M,): a grid, then golden sections around its best one."""
        grid = np.geomspace(*SLOPES, SLOPE_STEPS)
        shape = (len(middle), len(grid))
        squares = self.plateaus(
            np.broadcast_to(middle[:, None], shape), np.broadcast_to(grid, shape)
        )[2]
        nearest = squares.argmin(axis=1)
        low = np.log(grid[np.maximum(nearest - 1, 0)])
        high = np.log(grid[np.minimum(nearest + 1, len(grid) - 1)])
        golden = (np.sqrt(5) - 1) / 2
        one, two = high - golden * (high - low), low + golden * (high - low)
        first, second = (self.plateaus(middle, np.exp(place))[2] for place in (one, two))
        for _ in range(SECTIONS):
            left = first <= second
            low, high = np.where(left, low, one), np.where(left, two, high)
            new = np.where(left, high - golden * (high - low), low + golden * (high - low))
            misfit = self.plateaus(middle, np.exp(new))[2]
            one, two = np.where(left, new, two), np.where(left, one, new)
            first, second = np.where(left, misfit, second), np.where(left, first, misfit)
        return np.asarray(np.exp((low + high) / 2))

    def __call__(self, middle: npt.ArrayLike) -> FloatArray:
        """Sum of squares for each EC50 (M,), a logarithm."""
        places = np.atleast_1d(np.asarray(middle, np.float64))
        return self.plateaus(places, self.slopes(places))[2]

    def best(self) -> _Fit:
        """The best curve of all: the best place of the grid, then of finer and finer ones."""
        places, width = self.grid, STEP
        for _ in range(3):
            middle = places[self(places).argmin()]
            places = middle + np.linspace(-width, width, FINER)
            width *= 2 / (FINER - 1)
        place = np.array([middle])
        slope = self.slopes(place)
        low, high, least = self.plateaus(place, slope)
        return _Fit(*(float(array[0]) for array in (low, high, place, slope, least)))

    def limits(self, best: _Fit, rise: float) -> tuple[float, float]:
        """Where the sum of squares has risen by ``rise`` on both sides; infinite where nowhere."""
        beyond = self(self.grid) - best.squares > rise
        below = self.grid[beyond & (self.grid < best.middle)][-1:]
        above = self.grid[beyond & (self.grid > best.middle)][:1]
        return (
            self._crossing(best, rise, float(below[0])) if len(below) else -np.inf,
            self._crossing(best, rise, float(above[0])) if len(above) else np.inf,
        )

    def _crossing(self, best: _Fit, rise: float, outside: float) -> float:
        """The first place on the way from the best one to ``outside`` where the rise is passed."""
        # The grid's last place inside lies one step before the first outside.
        inside = (
            max(best.middle, outside - STEP)
            if outside > best.middle
            else (min(best.middle, outside + STEP))
        )
        for _ in range(2):
            places = np.linspace(inside, outside, FINER)
            first = max(1, int((self(places) - best.squares > rise).argmax()))
            inside, outside = float(places[first - 1]), float(places[first])
        return (inside + outside) / 2


def _robust_scale(logs: FloatArray, y: FloatArray, best: _Fit) -> tuple[float, float]:
    """Variance of the groups that tell of the EC50, and its degrees of freedom.

    The rise of a profile, divided by this, is the square of a t statistic: the sandwich variance
    of the EC50 with HC2 residuals, over the variance that equal variances would give (Chandler and
    Bate 2007, Biometrika 94, 167). Degrees of freedom by Satterthwaite's approximation, as Bell
    and McCaffrey (2002, Survey Methodology 28, 169) have them.
    """
    design, weights = _linear(logs, best)
    across = float((weights[:, 2] ** 2).sum())
    if across <= 0:
        return float("inf"), 1.0
    leverage = np.clip((weights * design).sum(axis=1), 0.0, 1 - 1e-6)
    pull = weights[:, 2] ** 2 / (1 - leverage)
    residuals = y - curve(logs, best.low, best.high, best.middle, best.slope)
    maker = np.eye(len(y)) - weights @ design.T
    spread = (maker * pull) @ maker
    freedom = float(np.trace(spread) ** 2 / (spread**2).sum())
    return float((pull * residuals**2).sum()) / across, max(freedom, 1.0)


def _of_cells(logs: FloatArray, best: _Fit, cells: FloatArray) -> float:
    """The same variance if cells were independent: that of binomial fractions on the curve.

    Two successes and two failures are added (Agresti and Coull), for a plateau at 0 or 1.
    """
    weights = _linear(logs, best)[1][:, 2] ** 2
    share = np.clip(curve(logs, best.low, best.high, best.middle, best.slope), 0, 1)
    share = (share * cells + 2) / (cells + 4)
    across = float(weights.sum())
    return float((weights * share * (1 - share) / (cells + 4)).sum()) / across if across else 0.0


def _linear(logs: FloatArray, best: _Fit) -> tuple[FloatArray, FloatArray]:
    """Derivatives (n, p) of the curve, and what each point adds to each parameter (n, p).

    The parameters are both plateaus, the EC50 and, where it was free, the slope.
    """
    way = _way(logs, best.middle, best.slope)
    bend = (best.high - best.low) * way * (1 - way) * np.log(10)
    columns = [1 - way, way, -bend * best.slope]
    if SLOPES[0] * 1.01 < best.slope < SLOPES[1] / 1.01:
        columns.append(bend * (logs - best.middle))
    design = np.stack(columns, axis=1)
    # Columns of very different size; the inverse is then sure of the rank.
    size = np.maximum(np.linalg.norm(design, axis=0), 1e-12)
    even = design / size
    return design, np.asarray(even @ np.linalg.pinv(even.T @ even) / size)
