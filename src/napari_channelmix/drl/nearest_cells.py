"""Traversals of latents that cannot be drawn: the nearest real cells along each axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.traversal import Traversal

if TYPE_CHECKING:
    from napari_channelmix.drl.disentangler import Disentangler
    from napari_channelmix.drl.preparation import Prepared

__all__ = ["Drawer", "NearestCells", "nearest_traversal"]


class EncodedCells(Protocol):
    """What is needed of `Latents`."""

    @property
    def values(self) -> npt.NDArray[np.float32]: ...

    @property
    def prepared(self) -> Prepared: ...

    @property
    def disentangler(self) -> Disentangler: ...

    def axes(self) -> tuple[str, ...]: ...

    def of_axis(self, axis: str) -> npt.NDArray[np.float64]: ...

    def nearest(self, cell: int, axis: str, count: int = 9) -> npt.NDArray[np.int64]: ...

    def nearest_to(
        self, latents: npt.NDArray[Any], axes: Sequence[str] = ()
    ) -> npt.NDArray[np.int64]: ...


class Drawer(Protocol):
    """What gives pictures of latents."""

    def decode(self, latents: npt.NDArray[Any], /) -> npt.NDArray[np.float32]:
        """Pictures (n, C, H, W) in [0, 1] of latents (n, Z)."""
        ...


@dataclass(frozen=True, eq=False)
class NearestCells:
    """Gives the pictures of the real cells that lie nearest, on some axes above all."""

    latents: EncodedCells
    axes: tuple[str, ...] = ()

    def decode(self, latents: npt.NDArray[Any], /) -> npt.NDArray[np.float32]:
        """Pictures (n, C, H, W) in [0, 1] of the cells nearest to latents (n, Z)."""
        cells = self.latents.nearest_to(latents, self.axes)
        return np.asarray(self.latents.prepared.pictures[cells], np.float32) / np.float32(255)


def nearest_traversal(latents: EncodedCells, cell: int, steps: int = 9) -> Traversal:
    """Real cells along every axis worth looking at, as a traversal.

    Its values are those of the cells that are shown, in the order of the steps, so they need not
    rise evenly; rows are ordered by the change of the latent, in spreads over the cells, that the
    cells at both ends show. Our definition; which cells are shown is `Latents.nearest`.
    """
    axes = latents.axes()
    shown = [latents.nearest(cell, axis, steps) for axis in axes]
    spread = np.maximum(latents.values.std(axis=0), 1e-6)
    change = np.zeros(len(axes))
    for index, (axis, cells) in enumerate(zip(axes, shown, strict=True)):
        columns = list(latents.disentangler.columns(axis))
        far = cells[steps // 2 if len(columns) == 2 else -1]
        apart = (latents.values[far] - latents.values[cells[0]])[columns] / spread[columns]
        change[index] = np.abs(apart).max()
    order = np.argsort(-change, kind="stable")
    pictures = np.zeros((len(axes), steps, *latents.disentangler.shape), np.float32)
    values = np.zeros((len(axes), steps))
    for row, index in enumerate(order):
        pictures[row] = latents.prepared.pictures[shown[index]] / np.float32(255)
        values[row] = latents.of_axis(axes[index])[shown[index]]
    return Traversal(tuple(axes[index] for index in order), pictures, values, change[order])
