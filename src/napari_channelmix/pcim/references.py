"""References: what a pixel looks like when it is taken away.

A method works with references of some kinds, and its maps are judged on others: a score on the very
images it worked with would flatter it.

=============== ================================================== ======== =======
kind            a removed pixel becomes                            methods  scores
=============== ================================================== ======== =======
``border``      the median of the border, with the image's noise   yes
``mean``        the mean of the data set                           yes
``blur``        the image blurred by 6 pixels, with its noise      yes
``cells``       that of another real cell (of the pool)            yes
``background``  one of the pixels of the border, at random                  yes
``smooth``      the image blurred by a quarter of its side                  yes
``shuffled``    another pixel of the same image, at random                  yes
``filled``      a smooth continuation of the pixels that are kept           yes
``scrambled``   that of the image with its Fourier phases drawn             yes
``noise``       normal noise with the data set's mean and sd                yes
``other cells`` that of another real cell, none of the pool                 yes, apart
=============== ================================================== ======== =======

``background`` is related to ``border``, and ``smooth`` to ``blur``; in crops below 32 pixels they
blur about alike. ``other cells`` is of a kind that methods work with, although of other cells: it
is reported by itself and does not count in the mean. Our definition.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from itertools import cycle
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from napari_channelmix.pcim.inpainting import filled_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_channelmix.pcim.batch import Problem
    from napari_channelmix.pcim.cell_pool import PooledCells

__all__ = [
    "APART",
    "REPORTED",
    "SOLVING",
    "Reference",
    "Removal",
    "blurred",
    "border_median",
    "noise_sd",
    "reference",
    "reported_kinds",
]

# Kinds the methods may use; "cells" too where there is a pool.
SOLVING = ("border", "mean", "blur")
# Crops up to this side are blurred by a product of matrices, which is quicker than convolutions.
AS_MATRICES = 256
# Kinds the scores are reported on, which no method works with ...
REPORTED = ("background", "smooth", "shuffled", "filled", "scrambled", "noise")
# ... and one that is reported beside them.
APART = "other cells"


def reported_kinds(other_cells: PooledCells | None) -> tuple[str, ...]:
    """Kinds the scores are reported on, where there are other cells or none."""
    return REPORTED if other_cells is None else (*REPORTED, APART)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of images (N, C, H, W), sigma in pixels; borders are reflected."""
    if sigma <= 0:
        return x
    height, width = x.shape[2:]
    if max(height, width) > AS_MATRICES:
        return _blurred_along(_blurred_along(x, sigma, 2), sigma, 3)
    kind = x.dtype, x.device
    blurred_rows = torch.matmul(_blur_matrix(height, sigma, *kind), x)
    return torch.matmul(blurred_rows, _blur_matrix(width, sigma, *kind).T)


@lru_cache(maxsize=64)
def _blur_matrix(side: int, sigma: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What blurs a column of so many pixels, (side, side)."""
    # Made of numbers that no inference mode has touched: gradients may be taken through it.
    with torch.inference_mode(False), torch.no_grad():
        unit = torch.eye(side, dtype=dtype, device=device)[None, None]
        return _blurred_along(unit, sigma, 2)[0, 0]


def _blurred_along(x: Tensor, sigma: float, axis: int) -> Tensor:
    # A reflection cannot be wider than the image.
    reach = min(int(3.5 * sigma + 0.5), x.shape[axis] - 1)
    if reach < 1:
        return x
    steps = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = (
        (kernel / kernel.sum()).view(1, 1, -1, 1)
        if axis == 2
        else (kernel / kernel.sum()).view(1, 1, 1, -1)
    )
    padding = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
    padded = functional.pad(x, padding, mode="reflect")
    channels = x.shape[1]
    return functional.conv2d(padded, kernel.expand(channels, 1, -1, -1), groups=channels)


def border_median(x: Tensor) -> Tensor:
    """Median of the outermost pixels of each image and channel, (N, C, 1, 1): the background."""
    return _ring(x, 1).median(dim=2).values[..., None, None]


def _ring(x: Tensor, width: int) -> Tensor:
    """The outermost pixels (N, C, P) of images (N, C, H, W)."""
    outer = torch.ones(x.shape[2:], dtype=torch.bool, device=x.device)
    outer[width:-width, width:-width] = False
    return x[:, :, outer]


def noise_sd(x: Tensor) -> Tensor:
    """Pixel noise (N, C, 1, 1): spread of what a blur of one pixel removes. Our definition."""
    # The spread over a single pixel is 0, not undefined.
    return (x - blurred(x, 1.0)).std(dim=(2, 3), keepdim=True, correction=0)


class Reference:
    """Drawn references of some cells; what does not change between draws is kept.

    Parameters
    ----------
    x : (N, C, H, W) tensor
    mean : (1, C, 1, 1) tensor
        Mean of the data set, on the scale of ``x``.
    seed : int or torch.Generator
        Draws are the same for all cells: what a cell gets does not depend on its company.
    sd : (1, C, 1, 1) tensor, optional
        Standard deviation of the data set; default: that of each cell.
    pooled, other_cells : PooledCells, optional
        Real cells, for the kinds ``cells`` and ``other cells``.
    """

    def __init__(
        self,
        x: Tensor,
        mean: Tensor,
        seed: int | torch.Generator = 0,
        *,
        sd: Tensor | None = None,
        pooled: PooledCells | None = None,
        other_cells: PooledCells | None = None,
    ) -> None:
        self.x, self.mean, self.other_cells = x, mean, other_cells
        self._pooled: Callable[[], PooledCells | None] = lambda: pooled
        self.sd = x.std(dim=(2, 3), keepdim=True, correction=0) if sd is None else sd
        self.draws = (
            seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
        )

    @classmethod
    def of(cls, problem: Problem) -> Reference:
        """What methods draw for a problem; no other cells. The pool is read when it is needed."""
        references = cls(problem.x, problem.mean, problem.seed, sd=problem.sd)
        references._pooled = lambda: problem.pooled
        return references

    @cached_property
    def pooled(self) -> PooledCells | None:
        """Real cells for the methods; None where there are none."""
        return self._pooled()

    def draw(self, kind: str) -> Tensor:
        """A reference (N, C, H, W): what the cells would be if nothing were there."""
        drawn: Tensor = getattr(self, f"_{kind.replace(' ', '_')}")()
        return drawn

    @cached_property
    def _noise_sd(self) -> Tensor:
        return noise_sd(self.x)

    @cached_property
    def _median(self) -> Tensor:
        return border_median(self.x)

    @cached_property
    def _blurred(self) -> Tensor:
        return blurred(self.x, 6.0)

    def grain(self) -> Tensor:
        """Noise of the size of each image's own (N, C, H, W)."""
        grain = torch.randn(self.x.shape[1:], generator=self.draws)
        return self._noise_sd * grain.to(self.x.device, self.x.dtype)

    def _border(self) -> Tensor:
        return self._median + self.grain()

    def _mean(self) -> Tensor:
        return self.mean.expand_as(self.x)

    def _blur(self) -> Tensor:
        return self._blurred + self.grain()

    def _background(self) -> Tensor:
        ring = _ring(self.x, 2)
        pixels = self.x.shape[2] * self.x.shape[3]
        picks = torch.randint(ring.shape[2], (pixels,), generator=self.draws)
        return ring[:, :, picks.to(self.x.device)].view(self.x.shape)

    def _smooth(self) -> Tensor:
        return blurred(self.x, min(self.x.shape[2:]) / 4)

    @cached_property
    def _order(self) -> Iterator[int]:
        """Cells of the pool at random, each once before any comes again."""
        count = 0 if self.pooled is None else len(self.pooled.x)
        return cycle(torch.randperm(count, generator=self.draws).tolist())

    def _cells(self) -> Tensor:
        if self.pooled is None:
            raise ValueError("there are no other cells in the data set")
        return self.pooled.drawn(next(self._order))

    def _other_cells(self) -> Tensor:
        if self.other_cells is None:
            raise ValueError("there are no other cells in the data set")
        count = len(self.other_cells.x)
        return self.other_cells.drawn(int(torch.randint(count, (1,), generator=self.draws)))

    def _shuffled(self) -> Tensor:
        places = torch.randperm(self.x.shape[2] * self.x.shape[3], generator=self.draws)
        return self.x.flatten(2)[:, :, places.to(self.x.device)].view(self.x.shape)

    def _filled(self) -> Tensor:
        # Of nothing but the mean; `Removal` fills in from what is kept.
        return self.mean + self.grain()

    def _scrambled(self) -> Tensor:
        # The phases of noise, the same in all channels, so that these stay in step.
        noise = torch.randn(self.x.shape[2:], generator=self.draws)
        phases = torch.fft.rfft2(noise.to(self.x.device, torch.float32)).sgn()
        # The mean stays.
        phases[0, 0] = 1
        spectrum = torch.fft.rfft2(self.x.float()) * phases
        scrambled: Tensor = torch.fft.irfft2(spectrum, s=self.x.shape[2:])
        return scrambled.to(self.x.dtype)

    def _noise(self) -> Tensor:
        noise = torch.randn(self.x.shape[1:], generator=self.draws)
        return self.mean + self.sd * noise.to(self.x.device, self.x.dtype)


class Removal:
    """Images of which some pixels have been taken away, by a reference of one kind.

    Parameters
    ----------
    references : Reference
    kind : str
    """

    def __init__(self, references: Reference, kind: str) -> None:
        self._x, self._mean = references.x, references.mean
        self._fills_in = kind == "filled"
        # What is filled in gets the noise of the image alone.
        self._drawn = references.grain() if self._fills_in else references.draw(kind)

    def kept(self, kept: Tensor, some: slice = slice(None)) -> Tensor:
        """Some of the cells (n, C, H, W) with the pixels of a mask; the others are taken away.

        Parameters
        ----------
        kept : (n, 1 or C, H, W) bool tensor
        some : slice
            The n cells.
        """
        x, drawn = self._x[some], self._drawn[some]
        if self._fills_in:
            drawn = filled_in(x, kept, self._mean) + drawn
        return torch.where(kept, x, drawn)


def reference(kind: str, x: Tensor, mean: Tensor, seed: int | torch.Generator = 0) -> Tensor:
    """A single reference (N, C, H, W); see `Reference`."""
    return Reference(x, mean, seed).draw(kind)
