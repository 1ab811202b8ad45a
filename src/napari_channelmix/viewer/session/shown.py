"""The field of view that stands in the viewer, and the layers that show it. It knows no Qt."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

__all__ = ["LAYERS_GONE", "OPEN_AGAIN", "Shown", "ShownBefore"]

#: What to do where layers were removed.
OPEN_AGAIN = "open the data set again, or choose the layers again on the page 'Data'."
#: What a page says where `Shown.is_in` is false.
LAYERS_GONE = f"The layers of this field of view are gone; {OPEN_AGAIN}"


@dataclass(frozen=True)
class Shown:
    """The field of view that stands in the viewer, and the layers that show it.

    Attributes
    ----------
    field : int
        Its position in ``cells.fields``.
    images : dict of str to napari layer
        The layer of each channel; several channels share one where it has a channel axis.
    objects : napari layer or None
        The Labels or Points layer the cells come from.
    slice_position : dict of int to int
        For cells of one slice of a stack: axis of the first image layer, and the slice.
    axes : (int, int) or None
        Rows and columns among the axes of the image layers; None: the last two.
    id_column : str or None
        Column in the features of ``objects`` that holds the ids of the cells, where the user chose
        one, or where points have ids.
    stack : dict of int to dict
        Where every slice of a stack is a field of view: for each field, its ``slice_position``.
    """

    field: int
    images: dict[str, Any] = dataclasses.field(default_factory=dict)
    objects: Any = None
    slice_position: dict[int, int] = dataclasses.field(default_factory=dict)
    axes: tuple[int, int] | None = None
    id_column: str | None = None
    stack: dict[int, dict[int, int]] = dataclasses.field(default_factory=dict)

    @property
    def reference(self) -> Any:
        """The layer whose geometry every result takes."""
        return next(iter(self.images.values()), self.objects)

    def is_in(self, layers: Collection[Any]) -> bool:
        """Whether it still stands among the layers of a viewer; the user may remove any."""
        return self.reference in layers


class ShownBefore:
    """How a data set was shown, without keeping its layers alive: those removed hold pixels."""

    def __init__(self, shown: Shown | None) -> None:
        self.field = 0 if shown is None else shown.field
        self._bare = None if shown is None else dataclasses.replace(shown, images={}, objects=None)
        images = {} if shown is None else shown.images
        self._images = {name: weakref.ref(layer) for name, layer in images.items()}
        objects = None if shown is None else shown.objects
        self._objects = None if objects is None else weakref.ref(objects)

    def again(self, layers: Collection[Any]) -> Shown | None:
        """The same, where all of its layers are still among these; else None."""
        images = {name: layer() for name, layer in self._images.items()}
        objects = None if self._objects is None else self._objects()
        used = [*images.values(), *([] if self._objects is None else [objects])]
        if self._bare is None or not used:
            return None
        if any(layer is None or layer not in layers for layer in used):
            return None
        return dataclasses.replace(self._bare, images=images, objects=objects)
