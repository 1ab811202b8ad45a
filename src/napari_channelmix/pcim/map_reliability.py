"""How far a map can be trusted: against chance, against random weights, against a little noise."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.training_cells import crop_digests
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.pcim.caveats import attribution_caveats
from napari_channelmix.pcim.chance import chance_test_job, random_maps
from napari_channelmix.pcim.doubts import cell_doubts
from napari_channelmix.pcim.explain import explain_job
from napari_channelmix.pcim.measure import measure_job
from napari_channelmix.pcim.reliability_result import Reliability
from napari_channelmix.pcim.scores import (
    Fidelity,
    rank_correlation,
    relative_change,
    shared_strongest,
)

if TYPE_CHECKING:
    from napari_channelmix.pcim.attribution import Attribution
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["Reliability", "random_maps", "randomised", "reliability", "reliability_job"]

FloatArray = npt.NDArray[np.float32]

# Added to the seed of random weights.
FAR_FROM_TRAINING = 0x5EED0000
# Noise for the stability, in standard deviations of each channel of the cell, and how often it is
# drawn.
NOISE = 0.1
NOISE_DRAWS = 2
# Share of the strongest pixels that is looked at under noise.
STRONGEST = 0.1


def reliability(
    attribution: Attribution, *, seed: int = 0, progress: ShowProgress = None
) -> Reliability:
    """Test how far the maps of an attribution can be trusted.

    Against random maps, against the maps of the same network with random weights, and against
    those of the same cells with a little noise; it takes several times as long as the maps.

    Parameters
    ----------
    attribution : Attribution
    seed : int
        Of the random maps, weights and noise.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.

    Returns
    -------
    Reliability

    Raises
    ------
    DataError, ModelError
        As `explain`.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_channelmix as cm
    >>> def scores(crops):  # the brightness in the middle decides
    ...     middle = 0.5 * crops[:, 0, 6:10, 6:10].mean((1, 2)) - 1
    ...     return np.stack([-middle, middle], axis=1)
    >>> crops = np.random.default_rng(0).normal(size=(2, 1, 16, 16)).astype(np.float32)
    >>> crops[:, :, 5:11, 5:11] += 4
    >>> maps = cm.explain(scores, crops, forwards=100, check=False)
    >>> cm.reliability(maps).to_frame()["better_than_chance"].tolist()
    [True, True]
    """
    return drain(reliability_job(attribution, seed=seed), progress)


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
    changes, staying = [], []
    for draw, grain in enumerate(_grains(crops, seed)):
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


def _grains(crops: FloatArray, seed: int) -> list[FloatArray]:
    """Normal noise for crops (n, C, H, W), drawn for each from its own pixels, several times."""
    noise = np.empty((NOISE_DRAWS, *crops.shape), np.float32)
    for row, digest in enumerate(crop_digests(crops).tolist()):
        draws = np.random.default_rng([seed, digest])
        noise[:, row] = draws.standard_normal((NOISE_DRAWS, *crops.shape[1:]), np.float32)
    return list(noise)


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
