"""The panel designer's result: the smallest set of channels, what it loses and what it needs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from napari_channelmix.shown_result import BarsResult
from napari_channelmix.whatif.class_table import rows_frame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from napari_channelmix.result_display import Summary

__all__ = ["Panel", "PanelRow"]


@dataclass(frozen=True)
class PanelRow:
    """One channel.

    Attributes
    ----------
    channel : str
    chosen : bool
        Whether it is in the set.
    chosen_share : float
        Share of the folds whose own search chose it, 0 to 1.
    alone : float
        Balanced accuracy with this channel only.
    without : float
        Balanced accuracy of the set without it (for one that is in the set), or of all channels
        without it.
    cost, low, high : float
        What is lost by that, and 95 % interval over groups.
    """

    channel: str
    chosen: bool
    chosen_share: float
    alone: float
    without: float
    cost: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, repr=False)
class Panel(BarsResult):
    """The smallest set of channels that is about as good as all.

    Attributes
    ----------
    channels : tuple of str
        The set, sought with all cells.
    every : tuple of str
        All channels.
    rows : tuple of PanelRow
        One for each channel.
    whole : dict
        Balanced accuracy with all channels on held-out groups: ``balanced``, ``low``, ``high``,
        ``n_cells``, ``n_groups``.
    nested : dict
        The same of sets that were sought without the groups they are measured on: what a search
        like this one gives on others.
    behind : dict
        By how much all channels are ahead of these: ``difference``, ``low``, ``high``.
    retrained : dict
        Balanced accuracies of networks trained with all channels (``whole``) and with a smaller
        set (``panel``, of ``channels``), and by how much the first is ahead (``behind``), on one
        fold. The set is that which was sought without this fold; it may be another one than
        `channels` of the panel. Empty where none was trained, or where the other folds chose all
        channels.
    margin : float
        How much less accurate the set was allowed to be.
    lines, warnings : tuple of str
    provenance : dict

    Examples
    --------
    >>> panel = cm.panel(cells, retrain=False)
    >>> panel.channels, panel.to_frame()["chosen"].tolist()
    (('GFP',), [True, False])
    """

    channels: tuple[str, ...]
    every: tuple[str, ...]
    rows: tuple[PanelRow, ...] = field(repr=False)
    whole: dict[str, Any] = field(repr=False)
    nested: dict[str, Any] = field(repr=False)
    behind: dict[str, Any] = field(repr=False)
    retrained: dict[str, Any] = field(repr=False)
    margin: float
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each channel; columns as `PanelRow`."""
        return rows_frame(self.rows)

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.whatif.result_summaries import panel_summary

        return panel_summary(self)

    def to_frame(self) -> pd.DataFrame:
        """As `table`."""
        return self.table

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``panel.json``, ``panel.csv`` and ``panel.png`` into a folder.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result

        return save_result(folder, "panel", self.as_dict(), self.to_frame(), self.plot())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Panel:
        """What `as_dict` gave."""
        tuples = {name: tuple(content[name]) for name in ("channels", "every", "lines", "warnings")}
        rows = tuple(PanelRow(**row) for row in content["rows"])
        return cls(**{**content, **tuples, "rows": rows})
