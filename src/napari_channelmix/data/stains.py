"""RGB pictures of stained samples as one image per stain: colour deconvolution of scikit-image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress

__all__ = ["MOST_PIXELS", "STAINS", "Stains", "unmix_job"]

# A picture of more pixels is not unmixed: three images of it would fill the memory.
MOST_PIXELS = 2**26
# Pixels of a step: a good half second.
STEP = 2**20


@dataclass(frozen=True)
class Stains:
    """Stains of a protocol.

    Attributes
    ----------
    names : tuple of str
        The channels, in the order of the rows of the matrix.
    matrix : str
        Name of the matrix in `skimage.color` that has a row of red, green and blue for each.
    """

    names: tuple[str, ...]
    matrix: str

    def from_rgb(self) -> npt.NDArray[np.float64]:
        """The matrix (3, 3) from colours to stains.

        What neither of two stains explains goes into a third, at right angles to both, which is
        left out.
        """
        from skimage import color

        rows = np.asarray(getattr(color, self.matrix), np.float64)[: len(self.names)]
        if len(rows) == 2:
            rows = np.vstack([rows, np.cross(rows[0], rows[1])])
        return np.asarray(np.linalg.inv(rows))


#: Protocols by their titles; the vectors are those of scikit-image, after Ruifrok and Johnston
#: (2001, Analytical and Quantitative Cytology and Histology 23, 291) and G. Landini.
STAINS: dict[str, Stains] = {
    "H&E": Stains(("Hematoxylin", "Eosin"), "rgb_from_hed"),
    "H-DAB": Stains(("Hematoxylin", "DAB"), "rgb_from_hdx"),
    "H&E with DAB": Stains(("Hematoxylin", "Eosin", "DAB"), "rgb_from_hed"),
    "Giemsa": Stains(("Methyl blue", "Eosin"), "rgb_from_bex"),
    "Hematoxylin and PAS": Stains(("Hematoxylin", "PAS"), "rgb_from_hpx"),
    "Hematoxylin and AEC": Stains(("Hematoxylin", "AEC"), "rgb_from_hax"),
    "Feulgen and Light Green": Stains(("Feulgen", "Light Green"), "rgb_from_fgx"),
    "Methyl Green and DAB": Stains(("Methyl Green", "DAB"), "rgb_from_gdx"),
    "Fast Red, Fast Blue, DAB": Stains(("Fast Red", "Fast Blue", "DAB"), "rgb_from_rbd"),
}


def unmix_job(picture: Any, stains: Stains, name: str = "picture") -> Job[npt.NDArray[np.float32]]:
    """How much of each stain there is at each pixel, as a job; (n, ..., Y, X) float32.

    Optical densities are unmixed with the colours of pure stains (`skimage.color.separate_stains`).
    The ground is taken to be white, and light to be absorbed: a picture of fluorescence has no
    stains. The colours of pure stains are those of the protocol, not measured in this picture.

    Parameters
    ----------
    picture : (..., Y, X, 3 or 4) array-like
        Whole numbers, or floats from 0 to 1; read piece by piece. Transparency is left out.
    stains : Stains
    name : str
        For messages.

    Raises
    ------
    DataError
        More than 67 million pixels; floats beyond 0 to 1; pixels that are no numbers.
    """
    shape = tuple(map(int, picture.shape[:-1]))
    pixels = int(np.prod(shape, dtype=np.int64))
    if pixels > MOST_PIXELS:
        raise DataError(
            f"{name}: {pixels:,} pixels are too many to be unmixed (at most {MOST_PIXELS:,}); cut "
            "out a part of it, or save it at a lower resolution"
        )
    from skimage.color import separate_stains

    matrix, count = stains.from_rgb(), len(stains.names)
    result = np.empty((count, *shape), np.float32)
    for index in np.ndindex(*shape[:-2]):
        rows = max(1, STEP // max(shape[-1], 1))
        for start in range(0, shape[-2], rows):
            yield Progress(start, shape[-2], "unmixing the stains")
            part = np.asarray(picture[(*index, slice(start, start + rows))])[..., :3]
            _check(part, name)
            unmixed = separate_stains(part, matrix)[..., :count]
            target = (slice(None), *index, slice(start, start + rows))
            result[target] = np.moveaxis(unmixed, -1, 0)
    return result


def _check(part: npt.NDArray[Any], name: str) -> None:
    if part.dtype.kind not in "buif":
        raise DataError(f"{name}: pixels of type {part.dtype} have no colour")
    if part.dtype.kind == "f" and not ((part >= 0) & (part <= 1)).all():
        raise DataError(
            f"{name}: colours as floats must lie between 0 (black) and 1 (white); scale them first"
        )
