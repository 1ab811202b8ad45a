"""Pixels scaled channel by channel when they are read: clipped, arcsinh, percentiles to 0 and 1.

The values are measured once, on some cells of a data set, and stay the same from then on: a crop
is scaled alike whoever reads it, from images or from a crop store, here or in a worker. Label
images, layers in the window and files keep the values of the images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted, listed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RAW", "ChannelScaling", "PixelScaling"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ChannelScaling:
    """How the pixels of one channel are scaled, and what that does.

    Attributes
    ----------
    clip : float or None
        Highest value, in raw units.
    cofactor : float or None
        Of arcsinh.
    zero, unit : float or None
        Values that become 0 and 1, after clipping and arcsinh.
    clipped : float
        Share of the pixels that were measured that lie above ``clip``.
    """

    clip: float | None = None
    cofactor: float | None = None
    zero: float | None = None
    unit: float | None = None
    clipped: float = 0.0

    def apply(self, pixels: FloatArray) -> FloatArray:
        """The pixels scaled, in place; any shape.

        Examples
        --------
        >>> pixels = np.array([0, 10, 900], np.float32)
        >>> ChannelScaling(clip=20, zero=0, unit=20).apply(pixels).tolist()
        [0.0, 0.5, 1.0]
        """
        if self.clip is not None:
            np.minimum(pixels, np.float32(self.clip), out=pixels)
        if self.cofactor is not None:
            pixels /= np.float32(self.cofactor)
            np.arcsinh(pixels, out=pixels)
        if self.zero is not None and self.unit is not None:
            pixels -= np.float32(self.zero)
            pixels /= np.float32(self.unit - self.zero)
        return pixels

    @property
    def steps(self) -> tuple[float | None, ...]:
        """What decides the pixels."""
        return self.clip, self.cofactor, self.zero, self.unit


@dataclass(frozen=True)
class PixelScaling:
    """How the pixels of channels are scaled; those that are not named stay as they are.

    Attributes
    ----------
    channels : mapping of str to ChannelScaling
    text : str
        The steps in words.
    n : int
        Cells that were measured; 0 where the values were given.
    chosen : str
        The settings, as `ScalingSettings.spelt` has them, where they were chosen for an open data
        set instead of those of its data-set file; else empty. Decides no pixel.
    """

    channels: Mapping[str, ChannelScaling] = field(default_factory=dict)
    text: str = ""
    n: int = 0
    chosen: str = ""

    def __bool__(self) -> bool:
        return bool(self.channels)

    def same(self, other: PixelScaling, channels: Sequence[str]) -> bool:
        """Whether another one does the same to these channels."""
        return all(self.steps_of(name) == other.steps_of(name) for name in channels)

    def steps_of(self, name: str) -> tuple[float | None, ...]:
        """What decides the pixels of a channel."""
        return self.channels.get(name, ChannelScaling()).steps

    def apply(self, crops: FloatArray, channels: Sequence[str]) -> FloatArray:
        """Crops (n, C, H, W) scaled, in place."""
        for place, name in enumerate(channels):
            if name in self.channels:
                self.channels[name].apply(crops[:, place])
        return crops

    def renamed(self, names: Mapping[str, str]) -> PixelScaling:
        """The same for channels that are called otherwise from now on."""
        return replace(
            self, channels={names.get(name, name): each for name, each in self.channels.items()}
        )

    def of_channels(self, channels: Sequence[str]) -> PixelScaling:
        """The same for some of the channels."""
        return replace(
            self, channels={name: self.channels[name] for name in channels if name in self.channels}
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """What is done, and to how many pixels."""
        if not self:
            return ()
        line = f"pixels of {counted(len(self.channels), 'channel')} are scaled: {self.text}"
        most = sorted(self.channels.items(), key=lambda pair: -pair[1].clipped)
        clipped = [f"{name} {each.clipped:.2%}" for name, each in most if each.clipped > 0]
        if clipped:
            line += f"; share of pixels clipped: {listed(clipped, 3)}"
        return (line,)

    def to_frame(self) -> pd.DataFrame:
        """A row per channel, with the values of `ChannelScaling`."""
        import pandas as pd

        rows = [{"channel": name, **asdict(each)} for name, each in self.channels.items()]
        return pd.DataFrame(rows)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        channels = {name: asdict(each) for name, each in self.channels.items()}
        return {"text": self.text, "n": self.n, "channels": channels}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> PixelScaling:
        """What `as_dict` gave.

        Raises
        ------
        DataError
            Values that are no scaling.
        """
        try:
            channels = {
                str(name): _checked(ChannelScaling(**each), str(name))
                for name, each in content["channels"].items()
            }
            return cls(channels, str(content.get("text", "")), int(content.get("n", 0)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"scaling of pixels cannot be read ({error})") from error


#: Pixels as they are in the files.
RAW = PixelScaling()


def _checked(scaling: ChannelScaling, name: str) -> ChannelScaling:
    """Refuse values by which nothing could be scaled."""
    given = [value for value in scaling.steps if value is not None]
    bad = any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in given)
    if bad or not np.isfinite([*given, scaling.clipped]).all():
        raise DataError(f"scaling of channel {name!r} has values that are no numbers")
    if scaling.cofactor is not None and scaling.cofactor <= 0:
        raise DataError(f"scaling of channel {name!r}: cofactor must be more than 0")
    if (scaling.zero is None) != (scaling.unit is None):
        raise DataError(f"scaling of channel {name!r}: zero and unit go together")
    if scaling.zero is not None and scaling.unit is not None and scaling.unit <= scaling.zero:
        raise DataError(f"scaling of channel {name!r}: unit must be above zero")
    return scaling
