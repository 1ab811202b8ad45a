"""Maps of cells in the viewer: layers that lie exactly on the cell and are changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.viewer.charts.attribution_colormap import evidence_colormap
from napari_channelmix.viewer.layers.geometry import like, plane_axes
from napari_channelmix.viewer.layers.hidden_layers import reveal
from napari_channelmix.viewer.layers.keep_selection import keep_selection
from napari_channelmix.viewer.layers.own_layers import OURS, PLANE, claim, find_ours
from napari_channelmix.viewer.layers.planes import full_resolution
from napari_channelmix.viewer.layers.removing import no_search, remove_small

if TYPE_CHECKING:
    from napari_channelmix.evidence_colors import EvidenceView
    from napari_channelmix.viewer.layers.patches import Patches
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["FloatArray", "MapLayer", "box_geometry", "box_shape", "is_planar", "plane_of_box"]

FloatArray = npt.NDArray[np.float32]

# Bytes of a map whose memory may stay in use for a while.
SMALL = 2**20


def is_planar(shown: Shown) -> bool:
    """Whether a 2-D layer says all there is to say."""
    layer = shown.reference
    return bool(layer.ndim == 2 or len(full_resolution(layer).shape) < layer.ndim)


def box_geometry(
    shown: Shown, box: Sequence[float], size: tuple[int, int], *, planar: bool | None = None
) -> dict[str, Any]:
    """Arguments that lay an image of this size exactly on a box of the field of view.

    Parameters
    ----------
    shown : Shown
        Its reference layer may be a stack; the image then lies in the slice of the cells.
    box : (y0, x0, y1, x1)
        In pixels of the field, half open; it may reach beyond the border.
    size : (int, int)
        Rows and columns of the image, which may be more or fewer than the pixels of the box.
    planar : bool, optional
        Whether the image is 2-D, and so in every slice of a stack; default: where there is none.

    Returns
    -------
    dict
        ``scale``, ``translate``, ``rotate``, ``shear``, ``affine``, ``units``, ``axis_labels``.
    """
    layer, planar = shown.reference, is_planar(shown) if planar is None else planar
    plane = shown.axes or plane_axes(layer)
    if planar:
        geometry, axes = like(layer, shown.axes), (0, 1)
    else:
        axes = plane
        geometry = {
            "scale": np.asarray(layer.scale),
            "rotate": np.asarray(layer.rotate),
            "shear": np.asarray(layer.shear),
            "affine": np.asarray(layer.affine.affine_matrix),
            "units": tuple(layer.units),
            "axis_labels": tuple(layer.axis_labels),
        }
    count = len(geometry["scale"])
    step, start = np.ones(count), np.zeros(count)
    for axis, low, high, pixels in zip(axes, box[:2], box[2:], size, strict=True):
        step[axis] = (high - low) / pixels
        # Pixel 0 of the image has its middle here; whole numbers are middles of pixels.
        start[axis] = low + step[axis] / 2 - 0.5
    if not planar:
        for axis, index in shown.slice_position.items():
            start[axis] = index
    geometry["translate"] = _moved(layer, start, plane if planar else None)
    geometry["scale"] = geometry["scale"] * step
    return geometry


def _moved(
    layer: Any, start: npt.NDArray[np.float64], plane: tuple[int, int] | None
) -> npt.NDArray[np.float64]:
    """A point of the layer where its own affine finds it: the translation of a layer there."""
    point = start
    if plane is not None:
        point = np.zeros(layer.ndim)
        point[list(plane)] = start
    translation = np.asarray(layer.affine.inverse(layer.data_to_world(point)))
    return translation if plane is None else translation[list(plane)]


def box_shape(shown: Shown, size: tuple[int, int]) -> tuple[int, ...]:
    """Shape of a layer over a box: one long in the slice of the cells, whole in other axes."""
    if is_planar(shown):
        return size
    layer = shown.reference
    shape = list(full_resolution(layer).shape[: layer.ndim])
    for axis in shown.slice_position:
        shape[axis] = 1
    for axis, pixels in zip(shown.axes or plane_axes(layer), size, strict=True):
        shape[axis] = pixels
    return tuple(int(n) for n in shape)


def plane_of_box(shown: Shown, ndim: int) -> tuple[int, int]:
    """Rows and columns among the axes of a layer over a box."""
    return (0, 1) if ndim == 2 else shown.axes or plane_axes(shown.reference)


class MapLayer:
    """One image layer for maps, added once; later maps move it and are written into it.

    Values are shares of a map's strongest ones, -1 to 1, so its contrast limits need never jump;
    limits, colormap and visibility that the user changed stay, the colormap until another `view`
    is chosen. A layer that the user removed comes back with the next `lay`, not with the next map.
    """

    def __init__(self, viewer: Any, role: str, name: str, *, visible: bool = True) -> None:
        self._viewer, self.role, self._name, self._visible = viewer, role, name, visible
        self._pixels: FloatArray = np.zeros((1, 1), np.float32)
        self._view: EvidenceView = "signed"
        self.layer: Any = None

    @property
    def view(self) -> EvidenceView:
        """What the colours stand for; see `evidence_colors`."""
        return self._view

    @view.setter
    def view(self, view: EvidenceView) -> None:
        if view == self._view:
            return
        self._view = view
        if self.layer in self._viewer.layers:
            self.layer.colormap = evidence_colormap(view)

    def lay(self, shown: Shown, box: Sequence[int], size: tuple[int, int]) -> None:
        """Put an empty map over a box of the field of view."""
        shape = box_shape(shown, size)
        axes = plane_of_box(shown, len(shape))
        self._lay(box_geometry(shown, box, size), shape, axes, size)

    def _lay(
        self,
        geometry: dict[str, Any],
        shape: tuple[int, ...],
        axes: tuple[int, ...],
        pixels: tuple[int, ...],
    ) -> None:
        """Put empty pixels of this shape into a layer, along these of its axes."""
        layer = find_ours(self._viewer, self.role)
        if layer is not None:
            reveal(layer)
        same = layer is not None and layer is self.layer and not layer.multiscale
        if same and layer.data.shape == shape and self._pixels.shape == pixels:
            self._pixels[...] = 0
            _place(layer, geometry)
            self._refresh()
            return
        self._pixels = np.zeros(pixels, np.float32)
        data = _seen_as(self._pixels, shape, axes)
        if layer is not None and layer.ndim == len(shape) and not layer.multiscale:
            _place(layer, geometry)
            layer.data = data
            layer.metadata[PLANE] = axes[-2:]
        else:
            if layer is not None:
                self._viewer.layers.remove(layer)
            layer = self._added(data, geometry, axes[-2:])
        self.layer = layer

    def lay_patches(self, shown: Shown, patches: Patches) -> bool:
        """Put maps by their places over a large field of view; not in a slice of a stack.

        Whether they could be laid.
        """
        if not is_planar(shown):
            return False
        geometry = box_geometry(shown, (0, 0, *patches.shape), patches.shape)
        layer = find_ours(self._viewer, self.role)
        if layer is not None:
            self._viewer.layers.remove(layer)
        self._pixels = np.zeros((1, 1), np.float32)
        self.layer = self._added(list(patches.levels), geometry, (0, 1), multiscale=True)
        return True

    def draw(self) -> None:
        """Draw what was painted into patches that were laid."""
        self._refresh()

    def _added(
        self,
        data: FloatArray | list[Any],
        geometry: dict[str, Any],
        plane: tuple[int, ...],
        multiscale: bool = False,
    ) -> Any:
        # What was selected stays so: the user may be at work in that layer.
        with keep_selection(self._viewer.layers), no_search():
            return claim(
                self._viewer.add_image(
                    data,
                    name=self._name,
                    metadata={OURS: self.role, PLANE: plane},
                    colormap=evidence_colormap(self._view),
                    contrast_limits=(-1.0, 1.0),
                    blending="translucent",
                    interpolation2d="linear",
                    rgb=False,
                    multiscale=multiscale,
                    visible=self._visible,
                    **geometry,
                )
            )

    def show(self, image: FloatArray) -> None:
        """Show an image of the size that was laid; values between -1 and 1."""
        if self.layer is not None and image.shape == self._pixels.shape:
            self._pixels[...] = image
            self._refresh()

    def _refresh(self) -> None:
        if self.layer in self._viewer.layers:
            # Nothing but the pixels changed; the thumbnail would cost as much again.
            self.layer.refresh(thumbnail=False, highlight=False, extent=False)

    def clear(self) -> None:
        """Take the layer away."""
        layer, self.layer = find_ours(self._viewer, self.role), None
        if layer is None:
            return
        # Maps of single cells go whenever another one is clicked.
        if not layer.multiscale and layer.data.nbytes <= SMALL:
            remove_small(self._viewer, layer)
        else:
            self._viewer.layers.remove(layer)


def _seen_as(pixels: FloatArray, shape: tuple[int, ...], axes: tuple[int, ...]) -> FloatArray:
    """Pixels as an array of more axes: a view, so that writing into them is enough."""
    if pixels.shape == shape:
        return pixels
    grid = [1] * len(shape)
    for axis, length in zip(axes, pixels.shape, strict=True):
        grid[axis] = length
    return np.broadcast_to(pixels.reshape(grid), shape)


def _place(layer: Any, geometry: dict[str, Any]) -> None:
    """Move a layer; what is as it was is left alone, since every change makes napari measure."""
    for what, value in geometry.items():
        now = getattr(layer, what)
        if what in ("units", "axis_labels"):
            same = tuple(map(str, now)) == tuple(map(str, value))
        else:
            before = np.asarray(now.affine_matrix if what == "affine" else now)
            same = before.shape == np.shape(value) and np.allclose(before, value, rtol=1e-9)
        if not same:
            setattr(layer, what, value)
