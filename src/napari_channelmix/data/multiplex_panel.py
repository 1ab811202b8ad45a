"""The panel of a planted multiplex tissue: its channels, and the rules that make a cell's type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

__all__ = [
    "AUTOFLUORESCENCE",
    "AUTOFLUORESCENCE_COPY",
    "BLANK",
    "MULTIPLEX_CLASSES",
    "MULTIPLEX_RULES",
    "RULE_MARKERS",
    "Channel",
    "drawn_channels",
    "multiplex_channels",
    "type_of_markers",
]

# What makes a cell of a type: markers that it must have (1) and must not have (-1).
MULTIPLEX_RULES: dict[str, dict[str, int]] = {
    "Tumour": {"PANCK": 1, "CD45": -1},
    "B cell": {"CD20": 1, "CD3": -1},
    "Macrophage": {"CD68": 1, "CD45": 1},
    "Cytotoxic T": {"CD3": 1, "CD8": 1},
    "Helper T": {"CD3": 1, "CD4": 1, "CD8": -1, "FOXP3": -1},
    "Treg": {"CD3": 1, "CD4": 1, "CD8": -1, "FOXP3": 1},
}
# Cells that fit none of the rules.
OTHER = "Other"
MULTIPLEX_CLASSES = (*MULTIPLEX_RULES, OTHER)
# Channels that are of no marker.
AUTOFLUORESCENCE, AUTOFLUORESCENCE_COPY, BLANK = "AF", "AF-2", "Blank"


@dataclass(frozen=True)
class Channel:
    """How a channel is drawn.

    Attributes
    ----------
    name : str
    place : {"nucleus", "membrane", "cytoplasm", "tissue", "blank"}
        Where its light is: in a part of the cell, in a texture that knows no cells, nowhere.
    gain : float
        Light of a cell that has the marker, in counts.
    hot : bool
        Whether some of its pixels are hot.
    """

    name: str
    place: str
    gain: float = 600.0
    hot: bool = False


# Markers of the rules lie scattered among the others; dim ones have a small gain.
_CHANNELS = (
    Channel("DAPI", "nucleus", 3000.0),
    Channel(AUTOFLUORESCENCE, "cytoplasm", 250.0),
    Channel(BLANK, "blank"),
    Channel("CD31", "membrane", 500.0),
    Channel("SMA", "tissue", 800.0),
    Channel("CD45", "membrane", 900.0),
    Channel("CD11c", "membrane", 300.0),
    Channel("CD34", "membrane", 400.0),
    Channel("FOXP3", "nucleus", 60.0),
    Channel("CD44", "membrane", 1500.0),
    Channel("CD57", "membrane", 200.0, hot=True),
    Channel("CD8", "membrane", 700.0, hot=True),
    Channel("CD38", "membrane", 500.0),
    Channel("COL4", "tissue", 500.0),
    Channel("CD68", "cytoplasm", 500.0),
    Channel("CD163", "cytoplasm", 300.0),
    Channel("HLA-DR", "membrane", 900.0),
    Channel("CD3", "membrane", 600.0),
    Channel("LAG3", "membrane", 50.0),
    Channel("CD20", "membrane", 1200.0),
    Channel("Ki67", "nucleus", 900.0),
    Channel("PD1", "membrane", 120.0),
    Channel("PANCK", "cytoplasm", 2500.0),
    Channel("VIM", "cytoplasm", 1500.0),
    Channel("CD4", "membrane", 90.0),
    Channel("PDL1", "membrane", 100.0),
    Channel(AUTOFLUORESCENCE_COPY, "cytoplasm", 250.0),
    Channel("CD56", "membrane", 300.0),
    Channel("GZMB", "cytoplasm", 400.0),
    Channel("CD45RO", "membrane", 800.0),
    Channel("CD45RA", "membrane", 800.0),
    Channel("IDO1", "cytoplasm", 80.0),
    Channel("TIM3", "membrane", 60.0),
    Channel("CD206", "cytoplasm", 300.0),
    Channel("ECAD", "membrane", 1000.0),
    Channel("BCL2", "cytoplasm", 300.0),
    Channel("MMP9", "cytoplasm", 250.0),
    Channel("VISTA", "membrane", 100.0),
    Channel("ICOS", "membrane", 80.0),
    Channel("CD5", "membrane", 500.0),
)
RULE_MARKERS = tuple(
    channel.name
    for channel in _CHANNELS
    if any(channel.name in rule for rule in MULTIPLEX_RULES.values())
)
_NEEDED = {"DAPI", AUTOFLUORESCENCE, AUTOFLUORESCENCE_COPY, BLANK, *RULE_MARKERS}


def multiplex_channels(count: int = 40) -> tuple[str, ...]:
    """Names of the channels of a planted multiplex set, in their order.

    Raises
    ------
    DataError
        Fewer than 12: nuclear stain, the eight markers of the rules, autofluorescence, its copy
        and the blank are always there. More than 400.

    Examples
    --------
    >>> multiplex_channels(12)
    ('DAPI', 'AF', 'Blank', 'CD45', 'FOXP3', 'CD8', 'CD68', 'CD3', 'CD20', 'PANCK', 'CD4', 'AF-2')
    >>> multiplex_channels(42)[-3:]
    ('CD5', 'marker 41', 'marker 42')
    """
    return tuple(channel.name for channel in drawn_channels(count))


def drawn_channels(count: int) -> tuple[Channel, ...]:
    """As `multiplex_channels`, with how each is drawn."""
    if not len(_NEEDED) <= count <= 400:
        raise DataError(
            f"a planted multiplex set has {len(_NEEDED)} to 400 channels, not {count}: the rules "
            f"need {', '.join(RULE_MARKERS)}"
        )
    others = [channel.name for channel in _CHANNELS if channel.name not in _NEEDED]
    kept = _NEEDED.union(others[: count - len(_NEEDED)])
    more = (Channel(f"marker {n}", "membrane", 400.0) for n in range(len(_CHANNELS) + 1, 401))
    named = tuple(channel for channel in _CHANNELS if channel.name in kept)
    return (*named, *(next(more) for _ in range(count - len(named))))


def type_of_markers(has: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The type of cells by the markers they have.

    Parameters
    ----------
    has : (N, 8) bool array
        Whether a cell has a marker of the rules; in the order of `multiplex_channels`.

    Returns
    -------
    (N,) int array
        Position in `MULTIPLEX_CLASSES`; -1 for cells that fit two rules, which are not made.

    Examples
    --------
    >>> markers = [n for n in multiplex_channels(12) if n not in ("DAPI", "AF", "AF-2", "Blank")]
    >>> cells = [{"CD3", "CD4", "FOXP3"}, {"CD3", "CD4"}, {"CD4"}, {"CD68", "CD45", "CD20"}]
    >>> has = np.array([[name in cell for name in markers] for cell in cells])
    >>> [MULTIPLEX_CLASSES[code] if code >= 0 else None for code in type_of_markers(has)]
    ['Treg', 'Helper T', 'Other', None]
    """
    fits = np.ones((len(has), len(MULTIPLEX_RULES)), dtype=bool)
    for place, rule in enumerate(MULTIPLEX_RULES.values()):
        for name, sign in rule.items():
            fits[:, place] &= has[:, RULE_MARKERS.index(name)] == (sign > 0)
    count = fits.sum(axis=1)
    code = np.where(count == 1, fits.argmax(axis=1), len(MULTIPLEX_RULES))
    return np.where(count > 1, -1, code).astype(np.int64)
