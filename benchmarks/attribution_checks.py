"""What is expected of the maps, held against the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attribution_methods import OPPONENTS, OURS
from attribution_scores import FAMILIES, paired

if TYPE_CHECKING:
    from attribution_results import Results

__all__ = ["best_opponent", "checks", "measured", "srg_of"]

# On the mean of the families, and on a single one.
MARGIN, SINGLE = 0.03, -0.02
# The default is held against opponents that ask the network at most so many times as often.
ABOUT = 1.25


def measured(results: Results) -> dict[str, Any]:
    """Figures of the methods that could be used."""
    scores = results.under("scores/")
    return {name: part for name, part in scores.items() if "left_out" not in part}


def srg_of(part: dict[str, Any], family: str = "mean") -> np.ndarray:
    """The SRG of each cell (N,), on a family of references or as the mean of those that count."""
    return np.asarray(part["srg"] if family == "mean" else part["srg_by_family"][family])


def best_opponent(
    scores: dict[str, Any], family: str = "mean", most_calls: float = np.inf
) -> str | None:
    """The opponent with the highest mean SRG, of those that ask about as often at most."""
    names = [
        name for name in OPPONENTS if name in scores and scores[name]["calls"] <= ABOUT * most_calls
    ]
    return max(names, key=lambda name: srg_of(scores[name], family).mean(), default=None)


def checks(results: Results) -> dict[str, bool]:
    """Expectations by what they say; only of what has been measured."""
    scores, met = measured(results), dict[str, bool]()
    if all(name in scores for name in (*OURS[:2], OPPONENTS[0])):
        groups = np.asarray(results["groups"]["groups"])
        best = best_opponent(scores)
        gain = paired(srg_of(scores["pcim-fidelity"]), srg_of(scores[best]), groups)
        met[
            f"pcim-fidelity: mean SRG of {best} + {MARGIN}, p < 1e-3: {gain['gain']:+.3f}, "
            f"p {gain['p']:.0e}, {gain['groups']} groups"
        ] = gain["gain"] >= MARGIN and gain["p"] < 1e-3
        for family in FAMILIES:
            rival = best_opponent(scores, family)
            difference = float(
                (srg_of(scores["pcim-fidelity"], family) - srg_of(scores[rival], family)).mean()
            )
            met[f"pcim-fidelity on {family}: {rival} {SINGLE:+}: {difference:+.3f}"] = (
                difference >= SINGLE
            )
        rival = best_opponent(scores, "mean", scores["pcim"]["calls"])
        gain = paired(srg_of(scores["pcim"]), srg_of(scores[rival]), groups)
        met[
            f"pcim: above {rival}, the best of about as many calls at most: {gain['gain']:+.3f}"
        ] = gain["gain"] > 0
        for measure in ("rank_accuracy", "auroc"):
            if measure in scores["pcim"]:
                known = {name: scores[name][measure] for name in OPPONENTS if name in scores}
                rival = max(known, key=known.__getitem__)
                met[
                    f"{measure} of the magnitude: {scores['pcim'][measure]:.3f}, not below "
                    f"{rival}, {known[rival]:.3f}"
                ] = scores["pcim"][measure] >= known[rival]
    if "randomisation" in results:
        value = float(np.mean(results["randomisation"]["pcim"]))
        met[f"randomisation of pcim: {value:.2f} <= 0.32"] = value <= 0.32
    if "blackbox" in results:
        share = max(
            results["blackbox"][name]["share_of_pcim"] for name in ("blackbox", "blackbox-sharp")
        )
        met[f"black box: {share:.2f} of the SRG of pcim >= 0.95"] = share >= 0.95
    if "speed" in results:
        met |= speed_checks(results["speed"])
    return met


def speed_checks(speed: dict[str, Any]) -> dict[str, bool]:
    first = speed["first map / integrated-gradients"]
    default = speed["pcim / integrated-gradients"]
    together = speed["one by one / together"]
    met = {
        f"first map: {first:.2f} <= 0.25 x integrated gradients": first <= 0.25,
        f"default map: {default:.2f} <= 0.5 x integrated gradients": default <= 0.5,
        f"100 cells together: {together:.1f} >= 2 x faster": together >= 2,
    }
    if "spread" in speed:
        met[f"time for a cell flat within 15 %: {speed['spread']:.3f}"] = speed["spread"] <= 0.15
    return met
