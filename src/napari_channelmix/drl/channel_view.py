"""What of a cell's channels the encoder sees: colours, one channel, a sum, or a classifier's blend.

A view is linear: each channel, scaled to [0, 1] over the whole data set, is added to the picture
with its own colour (three numbers) or weight (one). A picture has three numbers a pixel, so a few
colours can be told apart in it, never forty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.bounds import MOST_COLORS
from napari_channelmix.data.membrane_channels import (
    MEMBRANE,
    RIMS,
    bright_at_rims_job,
    channels_called,
    membrane_by_name,
)
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, drain
from napari_channelmix.wording import counted, listed

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.drl.autoencoder import NamedAutoencoder

__all__ = [
    "PALETTE",
    "View",
    "default_view",
    "named_channels_job",
    "summed_channels",
    "summed_channels_job",
    "view_of_cells",
]

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
            More channels, or more different colours, than the palette has, or a colour that is not
            three numbers. Channels of the same colour are summed.
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
                raise DataError(_too_many(names, len(names)))
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
        return cls(names, tuple(chosen)).checked()

    @classmethod
    def one(cls, channel: str, depth: int = 1) -> View:
        """One channel as a grey picture of ``depth`` equal channels."""
        return cls((channel,), ((1.0,) * depth,))

    @classmethod
    def sum(cls, channels: Sequence[str], depth: int = 1) -> View:
        """Several channels as one grey picture: each scaled to [0, 1], then added up.

        Raises
        ------
        DataError
            No channels.

        Examples
        --------
        >>> View.sum(["CD3", "CD20"]).weights
        ((1.0,), (1.0,))
        """
        if not channels:
            raise DataError("a sum needs a channel or more")
        return cls(tuple(channels), ((1.0,) * depth,) * len(channels))

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

    def checked(self) -> View:
        """The view itself, unless it has more different colours than can be told apart.

        Raises
        ------
        DataError
        """
        colors = {
            tuple(part / max(row) for part in row)
            for row in self.weights
            if max(row) > 0 and len(set(row)) > 1
        }
        if len(colors) > MOST_COLORS:
            raise DataError(_too_many(self.channels, len(colors)))
        return self

    @property
    def text(self) -> str:
        """What is looked at, in words: the channels, or of what it is the sum."""
        names = listed(self.channels)
        return f"sum of {names}" if self.grey and len(self.channels) > 1 else names

    @property
    def grey(self) -> bool:
        """Whether all channels of the picture are the same."""
        return all(len(set(row)) == 1 for row in self.weights)

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


def default_view(
    of: NamedAutoencoder, cells: Cells, channel: View | str | Sequence[str] | None = None
) -> View:
    """The view a disentangler takes of cells unless told otherwise; see `view_of_cells`."""
    return view_of_cells(of.name, of.shape[0], cells, channel)


def view_of_cells(
    name: str, depth: int, cells: Cells, channels: View | str | Sequence[str] | None = None
) -> View:
    """The view of cells that an encoder of so many channels takes.

    Parameters
    ----------
    name : str
        What the encoder is called.
    depth : int
        Channels of its pictures: 1 or 3.
    cells : Cells
    channels : View, str, or sequence of str, optional
        One channel alone, by its name, or the sum of several; see `summed_channels`.

    Raises
    ------
    DataError
        More channels than colours, or an encoder of a single channel, while there are several and
        none is chosen; a channel that the data set does not have; a view of another depth.
    """
    if isinstance(channels, View):
        if channels.depth != depth:
            raise DataError(
                f"{name} need images of {depth} channels, the view gives {channels.depth}"
            )
        return channels.checked()
    if isinstance(channels, str):
        return View.one(cells.with_channels([channels]).channels[0], depth)
    if channels is not None:
        return View.sum(summed_channels(cells, channels), depth)
    if depth == 3:
        return View.colors(cells.channels)
    if len(cells.channels) > 1:
        raise DataError(
            f"{name} take one channel: choose one of {listed(cells.channels)}, "
            f"or a blend of them, or {_sum_of(cells.channels)}"
        )
    return View.one(cells.channels[0])


def summed_channels(cells: Cells, names: Sequence[str]) -> tuple[str, ...]:
    """The channels that are summed, in the order of the data set.

    Parameters
    ----------
    cells : Cells
    names : sequence of str
        Names of channels, patterns such as ``CD*`` (any capitals), `MEMBRANE` or `RIMS`. A channel
        of exactly such a name is that channel.

    Raises
    ------
    DataError
        A name or pattern that no channel fits; no outlines to measure rims at; no channel that is
        brighter there.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> panel = SimpleNamespace(name="panel", channels=("DAPI", "CD3", "CD20", "FOXP3"))
    >>> summed_channels(panel, ["CD*"]), summed_channels(panel, ["foxp3"])
    (('CD3', 'CD20'), ('FOXP3',))
    """
    return drain(summed_channels_job(cells, names))


def named_channels_job(
    cells: Cells, view: View | str | Sequence[str] | None
) -> Job[View | str | Sequence[str] | None]:
    """The same view, as a job, with the names of all channels that a sum is of.

    What is measured of the cells for that is then not measured again.
    """
    if view is None or isinstance(view, View | str):
        return view
    return (yield from summed_channels_job(cells, view))


def summed_channels_job(cells: Cells, names: Sequence[str]) -> Job[tuple[str, ...]]:
    """`summed_channels` as a job: rims are measured in steps."""
    chosen: set[str] = set()
    for name in names:
        fitting = yield from _fitting_job(cells, name.strip())
        if not fitting:
            raise DataError(
                f"{cells.name}: no channel fits {name.strip()!r}; it has {listed(cells.channels)}"
            )
        chosen.update(fitting)
    if not chosen:
        raise DataError(f"{cells.name}: name the channels that are summed, such as CD*")
    return tuple(channel for channel in cells.channels if channel in chosen)


def _fitting_job(cells: Cells, name: str) -> Job[Sequence[str]]:
    called = channels_called(cells.channels, name)
    if called is not None:
        return called
    measured = yield from bright_at_rims_job(cells)
    if not measured:
        raise DataError(
            f"{cells.name}: no channel is brighter at the rims of the cells than inside; name "
            f"those that are summed, of {listed(cells.channels)}"
        )
    return measured


def _too_many(channels: Sequence[str], colors: int) -> str:
    """Why so many colours are refused, and what to do instead; for every route."""
    of = f"{len(channels)} channels" if colors == len(channels) else counted(colors, "colour")
    return (
        f"{of}, but only {MOST_COLORS} colours can be told apart in a picture: choose one channel "
        f"(of {listed(channels, 3)}), or {_sum_of(channels)}"
    )


def _sum_of(channels: Sequence[str]) -> str:
    """A sum to propose, with how it is asked for in Python and on the command line."""
    by_name = membrane_by_name(channels)
    if len(by_name) > 1:
        what, word = f"the membrane markers by name: {listed(by_name, 3)}", MEMBRANE
    else:
        what, word = "the channels brightest at the rims of the cells", RIMS
    return f"a sum, such as {what} (view=[{word!r}], --sum {word})"
