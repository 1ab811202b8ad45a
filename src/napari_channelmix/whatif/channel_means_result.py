"""Mean light of classes in channels as a result: a table, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

# Needed at run time too: files are checked against the annotations.
from napari_channelmix.classify.accuracy import (  # noqa: TC001
    AccuracyDifference,
    AccuracyEstimate,
)
from napari_channelmix.shown_result import ShownResult
from napari_channelmix.whatif.class_table import by_class, rows_frame
from napari_channelmix.whatif.stored_rows import result_from, result_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_channelmix.result_display import Summary

__all__ = ["ChannelMeans", "MeanRow", "is_as_good"]


# A regression this little behind says as much as the network.
NEARLY = 0.02


def is_as_good(ahead: AccuracyDifference) -> bool:
    """Whether a regression is as good as the network that it is ahead of by so much.

    The interval of the difference reaches 0 or above, and the difference itself is not below -0.02:
    a wide interval alone does not make two accuracies equal. Our definition.

    Examples
    --------
    >>> from napari_channelmix.classify.accuracy import AccuracyDifference
    >>> [is_as_good(AccuracyDifference(d, d - 0.1, d + 0.1, 300, 8)) for d in (0.01, -0.05)]
    [True, False]
    """
    return ahead.high >= 0 and ahead.difference >= -NEARLY


@dataclass(frozen=True)
class MeanRow:
    """Mean light of a class in a channel.

    Attributes
    ----------
    channel, class_name : str
    mean, low, high : float
        z-score: how many standard deviations of all cells the class lies above their mean, and
        95 % interval over groups.
    n, n_groups : int
        Cells and groups of the class.
    """

    channel: str
    class_name: str
    mean: float
    low: float
    high: float
    n: int
    n_groups: int

    @property
    def readable(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, eq=False, repr=False)
class ChannelMeans(ShownResult):
    """How bright each class is in each channel.

    Attributes
    ----------
    channels, classes : tuple of str
    rows : tuple of MeanRow
        For each class: a row for each channel.
    linear : AccuracyEstimate or None
        Of a logistic regression on the means, on held-out groups; None where none could be learnt.
    network : AccuracyEstimate or None
        Of the classifier on the same cells.
    ahead : AccuracyDifference or None
        By how much the regression is ahead of the classifier.
    lines, warnings : tuple of str
    provenance : dict

    Examples
    --------
    >>> means = cm.channel_means(cells)
    >>> means.to_frame().columns[:3].tolist(), means.readable().loc["GFP"].tolist()
    (['channel', 'class_name', 'mean'], [True, True])
    """

    channels: tuple[str, ...]
    classes: tuple[str, ...]
    rows: tuple[MeanRow, ...] = field(repr=False)
    linear: AccuracyEstimate | None = None
    network: AccuracyEstimate | None = None
    ahead: AccuracyDifference | None = None
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def as_good(self) -> bool:
        """Whether the regression is as good as the network; see `is_as_good`."""
        return self.ahead is not None and is_as_good(self.ahead)

    def matrix(self) -> pd.DataFrame:
        """Mean z-scores: rows are channels in the order of the data set, columns classes."""
        return by_class(self.rows, self.channels, self.classes, "mean", float)

    def readable(self) -> pd.DataFrame:
        """Which of `matrix` differ from the mean of all cells; a data frame of bool."""
        return by_class(self.rows, self.channels, self.classes, "readable", bool)

    def to_frame(self) -> pd.DataFrame:
        """A row for each class and channel; columns as `MeanRow`."""
        return rows_frame(self.rows)

    def plot(self, ax: Axes | None = None) -> Figure:
        """The matrix in colours, the channels in which a class stands out most on top.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: a figure of its own, which pyplot does not know.
        """
        from napari_channelmix.charts import signed_matrix_figure

        summary, means, readable = self.summary(), self.matrix(), self.readable()
        height = means.where(readable).abs().max(axis=1).fillna(0.0)
        order = height.sort_values(ascending=False, kind="stable").index.tolist()
        return signed_matrix_figure(
            means.loc[order].to_numpy(),
            readable.loc[order].to_numpy(),
            order,
            self.classes,
            "mean z-score of the class; pale and hatched: not told from the mean of all cells",
            "; ".join([summary.title, *summary.facts]),
            self.warnings,
            ax,
        )

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.whatif.result_summaries import channel_means_summary

        return channel_means_summary(self)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``means.json``, ``means.csv`` and ``means.png`` into a folder.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result

        return save_result(folder, "means", self.as_dict(), self.to_frame(), self.plot())

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN: what is not known is None."""
        return result_of(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ChannelMeans:
        """What `as_dict` gave.

        Raises
        ------
        DataError
            Other content.
        """
        return result_from(cls, content)
