"""Targets: which answer of the classifier is to be explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from napari_channelmix.errors import ModelError
from napari_channelmix.phenotypes.confusion import class_places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Target", "chosen_target"]


@dataclass(frozen=True, eq=False)
class Target:
    """One class for each cell, against all others or against one other.

    Attributes
    ----------
    of : (N,) int64 tensor
        Class to explain, a position in the classifier's classes.
    versus : (N,) int64 tensor or None
        The class it is held against; None: all others.
    independent : bool
        Whether the classes are labels of which several may be true: the log odds of one are then
        its own score, and nothing else speaks against it.
    """

    of: Tensor
    versus: Tensor | None = None
    independent: bool = False

    def __len__(self) -> int:
        return len(self.of)

    def __getitem__(self, some: slice | Tensor) -> Target:
        versus = None if self.versus is None else self.versus[some]
        return Target(self.of[some], versus, self.independent)

    def repeated(self, times: int) -> Target:
        """The same targets ``times`` over, for batches of several versions of the cells."""
        versus = None if self.versus is None else self.versus.repeat(times)
        return Target(self.of.repeat(times), versus, self.independent)

    def to(self, device: torch.device) -> Target:
        """The same on another device."""
        versus = None if self.versus is None else self.versus.to(device)
        return Target(self.of.to(device), versus, self.independent)

    def log_odds(self, scores: Tensor) -> Tensor:
        """``log p - log(1 - p)`` of the target (N,), from class scores (N, K) before the softmax.

        With ``versus`` it is the difference of two scores: p is then the share among the two.
        """
        own = scores.gather(1, self.of[:, None])[:, 0]
        if self.versus is not None:
            return own - scores.gather(1, self.versus[:, None])[:, 0]
        if self.independent:
            return own
        return own - scores.scatter(1, self.of[:, None], -torch.inf).logsumexp(dim=1)

    def probability(self, scores: Tensor) -> Tensor:
        """Probability p of the target (N,)."""
        return torch.sigmoid(self.log_odds(scores))

    def log_losses(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """``-log p`` and ``-log(1 - p)``, each (N,)."""
        odds = self.log_odds(scores)
        return functional.softplus(-odds), functional.softplus(odds)


def chosen_target(
    target: Any,
    versus: Any,
    predicted: npt.NDArray[np.int64],
    classes: Sequence[str],
    name_of: Callable[[int], str] = str,
    *,
    independent: bool = False,
) -> Target:
    """The target for ``predicted`` cells from what the user asked for.

    Parameters
    ----------
    target : None, str, int or (N,) sequence of them
        None: the predicted class of each cell.
    versus : None, str, int or (N,) sequence of them
        None: all other classes.
    predicted : (N,) int64 array
    classes : sequence of str
    name_of : callable of int
        What messages call a cell, by its row; default: the row.
    independent : bool
        As of `Target`.

    Raises
    ------
    ModelError
        A class the classifier does not know, another number of targets than of cells, a class
        against itself, a classifier of a single class.
    """
    if len(classes) < 2:
        raise ModelError("a classifier of one class always predicts it: nothing to explain")
    of = predicted if target is None else _positions(target, len(predicted), classes, "target")
    if versus is None:
        return Target(torch.from_numpy(of.copy()), independent=independent)
    other = _positions(versus, len(predicted), classes, "versus")
    same = of == other
    if same.any():
        cell = int(np.argmax(same))
        raise ModelError(
            f"cell {name_of(cell)}: class {classes[of[cell]]!r} cannot be compared with itself; "
            "choose another class for target or versus"
        )
    return Target(torch.from_numpy(of.copy()), torch.from_numpy(other.copy()), independent)


def _positions(
    requested: Any, count: int, classes: Sequence[str], what: str
) -> npt.NDArray[np.int64]:
    listed = [requested] * count if np.ndim(requested) == 0 else list(requested)
    if len(listed) != count:
        raise ModelError(f"{what}: {len(listed)} classes for {count} cells; give one for each")
    return np.array([_position(value, classes, what) for value in listed], dtype=np.int64)


def _position(value: Any, classes: Sequence[str], what: str) -> int:
    if isinstance(value, str) and value in classes:
        return classes.index(value)
    if isinstance(value, str) and (place := class_places([value], classes)[0]) >= 0:
        return place
    if isinstance(value, (int, np.integer)) and 0 <= value < len(classes):
        return int(value)
    raise ModelError(
        f"{what}: the classifier knows no class {value!r}; it has {', '.join(classes)}"
    )
