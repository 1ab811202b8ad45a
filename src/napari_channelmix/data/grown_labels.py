"""Objects grown: by some pixels, or to the cell bodies of another channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, Progress

__all__ = ["grown_job"]

Labels = npt.NDArray[np.int32]

# Rows that are grown in one step: about a million pixels.
STEP = 2**20


def grown_job(
    labels: Labels, pixels: int, body: npt.NDArray[np.float32] | None = None, *, reach: int = 0
) -> Job[Labels]:
    """Grow objects without letting them overlap.

    Parameters
    ----------
    labels : (Y, X) int32 array
    pixels : int
        By how many they grow, where there is no body channel.
    body : (Y, X) float32 array, optional
        Brightness of the bodies, positive in foreground: objects are grown within it by a
        watershed, so that they meet where it is dimmest between them.
    reach : int
        How far a body may reach from its object, in pixels.
    """
    from scipy import ndimage
    from skimage.segmentation import expand_labels, watershed

    height, width = labels.shape
    margin = (reach if body is not None else pixels) + 1
    if body is not None:
        # What grows here was itself grown in the margin.
        margin = 2 * margin
    rows = max(2 * margin, STEP // width, 1)
    result = np.zeros_like(labels)
    for top in range(0, height, rows):
        yield Progress(top, height, "growing the objects")
        first, last = max(0, top - margin), min(height, top + rows + margin)
        here = labels[first:last]
        if body is None:
            grown = expand_labels(here, distance=pixels)
        else:
            near = ndimage.distance_transform_edt(here == 0) <= reach
            mask = ((body[first:last] > 0) & near) | (here > 0)
            grown = watershed(-body[first:last], here, mask=mask)
        result[top : top + rows] = grown[top - first : top - first + rows]
    return result
