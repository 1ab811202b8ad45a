"""What of a cell's channels the encoder sees: colours, one channel, or the blend of a classifier.

A view is linear: each channel, scaled to [0, 1] over the whole data set, is added to the picture
with its own colour (three numbers) or weight (one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.drl.autoencoder import NamedAutoencoder

__all__ = ["PALETTE", "View", "default_view"]

FloatArray = npt.NDArray[np.float64]

#: Colours of channels that bring none of their own, in order.
PALETTE = (
    (1.0, 0.0, 0.0),
    (0.0, 1.0, 0.0),
    (0.0, 0.0, 1.0),
    (1.0, 1.0, 0.0),
    (1.0, 0.0, 1.0),
    (0.0, 1.0, 1.0),
)
_RGB = ({"r", "red"}, {"g", "green"}, {"b", "blue"})


@dataclass(frozen=True)
class View:
    """Colours, or weights, of channels.

    Attributes
    ----------
    channels : tuple of str
        The channels that are looked at.
    weights : tuple of tuples
        For each channel, what it adds to each channel of the picture: (3,) or (1,) numbers.
    natural : bool
        Whether the channels are red, green and blue of one colour picture, which are scaled alike.
    """

    channels: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    natural: bool = False

    @classmethod
    def colors(
        cls, channels: Sequence[str], colors: Mapping[str, Sequence[float]] | None = None
    ) -> View:
        """All channels, each in a colour: its own, or the next of `PALETTE`.

        Channels called red, green and blue are the picture they are; a single channel is grey.

        Raises
        ------
        DataError
            More channels than the palette has colours, or a colour that is not three numbers.
        """
        names = tuple(channels)
        if colors is None:
            if len(names) == 3 and all(
                name.lower() in accepted for name, accepted in zip(names, _RGB, strict=True)
            ):
                return cls(names, PALETTE[:3], natural=True)
            if len(names) == 1:
                return cls(names, ((1.0, 1.0, 1.0),))
            if len(names) > len(PALETTE):
                raise DataError(
                    f"{len(names)} channels, but only {len(PALETTE)} colours; choose some of "
                    f"{', '.join(names)}, or give each a colour"
                )
            return cls(names, PALETTE[: len(names)])
        missing = [name for name in names if name not in colors]
        if missing:
            raise DataError(f"channel {missing[0]!r} has no colour")
        chosen = []
        for name in names:
            try:
                color = tuple(float(part) for part in colors[name])
            except (TypeError, ValueError):
                color = ()
            if len(color) != 3 or not all(0 <= part <= 1 for part in color):
                raise DataError(f"the colour of {name!r} must be three numbers from 0 to 1")
            chosen.append(color)
        return cls(names, tuple(chosen))

    @classmethod
    def one(cls, channel: str, depth: int = 1) -> View:
        """One channel as a grey picture of ``depth`` equal channels."""
        return cls((channel,), ((1.0,) * depth,))

    @classmethod
    def blend(cls, shares: Mapping[str, float], depth: int = 1) -> View:
        """Channels weighted with their importance, such as `ChannelImportance.share`.

        Raises
        ------
        DataError
            No share above 0, or one that is negative or no number.
        """
        values = np.array(list(shares.values()), dtype=np.float64)
        if not len(values) or not np.isfinite(values).all() or values.min() < 0 or not values.sum():
            raise DataError("a blend needs shares of 0 or more, one of them above 0")
        weights = values / values.sum()
        return cls(tuple(shares), tuple((float(weight),) * depth for weight in weights))

    @property
    def depth(self) -> int:
        """Channels of the picture."""
        return len(self.weights[0])

    @property
    def matrix(self) -> FloatArray:
        """(C, depth) weights."""
        return np.array(self.weights, dtype=np.float64)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "channels": list(self.channels),
            "weights": [list(row) for row in self.weights],
            "natural": self.natural,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> View:
        """From `as_dict`."""
        weights = tuple(tuple(float(part) for part in row) for row in record["weights"])
        return cls(tuple(record["channels"]), weights, bool(record["natural"]))


def default_view(of: NamedAutoencoder, cells: Cells, channel: str | None = None) -> View:
    """The view a disentangler takes of cells unless told otherwise.

    Parameters
    ----------
    of : Disentangler
    cells : Cells
    channel : str, optional
        Look at this one alone.

    Raises
    ------
    DataError
        One that looks at a single channel, while there are several and none is chosen.
    """
    depth = of.shape[0]
    if channel is not None:
        return View.one(cells.with_channels([channel]).channels[0], depth)
    if depth == 3:
        return View.colors(cells.channels)
    if len(cells.channels) > 1:
        raise DataError(
            f"{of.name} take one channel: choose one of {', '.join(cells.channels)}, "
            "or a blend of them"
        )
    return View.one(cells.channels[0])
