"""Charts for print: nothing lies over anything else."""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg

from napari_channelmix.classify.calibration import ReliabilityBin
from napari_channelmix.classify.calibration_metrics import BINS as CURVE
from napari_channelmix.report.figures import BINS, reliability_figure


def test_the_cells_of_each_bin_stand_clear_of_ticks_and_curve() -> None:
    # The first and last bin at the very ends, others at their borders, all with many cells.
    predicted = [0.0, 0.199, 0.201, 0.399, 0.401, 0.55, 0.699, 0.701, 0.85, 1.0]
    bins = tuple(
        ReliabilityBin(12_345, at, at, max(at - 0.1, 0), min(at + 0.1, 1)) for at in predicted
    )
    figure = reliability_figure({"a": bins, "b": bins})
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    (above,) = axes.child_axes
    counts = above.get_xticklabels()
    assert [label.get_text() for label in counts] == ["12345"] * len(bins)
    renderer = figure.canvas.get_renderer()
    boxes = [label.get_window_extent(renderer) for label in counts]
    other = [
        label.get_window_extent(renderer)
        for label in (*axes.get_xticklabels(), *axes.get_yticklabels())
    ]
    plot = axes.get_window_extent(renderer)
    # Neighbours of other bins, or the same place where two are of one bin.
    for one, two in combinations({box.x0: box for box in boxes}.values(), 2):
        assert not one.overlaps(two)
    for box in boxes:
        assert not box.overlaps(plot)
        assert not any(box.overlaps(tick) for tick in other)


def test_its_bins_are_those_of_the_calibration() -> None:
    assert BINS == CURVE
