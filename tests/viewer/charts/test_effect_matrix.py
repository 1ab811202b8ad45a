from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_channelmix.viewer.charts.effect_matrix import EffectMatrix, MatrixFields
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from qtpy.QtGui import QColor


def fields_of(rows: int, columns: int, **more: Any) -> MatrixFields:
    """Row 0 needs, row 1 needs the absence, the others cannot be read."""
    values = np.full((rows, columns), 0.01)
    readable = np.zeros(values.shape, bool)
    values[0], readable[0] = 0.4, True
    values[1], readable[1] = -0.4, True
    return MatrixFields(
        tuple(f"marker {row}" for row in range(rows)),
        tuple(f"class {column}" for column in range(columns)),
        values,
        readable,
        0.4,
        2,
        lambda row, column: f"row {row}, column {column}",
        **more,
    )


@pytest.fixture
def matrix(qtbot: Any) -> EffectMatrix:
    widget = EffectMatrix("matrix", "dark")
    qtbot.addWidget(widget)
    widget.resize(280, 300)
    widget.show()
    return widget


def corner(matrix: EffectMatrix, place: int, column: int) -> QColor:
    """Colour of a field beside its figure."""
    point = matrix.field_rect(place, column).topLeft() + QPoint(1, 1)
    return matrix.viewport().grab().toImage().pixelColor(point)


def test_needed_is_orange_absent_is_blue_and_unreadable_is_pale(matrix: EffectMatrix) -> None:
    matrix.show_fields(fields_of(4, 3))
    colors = chart_colors("dark")
    assert corner(matrix, 0, 1).name() == colors.second.lower()
    assert corner(matrix, 1, 1).name() == colors.bar.lower()
    # A breath of orange in the ground.
    assert corner(matrix, 2, 1).saturation() < 60


def test_a_field_without_a_direction_is_grey_by_its_size(matrix: EffectMatrix) -> None:
    sizes = np.full((3, 2), 0.4)
    fields = fields_of(3, 2, sizes=sizes)
    fields.values[0] = np.nan
    matrix.show_fields(fields)
    assert corner(matrix, 0, 0).saturation() < 40 < corner(matrix, 0, 0).lightness()


def test_figures_have_their_sign_and_no_leading_zero() -> None:
    fields = fields_of(3, 1)
    assert fields.figure(0, 0) == "+.40" and fields.figure(1, 0) == "\N{MINUS SIGN}.40"


@pytest.mark.parametrize(("rows", "columns"), [(40, 7), (104, 20), (200, 20)])
def test_many_rows_scroll_below_the_names_of_all_columns(
    matrix: EffectMatrix, qtbot: Any, rows: int, columns: int
) -> None:
    matrix.show_fields(fields_of(rows, columns))
    assert 14 <= matrix.row_height < 22
    assert matrix.height() < 340 + 100
    bar = matrix.verticalScrollBar()
    assert bar.maximum() > 0
    last = matrix.field_rect(0, columns - 1)
    assert last.width() >= 8 and last.right() <= matrix.viewport().width()
    top = matrix.viewport().grab(matrix.rect()).toImage().copy(0, 0, 280, matrix.header_height)
    bar.setValue(bar.maximum())
    below = matrix.viewport().grab(matrix.rect()).toImage().copy(0, 0, 280, matrix.header_height)
    assert top == below
    assert matrix.field_rect(rows - 1, 0).bottom() <= matrix.viewport().height()


def test_a_press_tells_row_and_column_of_the_figures_whatever_is_shown(
    matrix: EffectMatrix, qtbot: Any
) -> None:
    matrix.show_fields(fields_of(40, 5))
    matrix.show_rows([30, 2, 17])
    with qtbot.waitSignal(matrix.pressed) as heard:
        where = matrix.field_rect(2, 3).center()
        qtbot.mouseClick(matrix.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert heard.args == [17, 3]
    assert matrix.field_at(QPoint(200, 2)) is None


def test_arrow_keys_read_the_fields_and_enter_presses(matrix: EffectMatrix, qtbot: Any) -> None:
    matrix.show_fields(fields_of(40, 5))
    heard: list[str] = []
    matrix.described.connect(heard.append)
    for _ in range(30):
        qtbot.keyClick(matrix, Qt.Key.Key_Down)
    qtbot.keyClick(matrix, Qt.Key.Key_Right)
    assert heard[-1] == matrix.accessibleDescription() == "row 30, column 1"
    # The row is in sight.
    place = matrix.field_rect(30, 1)
    assert place.top() >= matrix.header_height and place.bottom() < matrix.viewport().height()
    with qtbot.waitSignal(matrix.pressed) as pressed:
        qtbot.keyClick(matrix, Qt.Key.Key_Return)
    assert pressed.args == [30, 1]


def test_without_figures_it_takes_no_room(matrix: EffectMatrix, qtbot: Any) -> None:
    matrix.show_fields(fields_of(4, 3))
    matrix.show_fields(None)
    assert matrix.height() == 1
    qtbot.keyClick(matrix, Qt.Key.Key_Down)
