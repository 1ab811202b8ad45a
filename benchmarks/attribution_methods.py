"""Maps of all methods, each opponent with the variant that suits it best on the pilot cells."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from attribution_appendix import APPENDIX, APPENDIX_KINDS, NO_SIGN
from attribution_scores import PILOT_FAMILIES, PILOT_SHARES, fidelity

from napari_channelmix.errors import ModelError
from napari_channelmix.pcim import baselines
from napari_channelmix.pcim.batch_size import cells_at_once
from napari_channelmix.pcim.methods import METHODS
from napari_channelmix.pcim.scores import rank_accuracy

if TYPE_CHECKING:
    from attribution_sets import Case, Chosen

    from napari_channelmix.pcim.batch import Problem

__all__ = [
    "MORE",
    "OPPONENTS",
    "OURS",
    "Variant",
    "Work",
    "best_variant",
    "evidence",
    "maps_of_ours",
    "problems",
    "variant_maps",
]

OURS = ("pcim", "pcim-fidelity", "literal")
OPPONENTS = tuple(baselines.SUITING)
# Of the appendix: measured where they are named.
MORE = tuple(APPENDIX)
# References, or layers, that a method may choose from; the others have one, or none.
KINDS = (
    dict.fromkeys(
        ("integrated-gradients", "occlusion", "kernel-shap", "feature-ablation"),
        ("mean", "border", "blur"),
    )
    | APPENDIX_KINDS
)
SIGMAS = (0.0, 1.5, 3.0)
# What LRP's own copy of the network is asked, which the counter cannot see: three forward passes
# and a backward one.
LRP_CALLS = 4.0


@dataclass(frozen=True)
class Variant:
    """How an opponent's evidence becomes a map."""

    kind: str
    absolute: bool
    sigma: float

    def __str__(self) -> str:
        sign = "absolute" if self.absolute else "signed"
        return f"{self.kind}, {sign}, blur {self.sigma:g}"


@dataclass
class Work:
    """What maps cost: images that the network was asked about, forth and back, and seconds.

    Seconds are processor time of one thread.
    """

    forward: int = 0
    backward: int = 0
    seconds: float = 0.0

    @contextmanager
    def counted(self, chosen: Chosen) -> Iterator[None]:
        subject = chosen.source.subject

        def count(module: Any, inputs: Any, output: torch.Tensor) -> None:
            self.forward += len(output)
            if output.requires_grad:
                output.register_hook(self._back)

        # What computes the scores is not the network itself where that has been fused.
        modules = {subject.network, subject.scores}
        handles = [module.register_forward_hook(count) for module in modules]
        start = time.process_time()
        try:
            yield
        finally:
            self.seconds += time.process_time() - start
            for handle in handles:
                handle.remove()

    def _back(self, gradient: torch.Tensor) -> None:
        self.backward += len(gradient)

    def each(self, name: str, count: int) -> dict[str, float]:
        """For one cell."""
        calls = LRP_CALLS if name == "lrp" else (self.forward + self.backward) / count
        return {"calls": calls, "ms": 1e3 * self.seconds / count}


def problems(chosen: Chosen, separate: bool = False) -> Iterator[tuple[np.ndarray, Problem]]:
    """The question about each batch of cells, as many as suit the caches."""
    source = chosen.source
    size = cells_at_once(source.subject, source.tensor(np.arange(1)), "autograd")
    for start in range(0, len(source), size):
        rows = np.arange(start, min(start + size, len(source)))
        problem, _ = source.problem(rows, chosen.labels.tolist(), separate=separate)
        # Read beforehand: the first method shall not pay for it.
        assert problem.pool is not None
        yield rows, problem


def evidence(
    chosen: Chosen, name: str, kind: str = "mean", separate: bool = False
) -> tuple[torch.Tensor, Work]:
    """What an opponent gives for the cells (N, C, H, W), and what it cost.

    Raises
    ------
    ModelError
        The method cannot look into the network.
    """
    parts, work = [], Work()
    with chosen.source.subject.at_rest():
        for _, problem in problems(chosen, separate):
            with work.counted(chosen):
                way = APPENDIX.get(name)
                parts.append(
                    baselines.evidence(name, problem, kind) if way is None else way(problem, kind)
                )
    return torch.cat(parts), work


def variant_maps(values: torch.Tensor, variant: Variant) -> np.ndarray:
    """Maps (N, H, W) of evidence."""
    maps = baselines.finished(values, absolute=variant.absolute, sigma=variant.sigma)
    return np.asarray(maps[:, 0].numpy())


def best_variant(case: Case, name: str) -> tuple[Variant, Variant] | str:
    """The variant with the highest fidelity on the pilot cells, and that for localisation.

    First the reference, with what suits the method on most sets, then sign and blur. A text where
    the method cannot look into the network.
    """
    pilot = case.pilot
    assert pilot is not None
    by_kind = {}
    try:
        for kind in KINDS.get(name, ("mean",)):
            by_kind[kind] = evidence(pilot, name, kind)[0]
    except ModelError as error:
        return str(error)

    def score(variant: Variant) -> float:
        maps = variant_maps(by_kind[variant.kind], variant)
        result = fidelity(case, pilot, maps, PILOT_SHARES, PILOT_FAMILIES)
        return float(result.srg.mean())

    usual = baselines.SUITING.get(name, (False, 0.0))
    kinds = list(by_kind)
    if len(kinds) > 1:
        kinds = [max(kinds, key=lambda kind: score(Variant(kind, *usual)))]
    signs = (False,) if name in NO_SIGN else (False, True)
    tried = [Variant(kinds[0], sign, sigma) for sign in signs for sigma in SIGMAS]
    best = max(tried, key=score)
    if pilot.masks is None:
        return best, best
    masks = pilot.masks

    def hits(variant: Variant) -> float:
        maps = variant_maps(by_kind[variant.kind], variant)
        return float(np.nanmean(rank_accuracy(maps, masks)))

    return best, max(tried, key=hits)


def maps_of_ours(
    chosen: Chosen, name: str, separate: bool = False, forwards: int = 1000
) -> tuple[torch.Tensor, torch.Tensor, Work]:
    """Maps (N, P, H, W) and magnitudes (N, H, W) of a method of ours, and what they cost."""
    values, magnitudes, work = [], [], Work()
    with chosen.source.subject.at_rest():
        for _, problem in problems(chosen, separate):
            with work.counted(chosen):
                *_, last = METHODS[name].run(problem)
            values.append(last.values)
            magnitude = last.values.abs() if last.magnitude is None else last.magnitude
            magnitudes.append(magnitude.sum(dim=1))
    return torch.cat(values), torch.cat(magnitudes), work
