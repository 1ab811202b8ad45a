"""Pictures of cells in colour: layers that lie exactly on the cell and are changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.viewer.layers.geometry import plane_axes
from napari_channelmix.viewer.layers.keep_selection import keep_selection
from napari_channelmix.viewer.layers.map_layer import box_geometry, box_shape
from napari_channelmix.viewer.layers.own_layers import OURS, PLANE, claim, find_ours
from napari_channelmix.viewer.layers.removing import no_search, remove_small

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["PictureLayer"]


class PictureLayer:
    """One layer of red, green and blue; scale, units and axes are those of the source."""

    def __init__(self, viewer: Any, role: str, name: str) -> None:
        self._viewer, self.role, self._name = viewer, role, name

    @property
    def layer(self) -> Any:
        """The layer; None where it is not there, as when the user removed it."""
        return find_ours(self._viewer, self.role)

    def lay(self, shown: Shown, box: Sequence[int], picture: npt.NDArray[np.uint8]) -> None:
        """Put a picture (H, W, 3) on a box of the field of view; the one before goes."""
        self.clear()
        size = picture.shape[0], picture.shape[1]
        shape = box_shape(shown, size)
        rows, columns = (0, 1) if len(shape) == 2 else shown.axes or plane_axes(shown.reference)
        with keep_selection(self._viewer.layers), no_search():
            claim(
                self._viewer.add_image(
                    _in_axes(picture, shape, (rows, columns)),
                    name=self._name,
                    metadata={OURS: self.role, PLANE: (rows, columns)},
                    rgb=True,
                    blending="translucent",
                    interpolation2d="nearest",
                    **box_geometry(shown, box, size),
                )
            )

    def show(self, picture: npt.NDArray[np.uint8]) -> None:
        """Another picture of the same size in the same place; nothing where there is no layer."""
        layer = self.layer
        if layer is not None:
            layer.data = _in_axes(picture, layer.data.shape[:-1], layer.metadata[PLANE])

    def clear(self) -> None:
        """Take the layer away."""
        layer = self.layer
        if layer is not None:
            remove_small(self._viewer, layer)


def _in_axes(
    picture: npt.NDArray[np.uint8], shape: tuple[int, ...], plane: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """The picture (H, W, 3) as an array of more axes, the same along the others."""
    if len(shape) == 2:
        return picture
    grid = [1] * len(shape)
    grid[plane[0]], grid[plane[1]] = picture.shape[:2]
    if plane[0] > plane[1]:
        picture = picture.swapaxes(0, 1)
    return np.broadcast_to(picture.reshape(*grid, 3), (*shape, 3))
