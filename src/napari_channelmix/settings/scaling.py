"""Settings of the scaling of pixels: hot pixels clipped, arcsinh, percentiles to 0 and 1."""

from __future__ import annotations

from typing import Annotated

from napari_channelmix.bounds import Bounds
from napari_channelmix.errors import ModelError
from napari_channelmix.settings.fields import About, settings

__all__ = ["ScalingSettings"]

Clip = Annotated[float, Bounds(50, 100, whole=False)]
Cofactor = Annotated[float, Bounds(1e-6, 1e6, whole=False)]
Low = Annotated[float, Bounds(0, 50, whole=False)]


@settings
class ScalingSettings:
    """What is done to the pixels of channels, in this order; nothing by default.

    Attributes
    ----------
    clip : float or None
        Percentile of a channel's pixels; what is brighter counts as that.
    arcsinh : float or None
        Cofactor: ``x`` becomes ``arcsinh(x / cofactor)``.
    low, high : float or None
        Percentiles that become 0 and 1, linearly; what lies beyond them is not clipped.

    Raises
    ------
    ModelError
        A value outside its bounds; one of two percentiles alone, or ``low`` not below ``high``.

    Examples
    --------
    >>> ScalingSettings(clip=99.9, arcsinh=5).text
    'clipped at the percentile 99.9, arcsinh with the cofactor 5'
    """

    clip: Annotated[Clip | None, About("Clip at percentile", "of a channel's pixels")] = None
    arcsinh: Annotated[Cofactor | None, About("Cofactor of arcsinh", "in units of the files")] = (
        None
    )
    low: Annotated[Low | None, About("Percentile that becomes 0", "of a channel's pixels")] = None
    high: Annotated[Clip | None, About("Percentile that becomes 1", "of a channel's pixels")] = None

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ModelError("scaling: give both percentiles, those that become 0 and 1")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ModelError("scaling: the percentile that becomes 0 must be below that of 1")

    @property
    def text(self) -> str:
        """The steps in words; empty for none."""
        steps = []
        if self.clip is not None:
            steps.append(f"clipped at the percentile {self.clip:g}")
        if self.arcsinh is not None:
            steps.append(f"arcsinh with the cofactor {self.arcsinh:g}")
        if self.low is not None:
            steps.append(f"percentiles {self.low:g} and {self.high:g} to 0 and 1")
        return ", ".join(steps)
