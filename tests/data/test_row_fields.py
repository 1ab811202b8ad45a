"""Rows and the fields of view they are about; of what is wrong the first row is refused."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data.row_fields import Refusals, RowFields


def test_each_row_is_paired_with_all_fields_of_its_kind_in_order() -> None:
    rows, kinds = np.array([3, 5, 6, 9]), np.array([0, 1, 0, 2])
    pairs = RowFields.of(rows, kinds, [(4, 2), (), (7,)])
    assert pairs.rows.tolist() == [3, 3, 6, 6, 9]
    assert pairs.fields.tolist() == [4, 2, 4, 2, 7]
    assert pairs.several.tolist() == [True, True, True, True, False]


def test_no_rows_are_no_pairs() -> None:
    none = np.zeros(0, np.int64)
    assert len(RowFields.of(none, none, [])) == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([[0, 0, 1], [0, 1, 0]], "second of 1"),
        # Of one row what is looked for first.
        ([[0, 1, 1], [0, 1, 0]], "first of 1"),
        ([[0, 0, 0], [0, 0, 1]], "second of 2"),
    ],
)
def test_the_first_row_that_is_wrong_is_refused(wrong: list[list[int]], says: str) -> None:
    refusals = Refusals()

    def refuse(what: str, pair: int) -> None:
        raise ValueError(f"{what} of {pair}")

    for what, flags in zip(("first", "second"), wrong, strict=True):
        refusals.note(np.array(flags, bool), lambda pair, what=what: refuse(what, pair))
    with pytest.raises(ValueError, match=says):
        refusals.raise_first()


def test_nothing_is_raised_where_nothing_is_wrong() -> None:
    refusals = Refusals()
    refusals.note(np.zeros(3, bool), lambda pair: pytest.fail("refused"))
    refusals.raise_first()
