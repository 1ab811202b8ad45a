"""Black boxes against the default map, and what drives the randomisation test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from attribution_methods import maps_of_ours, problems
from attribution_scores import fidelity, localised

from napari_channelmix.pcim import gradient_solver as solver
from napari_channelmix.pcim.map_reliability import randomised
from napari_channelmix.pcim.masks import in_spreads
from napari_channelmix.pcim.scores import rank_correlation

if TYPE_CHECKING:
    from attribution_sets import Case

    from napari_channelmix.pcim.batch import Problem

__all__ = ["blackbox", "study"]


def blackbox(case: Case, limit: int) -> dict[str, Any]:
    """Predictions alone, 1,000 of them for each cell, against the default map, same cells."""
    some = case.reported.first(limit)
    report: dict[str, Any] = {"n": len(some)}
    for name in ("pcim", "blackbox", "blackbox-sharp"):
        values, _, work = maps_of_ours(some, name)
        maps = values[:, 0].numpy()
        report[name] = {
            "srg": fidelity(case, some, maps).srg,
            **localised(maps, some.masks),
            **work.each(name, len(some)),
        }
        share = report[name]["srg"].mean() / report["pcim"]["srg"].mean()
        report[name]["share_of_pcim"] = float(share)
    return report


def study(case: Case) -> dict[str, Any]:
    """What drives the randomisation test, and what it costs, on up to 40 cells."""
    some = case.reported.first(40)
    untrained = replace(some, source=some.source.with_model(randomised(case.classifier)))
    default = solver.SolverSettings()
    tried: dict[str, Callable[[Problem], torch.Tensor]] = {}

    def solved(settings: solver.SolverSettings) -> Callable[[Problem], Any]:
        def run(problem: Problem) -> tuple[torch.Tensor, torch.Tensor]:
            *_, last = solver.solve(problem, settings)
            return last.values, last.magnitude

        return run

    def values(settings: solver.SolverSettings) -> Callable[[Problem], torch.Tensor]:
        return lambda problem: solved(settings)(problem)[0]

    tried["default"] = values(default)
    tried["signed start alone"] = values(replace(default, steps=0))
    tried["magnitude alone"] = lambda problem: solved(default)(problem)[1]
    tried["map x magnitude"] = lambda problem: product(*solved(default)(problem))
    tried["map + magnitude"] = lambda problem: sum_of(*solved(default)(problem))
    for steps in (4, 16, 32):
        tried[f"{steps} steps"] = values(replace(default, steps=steps))
    report = {}
    for name, run in tried.items():
        maps = []
        for chosen in (some, untrained):
            with chosen.source.subject.at_rest():
                parts = [run(problem) for _, problem in problems(chosen)]
            maps.append(torch.cat(parts).sum(dim=1).numpy())
        report[name] = {
            "srg": float(fidelity(case, some, maps[0]).srg.mean()),
            "randomisation": float(rank_correlation(*maps).mean()),
            **localised(maps[0], some.masks),
        }
        print(f"  {name:24s}", {key: round(value, 3) for key, value in report[name].items()})
    return report


def product(maps: torch.Tensor, magnitude: torch.Tensor) -> torch.Tensor:
    ranks = maps.flatten(1).argsort(1).argsort(1).view_as(maps) / maps[0].numel()
    return ranks * magnitude


def sum_of(maps: torch.Tensor, magnitude: torch.Tensor) -> torch.Tensor:
    return in_spreads(maps) + in_spreads(magnitude)
