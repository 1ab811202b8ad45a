from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.matrix_rows import row_order


def test_rows_that_can_be_read_come_before_larger_ones_that_cannot() -> None:
    values = [[0.2, 0.0], [0.0, -0.9], [0.3, 0.1]]
    readable = [[True, False], [False, False], [True, False]]
    assert row_order(values, readable) == (2, 0, 1)


def test_what_is_not_known_counts_as_nothing() -> None:
    assert row_order([[np.nan, np.nan], [0.1, np.nan]]) == (1, 0)


def test_alike_rows_stand_together_and_the_strong_end_is_first() -> None:
    values = [[0.0, 0.1], [0.9, 0.0], [0.1, 0.0], [0.8, 0.0]]
    order = row_order(values, how="clustered")
    assert abs(order.index(1) - order.index(3)) == 1
    assert order.index(1) < 2 and order.index(3) < 2


def test_one_row_and_none_have_an_order() -> None:
    assert row_order(np.zeros((1, 3)), how="clustered") == (0,)
    assert row_order(np.zeros((0, 3))) == ()


def test_another_order_is_refused() -> None:
    with pytest.raises(ValueError, match="no order 'size'; use effect, clustered, data set"):
        row_order([[1.0]], how="size")  # type: ignore[arg-type]
