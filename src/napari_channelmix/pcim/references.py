"""References: what a pixel looks like when it is taken away.

A method sees references of one kind while it works, and is judged on others: a score on the very
images it was trained against would flatter it.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["REPORTED", "SOLVING", "Reference", "blurred", "border_median", "noise_sd", "reference"]

# Kinds the solvers and the baselines may use.
SOLVING = ("border", "mean", "blur")
# Crops up to this side are blurred by a product of matrices, which is quicker than convolutions.
AS_MATRICES = 256
# Kinds the scores are reported on.
REPORTED = ("background", "smooth")


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

    Kinds for the methods: ``border`` (median of the outermost pixels, with the image's noise),
    ``mean`` (data-set mean) and ``blur`` (sigma 6 pixels, with noise). Kinds for the scores:
    ``background`` (pixels drawn from the two outermost rows and columns) and ``smooth`` (sigma a
    quarter of the side). Our definition.

    Parameters
    ----------
    x : (N, C, H, W) tensor
    mean : (1, C, 1, 1) tensor
        Mean of the data set, on the scale of ``x``.
    seed : int or torch.Generator
        Draws are the same for all cells: what a cell gets does not depend on its company.
    """

    def __init__(self, x: Tensor, mean: Tensor, seed: int | torch.Generator = 0) -> None:
        self.x, self.mean = x, mean
        self.draws = (
            seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
        )

    def draw(self, kind: str) -> Tensor:
        """A reference (N, C, H, W): what the cells would be if nothing were there."""
        drawn: Tensor = getattr(self, f"_{kind}")()
        return drawn

    @cached_property
    def _noise(self) -> Tensor:
        return noise_sd(self.x)

    @cached_property
    def _median(self) -> Tensor:
        return border_median(self.x)

    @cached_property
    def _blurred(self) -> Tensor:
        return blurred(self.x, 6.0)

    def _grain(self) -> Tensor:
        grain = torch.randn(self.x.shape[1:], generator=self.draws)
        return self._noise * grain.to(self.x.device, self.x.dtype)

    def _border(self) -> Tensor:
        return self._median + self._grain()

    def _mean(self) -> Tensor:
        return self.mean.expand_as(self.x)

    def _blur(self) -> Tensor:
        return self._blurred + self._grain()

    def _background(self) -> Tensor:
        ring = _ring(self.x, 2)
        pixels = self.x.shape[2] * self.x.shape[3]
        picks = torch.randint(ring.shape[2], (pixels,), generator=self.draws)
        return ring[:, :, picks.to(self.x.device)].view(self.x.shape)

    def _smooth(self) -> Tensor:
        return blurred(self.x, min(self.x.shape[2:]) / 4)


def reference(kind: str, x: Tensor, mean: Tensor, seed: int | torch.Generator = 0) -> Tensor:
    """A single reference (N, C, H, W); see `Reference`."""
    return Reference(x, mean, seed).draw(kind)
