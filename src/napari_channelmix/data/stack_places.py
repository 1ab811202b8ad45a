"""Planes of a stack that are fields of view: each, one, or the maximum along an axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from napari_channelmix.data.array_planes import PROJECT
from napari_channelmix.errors import DataError

__all__ = ["StackPlace", "in_words", "places_in_stack"]


@dataclass(frozen=True)
class StackPlace:
    """Where a field of view lies in a stack.

    Attributes
    ----------
    positions : tuple of (str, int)
        Axis, T or Z, and the position along it from 0, or `PROJECT` for the maximum.
    own : tuple of str
        The axes along which each plane is a field of view of its own.
    """

    positions: tuple[tuple[str, int], ...] = ()
    own: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """For messages: ``t=3, z=0``; empty where nothing has to be told apart."""
        return ", ".join(f"{a.lower()}={at}" for a, at in self.positions if a in self.own)

    @property
    def short(self) -> str:
        """For names: ``t3_z0``."""
        return "_".join(f"{a.lower()}{at}" for a, at in self.positions if a in self.own)

    def index(self, axes: tuple[str, ...]) -> tuple[int | None, ...]:
        """Of an array with these axes before its rows and columns, as `ArrayPlane` takes it."""
        positions = dict(self.positions)
        return (*(positions[axis] for axis in axes), None, None)


def places_in_stack(
    lengths: Mapping[str, int], choices: Mapping[str, str | int], path: Path
) -> list[StackPlace]:
    """The fields of view of a stack, in the order of its planes.

    Parameters
    ----------
    lengths : mapping of str to int
        The axes T and Z of a file, in its order, and how long they are.
    choices : mapping of str to (str or int)
        For an axis ``each``, ``maximum``, or the number of a plane from 0. An axis without a
        choice is left out: whoever opens its planes says what to do.
    path : Path
        For messages.

    Raises
    ------
    DataError
        A plane that the file does not have.
    """
    known = [axis for axis in lengths if axis in choices]
    ways: list[list[int]] = []
    for axis in known:
        choice, length = choices[axis], lengths[axis]
        if choice == "each":
            ways.append(list(range(length)))
        elif choice == "maximum":
            ways.append([PROJECT])
        else:
            number = int(choice)
            if number >= length:
                raise DataError(
                    f"{path}: has {length} planes along {axis}, numbered from 0; there is no plane "
                    f"{number}"
                )
            ways.append([number])
    own = tuple(axis for axis in known if choices[axis] == "each")
    return [StackPlace(tuple(zip(known, way, strict=True)), own) for way in product(*ways)]


def in_words(lengths: Mapping[str, int]) -> str:
    """How many planes a file has: ``6 planes along Z``, or ``one plane``."""
    return " and ".join(f"{n} planes along {axis}" for axis, n in lengths.items()) or "one plane"
