"""Which channels show the membranes of cells: told by their names, or measured at the outlines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_outlines import LABELLED, LightScale, crop_outlines
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain

if TYPE_CHECKING:
    from napari_channelmix.data.cells import Cells

__all__ = [
    "MEMBRANE",
    "RIMS",
    "bright_at_rims",
    "bright_at_rims_job",
    "channels_called",
    "membrane_by_name",
]

FloatArray = npt.NDArray[np.float64]

#: Words for several channels: the membrane markers by their names, and those that are measured to
#: be brighter at the rims of the cells than inside.
MEMBRANE, RIMS = "membrane", "rims"

# Antigens on the surface of cells, and cytokeratins, which fill epithelial cells up to it: without
# them an epithelium has no picture. Written without blanks and hyphens.
_MEMBRANE = re.compile(
    r"cd\d+[a-z]{0,3}\d?|epcam|e?cadherin|ecad|nakatpase|atp1a1|hla(a|b|c|abc|dr|dra)?|b2m|mhc(i|ii)"
    r"|her2|egfr|erbb2|pd1|pdl1|tcr(ab|gd)?|igd|igm|wga|cona|(pan)?(cyto)?keratin\d*|panck"
    r"|ck\d+|krt\d+|membrane"
)
# Of lysosomes, although their names begin like those of the surface.
_INSIDE = frozenset({"cd63", "cd68", "cd107a", "cd107b"})
# Cells whose outlines are looked at.
SAMPLE = 400
# Of them, the share with most light of a channel: the others do not have its antigen.
BRIGHTEST = 0.25
# How much brighter the rim is, as a share of the cell's light, and by how many standard errors it
# is brighter at all: of forty channels without a rim, about one in twenty panels shows one.
LEAST, ERRORS = 0.05, 3.0
# The rim is this share of the radius of a disc of the same area, and 1 pixel at least.
RIM = 0.25
# Cells whose crops are read at a time.
BATCH = 64


def channels_called(channels: Sequence[str], name: str) -> tuple[str, ...] | None:
    """The channels that a name, a pattern or one of the words stands for, in their order.

    Parameters
    ----------
    channels : sequence of str
    name : str
        A channel, a pattern such as ``CD*`` in any capitals, `MEMBRANE` or `RIMS`. A channel of
        exactly this name is that channel alone.

    Returns
    -------
    tuple of str or None
        Empty where none fits. None: to be measured, see `bright_at_rims`; so is `MEMBRANE` where
        no channel has a membrane marker's name.

    Examples
    --------
    >>> channels_called(["DAPI", "CD3", "CD20"], "cd*")
    ('CD3', 'CD20')
    >>> channels_called(["DAPI", "GFP"], "membrane") is None
    True
    """
    if name in channels:
        return (name,)
    if name == MEMBRANE:
        return membrane_by_name(channels) or None
    if name == RIMS:
        return None
    return tuple(one for one in channels if fnmatchcase(one.lower(), name.lower()))


def membrane_by_name(names: Iterable[str]) -> tuple[str, ...]:
    """The channels that are named like a membrane marker, in their order.

    Whole words count, in any capitals: CD and a number (but CD63, CD68, CD107, which are inside),
    E-cadherin, EpCAM, Na/K-ATPase, HLA, beta-2-microglobulin, EGFR, HER2, PD-1, PD-L1, T and B
    cell receptors, lectins, and cytokeratins. Our list.

    Parameters
    ----------
    names : iterable of str
        Names of channels.

    Examples
    --------
    >>> membrane_by_name(["DAPI", "CD45", "cd20-AF647", "FOXP3", "CD68", "PanCK", "Na/K-ATPase"])
    ('CD45', 'cd20-AF647', 'PanCK', 'Na/K-ATPase')
    """
    return tuple(name for name in names if _is_membrane(name))


def _is_membrane(name: str) -> bool:
    plain = name.lower()
    pieces = [piece for piece in re.split(r"[\W_]+", plain) if piece]
    # "PD-L1", "HLA-DR" and "Na/K-ATPase" are one word.
    words = {
        "".join(pieces[start : start + count])
        for start in range(len(pieces))
        for count in (1, 2, 3)
    }
    return not words & _INSIDE and any(_MEMBRANE.fullmatch(word) for word in words)


def bright_at_rims(cells: Cells) -> tuple[str, ...]:
    """The channels that are brighter at the rims of the cells than inside them, in their order.

    The rim is the outer quarter of the radius, inside the outline. Of up to 400 cells, spread
    evenly, those with most light of a channel are looked at, a quarter: mean of the rim minus mean
    of the inside, as a share of the cell's light above the background. A channel counts where the
    mean of this over the groups (over the cells, with fewer than three groups) is .05 or more, and
    above 0 by three standard errors. Our definition.

    Raises
    ------
    DataError
        No cell has an outline of a label image.

    Examples
    --------
    >>> import numpy
    >>> from napari_channelmix.data import Cells
    >>> labels = numpy.zeros((20, 20), int)
    >>> labels[4:15, 4:15] = 1
    >>> rim = numpy.where(labels > 0, 9.0, 0.0)
    >>> rim[6:13, 6:13] = 1
    >>> planes = [rim, 10.0 * (labels > 0) - rim]
    >>> copies = [Cells.from_labels(planes, ["CD45", "DNA"], labels, crop=18)] * 4
    >>> bright_at_rims(Cells.together(copies))
    ('CD45',)
    """
    return drain(bright_at_rims_job(cells))


def bright_at_rims_job(cells: Cells) -> Job[tuple[str, ...]]:
    """`bright_at_rims` as a job: a step for each batch of cells."""
    some = np.unique(np.linspace(0, len(cells) - 1, min(len(cells), SAMPLE)).astype(int))
    scale = LightScale.of_cells(cells)
    groups = np.asarray(cells.groups)
    contrasts, lights, groups_of = [], [], []
    for start in range(0, len(some), BATCH):
        yield Progress(start, len(some), "measuring the rims of the cells")
        positions = some[start : start + BATCH]
        crops = cells.read(positions)
        outlines = crop_outlines(cells, positions, crops, scale)
        for row, position in enumerate(positions.tolist()):
            if outlines.origin[row] != LABELLED:
                continue
            measured = _at_rim(crops[row] - scale.floor[:, None, None], outlines.cell[row])
            if measured is not None:
                contrasts.append(measured[0])
                lights.append(measured[1])
                groups_of.append(groups[position])
    if not contrasts:
        raise DataError(
            f"{cells.name}: no cell has an outline of a label image to measure rims at; "
            "name the channels"
        )
    light = np.array(lights)
    contrast = np.array(contrasts) / np.maximum(light, 1e-9)
    wells = np.array(groups_of)
    kept = max(1, round(BRIGHTEST * len(contrast)))
    bright = []
    for channel, name in enumerate(cells.channels):
        most = np.argsort(-light[:, channel], kind="stable")[:kept]
        if _above_nothing(contrast[most, channel], wells[most]):
            bright.append(name)
    return tuple(bright)


def _at_rim(
    crop: npt.NDArray[np.float32], cell: npt.NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray] | None:
    """Rim minus inside, and mean light, of each channel (C,); None for a cell without an inside."""
    from scipy import ndimage

    wide = max(1.0, RIM * float(np.sqrt(cell.sum() / np.pi)))
    inside = ndimage.distance_transform_edt(np.pad(cell, 1))[1:-1, 1:-1] > wide
    rim = cell & ~inside
    if not inside.any() or not rim.any():
        return None
    pixels = crop.astype(np.float64)
    contrast = pixels[:, rim].mean(axis=1) - pixels[:, inside].mean(axis=1)
    return contrast, pixels[:, cell].mean(axis=1)


def _above_nothing(values: FloatArray, groups: npt.NDArray[np.str_]) -> bool:
    """Whether the mean is `LEAST` and above 0 by `ERRORS`, over groups where there are three."""
    names = np.unique(groups)
    if len(names) >= 3:
        values = np.array([values[groups == name].mean() for name in names])
    if len(values) < 2:
        return False
    error = values.std(ddof=1) / np.sqrt(len(values))
    return bool(values.mean() >= LEAST and values.mean() > ERRORS * error)
