"""Baselines behind the same call as PCIM: captum's, and Expected Gradients."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from napari_channelmix.classify.callables import is_out_of_memory
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.batch import Maps, Problem
from napari_channelmix.pcim.expected_gradients import expected_gradients, pooled_of
from napari_channelmix.pcim.references import SOLVING, blurred, reference
from napari_channelmix.pcim.relevance import relevance
from napari_channelmix.pcim.superpixels import feature_ablation, kernel_shap

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GRADIENTS", "SUITING", "attribute", "evidence", "finished"]

# What suits each method on most sets (docs/pixel-attribution.md): absolute values, blur in pixels.
SUITING = {
    "saliency": (True, 1.5),
    "integrated-gradients": (False, 1.5),
    "occlusion": (False, 0.0),
    "gradcam": (False, 0.0),
    "deeplift": (False, 1.5),
    "expected-gradients": (False, 1.5),
    "expected-gradients-18": (False, 1.5),
    "expected-gradients-200": (False, 1.5),
    "integrated-gradients-many": (False, 1.5),
    "lrp": (False, 1.5),
    "kernel-shap": (False, 1.5),
    "feature-ablation": (False, 1.5),
}
STEPS = 32
# Gradients of Expected Gradients, for each cell.
GRADIENTS = {
    "expected-gradients": 32,
    "expected-gradients-18": 18,
    "expected-gradients-200": 200,
}
# Real cells that 'integrated-gradients-many' starts from, beside three made references.
STARTS = 5
# Interpolated images at once, for each cell: as many as PCIM has, which suits the caches.
AT_ONCE = 2


def attribute(name: str, problem: Problem) -> Iterator[Maps]:
    """The map of a baseline, with the post-processing that suits it; one yield.

    Raises
    ------
    ModelError
        captum is not installed, or the network is of a kind the method cannot look into.
    """
    absolute, sigma = SUITING[name]
    attribution = evidence(name, problem)
    yield Maps(
        finished(attribution, absolute=absolute, sigma=sigma, separate=problem.separate),
        finished(attribution, absolute=True, sigma=sigma),
    )


def finished(
    attribution: Tensor, *, absolute: bool, sigma: float, separate: bool = False
) -> Tensor:
    """Evidence (N, C, H, W) as maps (N, P, H, W): signed or absolute, summed, blurred."""
    values = attribution.abs() if absolute else attribution
    return blurred(values if separate else values.sum(dim=1, keepdim=True), sigma)


def evidence(name: str, problem: Problem, kind: str = "mean") -> Tensor:
    """What the method gives for the log odds of the target, signed, (N, C, H, W).

    Parameters
    ----------
    name : str
        One of `SUITING`.
    problem : Problem
    kind : str
        Reference of the methods that need one; see `pcim.references.Reference`.

    Raises
    ------
    ModelError
        As `attribute`.
    """
    network = problem.subject.network
    if network is None:
        raise ModelError(f"method {name!r} needs gradients; this classifier gives predictions only")
    if name in GRADIENTS:
        return expected_gradients(problem, GRADIENTS[name], name)
    try:
        from captum import attr
    except ImportError:
        raise ModelError(
            f"method {name!r} comes from captum, which is not installed; "
            "install it with: pip install 'napari-channelmix[compare]'"
        ) from None
    x = problem.x
    r = reference(kind, x, problem.mean, problem.seed).contiguous()
    odds = _LogOdds(network, problem)
    with warnings.catch_warnings(), torch.enable_grad():
        # captum says that it sets hooks and asks for gradients; both are wanted.
        warnings.simplefilter("ignore")
        try:
            if name == "integrated-gradients-many":
                return _from_many(attr, odds, problem)
            return _ask(attr, name, odds, x, r, problem)
        except ModelError:
            raise
        except (AssertionError, RuntimeError, TypeError, ValueError) as error:
            if is_out_of_memory(error):
                raise
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"method {name!r} cannot look into this network: {reason}") from error


def _ask(attr: Any, name: str, odds: _LogOdds, x: Tensor, r: Tensor, problem: Problem) -> Tensor:
    attribution: Tensor
    if name == "lrp":
        return relevance(attr, odds.network, problem)
    if name in ("kernel-shap", "feature-ablation"):
        run = kernel_shap if name == "kernel-shap" else feature_ablation
        with torch.no_grad():
            attribution = run(attr, lambda cell: _LogOdds(odds.network, problem, cell), problem, r)
    elif name == "saliency":
        attribution = attr.Saliency(odds).attribute(x.clone(), abs=False)
    elif name == "integrated-gradients":
        attribution = _integrated(attr, odds, x, r)
    elif name == "occlusion":
        window = max(1, min(problem.size) // 5)
        channels = 1 if problem.separate else x.shape[1]
        attribution = attr.Occlusion(odds).attribute(
            x,
            (channels, window, window),
            strides=(channels, *[max(1, window // 2)] * 2),
            baselines=r,
        )
        if not problem.separate:
            # Every channel of a window gets the same number: their sum should be that number.
            attribution = attribution / x.shape[1]
    elif name == "gradcam":
        layers = [layer for layer in odds.modules() if isinstance(layer, nn.Conv2d)]
        if not layers:
            raise ValueError("it has no convolution")
        small = attr.LayerGradCam(odds, layers[-1]).attribute(x.clone(), relu_attributions=True)
        shown = attr.LayerAttribution.interpolate(small, problem.size, "bilinear")
        attribution = shown.expand_as(x) / x.shape[1]
    else:
        attribution = attr.DeepLift(odds).attribute(x.clone(), baselines=r)
    return attribution.detach()


def _integrated(attr: Any, odds: nn.Module, x: Tensor, r: Tensor) -> Tensor:
    attribution: Tensor = attr.IntegratedGradients(odds).attribute(
        x.clone(), baselines=r, n_steps=STEPS, internal_batch_size=AT_ONCE * len(x)
    )
    return attribution.detach()


def _from_many(attr: Any, odds: nn.Module, problem: Problem) -> Tensor:
    """Integrated gradients, the mean over three made references and a few real cells."""
    x, name = problem.x, "integrated-gradients-many"
    made = [reference(kind, x, problem.mean, problem.seed) for kind in SOLVING]
    pooled = pooled_of(problem, name)
    cells = [pooled.drawn(index) for index in range(min(STARTS, len(pooled.x)))]
    parts = [_integrated(attr, odds, x, r.contiguous()) for r in (*made, *cells)]
    return torch.stack(parts).mean(dim=0)


class _LogOdds(nn.Module):
    """The network with the log odds of the target as its only output (N,)."""

    def __init__(self, network: nn.Module, problem: Problem, cells: slice = slice(None)) -> None:
        super().__init__()
        self.network = network
        self._target = problem.target[cells]

    def forward(self, x: Tensor) -> Tensor:
        times, rest = divmod(len(x), len(self._target))
        if rest:
            # captum cuts interpolated batches anywhere; all cells then share the first target.
            raise ValueError("captum cut the batch within a cell")
        scores = self.network(x)
        odds: Tensor = self._target.repeated(times).log_odds(scores)
        return odds
