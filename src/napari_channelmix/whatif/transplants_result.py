"""Transplants of channels as a result: a matrix of classes, and what it says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from napari_channelmix.shown_result import BarsResult
from napari_channelmix.whatif.stored_rows import result_from, result_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from napari_channelmix.result_display import Summary

__all__ = ["ANY_CLASS", "WHOLE", "TransplantRow", "Transplants"]

#: What a row of all pairs of classes has in place of a name.
ANY_CLASS = "any class"
#: The compartment of a whole channel.
WHOLE = "whole"


@dataclass(frozen=True)
class TransplantRow:
    """One part of the cell taken from cells of one class, for cells of another.

    Attributes
    ----------
    part : str
        Such as ``GFP`` or ``GFP nucleus``.
    channel, compartment : str
        ``whole``, ``nucleus`` (``cell`` where no nuclei are known), ``ring``, ``background``.
    from_class : str
        Class that the classifier calls the cells; ``any class`` for the mean over all pairs.
    to_class : str
        Class that it calls the donors.
    share, low, high : float
        Share of the cells that are called another class afterwards, 95 % interval over groups.
    as_donor : float
        Share that are called as the donor.
    n, n_groups : int
        Cells with an aligned donor, and their groups.
    n_donors : int
        Different donors.
    sham, sham_low, sham_high : float
        The share with donors of the cell's own class.
    sham_n : int
    alignment : float
        Mean overlap of the outlines of cells and donors, 0 to 1.
    above_sham : bool
        Whether the whole interval lies above that of the sham.
    """

    part: str
    channel: str
    compartment: str
    from_class: str
    to_class: str
    share: float
    low: float
    high: float
    as_donor: float
    n: int
    n_groups: int
    n_donors: int
    sham: float
    sham_low: float
    sham_high: float
    sham_n: int
    alignment: float
    above_sham: bool


@dataclass(frozen=True, eq=False, repr=False)
class Transplants(BarsResult):
    """Which part of a cell of another class makes a classifier decide otherwise.

    Attributes
    ----------
    channels, classes : tuple of str
    rows : tuple of TransplantRow
        For each part a row for all pairs of classes, then one for each pair.
    asked : int
        Crops that the classifier was asked about.
    lines : tuple of str
        What it says, and of which cells.
    warnings : tuple of str
    provenance : dict

    Examples
    --------
    >>> result = cm.transplant(rule, cells, compartments=False)
    >>> result.by_part[["part", "share", "sham"]].values.tolist()
    [['GFP', 1.0, 0.0], ['DNA', 0.0, 0.0]]
    """

    channels: tuple[str, ...]
    classes: tuple[str, ...]
    rows: tuple[TransplantRow, ...] = field(repr=False)
    asked: int
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def matrix(self) -> pd.DataFrame:
        """A row for each part and pair of classes; columns as `TransplantRow`."""
        return _frame(row for row in self.rows if row.from_class != ANY_CLASS)

    @property
    def by_part(self) -> pd.DataFrame:
        """A row for each part: the mean over all pairs of classes."""
        return _frame(row for row in self.rows if row.from_class == ANY_CLASS)

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.whatif.result_summaries import transplants_summary

        return transplants_summary(self)

    def to_frame(self) -> pd.DataFrame:
        """A row for each part and pair of classes, and one for each part; as `TransplantRow`."""
        return _frame(self.rows)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``transplants.json``, ``transplants.csv`` and ``transplants.png`` into a folder.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result

        return save_result(folder, "transplants", self.as_dict(), self.to_frame(), self.plot())

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN: what is not known is None."""
        return result_of(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Transplants:
        """What `as_dict` gave.

        Raises
        ------
        DataError
            Other content.
        """
        return result_from(cls, content)


def _frame(rows: Any) -> pd.DataFrame:
    import pandas as pd

    names = list(TransplantRow.__dataclass_fields__)
    return pd.DataFrame([asdict(row) for row in rows], columns=names)
