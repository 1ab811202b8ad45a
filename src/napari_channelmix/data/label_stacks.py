"""The label images of a stack: a plane of them, or their projection, with what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.array_planes import PROJECT, ArrayPlane
from napari_channelmix.data.label_projection import project_labels
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.stack_places import StackPlace

__all__ = ["LabelStack"]


@dataclass(frozen=True, eq=False)
class LabelStack:
    """Labels of the planes of a stack.

    Attributes
    ----------
    values : (..., Y, X) array
    axes : tuple of str
        T and Z, of those before Y and X; behind an axis of files where there are several.
    where, name : str
        Of the file, for messages: with table and line, and alone.
    several : bool
        Whether the first axis is that of files, which are projected.
    """

    values: npt.NDArray[Any] = field(repr=False)
    axes: tuple[str, ...]
    where: str
    name: str
    several: bool = False

    @classmethod
    def of(
        cls, stacks: Sequence[tuple[npt.NDArray[Any], tuple[str, ...]]], where: str, name: str
    ) -> LabelStack:
        """From one file, or from files that are projected into one plane.

        Raises
        ------
        DataError
            Files of other shapes or axes.
        """
        values, axes = stacks[0]
        if len(stacks) == 1:
            return cls(values, axes, where, name)
        for other, its_axes in stacks[1:]:
            if other.shape != values.shape or its_axes != axes:
                raise DataError(
                    f"{where} is {values.shape}, the label image of another plane of its stack "
                    f"{other.shape}; all must have one size"
                )
        return cls(np.stack([each for each, _ in stacks]), axes, where, name, several=True)

    def of_plane(self, place: StackPlace) -> ArrayPlane:
        """The plane of a field of view; a mask without an axis is the same in all its planes."""
        index = place.index(self.axes)
        return ArrayPlane(self.values, (PROJECT, *index) if self.several else index)

    def labels(self, place: StackPlace) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
        """Labels (Y, X) of a field of view, and what is lost where planes lie over each other."""
        plane = self.of_plane(place)
        if PROJECT not in plane.index:
            return np.array(plane[:, :]), ()
        projected = project_labels(plane)
        axes = [axis for axis in self.axes if dict(place.positions)[axis] == PROJECT]
        along = " and ".join([*(["its files"] if self.several else []), *axes])
        return projected.labels, projected.warnings(self.where, along)
