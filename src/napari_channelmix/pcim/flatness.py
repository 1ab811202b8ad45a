"""Flat maps: which cells have one, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.pcim.references import blurred, border_median

if TYPE_CHECKING:
    from napari_channelmix.pcim.batch import Problem

__all__ = ["Flatness", "flat_lines", "joined_flat", "named_cells"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# A map of log odds (black box) that nowhere differs by more is flat; others are where their
# values differ by no more than rounding leaves of nothing.
FLAT = 1e-3
NOTHING = 1e-12
# Log odds that move no further when the image is taken away do not depend on it.
DEAF = 1e-3
# Blur that leaves nothing of a cell, as a share of its side.
BLUR = 0.25
# Cells that a line names.
NAMED = 8

REASONS = {
    "constant": "{cells} {are} constant, and {maps} empty",
    "saturated": (
        "{cells} {have} a probability of exactly 0 or 1 in the model's precision, so {maps} flat "
        "or coarse; let the model give its logits (leave out its last softmax or sigmoid)"
    ),
    "deaf": (
        "{cells}: the model's output does not depend on the pixels (its log odds move by less "
        "than 0.001 when they are taken away), so {maps} flat or show rounding alone"
    ),
    "small": "{cells}: no single pixel changes the model's output, so {maps} flat",
}


class Flatness:
    """Collects the cells with flat maps, batch by batch, by reason."""

    def __init__(self) -> None:
        self.cells: dict[str, list[int]] = {}

    def look(
        self, problem: Problem, numbers: IntArray, maps: FloatArray, *, of_log_odds: bool
    ) -> None:
        """Look at the finished maps (n, H, W) of a batch; ``numbers`` is what cells are called."""
        x = problem.x
        flat = _flat(maps, FLAT if of_log_odds else NOTHING)
        plain = x.flatten(2)
        constant = (plain.amax(dim=2) <= plain.amin(dim=2)).all(dim=1).cpu().numpy()
        subject = problem.subject
        bundled = subject.network is not None and subject.who == "the classifier"
        saturated = deaf = np.zeros(len(x), dtype=bool)
        if not bundled or flat.any():
            with torch.inference_mode():
                scores = subject.scores(x).float()
                odds = problem.target.log_odds(scores)
                saturated = subject.reading.saturated(scores, odds).cpu().numpy()
                moved = torch.zeros_like(odds)
                for gone in _taken_away(problem):
                    there = problem.target.log_odds(subject.scores(gone.contiguous()).float())
                    moved = torch.maximum(moved, (there - odds).abs())
                deaf = (moved < DEAF).cpu().numpy()
        for reason, cells in (
            ("constant", constant),
            ("saturated", saturated & ~constant),
            ("deaf", deaf & ~constant & ~saturated),
            ("small", flat & ~constant & ~saturated & ~deaf),
        ):
            if cells.any():
                self.cells.setdefault(reason, []).extend(numbers[cells].tolist())

    @property
    def by_reason(self) -> dict[str, tuple[int, ...]]:
        """Numbers of the cells by reason."""
        return {reason: tuple(sorted(set(cells))) for reason, cells in self.cells.items()}


def flat_lines(
    flat: Mapping[str, Iterable[int]], count: int, name_of: Callable[[int], str] = str
) -> tuple[str, ...]:
    """A sentence for each reason, with the cells and how many of ``count`` they are.

    ``name_of`` says what a cell is called, by its number.
    """
    lines = []
    for reason, text in REASONS.items():
        cells = [name_of(number) for number in flat.get(reason, ())]
        if not cells:
            continue
        if len(cells) == 1 and reason == "constant":
            lines.append(f"cell {cells[0]} is constant: its map is empty")
            continue
        singular = len(cells) == 1
        named = named_cells(cells)
        lines.append(
            text.format(
                cells=named if singular else f"{len(cells)} of {count} cells ({named})",
                are="is" if singular else "are",
                have="has" if singular else "have",
                maps="its map is" if singular else "their maps are",
            )
        )
    return tuple(lines)


def named_cells(cells: Sequence[object]) -> str:
    """``cell 3``, ``3, 5, 7`` or ``3, 5, ... and 9 more``."""
    if len(cells) == 1:
        return f"cell {cells[0]}"
    more = len(cells) - NAMED
    listed = ", ".join(map(str, cells[:NAMED]))
    return f"{listed} and {more} more" if more > 0 else listed


def joined_flat(parts: Iterable[Mapping[str, Iterable[int]]]) -> dict[str, list[int]]:
    """The cells of several parts of a data set by reason."""
    joined: dict[str, list[int]] = {}
    for part in parts:
        for reason, cells in part.items():
            joined.setdefault(reason, []).extend(cells)
    return joined


def _taken_away(problem: Problem) -> Iterator[Tensor]:
    """The cells (n, C, H, W) without what is in them, in several ways."""
    x = problem.x
    yield problem.mean.expand_as(x)
    yield border_median(x).expand_as(x)
    yield x.amin(dim=(2, 3), keepdim=True).expand_as(x)
    yield blurred(x, BLUR * max(problem.size))


def _flat(maps: FloatArray, least: float) -> npt.NDArray[np.bool_]:
    flat = maps.reshape(len(maps), -1)
    high, low = flat.max(axis=1), flat.min(axis=1)
    rounding = 1e-6 * np.maximum(np.abs(high), np.abs(low))
    is_flat: npt.NDArray[np.bool_] = (high - low) <= np.maximum(rounding, least)
    return is_flat
