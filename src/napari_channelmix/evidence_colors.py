"""Colours of attribution maps: for a class, against it, and where there is evidence at all.

The same in the window, in pictures for print and in the report. Numbers only: each place makes of
them what its library wants.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "VIEWS",
    "EvidenceView",
    "color_table",
    "evidence_legend",
    "evidence_rgba",
    "map_limit",
]

FloatArray = npt.NDArray[np.float32]
EvidenceView = Literal["signed", "for", "magnitude"]

#: What is shown of a cell: evidence for and against the class, that for it alone, or how much
#: evidence there is, for or against.
VIEWS: tuple[EvidenceView, ...] = ("signed", "for", "magnitude")

# Weak and strong evidence (red, green, blue). Vermilion to yellow and blue to sky blue, after Okabe
# and Ito's palette: red-green blind people tell them apart as well. Purple stands for neither.
FOR = (0.835, 0.369, 0.0), (0.941, 0.894, 0.259)
AGAINST = (0.0, 0.380, 0.760), (0.420, 0.820, 1.0)
EITHER = (0.720, 0.120, 0.640), (0.990, 0.700, 0.930)
# Opacity rises slowly at first, so that weak evidence is no veil, and never hides the cell.
POWER, MOST = 1.25, 0.9
# Share of the pixels of a map that are shown as strongly as can be.
BEST = 0.02
# An odd number: the one in the middle is no evidence.
COLORS = 513


def color_table(view: EvidenceView) -> FloatArray:
    """Red, green, blue, opacity (513, 4) of the values -1 to 1; 0 is clear.

    Below 0 only ``signed`` has colours; the others are clear there.
    """
    value = np.linspace(-1, 1, COLORS)
    size = np.abs(value)
    table = np.empty((COLORS, 4), np.float32)
    weak, strong = EITHER if view == "magnitude" else FOR
    table[:, :3] = _between(weak, strong, size)
    table[value < 0, :3] = _between(*AGAINST, size[value < 0])
    table[:, 3] = MOST * size**POWER
    if view != "signed":
        table[value < 0, 3] = 0
    return table


def evidence_rgba(shares: FloatArray, view: EvidenceView) -> FloatArray:
    """Colours (..., 4), 0 to 1, of values between -1 and 1."""
    half = (COLORS - 1) // 2
    index = np.round(half * (1 + np.clip(shares, -1, 1))).astype(np.int64)
    return color_table(view)[index]


def map_limit(maps: FloatArray) -> float:
    """The absolute value above which the strongest 2 % of the pixels lie; of all maps given.

    A single pixel that stands out would else leave all others pale. For and against have one scale:
    what is paler is less. 0 where there is no evidence, or a value is not finite.
    """
    size = np.abs(maps)
    limit = float(np.quantile(size, 1 - BEST))
    limit = limit if limit > 0 else float(size.max())
    return limit if np.isfinite(limit) else 0.0


def evidence_legend(view: EvidenceView, target: str = "") -> tuple[tuple[str, str], ...]:
    """Colours ``#RRGGBB`` and what they mean, in words.

    Parameters
    ----------
    view : {"signed", "for", "magnitude"}
    target : str
        The class that is explained; empty: that of each cell.

    Examples
    --------
    >>> evidence_legend("signed", "G2")
    (('#f0e442', 'speaks for G2'), ('#6bd1ff', 'speaks against G2'))
    """
    name = target or "the class"
    if view == "magnitude":
        return ((_hex(EITHER[1]), "evidence for or against"),)
    legend = ((_hex(FOR[1]), f"speaks for {name}"), (_hex(AGAINST[1]), f"speaks against {name}"))
    return legend if view == "signed" else legend[:1]


def _between(
    weak: tuple[float, ...], strong: tuple[float, ...], share: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    low, high = np.array(weak), np.array(strong)
    colors: npt.NDArray[np.float64] = low + (high - low) * share[:, None]
    return colors


def _hex(color: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in color)
