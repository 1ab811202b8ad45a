"""Time of PCIM's maps against captum's integrated gradients in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from attribution_methods import problems

from napari_channelmix.jobs import drain
from napari_channelmix.pcim import baselines, explain, explain_job
from napari_channelmix.pcim import gradient_solver as solver

if TYPE_CHECKING:
    from attribution_sets import Case

__all__ = ["speed"]


def speed(case: Case, repeats: int = 5, *, with_flat: bool = False) -> dict[str, Any]:
    """Milliseconds for each cell, of PCIM and integrated gradients in turn; medians."""
    some = case.reported.first(32)
    count = len(some)
    settings = solver.SolverSettings()
    start_only = replace(settings, steps=0)
    with some.source.subject.at_rest():
        # Both work on batches of the size that suits the caches.
        batches = [problem for _, problem in problems(some)]
        ways: dict[str, Callable[[], object]] = {
            "integrated-gradients": lambda: [
                baselines.evidence("integrated-gradients", batch) for batch in batches
            ],
            "first pixels": lambda: [next(solver.solve(batch, settings)) for batch in batches],
            "first map": lambda: [list(solver.solve(batch, start_only)) for batch in batches],
            "pcim": lambda: [list(solver.solve(batch, settings)) for batch in batches],
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(repeats + 1):
            for name, way in ways.items():
                start = time.process_time()
                way()
                if turn:
                    times[name].append(1e3 * (time.process_time() - start) / count)
    report: dict[str, Any] = {f"{name} ms": float(np.median(of)) for name, of in times.items()}
    ig = np.array(times["integrated-gradients"])
    for name in ("first pixels", "first map", "pcim"):
        report[f"{name} / integrated-gradients"] = float(np.median(np.array(times[name]) / ig))
    report |= together(case)
    return {**report, **flat(case)} if with_flat else report


def together(case: Case) -> dict[str, Any]:
    """100 cells in one call against one call each."""
    crops = case.cells.read(np.arange(100) % len(case.cells))
    ratios = []
    for _ in range(3):
        start = time.process_time()
        explain(case.classifier, crops, device="cpu")
        as_one = time.process_time() - start
        start = time.process_time()
        for index in range(0, 100, 5):
            explain(case.classifier, crops[index : index + 1], device="cpu")
        ratios.append(5 * (time.process_time() - start) / as_one)
    return {"one by one / together": float(np.median(ratios))}


def flat(case: Case) -> dict[str, Any]:
    """Time for each cell when 100, 1,000 and 3,000 are explained."""
    crops = case.cells.read(np.arange(100) % len(case.cells))
    times: dict[int, list[float]] = {100: [], 1000: [], 3000: []}
    for count, of in [pair for _ in range(3) for pair in times.items()]:
        start = time.process_time()
        drain(explain_job(case.classifier, np.tile(crops, (count // 100, 1, 1, 1)), device="cpu"))
        of.append(1e3 * (time.process_time() - start) / count)
    each = {count: float(np.median(of)) for count, of in times.items()}
    return {"ms by cells": each, "spread": max(each.values()) / min(each.values()) - 1}
