"""What the file of a layer says of its axes and channels, which napari does not keep."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from napari_channelmix.data.tiff_pages import chain_length
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.viewer.layers.planes import axes_of, full_resolution

__all__ = ["FileFacts", "channel_axis_of", "channel_names_along", "file_facts", "file_names_of"]


@dataclass(frozen=True)
class FileFacts:
    """What a file says of the layer that was made of it; empty where it says nothing.

    Attributes
    ----------
    path : Path or None
    axes : dict of int to str
        Letter of each axis of the layer (T, Z, C, Y, X); empty where the layer is not the whole of
        the file.
    channels : tuple of str
        Names, where the file has them.
    """

    path: Path | None = None
    axes: dict[int, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()


# A TIFF of more pages is not asked: that takes 0.2 s for each thousand, and the window waits.
MOST_PAGES = 1000
# By layer, with the shape it had: its data may be exchanged.
_KNOWN: WeakKeyDictionary[Any, tuple[tuple[int, ...], FileFacts]] = WeakKeyDictionary()


def file_facts(layer: Any) -> FileFacts:
    """What the file of a layer says; read once for each layer, without its pixels."""
    shape = tuple(map(int, full_resolution(layer).shape))
    known = _KNOWN.get(layer)
    if known is None or known[0] != shape:
        known = shape, _read(layer, shape)
        _KNOWN[layer] = known
    return known[1]


def _read(layer: Any, shape: tuple[int, ...]) -> FileFacts:
    source = getattr(layer.source, "path", None)
    if not source:
        return FileFacts()
    path = Path(source)
    from napari_channelmix.data.image_formats import open_image

    file = None
    # What the file says is of use only where we can read it; the layer is there already.
    with suppress(ChannelMixError, OSError):
        if not path.is_file() or chain_length(path) <= MOST_PAGES:
            file = open_image(path)
    if file is None or file.axes is None:
        return FileFacts(path)
    long = [axis for axis, length in enumerate(shape) if length != 1]
    letters = [
        (letter, length)
        for letter, length in zip(file.axes, file.shape, strict=True)
        if length != 1
    ]
    whole = [shape[axis] for axis in long] == [length for _, length in letters]
    axes = dict(zip(long, (letter for letter, _ in letters), strict=True)) if whole else {}
    return FileFacts(path, axes, tuple(file.channels or ()))


def channel_axis_of(layer: Any) -> int | None:
    """The axis that holds the channels, where its own label or its file says so."""
    named = [axis.number for axis in axes_of(layer) if axis.is_channel]
    if named or layer.rgb:
        return named[0] if named else None
    return next((axis for axis, letter in file_facts(layer).axes.items() if letter == "C"), None)


def channel_names_along(layer: Any, axis: int) -> tuple[str, ...]:
    """A name for each position along the channel axis: of the file, else numbered."""
    count = axes_of(layer)[axis].length
    names = file_facts(layer).channels
    if len(names) == count and len({*names}) == count and all(names):
        return names
    return tuple(f"{layer.name} {place}" for place in range(count))


def file_names_of(layers: Sequence[Any]) -> tuple[str, ...]:
    """Names of layers that are the channels of one file, as the file has them; else their own.

    Layers that napari or the user gave other names than that of the file keep them.
    """
    own = tuple(str(layer.name) for layer in layers)
    paths = {getattr(layer.source, "path", None) for layer in layers}
    if len(paths) != 1 or None in paths or len(layers) < 2:
        return own
    facts = file_facts(layers[0])
    stem = facts.path.name.split(".")[0] if facts.path is not None else ""
    names = facts.channels
    fits = len(names) == len(own) and len({*names}) == len(own) and all(names)
    return names if fits and stem and all(name.startswith(stem) for name in own) else own
