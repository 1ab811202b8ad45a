"""Which chunks of a picture planes lie in, and where in each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["ChunkPart", "ChunkPlan", "Index", "Lead", "chunk_plan"]

#: Of a plane: for each axis of the picture a position, or None for rows and columns.
Index = tuple[int | None, ...]
#: Position of a chunk along each axis, counted in chunks; 0 for rows and columns.
Lead = tuple[int, ...]

# Plans that are kept: one for each picture and choice of channels that is in use.
MOST_PLANS = 64


@dataclass(frozen=True)
class ChunkPart:
    """Planes that are taken out of a chunk together.

    Attributes
    ----------
    channels : tuple of int
        Where they go, among the channels of the crops.
    index : tuple
        Where they lie in the chunk.
    order : tuple of int
        How its axes become (c, Y, X); empty for a single plane.
    """

    channels: tuple[int, ...]
    index: tuple[Any, ...]
    order: tuple[int, ...]


@dataclass(frozen=True)
class ChunkPlan:
    """What is read at each row and column of chunks.

    Attributes
    ----------
    leads : tuple of tuple of int
        The chunks, by their position along all axes but rows and columns.
    parts : tuple of tuple of ChunkPart
        What is taken of each.
    """

    leads: tuple[Lead, ...]
    parts: tuple[tuple[ChunkPart, ...], ...]


@lru_cache(maxsize=MOST_PLANS)
def chunk_plan(
    grid: tuple[int, ...], y: int, x: int, indices: tuple[Index, ...], channels: tuple[int, ...]
) -> ChunkPlan:
    """Which chunks planes lie in, and where.

    Parameters
    ----------
    grid : tuple of int
        Lengths of a chunk along each axis of the picture.
    y, x : int
        Its axes of rows and columns.
    indices : tuple of tuple
        Of each plane.
    channels : tuple of int
        Where each goes, among the channels of the crops.

    Examples
    --------
    >>> plan = chunk_plan((2, 64, 64), 1, 2, ((0, None, None), (2, None, None)), (0, 1))
    >>> plan.leads
    ((0, 0, 0), (1, 0, 0))
    >>> [part.index[0] for (part,) in plan.parts]
    [0, 0]
    """
    leads: dict[Lead, list[tuple[int, Index]]] = {}
    for channel, index in zip(channels, indices, strict=True):
        steps = zip(index, grid, strict=True)
        lead = tuple(0 if i is None else i // step for i, step in steps)
        leads.setdefault(lead, []).append((channel, index))
    parts = tuple(_parts(grid, y, x, lead, planes) for lead, planes in leads.items())
    return ChunkPlan(tuple(leads), parts)


def _parts(
    grid: tuple[int, ...], y: int, x: int, lead: Lead, planes: list[tuple[int, Index]]
) -> tuple[ChunkPart, ...]:
    """What of a chunk are its planes: those that follow each other together."""
    first = [number * step for number, step in zip(lead, grid, strict=True)]
    inner = [
        tuple(0 if i is None else i - start for i, start in zip(index, first, strict=True))
        for _, index in planes
    ]
    channels = tuple(channel for channel, _ in planes)
    varying = [axis for axis in range(len(grid)) if len({place[axis] for place in inner}) > 1]
    if len(varying) == 1:
        axis = varying[0]
        numbers = [place[axis] for place in inner]
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            together = list(_slices(inner[0], y, x))
            together[axis] = slice(numbers[0], numbers[-1] + 1)
            left = [a for a in range(len(grid)) if a in (y, x, axis)]
            order = tuple(left.index(a) for a in (axis, y, x))
            return (ChunkPart(channels, tuple(together), order),)
    return tuple(
        ChunkPart((channel,), _slices(place, y, x), ())
        for channel, place in zip(channels, inner, strict=True)
    )


def _slices(place: tuple[int, ...], y: int, x: int) -> tuple[Any, ...]:
    return tuple(slice(None) if axis in (y, x) else i for axis, i in enumerate(place))
