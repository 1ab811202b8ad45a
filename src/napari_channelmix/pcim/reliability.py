"""How far a map can be trusted: against chance, against random weights, against a little noise."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.pcim.doubts import cell_doubts
from napari_channelmix.pcim.explain import explain_job, measure_job
from napari_channelmix.pcim.references import blurred
from napari_channelmix.pcim.scores import (
    Fidelity,
    rank_correlation,
    relative_change,
    shared_strongest,
)

if TYPE_CHECKING:
    from napari_channelmix.pcim.attribution import Attribution
    from napari_channelmix.pcim.source import Source

__all__ = ["Reliability", "random_maps", "randomised", "reliability_job"]

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

# Random maps a map is compared with.
RANDOM_MAPS = 8
# A map is better than random ones where its SRG lies this many of their standard deviations above
# their mean: 5 % of the maps of chance do, of a normal law estimated from 8 of them.
ABOVE_CHANCE = 1.895 * (1 + 1 / RANDOM_MAPS) ** 0.5
# ... and by at least this much: a smaller gain is one that nobody can see in the answers.
SEEN_GAIN = 0.05
# Added to the seed of random weights.
FAR_FROM_TRAINING = 0x5EED0000
# Noise for the stability, in standard deviations of each channel of the cell, and how often it is
# drawn.
NOISE = 0.1
NOISE_DRAWS = 2
# Above this correlation with the map of a random network, a map shows the image more than the
# classifier; where less than this share of its strongest pixels stays under noise, its details
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
    chance, chance_sd, chance_most : (N,) float64 arrays
        SRG of 8 random smooth maps of the same cells: mean, standard deviation and highest.
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
    """

    fidelity: Fidelity
    chance: Doubles
    chance_sd: Doubles
    chance_most: Doubles
    randomisation: Doubles | None
    stability: Doubles
    staying: Doubles
    doubts: tuple[tuple[str, ...], ...] = ()

    @property
    def better_than_chance(self) -> npt.NDArray[np.bool_]:
        """Whether the SRG of each cell (N,) is well above that of the random maps.

        Above their mean by 0.05 at least, and by so many of their standard deviations that one
        map without a link to the classifier in twenty passes. Our definition.
        """
        gain = self.fidelity.srg - self.chance
        result: npt.NDArray[np.bool_] = gain > np.maximum(ABOVE_CHANCE * self.chance_sd, SEEN_GAIN)
        return result

    def readable(self, cell: int = 0) -> bool:
        """Whether the map of a cell can be read: no doubt about the cell, and better than chance.

        Its details may still be unstable; `words` says so.
        """
        return not self._doubts(cell) and bool(self.better_than_chance[cell])

    def answer_range(self, cell: int = 0) -> float:
        """How far the probability of the target moves, 0 to 1, as the cell's pixels come and go."""
        curves = np.stack([self.fidelity.inserting[:, cell], self.fidelity.deleting[:, cell]])
        return float(curves.max() - curves.min())

    def _doubts(self, cell: int) -> tuple[str, ...]:
        return self.doubts[cell] if self.doubts else ()

    def words(self, cell: int = 0) -> tuple[str, ...]:
        """What the figures of a cell mean, a plain sentence each.

        Doubts about the cell come first; beside them nothing is said in favour of the map.
        """
        lines = [f"Do not read this map: {doubt}." for doubt in self._doubts(cell)]
        if self.answer_range(cell) < SEEN_GAIN:
            lines.append("The answer stays the same whichever pixels are taken away: there is "
                         "nothing for a map to show.")  # fmt: skip
        elif not self.better_than_chance[cell]:
            lines.append("This map is no better than a random one: do not read it.")
        elif not lines:
            lines.append("The classifier needs the pixels this map shows more than random ones.")
        if self.randomisation is not None and self.randomisation[cell] > TOO_ALIKE:
            lines.append("A network with random weights gives a similar map: it shows the "
                         "image more than what was learnt.")  # fmt: skip
        if self.staying[cell] < STAYS:
            lines.append(f"With a little noise only {self.staying[cell]:.0%} of the strongest "
                         "tenth of the map stays in place: read regions, not pixels.")  # fmt: skip
        return tuple(lines)


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

    def measured(maps: Floats) -> Job[Fidelity]:
        return measure_job(source.model, source, maps, target, versus)

    def made_again(of: Source) -> Job[Attribution]:
        return explain_job(
            of.model, of, target, attribution.method, attribution.mode, versus=versus,
            channels="shared" if attribution.channel_maps is None else "separate",
            forwards=made.get("forwards", 1000), seed=made.get("seed", 0), compare=False,
            check=False,
        )  # fmt: skip

    fidelity = yield from part(measured(attribution.maps), 0, 1, 5)
    yield Progress(1, 5, "measured", partial=fidelity)
    srg = []
    for at, maps in enumerate(random_maps(attribution.maps.shape, RANDOM_MAPS, seed)):
        found = yield from part(
            measured(maps), 1 + at / RANDOM_MAPS, 1 / RANDOM_MAPS, 5, "by chance: "
        )
        srg.append(found.srg)
    crops = np.asarray(source.cells)
    rng, changes, staying = np.random.default_rng(seed), [], []
    for draw in range(NOISE_DRAWS):
        grain = rng.standard_normal(crops.shape).astype(np.float32)
        noisy = crops + NOISE * crops.std(axis=(2, 3), keepdims=True) * grain
        job = made_again(dataclasses.replace(source, cells=noisy))
        again = yield from part(job, 2 + draw / NOISE_DRAWS, 1 / NOISE_DRAWS, 5, "with noise: ")
        changes.append(relative_change(attribution.maps, again.maps))
        staying.append(shared_strongest(attribution.maps, again.maps, STRONGEST))
    alike = None
    untrained = randomised(source.model, seed)
    if untrained is not None:
        job = made_again(source.asked_of(untrained))
        others = yield from part(job, 3, 2, 5, "with random weights: ")
        alike = rank_correlation(attribution.maps, others.maps)
    yield Progress(5, 5, "tested")
    return Reliability(
        fidelity, np.mean(srg, axis=0), np.std(srg, axis=0, ddof=1),
        np.max(srg, axis=0), alike, np.mean(changes, axis=0), np.mean(staying, axis=0),
        cell_doubts(attribution, crops),
    )  # fmt: skip


def random_maps(shape: tuple[int, ...], count: int, seed: int) -> list[Floats]:
    """Maps (N, H, W) of smooth noise, as smooth as real ones (sigma 3 pixels). Our definition."""
    draws = torch.Generator().manual_seed(seed)
    return [
        blurred(torch.randn(shape, generator=draws)[:, None], 3.0)[:, 0].numpy()
        for _ in range(count)
    ]


def randomised(model: Any, seed: int = 0) -> Any:
    """A copy of a classifier or network with fresh random weights; None for what has none.

    All weights at once; Adebayo et al., 'Sanity Checks for Saliency Maps', arXiv 1810.03292.
    """
    network = model.network if isinstance(model, Classifier) else model
    if not isinstance(network, nn.Module):
        return None
    fresh = copy.deepcopy(network)
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
    return fresh
