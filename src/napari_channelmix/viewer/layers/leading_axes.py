"""Room for an axis of our own before all axes that the layers of a viewer have.

napari lays the axes of its layers on each other from the last one on. A layer of three axes beside
a user's stack would have its first axis on the stack's, and one slider would move both. So an axis
of ours comes before the longest of the other layers; the axes in between are as long as theirs, so
that the layer is in sight wherever their sliders stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LeadingAxes", "with_leading_axes"]

CHANNEL, BESIDE = "channel", "map channel"


@dataclass(frozen=True)
class LeadingAxes:
    """Axes before those of a layer, the first of them ours.

    Attributes
    ----------
    lengths : tuple of int
    scale, translate : tuple of float
        In world coordinates.
    units, labels : tuple of str
    """

    lengths: tuple[int, ...]
    scale: tuple[float, ...]
    translate: tuple[float, ...]
    units: tuple[str, ...]
    labels: tuple[str, ...]

    @classmethod
    def before(
        cls, viewer: Any, ndim: int, count: int, besides: tuple[Any, ...] = ()
    ) -> LeadingAxes:
        """Axes for a layer that would have ``ndim`` without them; the first is ``count`` long.

        ``besides``: layers that are of no account, since they have such an axis themselves.
        """
        others = [layer for layer in viewer.layers if not any(layer is own for own in besides)]
        most = max((layer.ndim for layer in others), default=ndim)
        between = max(0, most - ndim)
        labels = {str(label) for layer in others for label in layer.axis_labels}
        own = BESIDE if CHANNEL in labels else CHANNEL
        if not between:
            return cls((count,), (1.0,), (0.0,), ("pixel",), (own,))
        longest = next(layer for layer in others if layer.ndim == most)
        extent = viewer.layers.get_extent(others)
        step = np.where(extent.step[:between] > 0, extent.step[:between], 1.0)
        low, high = extent.world[:, :between]
        lengths = np.maximum(1, np.round((high - low) / step).astype(int) + 1)
        return cls(
            (count, *lengths.tolist()),
            (1.0, *step.tolist()),
            (0.0, *low.tolist()),
            ("pixel", *(str(unit) for unit in longest.units[:between])),
            (own, *(str(label) for label in longest.axis_labels[:between])),
        )

    @property
    def ndim(self) -> int:
        """How many there are."""
        return len(self.lengths)


def with_leading_axes(geometry: dict[str, Any], leading: LeadingAxes) -> dict[str, Any]:
    """The geometry of a layer that has these axes before its own.

    Parameters
    ----------
    geometry : dict
        ``scale``, ``translate``, ``rotate``, ``shear``, ``affine``, ``units``, ``axis_labels``, as
        of `box_geometry`.
    leading : LeadingAxes
    """
    before, ndim = leading.ndim, len(geometry["scale"])
    total = before + ndim
    affine, own = np.eye(total + 1), np.asarray(geometry["affine"], np.float64)
    affine[before:, before:] = own
    shear = np.zeros((total, total))
    shear[before:, before:] = _shear(geometry["shear"], ndim)
    rotate = np.eye(total)
    rotate[before:, before:] = geometry["rotate"]
    return {
        "scale": np.array([*leading.scale, *geometry["scale"]], np.float64),
        "translate": np.array([*leading.translate, *geometry["translate"]], np.float64),
        "rotate": rotate,
        "shear": shear[np.triu_indices(total, 1)],
        "affine": affine,
        "units": (*leading.units, *map(str, geometry["units"])),
        "axis_labels": (*leading.labels, *map(str, geometry["axis_labels"])),
    }


def _shear(values: Any, ndim: int) -> npt.NDArray[np.float64]:
    """A shear as the part of a matrix above its diagonal."""
    shear = np.asarray(values, dtype=np.float64)
    if shear.ndim == 2:
        return np.triu(shear, 1)
    matrix = np.zeros((ndim, ndim))
    matrix[np.triu_indices(ndim, 1)] = shear
    return matrix
