"""How many real cells of a class are like an edited one in the feature that was moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.whatif.data_range import DataRange

__all__ = ["plausibility"]

FloatArray = npt.NDArray[np.float32]


def plausibility(
    limits: DataRange, values: npt.ArrayLike, codes: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Share of the real cells of a class that lie at least as far out as each edited cell.

    On the side of the class' median on which the edited cell lies: .5 in the middle of the class,
    0 where no cell of it is like that. Our definition.

    Parameters
    ----------
    limits : DataRange
        With the feature of real cells.
    values : (m,) array
        Feature of the edited cells.
    codes : (m,) int array
        The class that each of them is now called.

    Returns
    -------
    share : (m,) array
        0 to .5 (more where real cells have equal values); NaN where the feature or the class has
        no real cell.
    cells : (m,) int array
        Real cells of the class.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_channelmix.whatif.data_range import DataRange
    >>> real = DataRange(0, 9, np.arange(10, dtype=np.float32), np.zeros(10, int))
    >>> plausibility(real, [7, 0.5, 20], [0, 0, 0])[0].tolist()
    [0.3, 0.1, 0.0]
    """
    edited, wanted = np.asarray(values, np.float32), np.asarray(codes, np.int64)
    share, cells = np.full(len(edited), np.nan), np.zeros(len(edited), np.int64)
    for code in np.unique(wanted):
        real = np.sort(limits.values[(limits.codes == code) & np.isfinite(limits.values)])
        some = (wanted == code) & np.isfinite(edited)
        cells[wanted == code] = len(real)
        if not len(real) or not some.any():
            continue
        own = edited[some]
        above = len(real) - np.searchsorted(real, own, "left")
        below = np.searchsorted(real, own, "right")
        share[some] = np.where(own >= np.median(real), above, below) / len(real)
    return share, cells
