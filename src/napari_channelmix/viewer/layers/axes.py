"""Which axis of a Labels or Points layer is which axis of the channels: by name, or by length.

napari shows layers of few axes against the last axes of others, whatever they are; labels (T, Y, X)
under an image (T, C, Y, X) would lie along its channels. So nothing is matched by its place from
the right: an axis that neither its name nor its length tells is refused.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers.planes import Axis, axes_of

__all__ = ["as_text", "match_axes", "match_points"]

# Other names of the same axis.
ALIASES = {
    "time": "t",
    "frame": "t",
    "frames": "t",
    "depth": "z",
    "plane": "z",
    "ch": "c",
    "channel": "c",
    "channels": "c",
}

NAME_AXES = "give the axes of both layers names (axis_labels), or choose a layer that fits"


def match_axes(
    reference: Any, marker: Any, plane: tuple[int, int], channel: int | None = None
) -> tuple[int | None, ...]:
    """The axis of the reference for each axis of a Labels layer.

    Parameters
    ----------
    reference : napari layer
        The channels.
    marker : napari layer
        Marks the cells; may have fewer axes, and then marks all slices along those it lacks.
    plane : (int, int)
        Rows and columns of the reference.
    channel : int, optional
        Its channel axis.

    Returns
    -------
    tuple of int or None
        None for an axis of length 1 that the reference does not have; one of its name may be
        longer in the reference. The last two, or those with
        the names of the reference's rows and columns, are rows and columns. Labels of the same
        shape as the reference, as napari makes them, or with an axis of its name, have its channel
        axis too.

    Raises
    ------
    DataError
        Axes that cannot be matched, or in several ways: both shapes, and what to do.
    """
    ours, theirs = axes_of(reference), axes_of(marker)
    both = _shapes(reference, marker)
    rows, columns = _plane_of(ours, theirs, plane)
    result: dict[int, int | None] = {rows: plane[0], columns: plane[1]}
    free = [axis for axis in ours if axis.number not in (*plane, channel)]
    left = [axis for axis in theirs if axis.number not in result]
    for axis in list(left):
        named = [other for other in ours if _same_name(axis, other)]
        if not named:
            continue
        if named[0].number == channel and named[0].length == axis.length:
            result[axis.number] = channel
            left.remove(axis)
            continue
        if named[0] not in free or axis.length not in (1, named[0].length):
            raise DataError(
                f"{both}: axis {axis.label!r} is {axis.length} long in one and "
                f"{named[0].length} in the other; {NAME_AXES}"
            )
        result[axis.number] = named[0].number
        free.remove(named[0])
        left.remove(axis)
    in_order = _in_order(left, ours, channel, plane) if len(theirs) == len(ours) else {}
    if in_order:
        free = [axis for axis in free if axis.number not in in_order.values()]
        result |= in_order
        left = []
    for axis in list(left):
        if axis.length == 1 and not any(other.length == 1 for other in free):
            result[axis.number] = None
            left.remove(axis)
    if channel is not None and [axis.length for axis in theirs] == [a.length for a in ours]:
        free = [axis for axis in ours if axis.number not in result.values()]
    result |= _by_length(left, free, ours, channel, both, marker.name)
    return tuple(result[axis.number] for axis in theirs)


def _in_order(
    left: list[Axis], ours: tuple[Axis, ...], channel: int | None, plane: tuple[int, int]
) -> dict[int, int | None]:
    """The axes of a layer with as many as the reference has, some of them of one slice.

    It marks that slice, where napari shows it, and no other.
    """
    others = [axis for axis in ours if axis.number not in plane]
    if len(left) != len(others) or not any(axis.length == 1 for axis in left):
        return {}
    fits = all(
        layer_axis.length in (1, other.length) and not (layer_axis.is_named and other.is_named)
        for layer_axis, other in zip(left, others, strict=True)
    )
    if not fits:
        return {}
    return {
        layer_axis.number: None
        if other.number == channel and layer_axis.length == 1
        else other.number
        for layer_axis, other in zip(left, others, strict=True)
    }


def _by_length(
    left: list[Axis],
    free: list[Axis],
    ours: tuple[Axis, ...],
    channel: int | None,
    both: str,
    name: str,
) -> dict[int, int | None]:
    if not left:
        return {}
    if [axis.length for axis in left] == [axis.length for axis in free]:
        # The same axes in the same order.
        ways = [tuple(free)]
    else:
        ways = [
            way
            for way in permutations(free, len(left))
            if all(_fits(layer_axis, other) for layer_axis, other in zip(left, way, strict=True))
        ]
    ways = [way for way in ways if all(map(_fits, left, way))]
    lengths = {axis.length for axis in left if not axis.is_named}
    # Labels may lie along the channels as well, such as one mask for each.
    twin = channel is not None and ours[channel] not in free and ours[channel].length in lengths
    if len(ways) == 1 and not twin:
        return {axis.number: other.number for axis, other in zip(left, ways[0], strict=True)}
    if ways:
        raise DataError(
            f"{both}: {as_text(left)} of {name!r} could be any of several axes of that length; "
            f"{NAME_AXES}"
        )
    there = as_text(free) if free else "none but the channels" if channel is not None else "none"
    raise DataError(
        f"{both}: {as_text(left)} of {name!r} is no axis of the channels (there: {there}); "
        f"{NAME_AXES}"
    )


def _fits(axis: Axis, other: Axis) -> bool:
    """Whether two axes may be the same: of one length, and not of two names."""
    return axis.length == other.length and not (axis.is_named and other.is_named)


def _plane_of(
    ours: tuple[Axis, ...], theirs: tuple[Axis, ...], plane: tuple[int, int]
) -> tuple[int, int]:
    """Rows and columns of a marker: by their names where both have them, else the last two."""
    numbers = []
    for number in plane:
        named = [axis.number for axis in theirs if _same_name(axis, ours[number])]
        numbers += named[:1]
    # Rows stand before columns in all that napari shows.
    if len(numbers) == 2 and numbers[0] < numbers[1]:
        return numbers[0], numbers[1]
    return len(theirs) - 2, len(theirs) - 1


def _same_name(axis: Axis, other: Axis) -> bool:
    return axis.is_named and other.is_named and _name(axis) == _name(other)


def _name(axis: Axis) -> str:
    name = axis.label.strip().casefold()
    return ALIASES.get(name, name)


def match_points(
    reference: Any, points: Any, plane: tuple[int, int], channel: int | None = None
) -> tuple[int, ...]:
    """The axis of the reference for each axis of a Points layer.

    Points have no lengths: they are matched by names, or where they have as many axes as the
    reference, with or without its channel axis. Points of two axes mark all slices.

    Raises
    ------
    DataError
        Axes that cannot be matched: how many there are, and what to do.
    """
    ours = axes_of(reference)
    labels = [Axis(number, str(label), 0) for number, label in enumerate(points.axis_labels)]
    both = f"Points layer {points.name!r} has {points.ndim} axes, {_shape(reference)}"
    if points.ndim == len(ours):
        return tuple(range(points.ndim))
    if points.ndim == 2:
        return plane
    rest = [axis for axis in ours if axis.number not in (*plane, channel)]
    extra = labels[:-2]
    named = [next((o for o in ours if _same_name(axis, o)), None) for axis in extra]
    if all(named):
        numbers = [axis.number for axis in named if axis is not None]
        if len(set(numbers)) == len(extra) and not {*numbers} & {*plane, channel}:
            return (*numbers, *plane)
    if any(axis is not None for axis in named) or len(extra) != len(rest):
        raise DataError(
            f"{both}; which of them are its slices is not known: {NAME_AXES}, or give each point "
            "a position along every axis"
        )
    if any(a.is_named and b.is_named for a, b in zip(extra, rest, strict=True)):
        raise DataError(f"{both}; their axes have other names: {NAME_AXES}")
    return (*(axis.number for axis in rest), *plane)


def _shapes(reference: Any, marker: Any) -> str:
    kind = type(marker).__name__
    return f"{kind} layer {marker.name!r} is {_lengths(marker)}, {_shape(reference)}"


def _shape(layer: Any) -> str:
    return f"channel layer {layer.name!r} is {_lengths(layer)}"


def _lengths(layer: Any) -> str:
    return " x ".join(
        f"{axis.length} ({axis.label})" if axis.is_named else str(axis.length)
        for axis in axes_of(layer)
    )


def as_text(axes: list[Axis]) -> str:
    """Axes as the user sees them."""
    return " and ".join(str(axis) for axis in axes)
