"""Why a segmentation looks wrong, in plain words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["segmentation_doubts"]

# Contrast of foreground and background, in noise of the background: below it, both are noise. Two
# halves of plain Gaussian noise have 2.3.
LEAST_CONTRAST = 4.0
MOST_FOREGROUND = 0.75
LARGEST_OBJECT = 0.5
AT_BORDER = 2 / 3
TINY_AREA = 12
# A median is compared with the diameter asked for only where it is off by this factor.
OFF = 2.0
FEW = 4
TICK = "choose dark objects where they are darker than the ground"
UNTICK = "leave 'dark objects' off where they are brighter than the ground"
SAMPLE = 500_000


def segmentation_doubts(
    labels: npt.NDArray[np.int32],
    brightness: npt.NDArray[np.float32],
    *,
    threshold: float,
    diameter: float,
    dropped: int = 0,
    check_diameter: bool = True,
    dark: bool = False,
) -> tuple[str, ...]:
    """Lines that say what looks wrong; our definitions.

    Parameters
    ----------
    labels : (Y, X) int32 array
        1..n.
    brightness : (Y, X) float32 array
        Smoothed, objects bright.
    threshold : float
        Of ``brightness``.
    diameter : float
        That was assumed, in pixels.
    dropped : int
        Pieces that were too small.
    check_diameter : bool
        Whether the objects should be as large as the diameter: not where long ones stay whole.
    dark : bool
        Whether objects that are darker than the ground were asked for.

    Examples
    --------
    >>> empty = np.zeros((9, 9), np.int32)
    >>> segmentation_doubts(empty, empty.astype("f4"), threshold=1.0, diameter=8)[0][:13]
    'nothing found'
    """
    step = max(1, int(np.sqrt(labels.size / SAMPLE)))
    sample = brightness[::step, ::step]
    above = sample > threshold
    lines = []
    areas = np.bincount(labels.ravel())[1:]
    if _contrast(sample, above) < LEAST_CONTRAST:
        lines.append("objects and background are not separated: the threshold lies in the noise")
    if not areas.size:
        if not lines:
            lines.append(
                "nothing found: lower the threshold, the diameter or the smallest size, or choose "
                "another channel"
            )
        return tuple(lines)
    # Figures stand in brackets at the end: lines of many images are counted by what is before.
    if above.mean() > MOST_FOREGROUND:
        lines.append(
            f"most of the image is foreground: raise the threshold, or {UNTICK if dark else TICK} "
            f"({above.mean():.0%})"
        )
    if areas.max() >= LARGEST_OBJECT * labels.size:
        lines.append(f"one object covers most of the image ({areas.max() / labels.size:.0%})")
    edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    touching = len(np.unique(edges[edges > 0]))
    if areas.size >= FEW and touching > AT_BORDER * areas.size:
        lines.append(f"most objects touch the border of the image ({touching:,} of {areas.size:,})")
    if dropped > 2 * areas.size and dropped >= FEW:
        lines.append(
            "most pieces are too small: raise the threshold, or lower the diameter "
            f"({dropped:,} left out, {areas.size:,} kept)"
        )
    tiny = int((areas < TINY_AREA).sum())
    if tiny > 0.5 * areas.size:
        lines.append(
            f"most objects have fewer than {TINY_AREA} pixels ({tiny:,} of {areas.size:,})"
        )
    median = 2 * float(np.sqrt(np.median(areas) / np.pi))
    if check_diameter and areas.size >= FEW and not diameter / OFF <= median <= diameter * OFF:
        lines.append(
            "the objects are of another size than the diameter says "
            f"({median:.0f} pixels, not {diameter:.0f})"
        )
    return tuple(lines)


def _contrast(sample: npt.NDArray[np.float32], above: npt.NDArray[np.bool_]) -> float:
    """Difference of the medians of foreground and background, in noise of the background."""
    if not above.any() or above.all():
        return float("inf")
    below = sample[~above]
    middle = float(np.median(below))
    # A normal distribution has this many median absolute deviations to its standard deviation.
    noise = 1.4826 * float(np.median(np.abs(below - middle)))
    return (float(np.median(sample[above])) - middle) / max(noise, 1e-9)
