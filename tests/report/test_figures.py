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


def test_more_than_two_classes_have_a_panel_each_the_worst_of_many() -> None:
    curve = {
        f"a cell type of twenty-five letters {place:02d}": [
            ReliabilityBin(40, level, min(level + 0.03 * place, 1), 0.1, 0.95)
            for level in (0.1, 0.5, 0.9)
        ]
        for place in range(9)
    }
    figure = reliability_figure(curve)
    FigureCanvasAgg(figure).draw()
    shown = [axes for axes in figure.axes if axes.get_visible()]
    titles = [" ".join(axes.get_title().split("\n")[:-1]) for axes in shown]
    assert titles == list(curve)[3:]
    assert shown[0].get_title().endswith("120 cells")
    boxes = [axes.get_tightbbox(figure.canvas.get_renderer()) for axes in shown]
    assert not any(one.overlaps(two) for one, two in combinations(boxes, 2))


def test_its_bins_are_those_of_the_calibration() -> None:
    assert BINS == CURVE
