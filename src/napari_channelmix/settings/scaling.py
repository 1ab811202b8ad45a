"""Settings of the scaling of pixels: hot pixels clipped, arcsinh, percentiles to 0 and 1."""

from __future__ import annotations

from typing import Annotated, Any

from napari_channelmix.bounds import Bounds
from napari_channelmix.errors import ModelError
from napari_channelmix.settings.fields import About, settings
from napari_channelmix.wording import quoted

__all__ = ["EXAMPLE", "NONE", "ScalingSettings"]

#: What stands for pixels as they are in the files.
NONE = "none"
# What a text may name, in the order in which it is done.
NAMES = ("clip", "arcsinh", "low", "high")
#: A text of all steps.
EXAMPLE = "clip=99.9,arcsinh=5,low=1,high=99.8"

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

    @classmethod
    def from_text(cls, text: str) -> ScalingSettings:
        """The settings of a text, as the command line takes it.

        Parameters
        ----------
        text : str
            ``clip=99.9,arcsinh=5,low=1,high=99.8``, of which each but one of a pair may be left
            out, or ``none``.

        Raises
        ------
        ModelError
            Another name, a name twice or without a number, numbers outside their bounds.

        Examples
        --------
        >>> ScalingSettings.from_text("arcsinh=5").text
        'arcsinh with the cofactor 5'
        >>> ScalingSettings.from_text("none") == ScalingSettings()
        True
        """
        if text.strip().casefold() == NONE:
            return cls()
        given: dict[str, Any] = {}
        if not text.strip():
            raise ModelError(f"scaling: names no step; give {EXAMPLE}, or {NONE}")
        for part in text.split(","):
            name, sign, value = (piece.strip() for piece in part.partition("="))
            if not name:
                raise ModelError(f"scaling: a comma or = has no name next to it; give {EXAMPLE}")
            if name == "percentiles":
                raise ModelError("scaling: name the two percentiles low and high: low=1,high=99.8")
            if name not in NAMES:
                raise ModelError(
                    f"scaling: {quoted(name)} is not one of {', '.join(NAMES)}; give {EXAMPLE}, "
                    f"or {NONE}"
                )
            if not sign or not value:
                raise ModelError(f"scaling: {name} has no number; give {name}=NUMBER")
            if name in given:
                raise ModelError(f"scaling: {name} is given twice")
            try:
                given[name] = float(value)
            except ValueError:
                raise ModelError(f"scaling: {name} must be a number, not {quoted(value)}") from None
        try:
            return cls(**given)
        except ModelError as error:
            says = str(error).removeprefix("scaling: ")
            raise ModelError(f"scaling: {says}") from None

    @property
    def spelt(self) -> str:
        """The text that `from_text` reads as these settings."""
        given = {name: getattr(self, name) for name in NAMES if getattr(self, name) is not None}
        parts = [
            f"{name}={int(value) if value.is_integer() else repr(value)}"
            for name, value in given.items()
        ]
        return ",".join(parts) or NONE

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
