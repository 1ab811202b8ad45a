"""What a disentangler is worth on sprites: OMES, MIG, DCI, and reading under corruption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.drl.corruption import TESTS
from napari_channelmix.drl.metrics import ACTIVE, association, dci, mig, omes
from napari_channelmix.drl.sprites import Sprites
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    from napari_channelmix.drl.disentangler import Disentangler
    from napari_channelmix.drl.latent_code import Code

__all__ = ["BARS", "Quality", "associations_job", "code_quality_job", "quality_job"]

FloatArray = npt.NDArray[np.float64]
Reader = Callable[[Tensor, torch.Generator], FloatArray]

UNSEEN_TILES = "texture tiles never seen"
#: What the shipped weights are held against: S of every factor, OMES with replacement, MIG, and
#: the share of the clean reading that is left under each of the corruptions up to unseen tiles.
BARS = {"association": 0.93, "omes": 0.93, "mig": 0.80, "robustness": 0.90}
#: Corruptions that the bar of robustness speaks of; the others are shown beside them.
GATED = (*tuple(TESTS)[:5], UNSEEN_TILES)


@dataclass(frozen=True, eq=False)
class Quality:
    """Figures of one disentangler on one set of sprites.

    Attributes
    ----------
    latents, factors : tuple of str
    association : (Z, K) array
        S with new values drawn among all values; its ceiling is 1.
    association_paper : (Z, K) array
        S with new values drawn among the others, as in the paper; ceiling 1 - 1 / (V - 1).
    omes, omes_paper, mig : float
    disentanglement, completeness : float
        DCI.
    mig_per_factor : dict of str to float
    accuracy : dict of str to float
        Share of sprites whose nearest value is the true one; for a cyclic factor, within one of its
        steps.
    robustness : dict of str to dict
        The same under each corruption.
    kl : (Z,) array
        Mean divergence of the posterior from the standard normal, in nats.
    active : (Z,) bool array
        Latents whose standard deviation over the sprites is .05 or more.
    """

    latents: tuple[str, ...]
    factors: tuple[str, ...]
    association: FloatArray
    association_paper: FloatArray
    omes: float
    omes_paper: float
    mig: float
    disentanglement: float
    completeness: float
    mig_per_factor: dict[str, float]
    accuracy: dict[str, float]
    robustness: dict[str, dict[str, float]]
    kl: FloatArray
    active: npt.NDArray[np.bool_]

    def of_factor(self, factor: str) -> float:
        """S of a factor with its own latent; of a circle's two, the smaller."""
        column = self.factors.index(factor)
        own = [index for index, name in enumerate(self.latents) if name.split(" (")[0] == factor]
        return float(self.association[own, column].min())

    def gates(self) -> list[tuple[str, float, float]]:
        """What is asked of shipped weights: name, figure, bar."""
        gates = [
            (f"S of {name}", self.of_factor(name), BARS["association"]) for name in self.factors
        ]
        gates += [("OMES", self.omes, BARS["omes"]), ("MIG", self.mig, BARS["mig"])]
        for test in GATED:
            ratios = {
                name: share / max(self.accuracy[name], 1e-9)
                for name, share in self.robustness.get(test, {}).items()
            }
            if ratios:
                worst = min(ratios, key=lambda name: ratios[name])
                gates.append((f"{test}: {worst}", ratios[worst], BARS["robustness"]))
        return gates

    def as_dict(self) -> dict[str, Any]:
        """For JSON: plain numbers, rounded to four digits."""

        def plain(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return plain(value.tolist())
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            if isinstance(value, list | tuple):
                return [plain(item) for item in value]
            return round(value, 4) if isinstance(value, float) else value

        return {name: plain(value) for name, value in vars(self).items()}


def quality_job(
    of: Disentangler, *, pairs: int = 5000, samples: int = 15000, seed: int = 1
) -> Job[Quality]:
    """Measure a disentangler on fresh sprites of its set, as a job.

    Parameters
    ----------
    of : Disentangler
    pairs : int
        Interventions on each factor.
    samples : int
        Sprites for MIG; a fifth of them for DCI and each corruption.
    seed : int
    """
    sprites = Sprites(of.code.of)
    clean = _reader(of, sprites)
    quality = yield from code_quality_job(of.code, clean, pairs=pairs, samples=samples, seed=seed)
    generator = torch.Generator().manual_seed(seed + 17)
    count = samples // 5
    divergence = []
    for some in sprites.random(count, generator).split(500):
        mean, spread = of.posterior(sprites.draw(some, generator).inputs.numpy())
        divergence.append(-0.5 * (1 + 2 * np.log(spread) - mean**2 - spread**2))
    robustness: dict[str, dict[str, float]] = {}
    for done, (test, corrupt) in enumerate(TESTS.items()):
        yield Progress(done, len(TESTS) + 1, f"reading sprites, {test}")
        digits = sprites.random(count, generator)
        latents = []
        for some in digits.split(500):
            drawn = sprites.draw(some, generator)
            seen = corrupt(drawn.inputs, drawn.distance, generator).clamp(0, 1)
            latents.append(of.encode(seen.numpy()))
        robustness[test] = _accuracy(of.code, np.concatenate(latents), digits, test)
    strangers = Sprites(of.code.of, tile_seed=of.code.of.tile_seed + 1000)
    digits = strangers.random(count, generator)
    robustness[UNSEEN_TILES] = _accuracy(of.code, _reader(of, strangers)(digits, generator), digits)
    return Quality(
        **{**vars(quality), "robustness": robustness, "kl": np.concatenate(divergence).mean(axis=0)}
    )


def code_quality_job(
    code: Code, read: Reader, *, pairs: int = 5000, samples: int = 15000, seed: int = 1
) -> Job[Quality]:
    """Measure any code: ``read`` gives latents (n, Z) of digits (n, K) and a generator.

    With ``lambda digits, _: code.targets(digits).numpy()`` it gives the figures of a perfect code.
    """
    generator = torch.Generator().manual_seed(seed)
    sprites = Sprites(code.of)
    factors = [factor.name for factor in code.of.factors]
    total = 2 * len(factors) + 2
    drawn = _interventions(code, read, pairs, generator, other=False)
    redrawn = yield from part(drawn, 0, len(factors), total)
    drawn = _interventions(code, read, pairs, generator, other=True)
    changed = yield from part(drawn, len(factors), len(factors), total)
    yield Progress(2 * len(factors), total, "mutual information")
    digits = sprites.random(samples, generator)
    latents = read(digits, generator)
    active = latents.std(axis=0, ddof=1) >= ACTIVE
    gap, gaps = mig(latents, digits.numpy())
    yield Progress(2 * len(factors) + 1, total, "predicting the factors")
    few = max(samples // 5, 1)
    focus = dci(latents[:few], _merged(code, digits[:few]), stages=40)
    return Quality(
        latents=code.names,
        factors=tuple(factors),
        association=redrawn,
        association_paper=changed,
        omes=omes(redrawn[active]).score,
        omes_paper=omes(changed[active]).score,
        mig=gap,
        disentanglement=focus.disentanglement,
        completeness=focus.completeness,
        mig_per_factor=dict(zip(factors, gaps.tolist(), strict=True)),
        accuracy=_accuracy(code, latents, digits),
        robustness={},
        kl=np.zeros(code.latents),
        active=active,
    )


def associations_job(
    of: Disentangler, *, pairs: int = 1000, seed: int = 1
) -> Job[dict[str, float]]:
    """How well each factor's own latents still follow it, on fresh sprites, as a job.

    S, but no more than the correlation with the values that the factor was drawn with: a latent
    of noise has a high S too, and so has one that was turned round. Our definition. Of a circle's
    two latents, the worse.
    """
    code, sprites = of.code, Sprites(of.code.of)
    generator = torch.Generator().manual_seed(seed)
    read = _reader(of, sprites)
    matrix = yield from _interventions(code, read, pairs, generator, other=False)
    digits = sprites.random(pairs, generator)
    values = read(digits, generator)
    targets = code.targets(digits).numpy().astype(np.float64)
    values, targets = values - values.mean(axis=0), targets - targets.mean(axis=0)
    norm = np.sqrt((values**2).sum(axis=0) * (targets**2).sum(axis=0))
    follows = (values * targets).sum(axis=0) / np.maximum(norm, 1e-12)
    return {
        factor.name: float(
            min(
                min(matrix[index, k], max(follows[index], 0.0)) for index in code.latents_of(factor)
            )
        )
        for k, factor in enumerate(code.of.factors)
    }


def _reader(of: Disentangler, sprites: Sprites) -> Reader:
    """Latents of sprites as the disentangler reads them."""

    def read(digits: Tensor, generator: torch.Generator) -> FloatArray:
        parts = [sprites.draw(some, generator).inputs for some in digits.split(500)]
        return np.concatenate([of.encode(batch.numpy()) for batch in parts]).astype(np.float64)

    return read


def _interventions(
    code: Code, read: Reader, pairs: int, generator: torch.Generator, *, other: bool
) -> Job[FloatArray]:
    """Association (Z, K) over pairs of sprites that differ in one factor; a step a factor."""
    sprites = Sprites(code.of)
    first, second = [], []
    for k, factor in enumerate(code.of.factors):
        yield Progress(k, len(code.of.factors), f"changing {factor.name}")
        digits = sprites.random(pairs, generator)
        changed = sprites.redrawn(digits, torch.full((pairs,), k), generator, other=other)
        first.append(read(digits, generator))
        second.append(read(changed, generator))
    return association(first, second)


def _merged(code: Code, digits: Tensor) -> npt.NDArray[np.int64]:
    """Digits with at most 8 values of a factor: DCI trains trees for each value."""
    sizes = torch.tensor([len(factor) for factor in code.of.factors])
    few = torch.where(sizes > 8, digits * 8 // sizes, digits)
    return few.numpy().astype(np.int64)


def _accuracy(code: Code, latents: FloatArray, digits: Tensor, test: str = "") -> dict[str, float]:
    """Share of the sprites whose factor is read as it was drawn."""
    decoded = code.read(torch.from_numpy(np.asarray(latents, dtype=np.float32)))
    shares = {}
    for k, factor in enumerate(code.of.factors):
        true, predicted = digits[:, k], decoded[:, k]
        counted = torch.ones(len(digits), dtype=torch.bool)
        if factor.name == "Intensity" and test == "half brightness":
            # Two steps are a doubling: half as bright is another value, where there is one.
            true, counted = true - 2, true >= 2
        elif factor.name == "Intensity" and test.startswith(("gamma", "shading")):
            continue
        apart = (true - predicted).abs()
        if factor.cyclic:
            apart = torch.minimum(apart, len(factor) - apart)
            right = apart <= 1
        else:
            right = apart == 0
        shares[factor.name] = float(right[counted].float().mean())
    return shares
