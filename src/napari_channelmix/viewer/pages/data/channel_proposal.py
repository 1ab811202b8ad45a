"""Which layers are proposed as channels: what is sure is ticked and said, the rest is asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.axis_question import unclear_axis
from napari_channelmix.viewer.pages.data.samples import PART

__all__ = ["MOST_LAYERS", "ChannelProposal", "propose"]

# More layers of one size than this are rather images than channels of one.
MOST_LAYERS = 8


@dataclass(frozen=True, eq=False)
class ChannelProposal:
    """Layers to tick, or a layer and its channel axis; and why, in a line.

    Attributes
    ----------
    text : str
        Empty where there is nothing to say.
    ticked : tuple of napari layer
    stack : napari layer or None
        Holds all channels, along ``axis``.
    axis : int or None
    """

    text: str = ""
    ticked: tuple[Any, ...] = ()
    stack: Any = None
    axis: int | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for proposals that say and tick the same."""
        return self.text, tuple(map(id, self.ticked)), id(self.stack), self.axis


def propose(images: Sequence[Any], selected: Collection[Any] = ()) -> ChannelProposal:
    """What to tick among the image layers of the user.

    Parameters
    ----------
    images : sequence of napari Image layer
        In their order, RGB pictures too: they are never proposed.
    selected : collection of napari layer
        What is selected in the viewer: of several layers with channels of their own, that one.
    """
    sample = tuple(image for image in images if image.metadata.get(PART) == "channel")
    if sample:
        return ChannelProposal(f"{len(sample)} channels of the sample are ticked.", sample)
    usable = [image for image in images if not image.rgb and image.ndim > 1]
    if not usable:
        return ChannelProposal()
    stacks = {id(image): layers.channel_axis_of(image) for image in usable if image.ndim > 2}
    whole = [image for image in usable if stacks.get(id(image)) is not None]
    if whole and len(whole) == len(usable):
        return _of_stack(whole, selected, stacks)
    if len(usable) == 1:
        # What has to be asked is not settled by a tick.
        asked = unclear_axis(usable[0]) is not None
        return ChannelProposal("" if asked else f"'{usable[0].name}' is ticked.", (usable[0],))
    if whole:
        return ChannelProposal(
            f"Layer '{whole[0].name}' has a channel axis, others have none: choose which of them "
            "hold the channels."
        )
    return _of_layers(usable)


def _of_stack(
    whole: list[Any], selected: Collection[Any], stacks: dict[int, int | None]
) -> ChannelProposal:
    chosen = next((image for image in whole if image in selected), whole[0])
    axis = stacks[id(chosen)]
    assert axis is not None
    facts = layers.file_facts(chosen)
    count = layers.axes_of(chosen)[axis].length
    who = "its file" if facts.axes.get(axis) == "C" else "the name of the axis"
    text = f"{count} channels along axis {axis} of '{chosen.name}', as {who} says."
    if len(whole) > 1:
        text += f" {len(whole)} layers have channels: choose another one under 'Layer'."
    return ChannelProposal(text, (), chosen, axis)


def _of_layers(usable: list[Any]) -> ChannelProposal:
    first, count = usable[0], len(usable)
    for other in usable[1:]:
        why = _differs(first, other)
        if why:
            return ChannelProposal(f"None is ticked: {why}. Tick the channels of one image.")
    # One file that a reader split into its channels, however many.
    paths = {getattr(image.source, "path", None) for image in usable}
    if count > MOST_LAYERS and len(paths) == 1 and None not in paths:
        return ChannelProposal(
            f"{count} layers of one file are ticked: untick what is no channel.", tuple(usable)
        )
    if count > MOST_LAYERS:
        return ChannelProposal(
            f"None is ticked: {count} layers of the same size may be several images. Tick the "
            "channels of one image."
        )
    folders = {_folder(image) for image in usable}
    if len(folders) > 1:
        return ChannelProposal(
            f"None is ticked: {count} layers of the same size come from several folders. Tick the "
            "channels of one image."
        )
    return ChannelProposal(
        f"{count} layers of the same size are ticked: untick what is no channel of this image.",
        tuple(usable),
    )


def _differs(first: Any, other: Any) -> str:
    """Why two layers are no channels of one image; empty where they may be."""
    sizes = [tuple(axis.length for axis in layers.axes_of(image)) for image in (first, other)]
    if sizes[0] != sizes[1]:
        shown = [" x ".join(map(str, size)) for size in sizes]
        return f"'{first.name}' is {shown[0]}, '{other.name}' {shown[1]} pixels"
    axes = tuple(range(first.ndim))
    try:
        layers.same_place(first, other, (first.name, other.name), (axes, axes))
    except DataError:
        return f"'{first.name}' and '{other.name}' lie at different places"
    return ""


def _folder(image: Any) -> str:
    path = getattr(image.source, "path", None)
    return str(Path(path).parent) if path else ""
