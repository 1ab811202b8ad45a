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
from napari_channelmix.pcim.explain import explain_job, measure_job
from napari_channelmix.pcim.references import blurred
from napari_channelmix.pcim.scores import Fidelity, rank_correlation, relative_change

if TYPE_CHECKING:
    from napari_channelmix.pcim.attribution import Attribution
    from napari_channelmix.pcim.source import Source

__all__ = ["Reliability", "random_maps", "randomised", "reliability_job"]

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

# Random maps a map is held against.
RANDOM_MAPS = 8
# Added to the seed of random weights.
FAR_FROM_TRAINING = 0x5EED0000
# Noise for the stability, in standard deviations of each channel of the cell.
NOISE = 0.1
# Above this correlation with the map of a random network, a map shows the image more than the
# classifier; above that change under noise, it shows the noise. Our choice, for the words only.
TOO_ALIKE = 0.5
TOO_SHAKY = 0.8


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
    """

    fidelity: Fidelity
    chance: Doubles
    chance_sd: Doubles
    chance_most: Doubles
    randomisation: Doubles | None
    stability: Doubles

    @property
    def better_than_chance(self) -> npt.NDArray[np.bool_]:
        """Whether the SRG of each cell (N,) is above that of all random maps.

        A map without a link to the classifier passes in one cell of nine.
        """
        found: npt.NDArray[np.bool_] = self.fidelity.srg > self.chance_most
        return found

    def words(self, cell: int = 0) -> tuple[str, ...]:
        """What the figures of a cell mean, a plain sentence each."""
        said = []
        if not self.better_than_chance[cell]:
            said.append("This map is no better than a random one: do not read it.")
        else:
            said.append("The classifier needs the pixels this map shows more than random ones.")
        if self.randomisation is not None and self.randomisation[cell] > TOO_ALIKE:
            said.append("A network with random weights gives a similar map: it shows the "
                        "image more than what was learnt.")  # fmt: skip
        if self.stability[cell] > TOO_SHAKY:
            said.append("A little noise changes the map a lot: do not read its details.")
        return tuple(said)


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
    noisy = crops + NOISE * crops.std(axis=(2, 3), keepdims=True) * np.random.default_rng(
        seed
    ).standard_normal(crops.shape).astype(np.float32)
    job = made_again(dataclasses.replace(source, cells=noisy))
    shaken = yield from part(job, 2, 1, 5, "with noise: ")
    alike = None
    untrained = randomised(source.model, seed)
    if untrained is not None:
        job = made_again(source.asked_of(untrained))
        others = yield from part(job, 3, 2, 5, "with random weights: ")
        alike = rank_correlation(attribution.maps, others.maps)
    yield Progress(5, 5, "tested")
    return Reliability(
        fidelity, np.mean(srg, axis=0), np.std(srg, axis=0, ddof=1),
        np.max(srg, axis=0), alike,
        relative_change(attribution.maps, shaken.maps),
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
