from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt

from napari_channelmix.viewer.pages.whatif.decision_facts import (
    axes_by_share,
    classes_asked,
    flips_of,
)
from napari_channelmix.viewer.pages.whatif.flip_matrix import FlipMatrix
from napari_channelmix.whatif.result import WhatIf


def row(axis: str, from_class: str, share: float, above: bool = True, **given: Any) -> dict:
    return {
        "scope": "cell",
        "axis": axis,
        "family": "channel",
        "amount": 1.0,
        "unit": "doublings",
        "from_class": from_class,
        "to_class": "b",
        "share": share,
        "low": share - 0.1,
        "high": share + 0.1,
        "n": 40,
        "groups": 4,
        "sham": 0.05,
        "above_sham": above,
        **given,
    }


def result(*rows: dict) -> WhatIf:
    nothing = pd.DataFrame()
    return WhatIf(
        ("a", "b"),
        ("DNA",),
        80,
        4,
        "well",
        "cell",
        nothing,
        pd.DataFrame(list(rows)),
        nothing,
        nothing,
        nothing,
        nothing,
    )


def test_axes_that_may_be_read_come_first_and_shams_are_no_axes() -> None:
    answers = result(
        row("x", "a", 0.9, above=False),
        row("y", "a", 0.3),
        row("z", "a", 0.6),
        row("turn", "a", 0.9, family="sham"),
        row("y", "a", 1.0, scope="crop"),
    )
    assert [flip.axis for flip in flips_of(answers, "a")] == ["z", "y", "x"]
    assert classes_asked(answers) == ("a",)


def test_axes_are_ordered_by_the_class_that_they_move_most() -> None:
    answers = result(
        row("x", "a", 0.1), row("x", "b", 0.8), row("y", "a", 0.5), row("y", "b", 0.0, above=False)
    )
    assert axes_by_share(answers) == ("x", "y")


def test_a_flip_says_how_many_cells_and_what_the_sham_does() -> None:
    (flip,) = flips_of(result(row("DNA brightness", "a", 0.62)), "a")
    assert flip.text.splitlines() == [
        "DNA brightness: 62 % of 40 cells predicted as a flip, interval 52 % to 72 %, 4 groups",
        "Most become b; median of the smallest changes: × 2.00",
        "Sham (turned, shifted, resampled): 5 % flip",
    ]
    none = row("x", "a", 0.0, above=False, low=np.nan, high=np.nan, sham=np.nan, to_class="")
    (flip,) = flips_of(result(none), "a")
    assert flip.interval is None and flip.floor is None
    assert flip.text.endswith("Not above the sham: do not read it as an effect")


@pytest.mark.parametrize("above", [True, False])
def test_a_field_of_the_matrix_is_chosen_by_a_click(qtbot: Any, above: bool) -> None:
    matrix = FlipMatrix("dark")
    qtbot.addWidget(matrix)
    matrix.resize(340, 100)
    (flip,) = flips_of(result(row("x", "b", 0.5, above)), "b")
    matrix.show_flips(("x",), ("a", "b"), {("x", "b"): flip})
    assert ("become" in matrix.accessibleDescription()) == above
    with qtbot.waitSignal(matrix.chosen) as told:
        place = matrix.field(0, 1).center().toPoint()
        qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=place)
    assert told.args == ["x", "b"]
