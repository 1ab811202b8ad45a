"""Rows of channels and classes as tables."""

from dataclasses import dataclass

import pytest

from napari_channelmix.whatif.class_table import by_class, rows_frame, wants_matrix


@dataclass(frozen=True)
class Row:
    channel: str
    class_name: str
    value: float


ROWS = (Row("a", "low", 1.0), Row("b", "low", 2.0), Row("a", "high", 3.0), Row("b", "high", 4.0))


def test_figures_lie_by_channel_and_class_in_the_order_asked_for():
    frame = by_class(ROWS, ["b", "a"], ["high", "low"], "value", float)
    assert frame.index.tolist() == ["b", "a"] and frame.columns.tolist() == ["high", "low"]
    assert frame.to_numpy().tolist() == [[4.0, 2.0], [3.0, 1.0]]


def test_a_row_that_is_not_there_is_an_error_not_an_empty_field():
    with pytest.raises(KeyError):
        by_class(ROWS[:3], ["a", "b"], ["high"], "value", float)


def test_every_field_of_a_row_has_a_column():
    frame = rows_frame(ROWS)
    assert frame.columns.tolist() == ["channel", "class_name", "value"]
    assert frame["value"].tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("channels", "classes", "expected"),
    [(8, 2, False), (9, 2, True), (2, 3, True), (1, 1, False)],
)
def test_a_matrix_is_drawn_from_nine_channels_or_three_classes_on(channels, classes, expected):
    assert wants_matrix(channels, classes) is expected
