"""How far a latent's name can be trusted on a data set.

A name was learnt on sprites. On cells it is believed only where five things hold: on sprites the
latent follows its factor; fine-tuning has not moved it; it varies among the cells; it correlates
with a hand-crafted feature that measures the same thing, in more cells than chance would need for
it; and the decoder's pictures resemble the cells, as it else shows what is not in them. Our
definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.metrics import ACTIVE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PLACE_AND_TURN", "SURE_S", "Trust", "correlations", "trust"]

FloatArray = npt.NDArray[np.float64]
Badge = Literal["verified", "plausible", "not verified", "inactive", "spare"]

# Features that measure what a factor stands for, by the end or the whole of their name.
_WITNESSES: dict[str, tuple[str, ...]] = {
    "Scale": ("area", "perimeter"),
    "Shape": ("solidity", "eccentricity"),
    "Orientation": ("orientation cos 2θ", "orientation sin 2θ"),
    "Intensity": (" mean",),
    "Color": (" share",),
    "Texture": ("GLCM contrast", "GLCM homogeneity", "entropy"),
    "Granularity": ("GLCM contrast", "GLCM homogeneity", "entropy"),
    "Rim": ("rim",),
    "PosX": ("light offset x",),
    "PosY": ("light offset y",),
}
# Factors that a network which averages over the picture hardly tells.
PLACE_AND_TURN = ("PosX", "PosY", "Orientation")
# S on sprites, and correlation with a witness, from which on a name is believed.
SURE_S, SURE_R, MAYBE_R = 0.8, 0.5, 0.3


@dataclass(frozen=True)
class Trust:
    """What speaks for one latent's name.

    Attributes
    ----------
    name : str
    badge : str
        ``verified``; ``plausible`` (a weak correlation, or reconstructions that do not resemble
        the cells); ``not verified`` (no feature correlates, or the name was lost); ``inactive``
        (the same in all cells); ``spare``.
    source : float
        S with its factor, on sprites, as trained.
    now : float
        The same after fine-tuning; ``source`` where there was none.
    spread : float
        Standard deviation over the cells.
    kl : float
        Mean divergence of its posterior from the standard normal over the cells, in nats.
    witness : str
        The feature among those that measure the same thing that correlates best.
    r : float
        Spearman's correlation with it.
    least : float
        Lower end of the 95 % interval of ``abs(r)``, for as many features as were tried; 0 where
        so few cells could show ``r`` by chance.
    resembles : bool
        Whether the decoder's pictures resemble the cells; see `drl.reconstruction`.
    from_features : bool
        Whether it is a latent of a network's features, not of pixels.
    """

    name: str
    badge: Badge
    source: float
    now: float
    spread: float
    kl: float
    witness: str
    r: float
    least: float = 0.0
    resembles: bool = True
    from_features: bool = False

    @property
    def value(self) -> float:
        """From 0 (none) to 1: the weaker of S and the correlation; 0 where inactive or spare."""
        if self.badge in ("inactive", "spare"):
            return 0.0
        return float(min(self.now, abs(self.r)))

    @property
    def words(self) -> str:
        """The badge's reason, for people."""
        if self.badge == "spare":
            return "unused latent"
        if self.badge == "inactive":
            return "the same in all cells: nothing changes along it"
        if self.now < SURE_S and self.source < SURE_S:
            line = f"does not follow its factor on sprites (S {self.source:.2f})"
            hardly_told = self.from_features and self.name.split(" (")[0] in PLACE_AND_TURN
            return f"{line}: these features hardly tell place and turn" if hardly_told else line
        if self.now < SURE_S:
            return f"its name was lost in fine-tuning (S {self.source:.2f}, now {self.now:.2f})"
        if not self.witness:
            return "no feature measures the same thing"
        if abs(self.r) >= MAYBE_R and not self.least:
            return f"too few cells to tell whether it correlates with {self.witness}"
        hardly = "hardly " if self.badge == "not verified" else ""
        line = f"{hardly}correlates with {self.witness} (r {self.r:+.2f})"
        if self.badge == "plausible" and abs(self.r) >= SURE_R:
            line += ", but the reconstruction does not resemble these cells"
        return line

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**vars(self), "value": self.value, "words": self.words}


def correlations(latents: FloatArray, features: pd.DataFrame) -> pd.DataFrame:
    """Spearman's correlation of latents (N, Z) and features (N, F): (F, Z); 0 where one is flat."""
    import pandas as pd

    def unit(values: npt.NDArray[Any]) -> FloatArray:
        ranks = pd.Series(values).rank().to_numpy(np.float64)
        ranks = ranks - ranks.mean()
        norm = np.sqrt((ranks**2).sum())
        return ranks / norm if norm > 0 else np.zeros_like(ranks)

    # Column by column: all ranks of many features would take several times their memory.
    own = np.stack([unit(latents[:, index]) for index in range(latents.shape[1])])
    rows = [own @ unit(features.iloc[:, row].to_numpy()) for row in range(features.shape[1])]
    return pd.DataFrame(np.reshape(rows, (-1, len(own))), index=features.columns)


def trust(
    names: tuple[str, ...],
    latents: FloatArray,
    kl: FloatArray,
    features: pd.DataFrame,
    source: dict[str, float],
    now: dict[str, float],
    *,
    resembles: bool = True,
    from_features: bool = False,
) -> tuple[Trust, ...]:
    """Weigh every latent's name (Z).

    Parameters
    ----------
    names : tuple of str
    latents : (N, Z) array
    kl : (Z,) array
        Mean divergence over the cells.
    features : pandas.DataFrame
        As of `features.hand_crafted`, (N, F).
    source, now : dict of str to float
        S of each factor on sprites, as trained and as the weights are now; see
        `quality.associations_job`.
    resembles : bool
        Whether the decoder's pictures resemble the cells: where they do not, no name is verified.
    from_features : bool
        Whether they are latents of a network's features, not of pixels.
    """
    spread = latents.std(axis=0)
    together = correlations(latents, features).to_numpy()
    judged = []
    for index, name in enumerate(names):
        factor = name.split(" (")[0]
        if name.startswith("Spare"):
            judged.append(
                Trust(name, "spare", 0.0, 0.0, float(spread[index]), float(kl[index]), "", 0.0)
            )
            continue
        rows = [
            row
            for row, feature in enumerate(features.columns)
            if feature.endswith(_WITNESSES.get(factor, ()))
        ]
        best = max(rows, key=lambda row: abs(together[row, index]), default=None)
        r = 0.0 if best is None else float(together[best, index])
        least = _least(r, len(latents), len(rows))
        badge: Badge = "not verified"
        if len(latents) > 1 and spread[index] < ACTIVE:
            badge = "inactive"
        elif now[factor] >= SURE_S and abs(r) >= MAYBE_R and least:
            badge = "verified" if abs(r) >= SURE_R and resembles else "plausible"
        witness = "" if best is None else str(features.columns[best])
        judged.append(
            Trust(
                name,
                badge,
                source[factor],
                now[factor],
                float(spread[index]),
                float(kl[index]),
                witness,
                r,
                least,
                resembles,
                from_features,
            )
        )
    return tuple(judged)


def _least(r: float, cells: int, tried: int) -> float:
    """Lower end of the interval of the best of several Spearman correlations; not below 0.

    By Fisher's transformation, with 1.06 / (N - 3) for the variance of ranks (Fieller, Hartley,
    Pearson 1957), and Bonferroni's correction.
    """
    from scipy.stats import norm

    # Four cells stand in the same order by chance in one case of twelve, for each feature tried.
    if cells < 5 or not tried:
        return 0.0
    away = norm.ppf(1 - 0.025 / tried) * np.sqrt(1.06 / (cells - 3))
    return float(max(np.tanh(np.arctanh(min(abs(r), 1 - 1e-9)) - away), 0.0))
