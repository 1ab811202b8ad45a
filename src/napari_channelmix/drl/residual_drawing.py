"""Drawings that look like the cells: the named latents, and residual ones beside them.

The named latents are those of the disentangler, whose encoder is left as it is. The residual
latents hold what the names leave out of a picture. A slider moves a named latent; the residual
latents stay, so that it is *this* cell that grows, brightens or turns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix.drl.autoencoder import as_floats
from napari_channelmix.drl.known_operations import applied, known_columns, steps_of
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.drl.autoencoder import NamedAutoencoder
    from napari_channelmix.drl.residual_network import ResidualNetwork

__all__ = ["CellCodes", "CellDrawer", "ResidualDrawing"]

FloatArray = npt.NDArray[np.float32]
# Pictures that are drawn at a time.
BATCH = 128


@dataclass(frozen=True, eq=False)
class CellCodes:
    """What a drawing needs to know of cells beside where the sliders stand.

    Attributes
    ----------
    named : (n, Z) float32 array
        Named latents of the cells as they are.
    residual : (n, maps, 8, 8) float32 array
        Residual latents: means of their posteriors.
    """

    named: FloatArray
    residual: FloatArray

    def __len__(self) -> int:
        return len(self.named)

    def repeated(self, count: int) -> CellCodes:
        """The first cell ``count`` times."""
        return CellCodes(
            np.repeat(self.named[:1], count, axis=0), np.repeat(self.residual[:1], count, axis=0)
        )


@dataclass(frozen=True, eq=False)
class ResidualDrawing:
    """Draws cells from named and residual latents.

    Attributes
    ----------
    source : Disentangler
        Whose named latents these are.
    network : ResidualNetwork
        In evaluation mode, on the CPU.
    about : dict
        How it was made: ``steps``, ``seed``, ``cells``, ``held_out``, ``curves``.
    """

    source: NamedAutoencoder
    network: ResidualNetwork = field(repr=False)
    about: dict[str, Any] = field(default_factory=dict, repr=False)

    def encode(
        self, pictures: npt.NDArray[Any], named: npt.NDArray[np.float32] | None = None
    ) -> CellCodes:
        """Named and residual latents of pictures.

        Parameters
        ----------
        pictures : (n, C, H, W) array
            As of `Disentangler.encode`.
        named : (n, Z) float32 array, optional
            Their named latents, where they are known already.

        Raises
        ------
        DataError
            Another shape, NaN, or floats outside [0, 1].
        """
        seen = np.asarray(pictures)
        if seen.ndim != 4 or seen.shape[1:] != self.source.shape:
            raise DataError(f"images must be (n, {self.source.shape}), not {seen.shape}")
        own = self.source.encode(seen) if named is None else np.asarray(named, np.float32)
        residual = [np.empty((0, self.network.settings.maps, 8, 8), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(seen), BATCH):
                part = torch.from_numpy(as_floats(seen[start : start + BATCH], start))
                residual.append(self.network.residual(part).mean.numpy())
        return CellCodes(own, np.concatenate(residual))

    def decode(self, latents: npt.NDArray[Any], codes: CellCodes) -> FloatArray:
        """Pictures (n, C, H, W) float32 in [0, 1] of cells whose sliders stand at ``latents``.

        Parameters
        ----------
        latents : (n, Z) array
            Named latents.
        codes : CellCodes
            Of the cells (n), or of one cell.

        Raises
        ------
        DataError
            Another number of latents, or of cells.
        """
        points = np.atleast_2d(np.asarray(latents, np.float32))
        if points.ndim != 2 or points.shape[1] != len(self.source.names):
            raise DataError(f"latents must be (n, {len(self.source.names)}), not {points.shape}")
        if len(codes) == 1 < len(points):
            codes = codes.repeated(len(points))
        if len(codes) != len(points):
            raise DataError(f"{len(points)} sets of latents for {len(codes)} cells")
        known = known_columns(self.source.code)
        drawn = np.empty((len(points), *self.source.shape), np.float32)
        with torch.inference_mode():
            for start in range(0, len(points), BATCH):
                rows = slice(start, start + BATCH)
                end, begin = torch.from_numpy(points[rows]), torch.from_numpy(codes.named[rows])
                held = end.clone()
                held[:, known] = begin[:, known]
                plain = self.network.picture(held, torch.from_numpy(codes.residual[rows]))
                steps = steps_of(self.source.code, begin, end)
                drawn[rows] = applied(plain, steps).clamp(0, 1).numpy()
        return drawn

    def drawer_of(
        self, picture: npt.NDArray[Any], named: npt.NDArray[np.float32] | None = None
    ) -> CellDrawer:
        """What draws one cell (C, H, W) at any latents (n, Z), such as along a traversal."""
        return CellDrawer(self, self.encode(picture[None], None if named is None else named[None]))


@dataclass(frozen=True, eq=False)
class CellDrawer:
    """Draws one cell wherever its sliders stand."""

    drawing: ResidualDrawing
    codes: CellCodes

    def decode(self, latents: npt.NDArray[Any], /) -> FloatArray:
        """Pictures (n, C, H, W) in [0, 1] of the cell at latents (n, Z)."""
        return self.drawing.decode(latents, self.codes)
