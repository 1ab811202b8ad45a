"""What every result offers, and the base class of those that show themselves in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from napari_channelmix.result_display import Bars, Summary

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BarsResult", "Result", "ShownResult"]


@runtime_checkable
class Result(Protocol):
    """What every result offers: a table, a chart, files, and a card in a notebook."""

    def to_frame(self) -> pd.DataFrame:
        """A tidy table: a row per channel, class, cell or whatever the result is of."""
        ...

    def plot(self) -> Figure:
        """The result as a matplotlib figure."""
        ...

    def save(self, path: str | Path) -> Any:
        """Write the result to files."""
        ...

    def _repr_html_(self) -> str: ...


class ShownResult:
    """A result that shows itself: what is printed, the card in a notebook, the chart.

    A class adds ``summary``, ``to_frame``, ``plot`` and ``save``; see `Result`.
    """

    def summary(self) -> Summary:
        """What is shown of it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.summary().line(type(self).__name__)

    def _repr_html_(self) -> str:
        return self.summary().html()


class BarsResult(ShownResult):
    """A result whose chart is one of bars: those of its summary."""

    def plot(self, ax: Axes | None = None) -> Figure:
        """The figures as bars with their intervals.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: a figure of its own, which pyplot does not know.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from napari_channelmix.charts import bars_figure

        summary = self.summary()
        bars = Bars((), "") if summary.bars is None else summary.bars
        title = "; ".join([summary.title, *summary.facts])
        return bars_figure(bars, title, summary.warnings, ax)
