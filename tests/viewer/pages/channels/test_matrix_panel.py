"""The matrix of channels by classes: from results to fields, rows, words and cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.viewer.page_parts.open_page import open_dock
from napari_channelmix.viewer.pages.channels.effect_fields import effect_fields, score_fields
from napari_channelmix.viewer.pages.channels.matrix_panel import HINT, MatrixPanel
from napari_channelmix.viewer.pages.channels.page import ChannelsPage
from napari_channelmix.whatif.channel_means_result import ChannelMeans, MeanRow
from napari_channelmix.whatif.channel_shapley_result import (
    ALL_CLASSES,
    ChannelRow,
    ChannelShapley,
)

NAN = float("nan")


def effect_row(channel: str, name: str, value: float, direction: float = NAN) -> ChannelRow:
    """Half-widths of .05 and .2; 40 cells of 4 groups; sampled."""
    ends = (direction - 0.2, direction + 0.2)
    swap = (0.5, 0.4, 0.6, 40, 0.0, 0.0, 0.1)
    about = (channel, name, value, value - 0.05, value + 0.05, 40, 4)
    return ChannelRow(*about, *swap, direction, *ends, 0.012)


def answered(channels: int = 40, classes: tuple[str, ...] = ("T", "B", "NK")) -> ChannelShapley:
    """Channel 30 is needed by T, its absence by B; no other is readable."""
    names = tuple(f"m{place}" for place in range(channels))
    rows = [effect_row(channel, ALL_CLASSES, 0.1) for channel in names]
    for name in classes:
        for place, channel in enumerate(names):
            special = place == channels - 10
            value = {"T": 0.3, "B": 0.2}.get(name, 0.01) if special else 0.01
            direction = {"T": 0.8, "B": -0.7}.get(name, NAN) if special else 0.1
            rows.append(effect_row(channel, name, value, direction))
    return ChannelShapley(names, classes, tuple(rows), 0.9, 0.3, True, False, 100)


def means_of(result: ChannelShapley) -> ChannelMeans:
    rows = tuple(
        MeanRow(channel, name, place / 10 - 2, place / 10 - 2.5, place / 10 - 1.5, 40, 4)
        for name in result.classes
        for place, channel in enumerate(result.channels)
    )
    lines = ("a logistic regression on cell means is as good as the network",)
    return ChannelMeans(result.channels, result.classes, rows, lines=lines)


@pytest.fixture
def panel(qtbot: Any) -> MatrixPanel:
    widget = MatrixPanel("dark")
    qtbot.addWidget(widget)
    widget.resize(290, 700)
    widget.show()
    return widget


def test_a_field_says_what_is_needed_with_intervals_cells_groups_and_sampling_error() -> None:
    fields = effect_fields(answered())
    assert fields.values[30, 0] == 0.3 and fields.values[30, 1] == -0.2
    assert fields.readable[30].tolist() == [True, True, False]
    assert fields.describe(30, 0) == (
        "T, m30: needs it. .30 of recall (.25 to .35); sampled, ± 0.012; "
        "direction +0.80 (+0.60 to +1.00); 40 cells of 4 groups"
    )
    assert "B, m30: needs its absence. .20 of recall" in fields.describe(30, 1)
    assert "not to be read (an interval holds 0)" in fields.describe(0, 0)


def test_the_size_of_an_effect_without_direction_is_kept() -> None:
    fields = effect_fields(answered())
    assert np.isnan(fields.values[30, 2]) and fields.sizes is not None
    assert fields.sizes[30, 2] == 0.01


def test_scores_that_are_not_told_from_the_mean_are_pale() -> None:
    fields = score_fields(means_of(answered()))
    assert fields.values[0, 0] == -2.0 and fields.readable[0, 0] and not fields.readable[20, 0]
    assert fields.describe(20, 1) == (
        "B, m20: mean z-score +0.00 (-0.50 to +0.50); not told from the mean of all cells; "
        "40 cells of 4 groups"
    )


def test_twelve_channels_are_shown_the_strongest_first_and_all_on_request(
    panel: MatrixPanel,
) -> None:
    panel.show_result(answered(), None)
    assert len(panel.matrix.rows) == 12 and panel.matrix.rows[0] == 30
    assert panel.choice.more.text() == "Show 28 more; none can be read"
    panel.order.setCurrentIndex(panel.order.findData("data set"))
    assert list(panel.matrix.rows) == sorted(panel.matrix.rows) and 30 in panel.matrix.rows
    panel.choice.more.click()
    assert panel.matrix.rows == tuple(range(40))
    panel.choice.name.setText("M7, m30")
    assert panel.matrix.rows == (7, 30)


def test_scores_stand_beside_the_effects_in_the_same_rows(panel: MatrixPanel) -> None:
    result = answered()
    panel.show_result(result, means_of(result))
    rows = panel.matrix.rows
    panel.kind.setCurrentIndex(panel.kind.findData("scores"))
    assert panel.fields is not None and panel.fields.digits == 1
    assert panel.matrix.rows == rows and "mean of all cells" in panel.legend.text()
    panel.show_result(result, None)
    assert panel.kind.currentData() == "effects" and "needs its absence" in panel.legend.text()


def test_what_is_pointed_at_is_said_below(panel: MatrixPanel, qtbot: Any) -> None:
    panel.show_result(answered(), None)
    qtbot.mouseMove(panel.matrix.viewport(), panel.matrix.field_rect(0, 1).center())
    qtbot.waitUntil(lambda: panel.hover.text() != HINT)
    assert panel.hover.text().startswith("B, m30: needs its absence")


def test_nothing_is_wider_than_a_narrow_page(panel: MatrixPanel) -> None:
    panel.show_result(answered(200, tuple(f"a class {code}" for code in range(20))), None)
    assert panel.minimumSizeHint().width() <= 290


def test_a_field_leads_to_the_cells_of_its_class_in_its_channel(
    dock: Any, plate: Any, qtbot: Any
) -> None:
    page = dock(ChannelsPage)
    page.session.cells = plate
    box = page.of_classifier
    result = answered(10, tuple(plate.classes))
    names = dict(zip(result.channels, plate.channels, strict=False))
    rows = [
        effect_row(names.get(row.channel, row.channel), row.class_name, row.value, row.direction)
        for row in result.rows
    ]
    channels = tuple(names.get(name, name) for name in result.channels)
    box.show_result(
        ChannelShapley(channels, result.classes, tuple(rows), 0.9, 0.3, True, False, 100)
    )
    assert not box.matrix.isHidden() and not box.bars_part.isExpanded()
    matrix = box.matrix.matrix
    place = matrix.rows.index(channels.index(plate.channels[1]))
    where = matrix.field_rect(place, 1).center()
    qtbot.mouseClick(matrix.viewport(), Qt.MouseButton.LeftButton, pos=where)
    gallery = open_dock(page.viewer, "Phenotypes", front=False)
    assert page.session.display.channels == (plate.channels[1],)
    assert set(plate.labels[gallery.gallery.order].tolist()) == {1}
    assert len(gallery.gallery.order) == int((plate.labels == 1).sum())


def test_two_classes_and_few_channels_keep_their_bars(dock: Any, plate: Any) -> None:
    page = dock(ChannelsPage)
    page.session.cells = plate
    box = page.of_classifier
    box.show_result(answered(4, ("a", "b")))
    assert box.matrix.isHidden() and box.bars_part.isExpanded()
