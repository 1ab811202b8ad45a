"""Which share of each class is taken for granted before a cell is seen, and probabilities with it.

A classifier is trained with every class as often as the others, so what its network says holds
where all classes are equally frequent (the balanced prior). The rule, at every entrance:

1. Scores over the temperature, then the softmax: probabilities under the balanced prior.
2. Times the shares of the prior, to the sum 1: the probabilities that are shown (`corrected`).
3. The prediction is the class with the highest probability that is shown.

Accuracy, recall and confusion weigh classes alike, so they are of predictions with the balanced
prior. Maps and evidence are of the scores, which no prior changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError
from napari_channelmix.wording import listed, quoted

__all__ = [
    "PRIORS",
    "Prior",
    "PriorChoice",
    "balanced_prior",
    "corrected",
    "estimated_prior",
    "estimated_shares",
    "given_prior",
    "own_prior",
    "prior_argument",
]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

#: Priors that are chosen by name; shares can be given instead.
PRIORS = ("training", "balanced", "estimated")

# How far the sum of given shares may be from 1.
SUM = 1e-3
# EM ends where no share changes by more than this, or after so many steps.
CHANGE, STEPS = 1e-7, 10_000
# Fewer expected cells of a class are none.
LEAST_CELLS = 0.5

WORDS = {
    "training": "as in training",
    "balanced": "balanced",
    "given": "given shares",
    "estimated": "estimated from these cells",
    "own": "not known: probabilities are as the model gives them",
}


@dataclass(frozen=True)
class Prior:
    """Shares of the classes before a cell is seen.

    Attributes
    ----------
    kind : str
        ``training``, ``balanced``, ``given``, ``estimated``; ``own`` for a model made elsewhere,
        whose probabilities are left as they are.
    classes : tuple of str
    shares : tuple of K float
        Of the sum 1; empty for ``own``.
    note : str
        What else should be known of it.
    """

    kind: Literal["training", "balanced", "given", "estimated", "own"]
    classes: tuple[str, ...]
    shares: tuple[float, ...] = ()
    note: str = ""

    def applied(self, balanced: npt.ArrayLike) -> FloatArray:
        """Probabilities (N, K) under the balanced prior, corrected for this one."""
        values = np.asarray(balanced, dtype=np.float32)
        even = len(set(self.shares)) < 2
        return values if even else corrected(values, self.shares)

    def removed(self, probabilities: npt.ArrayLike) -> FloatArray:
        """Probabilities (N, K) under this prior, taken back to the balanced one.

        A class with the share 0 stays at 0: nothing is left to know of it.
        """
        values = np.asarray(probabilities, dtype=np.float32)
        if len(set(self.shares)) < 2:
            return values
        there = np.asarray(self.shares) > 0
        return corrected(values, there.astype(np.float64), old=self.shares)

    def checked(self, classes: Sequence[str]) -> Prior:
        """The same prior, if it is of these classes in this order.

        Raises
        ------
        ModelError
        """
        if self.classes != tuple(classes):
            raise ModelError(
                f"prior: it is of the classes {listed(self.classes, 5)}, not of "
                f"{listed(classes, 5)}; give shares by name of class"
            )
        return self

    def text(self) -> str:
        """In words: ``prior as in training (low 50.0 %, high 50.0 %)``."""
        description = f"prior {WORDS[self.kind]}"
        if self.shares and self.kind != "balanced":
            parts = [
                f"{name} {100 * share:.1f} %"
                for name, share in zip(self.classes, self.shares, strict=True)
            ]
            description += f" ({listed(parts, 8)})"
        return f"{description}; {self.note}" if self.note else description

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        shares = dict(zip(self.classes, self.shares, strict=True)) if self.shares else None
        return {"kind": self.kind, "shares": shares, "note": self.note}


PriorChoice = str | Mapping[str, float] | Prior | None


def balanced_prior(classes: Sequence[str], note: str = "") -> Prior:
    """Every class as likely as the others."""
    return Prior("balanced", tuple(classes), (1 / len(classes),) * len(classes), note)


def own_prior(classes: Sequence[str]) -> Prior:
    """That of a model whose prior is not known: its probabilities are left alone."""
    return Prior("own", tuple(classes))


def given_prior(classes: Sequence[str], shares: Mapping[str, float]) -> Prior:
    """Shares by name of class; the only class that is not named has the rest.

    Raises
    ------
    ModelError
        A class that is not known, several that are not named, shares below 0, a sum that is not 1.
    """
    unknown = [name for name in shares if name not in classes]
    if unknown:
        raise ModelError(f"prior: {quoted(unknown[0])} is none of the classes {listed(classes, 5)}")
    try:
        values = {name: float(share) for name, share in shares.items()}
    except (TypeError, ValueError):
        raise ModelError("prior: shares must be numbers of 0 or more") from None
    if not all(np.isfinite(share) and share >= 0 for share in values.values()):
        raise ModelError("prior: shares must be numbers of 0 or more")
    left = [name for name in classes if name not in values]
    if len(left) > 1:
        raise ModelError(f"prior: give a share for {listed(left, 5)} too")
    total = sum(values.values())
    if left:
        values[left[0]] = max(0.0, 1 - total)
        total = max(total, 1.0)
    if abs(total - 1) > SUM:
        raise ModelError(f"prior: the shares must have the sum 1, not {total:.4g}")
    return Prior("given", tuple(classes), tuple(values[name] / total for name in classes))


def estimated_prior(classes: Sequence[str], probabilities: npt.ArrayLike) -> Prior:
    """Shares by `estimated_shares` of probabilities (N, K) under the balanced prior.

    A note names the classes of which less than half a cell is expected: the prior rules them out.
    """
    values = np.asarray(probabilities)
    shares = estimated_shares(values)
    out = [
        name
        for name, share in zip(classes, shares, strict=True)
        if len(values) and share * len(values) < LEAST_CELLS
    ]
    note = f"so almost no cell can be predicted as {listed(out, 5)}" if out else ""
    return Prior("estimated", tuple(classes), tuple(shares.tolist()), note)


def prior_argument(texts: Sequence[str] | None) -> str | dict[str, float] | None:
    """A prior as it is written on the command line: a name, or ``CLASS=SHARE`` for each class.

    Raises
    ------
    ModelError
        Neither of them.
    """
    if not texts:
        return None
    if len(texts) == 1 and texts[0] in PRIORS:
        return texts[0]
    shares = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        if name in shares:
            raise ModelError(f"--prior: {quoted(name)} has two shares; give one")
        try:
            shares[name] = float(number)
        except ValueError:
            equals = ""
        if not equals or not name:
            raise ModelError(
                f"--prior {quoted(text)}: use {', '.join(PRIORS)}, or CLASS=SHARE for each class"
            )
    return shares


def corrected(
    probabilities: npt.ArrayLike, new: npt.ArrayLike, old: npt.ArrayLike | None = None
) -> FloatArray:
    """Probabilities of classes where these are as frequent as ``new`` says, not as ``old``.

    ``p'(k | x) = (new_k / old_k) p(k | x) / sum over j of (new_j / old_j) p(j | x)``: Saerens,
    Latinne and Decaestecker 2002, Neural Computation 14, 21, equation 2.4.

    Parameters
    ----------
    probabilities : (N, K) array
        Under the prior ``old``.
    new, old : (K,) arrays
        Shares of the classes; ``old`` is balanced by default. A class whose old share is 0 stays
        at 0.
    """
    p, to = np.asarray(probabilities, np.float64), np.asarray(new, np.float64)
    of = np.ones_like(to) if old is None else np.asarray(old, np.float64)
    weight = np.divide(to, of, out=np.zeros_like(to), where=of > 0)
    weighed = p * weight
    total = weighed.sum(axis=1, keepdims=True)
    # Where all that is likely is ruled out, the prior is all that is known; NaN stays NaN.
    known = ~(total <= 0)
    share = np.divide(
        weighed, total, out=np.broadcast_to(to / to.sum(), p.shape).copy(), where=known
    )
    return np.asarray(share, dtype=np.float32)


def estimated_shares(probabilities: npt.ArrayLike, old: npt.ArrayLike | None = None) -> Doubles:
    """Shares (K,) of the classes among cells (N, K), by expectation maximisation.

    Correct the probabilities for the shares so far, take their mean as the next shares, and so
    on: the maximum of the likelihood of the cells. Saerens, Latinne and Decaestecker 2002, Neural
    Computation 14, 21, section 2.5 (equation 2.9). It takes calibrated probabilities.

    Parameters
    ----------
    probabilities : (N, K) array
        Under the prior ``old``, which is balanced by default.
    old : (K,) array, optional
    """
    p = np.asarray(probabilities, np.float64)
    count = p.shape[1]
    of = np.full(count, 1 / count) if old is None else np.asarray(old, np.float64)
    shares = of.copy()
    if not len(p):
        return shares
    likelihood = np.divide(p, of, out=np.zeros_like(p), where=of > 0)
    for _ in range(STEPS):
        joint = likelihood * shares
        following = (joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)).mean(axis=0)
        step = float(np.abs(following - shares).max())
        shares = following
        if step < CHANGE:
            break
    return np.asarray(shares / shares.sum())
