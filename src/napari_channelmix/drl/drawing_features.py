"""Features of a drawn cell, to see what a slider moves: measured on the drawing, not on latents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["FEATURES", "OF_FACTOR", "drawing_features"]

FloatArray = npt.NDArray[np.float64]

#: Features of a drawing, in the order of the columns.
FEATURES = (
    "area",
    "light",
    "outline",
    "granularity",
    "rim",
    "colour",
    "orientation",
    "place x",
    "place y",
)
#: The feature that each factor is to move.
OF_FACTOR = {
    "Scale": "area",
    "Intensity": "light",
    "Shape": "outline",
    "Granularity": "granularity",
    "Texture": "granularity",
    "Rim": "rim",
    "Color": "colour",
    "Orientation": "orientation",
    "PosX": "place x",
    "PosY": "place y",
}
# A pixel belongs to the cell from this share of its typical light on.
LIT = 0.25
# Side of a square as large as a cell when its grains are measured, and the band of grains, as the
# standard deviations of two Gaussians, in pixels.
STANDARD, BAND = 26.0, (0.8, 4.0)
# A drawing with fewer pixels shows no cell.
LEAST_AREA = 9


def drawing_features(picture: npt.NDArray[np.float32]) -> FloatArray:
    """Features of one drawing.

    Parameters
    ----------
    picture : (C, H, W) float32 array
        In [0, 1], black around the cell.

    Returns
    -------
    (len(FEATURES),) float64 array
        Logarithm of the area (pixels) and of the mean light inside; outline: 1 minus the area as
        a share of that of a disc of the same perimeter; granularity: deviation of the logarithm of
        the light in the band of grains, the cell brought to one size; rim: the outer half against
        the inner half, as `features.hand_crafted` has it; colour: share of the first channel minus
        that of the last; orientation: angle of the long axis in radians, on [0, pi); place:
        centre of the outline in pixels. NaN where nothing is drawn. Our definitions.
    """
    from scipy import ndimage
    from skimage.measure import regionprops

    light = picture.mean(axis=0).astype(np.float64)
    none = np.full(len(FEATURES), np.nan)
    if light.sum() <= 0:
        return none
    # Weighted by the light itself: what is black says nothing of how bright the cell is.
    typical = float((light**2).sum() / light.sum())
    inside: npt.NDArray[np.bool_] = ndimage.binary_fill_holes(light > LIT * typical)
    objects, count = ndimage.label(inside)
    if not count:
        return none
    inside = objects == 1 + int(np.argmax(np.bincount(objects.ravel())[1:]))
    if inside.sum() < LEAST_AREA:
        return none
    region = regionprops(inside.astype(np.uint8))[0]
    mean = float(light[inside].mean())
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    half = np.median(depth[inside])
    outer = float(light[inside & (depth <= half)].mean())
    deep = light[inside & (depth > half)]
    inner = float(deep.mean()) if len(deep) else outer
    shares = picture[:, inside].mean(axis=1)
    shares = shares / max(float(shares.sum()), 1e-9)
    y, x = region.centroid
    return np.array(
        [
            np.log(region.area),
            np.log(max(mean, 1e-6)),
            1 - min(4 * np.pi * region.area / max(region.perimeter_crofton, 1.0) ** 2, 1.0),
            _grains(light, inside),
            (outer - inner) / max(outer + inner, 1e-9),
            float(shares[0] - shares[-1]),
            float(region.orientation % np.pi),
            x,
            y,
        ]
    )


def _grains(light: FloatArray, inside: npt.NDArray[np.bool_]) -> float:
    """How strong grains are in a cell: whatever its size, brightness and rim."""
    from scipy import ndimage

    rows, columns = ndimage.find_objects(inside.astype(np.uint8))[0]
    zoom = STANDARD / np.sqrt(inside.sum())
    mask = ndimage.zoom(inside[rows, columns].astype(np.float64), zoom, order=1) > 0.5
    seen = ndimage.zoom(light[rows, columns], zoom, order=1)
    seen = np.log(np.maximum(seen, 1e-3 * max(float(seen.max()), 1e-6)))
    if mask.sum() < LEAST_AREA:
        return 0.0
    # A rim is no grain: what the light does from the outline inwards is taken off.
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    terms = np.stack([depth**power for power in range(5)], axis=-1)
    fit = np.linalg.lstsq(terms[mask], seen[mask], rcond=None)[0]
    seen = seen - terms @ fit
    # Means within the cell: what lies outside says nothing of it.
    fine, coarse = (
        ndimage.gaussian_filter(np.where(mask, seen, 0.0), sigma)
        / np.maximum(ndimage.gaussian_filter(mask.astype(np.float64), sigma), 1e-3)
        for sigma in BAND
    )
    core = ndimage.binary_erosion(mask, iterations=3)
    return float((fine - coarse)[core].std()) if core.any() else 0.0
