"""What moves the decision, read off the answers about all cells. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer.pages.whatif.amounts import number
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.whatif.result import WhatIf

__all__ = ["AxisFlip", "axes_by_share", "classes_asked", "flips_of", "percent"]


@dataclass(frozen=True)
class AxisFlip:
    """Cells of one class whose call flips along one axis.

    Attributes
    ----------
    axis, from_class, to_class : str
        ``to_class``: what most of them become; empty where none flips.
    share : float
    low, high : float
        Interval over groups; NaN where there is none.
    sham : float
        Share that flips by edits that must not matter; NaN where that is not known.
    above_sham : bool
        Whether it may be read.
    n, groups : int
    amount : str
        The median of the smallest changes, in words.
    family : str
    """

    axis: str
    from_class: str
    to_class: str
    share: float
    low: float
    high: float
    sham: float
    above_sham: bool
    n: int
    groups: int
    amount: str
    family: str

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval, where there is one."""
        return (self.low, self.high) if np.isfinite([self.low, self.high]).all() else None

    @property
    def floor(self) -> float | None:
        """The sham, where it is known."""
        return self.sham if np.isfinite(self.sham) else None

    @property
    def text(self) -> str:
        """All of it, in lines."""
        between = f", interval {percent(self.low)} to {percent(self.high)}" if self.interval else ""
        parts = [
            f"{self.axis}: {percent(self.share)} of {counted(self.n, 'cell')} predicted as "
            f"{self.from_class} flip{between}, {counted(self.groups, 'group')}"
        ]
        if self.to_class:
            parts.append(
                f"Most become {self.to_class}; median of the smallest changes: {self.amount}"
            )
        if self.floor is not None:
            parts.append(f"Sham (turned, shifted, resampled): {percent(self.sham)} flip")
        if not self.above_sham:
            parts.append("Not above the sham: do not read it as an effect")
        return "\n".join(parts)


def percent(share: float) -> str:
    """A share as it is read.

    Examples
    --------
    >>> percent(0.624)
    '62 %'
    """
    return f"{100 * share:.0f} %"


def flips_of(result: WhatIf, from_class: str) -> tuple[AxisFlip, ...]:
    """The axes for cells of one class, those that move it most first; shams are left out."""
    table = result.flips
    rows = table[
        (table["from_class"] == from_class)
        & (table["scope"] == result.scope)
        & (table["family"] != "sham")
    ]
    flips = [_flip(row) for row in rows.to_dict("records")]
    return tuple(sorted(flips, key=lambda flip: (-flip.above_sham, -flip.share, flip.axis)))


def _flip(row: dict[Any, Any]) -> AxisFlip:
    amount, unit = float(row["amount"]), str(row["unit"])
    if not np.isfinite(amount):
        words = ""
    elif unit.startswith("doublings"):
        words = f"× {2.0**amount:.2f}"
    else:
        words = f"{number(amount)} {unit}"
    return AxisFlip(
        str(row["axis"]),
        str(row["from_class"]),
        str(row["to_class"]),
        float(row["share"]),
        float(row["low"]),
        float(row["high"]),
        float(row["sham"]),
        bool(row["above_sham"]),
        int(row["n"]),
        int(row["groups"]),
        words,
        str(row["family"]),
    )


def classes_asked(result: WhatIf) -> tuple[str, ...]:
    """Classes that some cell is called as it is, in the order of the classifier."""
    asked = set(result.flips["from_class"])
    return tuple(name for name in result.classes if name in asked)


def axes_by_share(result: WhatIf) -> tuple[str, ...]:
    """All axes but the shams: those first that move the cells of some class most."""
    best: dict[str, tuple[bool, float]] = {}
    for name in classes_asked(result):
        for flip in flips_of(result, name):
            own = flip.above_sham, flip.share
            best[flip.axis] = max(own, best.get(flip.axis, own))
    return tuple(sorted(best, key=lambda axis: (not best[axis][0], -best[axis][1], axis)))
