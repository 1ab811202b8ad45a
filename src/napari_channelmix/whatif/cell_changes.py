"""Changes that flip a cell, and what they say in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CellChanges", "Change"]


@dataclass(frozen=True)
class Change:
    """A change that flips a cell.

    Attributes
    ----------
    axes : tuple of str
        One name, or two.
    amounts : tuple of float
    units : tuple of str
    to_class : int
        Position of the class that the cell is then called.
    probability : float
        Of that class, after the change.
    size : float
        How far that is on the way to the end of the axis' range, 0 to 1; of two axes the sum.
    plausible : float
        Share of the real cells of that class that lie at least as far out; see `plausibility`. NaN
        where nothing is measured; of two axes the smaller.
    real_cells : int
        Real cells of that class.
    words : str
        ``its DNA brightness were 1.6 times as bright (0.68 doublings)``.
    technical : bool
        Whether it is a change of the acquisition, not of the cell.
    """

    axes: tuple[str, ...]
    amounts: tuple[float, ...]
    units: tuple[str, ...]
    to_class: int
    probability: float
    size: float
    plausible: float
    real_cells: int
    words: str
    technical: bool = False


@dataclass(frozen=True)
class CellChanges:
    """What flips one cell, the smallest change first; changes of the cell before technical ones.

    Attributes
    ----------
    position : int
        Of the cell in its data set.
    from_class : int
        Position of the class that it is called as it is.
    probability : float
        Of that class.
    changes : tuple of Change
        None: nothing on the data's range flips it.
    """

    position: int
    from_class: int
    probability: float
    changes: tuple[Change, ...]

    def sentence(self, classes: Sequence[str], rank: int = 0) -> str:
        """What would flip it, in words; ``rank`` 0 is the smallest change.

        Examples
        --------
        >>> CellChanges(0, 0, 0.9, ()).sentence(("G1", "G2"))
        "predicted as G1 (probability .90): nothing on the data's range flips it"
        """
        text = f"{self.probability:.2f}".removeprefix("0")
        own = f"predicted as {classes[self.from_class]} (probability {text})"
        if not self.changes:
            return f"{own}: nothing on the data's range flips it"
        first = self.changes[rank]
        rare = ""
        if first.real_cells and first.plausible == 0:
            rare = f"; none of {first.real_cells:,} such cells lies as far out"
        return f"{own}; would be predicted as {classes[first.to_class]} if {first.words}{rare}"
