"""Effects of channels on classes as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.charts import bars_figure, signed_matrix_figure
from napari_channelmix.result_display import Bars

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["effects_figure"]

#: Of so many classes and channels, bars say as much.
FEW_CLASSES, FEW_CHANNELS = 2, 8


def effects_figure(result: Any, ax: Axes | None = None) -> Figure:
    """Of a `ChannelShapley`: the effects by class, channels that count most on top.

    With two classes and up to 8 channels: bars of the values for all classes.

    Parameters
    ----------
    result : ChannelShapley
    ax : matplotlib.axes.Axes, optional
    """
    summary = result.summary()
    title = "; ".join([summary.title, *summary.facts])
    if len(result.classes) <= FEW_CLASSES and len(result.channels) <= FEW_CHANNELS:
        bars = Bars((), "") if summary.bars is None else summary.bars
        return bars_figure(bars, title, summary.warnings, ax)
    effects, readable = result.effects(), result.readable()
    order = list(result.order)
    return signed_matrix_figure(
        effects.loc[order].to_numpy(),
        readable.loc[order].to_numpy(),
        order,
        result.classes,
        "effect on the recall of the class: orange needs the channel, blue needs its absence; pale "
        "and hatched: an interval over groups holds 0",
        title,
        summary.warnings,
        ax,
    )
