"""Shapley values and exchanges of channels as a result: a table, and what it says."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.errors import ModelError
from napari_channelmix.shown_result import ShownResult
from napari_channelmix.whatif.class_table import by_class, rows_frame
from napari_channelmix.whatif.stored_rows import result_from, result_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_channelmix.result_display import Summary

__all__ = ["ALL_CLASSES", "ChannelRow", "ChannelShapley"]

#: What a row that is of no single class has in place of its name.
ALL_CLASSES = "all classes"
# A direction that is nearer to 0 than this, by its interval, is neither way.
NEITHER = 0.5


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
    direction, direction_low, direction_high : float
        -1 to 1, and 95 % interval over groups: above 0 where more light of the channel makes the
        class more probable, below 0 where less does; see `classify.channel_values.agreement`. NaN
        for all classes together, and where the channel changes nothing.
    sampling_error : float
        Standard error of ``value`` over pairs of orders; 0 where it is exact. See
        `classify.channel_values.sampling_error`.
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
    direction: float = float("nan")
    direction_low: float = float("nan")
    direction_high: float = float("nan")
    sampling_error: float = 0.0

    @property
    def effect(self) -> float:
        """``|value|`` with the sign of ``direction``: + needs the channel, - needs its absence.

        A class that needs the absence of a channel has a positive value for it: with the light of
        another cell there the cell is not called its class. The value says how much depends on the
        channel, the direction which way. NaN where the direction is not known; 0 where the value
        is.
        """
        if self.value == 0:
            return 0.0
        known = self.direction == self.direction and self.direction != 0
        return math.copysign(abs(self.value), self.direction) if known else math.nan

    @property
    def both_ways(self) -> bool:
        """Whether the class depends on the channel, but not on more or less of it alone.

        The interval of the direction holds 0 and lies within -.5 and .5: a wider one says that the
        direction is not known.
        """
        return self.low > 0 and -NEITHER < self.direction_low <= 0 <= self.direction_high < NEITHER

    @property
    def way_unknown(self) -> bool:
        """Whether the class depends on the channel, and which way is not known."""
        return self.low > 0 and not self.readable and not self.both_ways

    @property
    def readable(self) -> bool:
        """Whether the class depends on the channel, and which way: both intervals exclude 0.

        The value must be above 0: a class whose cells are called it more often with the channel of
        others does not need its own.
        """
        return self.low > 0 and (self.direction_low > 0 or self.direction_high < 0)


@dataclass(frozen=True, eq=False, repr=False)
class ChannelShapley(ShownResult):
    """Which channels a finished classifier decides by.

    Attributes
    ----------
    channels : tuple of str
        Players: channels, and groups of channels where there are any.
    classes : tuple of str
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
    players : dict of str to tuple of str
        Channels of each player; empty where every channel is one.

    Examples
    --------
    >>> result = cm.channel_shapley(rule, cells)
    >>> result.order[0], result.to_frame().columns[:3].tolist()
    ('GFP', ['channel', 'class_name', 'value'])
    >>> (result.effects().loc["GFP"] > 0).tolist()
    [False, True]
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
    players: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each channel and class; columns as `ChannelRow`."""
        return rows_frame(self.rows)

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

    def effects(self) -> pd.DataFrame:
        """Effect of each channel on the recall of each class: + needs it, - needs its absence.

        Returns
        -------
        pandas.DataFrame
            Rows are channels in the order of the data set, columns classes; see
            `ChannelRow.effect`.
        """
        return by_class(self.rows, self.channels, self.classes, "effect", float)

    def readable(self) -> pd.DataFrame:
        """Which of `effects` may be read, as `ChannelRow.readable`; a data frame of bool."""
        return by_class(self.rows, self.channels, self.classes, "readable", bool)

    @property
    def sentences(self) -> tuple[str, ...]:
        """For each class what it needs, and what it needs absent: ``Treg: needs FOXP3, CD4``.

        Only channels whose value is above 0 by its interval and at least .05, the largest first, at
        most 8 of a kind; a class without any is left out.
        """
        from napari_channelmix.classify.channel_values import needs_in_words

        lines = [
            needs_in_words(
                name,
                {row.channel: row.effect for row in self.of_class(name) if row.readable},
                {row.channel: row.value for row in self.of_class(name) if row.both_ways},
                {row.channel: row.value for row in self.of_class(name) if row.way_unknown},
            )
            for name in self.classes
        ]
        return tuple(line for line in lines if line)

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.whatif.result_summaries import channel_shapley_summary

        return channel_shapley_summary(self)

    def plot(self, ax: Axes | None = None) -> Figure:
        """Effects of the channels on the classes in colours; of two classes, bars for both.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: a figure of its own, which pyplot does not know.
        """
        from napari_channelmix.whatif.effects_figure import effects_figure

        return effects_figure(self, ax)

    def to_frame(self) -> pd.DataFrame:
        """As `table`."""
        return self.table

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``channels.json``, ``.csv`` and ``.png``, and ``channel_effects.csv``.

        They go into a folder. The second table has a row for each channel and a column for each
        class; see `effects`.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.atomic_write import write_text
        from napari_channelmix.data.csv_text import csv_text
        from napari_channelmix.data.result_files import save_result

        files = save_result(folder, "channels", self.as_dict(), self.to_frame(), self.plot())
        text = csv_text(self.effects(), index=True)
        return (*files, write_text(Path(folder) / "channel_effects.csv", text))

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN: what is not known is None.

        With ``effects`` and ``effects_readable``: for each class a list, in the order of the
        channels.
        """
        effects = {
            name: [None if math.isnan(row.effect) else row.effect for row in self.of_class(name)]
            for name in self.classes
        }
        readable = {name: [row.readable for row in self.of_class(name)] for name in self.classes}
        return {**result_of(self), "effects": effects, "effects_readable": readable}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ChannelShapley:
        """What `as_dict` gave.

        Raises
        ------
        DataError
            Other content.
        """
        # What follows from the rows is not read again.
        own = {name: value for name, value in content.items() if not name.startswith("effects")}
        return result_from(cls, own)
