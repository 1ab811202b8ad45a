"""How far a map can be trusted: against chance, against random weights, against a little noise."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.pcim.caveats import attribution_caveats, sentences
from napari_channelmix.pcim.chance import SEEN_GAIN, ChanceTest, chance_test_job, random_maps
from napari_channelmix.pcim.doubts import cell_doubts
from napari_channelmix.pcim.explain import explain_job
from napari_channelmix.pcim.measure import measure_job
from napari_channelmix.pcim.scores import (
    Fidelity,
    rank_correlation,
    relative_change,
    shared_strongest,
)

if TYPE_CHECKING:
    from napari_channelmix.pcim.attribution import Attribution
    from napari_channelmix.pcim.cell_source import Source

__all__ = ["Reliability", "random_maps", "randomised", "reliability_job"]

Doubles = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
Verdict = Literal["good", "warning", "error"]

# Added to the seed of random weights.
FAR_FROM_TRAINING = 0x5EED0000
# Noise for the stability, in standard deviations of each channel of the cell, and how often it is
# drawn.
NOISE = 0.1
NOISE_DRAWS = 2
# Above this correlation with the map of a random network, a map shows the image more than the
# classifier; where less than this share of its strongest pixels stable under noise, its details
# are those of the noise. Our choice, for the words only; `benchmarks/reliability_words.py`.
TOO_ALIKE = 0.5
STAYS = 0.5
STRONGEST = 0.1


@dataclass(frozen=True, eq=False)
class Reliability:
    """What is known of the trustworthiness of N maps.

    Attributes
    ----------
    fidelity : Fidelity
        Insertion and deletion curves.
    against_chance : ChanceTest
        What the maps gain, and what random smooth maps of the same cells do.
    randomisation : (N,) float64 array or None
        Spearman's rho with the map of the same network with random weights; lower is better.
        None where there are no weights to be randomised.
    stability : (N,) float64 array
        Relative change of the map under noise of 0.1 standard deviations; lower is better.
    staying : (N,) float64 array
        Share of the strongest tenth of the map's pixels that is among the strongest tenth under
        that noise, too, mean over the draws; 0.1 is chance, higher is better. Our definition.
    doubts : tuple of tuple of str
        For each cell, why its map must not be read whatever the figures say; see `pcim.doubts`.
        Empty where nothing is known against any cell.
    caveats : tuple of tuple of str
        For each cell, what to mind beside a map that can be read: a close call, what limits the
        classifier; see `pcim.caveats`. Empty where there is nothing.
    """

    fidelity: Fidelity
    against_chance: ChanceTest
    randomisation: Doubles | None
    stability: Doubles
    staying: Doubles
    doubts: tuple[tuple[str, ...], ...] = ()
    caveats: tuple[tuple[str, ...], ...] = ()

    @property
    def better_than_chance(self) -> npt.NDArray[np.bool_]:
        """Whether each map (N,) is better than random ones; see `ChanceTest.better`."""
        return self.against_chance.better

    @property
    def chance(self) -> Doubles:
        """Mean gain of the random maps and their negatives (N,): 0."""
        return np.zeros(len(self.against_chance.gain))

    @property
    def chance_sd(self) -> Doubles:
        """Standard deviation of what the random maps gain (N,)."""
        return self.against_chance.spread

    @property
    def chance_most(self) -> Doubles:
        """The highest gain of the random maps and their negatives (N,)."""
        return np.asarray(np.abs(self.against_chance.random).max(axis=0), dtype=np.float64)

    def readable(self, cell: int = 0) -> bool:
        """Whether the map of a cell can be read: no doubt about the cell, and better than chance.

        Its details may still be unstable; `words` says so.
        """
        return not self._doubts(cell) and bool(self.better_than_chance[cell])

    def verdict(self, cell: int = 0) -> Verdict:
        """``error`` for a map that must not be read, ``warning`` where something is to be minded.

        ``good`` only where nothing is known against the cell, the call is clear, and the
        classifier is better than chance and of more than a few cells.
        """
        if not self.readable(cell):
            return "error"
        return "good" if len(self.words(cell)) == 1 else "warning"

    def answer_range(self, cell: int = 0) -> float:
        """How far the probability of the target moves, 0 to 1, as the cell's pixels come and go."""
        curves = np.stack([self.fidelity.inserting[:, cell], self.fidelity.deleting[:, cell]])
        tested = float(self.against_chance.answer_range[cell])
        return max(float(curves.max() - curves.min()), tested)

    def _doubts(self, cell: int) -> tuple[str, ...]:
        return self.doubts[cell] if self.doubts else ()

    def words(self, cell: int = 0) -> tuple[str, ...]:
        """What the figures of a cell mean, a plain sentence each.

        Doubts about the cell come first; beside them nothing is said in favour of the map.
        Caveats follow: the map may be faithful and the call a toss of a coin.
        """
        lines = [f"Do not read this map: {doubt}." for doubt in self._doubts(cell)]
        if self.answer_range(cell) < SEEN_GAIN:
            lines.append(
                "The prediction does not change whichever pixels are removed, so a map has "
                "nothing to show."
            )
        elif not self.better_than_chance[cell]:
            lines.append("This map is no better than a random one: do not read it.")
        elif not lines:
            lines.append(f"Faithful: better than random maps ({self._chance_text(cell)}).")
        lines += sentences(self.caveats[cell]) if self.caveats else ()
        if self.randomisation is not None and self.randomisation[cell] > TOO_ALIKE:
            lines.append(
                "A network with random weights gives a similar map: the map shows the image "
                "rather than what was learnt."
            )
        if self.staying[cell] < STAYS:
            lines.append(
                f"With a little noise only {self.staying[cell]:.0%} of the strongest "
                "tenth of the map stays in place: read regions, not pixels."
            )
        return tuple(lines)

    def _chance_text(self, cell: int) -> str:
        """The test against random maps in figures."""
        test = self.against_chance
        p = float(test.p_value[cell])
        return f"p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}, n = {test.n} random maps"


def reliability_job(attribution: Attribution, *, seed: int = 0) -> Job[Reliability]:
    """Test the maps of an attribution; a job.

    Each map is made twice more, once for a network with random weights and once for cells with
    noise, with the settings, the mean and the device it was made with. The curves of the maps are
    known first: they come as `Fidelity` in ``partial``.
    """
    # Read once for all that follows.
    source = attribution.source.read()
    target, versus = attribution.target, attribution.versus
    made = attribution.provenance

    def measured(maps: FloatArray) -> Job[Fidelity]:
        return measure_job(source.model, source, maps, target, versus)

    def made_again(of: Source) -> Job[Attribution]:
        return explain_job(
            of.model,
            of,
            target,
            attribution.method,
            attribution.mode,
            versus=versus,
            channels="shared" if attribution.channel_maps is None else "separate",
            forwards=made.get("forwards", 1000),
            seed=made.get("seed", 0),
            compare=False,
            check=False,
        )

    fidelity = yield from part(measured(attribution.maps), 0, 1, 5)
    yield Progress(1, 5, "measured", partial=fidelity)
    job = chance_test_job(source, attribution.maps, target, versus, seed=seed)
    chance = yield from part(job, 1, 1, 5, "by chance: ")
    crops = np.asarray(source.cells)
    rng, changes, staying = np.random.default_rng(seed), [], []
    for draw in range(NOISE_DRAWS):
        grain = rng.standard_normal(crops.shape).astype(np.float32)
        noisy = crops + NOISE * crops.std(axis=(2, 3), keepdims=True) * grain
        making = made_again(dataclasses.replace(source, cells=noisy))
        again = yield from part(making, 2 + draw / NOISE_DRAWS, 1 / NOISE_DRAWS, 5, "with noise: ")
        changes.append(relative_change(attribution.maps, again.maps))
        staying.append(shared_strongest(attribution.maps, again.maps, STRONGEST))
    alike = None
    untrained = randomised(source.model, seed)
    if untrained is not None:
        making = made_again(source.with_model(untrained))
        others = yield from part(making, 3, 2, 5, "with random weights: ")
        alike = rank_correlation(attribution.maps, others.maps)
    yield Progress(5, 5, "tested")
    return Reliability(
        fidelity,
        chance,
        alike,
        np.mean(changes, axis=0),
        np.mean(staying, axis=0),
        cell_doubts(attribution, crops),
        attribution_caveats(attribution),
    )


def randomised(model: Any, seed: int = 0) -> Any:
    """A copy of a classifier or network with fresh random weights; None for what has none.

    All weights at once; Adebayo et al., 'Sanity Checks for Saliency Maps', arXiv 1810.03292.
    """
    network = model
    if isinstance(model, Classifier):
        network = model.network
    elif isinstance(model, ForeignClassifier):
        network = model.module
    if not isinstance(network, nn.Module):
        return None
    try:
        fresh = copy.deepcopy(network)
    # A stranger's module need not allow it.
    except Exception:
        return None
    devices = {weight.device for weight in fresh.parameters() if weight.device.type == "cuda"}
    with torch.random.fork_rng(devices=list(devices)), torch.no_grad():
        # Networks begin with small seeds: one of those might bring back the very weights that
        # the training set out from.
        torch.manual_seed(FAR_FROM_TRAINING + seed)
        for module in fresh.modules():
            own = list(module.parameters(recurse=False))
            if not own:
                continue
            begin_anew = getattr(module, "reset_parameters", None)
            if callable(begin_anew):
                begin_anew()
                continue
            # Layers that cannot begin anew: the same weights in another order.
            for weight in own:
                order = torch.randperm(weight.numel()).to(weight.device)
                weight.copy_(weight.flatten()[order].view_as(weight))
    if isinstance(model, Classifier):
        return dataclasses.replace(model, network=fresh)
    if isinstance(model, ForeignClassifier):
        return model.with_module(fresh)
    return fresh
