"""Shapley values and exchanges of channels as a result: a table, and what it says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from napari_channelmix.errors import ModelError
from napari_channelmix.shown_result import BarsResult
from napari_channelmix.whatif.stored_rows import result_from, result_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from napari_channelmix.result_display import Summary

__all__ = ["ALL_CLASSES", "ChannelRow", "ChannelShapley"]

#: What a row that is of no single class has in place of its name.
ALL_CLASSES = "all classes"


@dataclass(frozen=True)
class ChannelRow:
    """Figures of one channel for one class, or for all.

    Attributes
    ----------
    channel, class_name : str
    value, low, high : float
        Shapley value in units of recall, and 95 % interval over groups.
    n, n_groups : int
        Held-out cells and groups that it is of.
    swap, swap_low, swap_high : float
        Share of cells called otherwise with the channel of a cell that is called another class.
    swap_n : int
        Cells.
    sham, sham_low, sham_high : float
        The same with the channel of a cell that is called the same class.
    """

    channel: str
    class_name: str
    value: float
    low: float
    high: float
    n: int
    n_groups: int
    swap: float
    swap_low: float
    swap_high: float
    swap_n: int
    sham: float
    sham_low: float
    sham_high: float


@dataclass(frozen=True, eq=False, repr=False)
class ChannelShapley(BarsResult):
    """Which channels a finished classifier decides by.

    Attributes
    ----------
    channels, classes : tuple of str
    rows : tuple of ChannelRow
        For all classes, then for each class: a row for each channel.
    whole, nothing : float
        Balanced accuracy with all channels, and with none (all of another cell).
    of_labels : bool
        Whether recall is of the labels of the cells; else, where no cell has a class, of what the
        classifier calls the whole cell.
    exact : bool
        Over all subsets of the channels, or over sampled orders.
    asked : int
        Crops that the classifier was asked about.
    lines : tuple of str
        What it says, and of which cells.
    warnings : tuple of str
    provenance : dict

    Examples
    --------
    >>> result = cm.channel_shapley(rule, cells)
    >>> result.order[0], result.to_frame().columns[:3].tolist()
    ('GFP', ['channel', 'class_name', 'value'])
    """

    channels: tuple[str, ...]
    classes: tuple[str, ...]
    rows: tuple[ChannelRow, ...] = field(repr=False)
    whole: float
    nothing: float
    of_labels: bool
    exact: bool
    asked: int
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each channel and class; columns as `ChannelRow`."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def of_class(self, class_name: str = ALL_CLASSES) -> tuple[ChannelRow, ...]:
        """The rows of a class, a row for each channel.

        Raises
        ------
        ModelError
            An unknown class.
        """
        rows = tuple(row for row in self.rows if row.class_name == class_name)
        if not rows:
            known = ", ".join((ALL_CLASSES, *self.classes))
            raise ModelError(f"there is no class {class_name!r}; use {known}")
        return rows

    @property
    def order(self) -> tuple[str, ...]:
        """Channels, the one with the largest Shapley value first."""
        rows = sorted(self.of_class(), key=lambda row: -row.value)
        return tuple(row.channel for row in rows)

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.whatif.result_summaries import channel_shapley_summary

        return channel_shapley_summary(self)

    def to_frame(self) -> pd.DataFrame:
        """As `table`."""
        return self.table

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``channels.json``, ``channels.csv`` and ``channels.png`` into a folder.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result

        return save_result(folder, "channels", self.as_dict(), self.to_frame(), self.plot())

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN: what is not known is None."""
        return result_of(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ChannelShapley:
        """What `as_dict` gave.

        Raises
        ------
        DataError
            Other content.
        """
        return result_from(cls, content)
