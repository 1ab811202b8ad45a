"""Which of many rows are shown: the first, all, or those of a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_channelmix.viewer.widgets.row_choice import FEW, RowChoice

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = [f"CD{n}" for n in range(FEW + 9)]


@pytest.fixture
def choice(qtbot: Any) -> Iterator[RowChoice]:
    around = QWidget()
    qtbot.addWidget(around)
    made = RowChoice(around)
    column = QVBoxLayout(around)
    column.addWidget(made.name)
    column.addWidget(made.more)
    around.show()
    # What is around it lives as long as the test.
    yield made


def test_few_rows_are_all_shown_and_nothing_else_is(choice: RowChoice) -> None:
    assert choice.choose(NAMES[:FEW]) == list(range(FEW))
    assert not choice.name.isVisible() and not choice.more.isVisible()


def test_of_many_the_first_are_shown_until_it_is_unfolded(choice: RowChoice) -> None:
    told: list[bool] = []
    choice.changed.connect(lambda: told.append(True))
    assert choice.choose(NAMES, "3 not above the control") == list(range(FEW))
    assert choice.more.text() == "Show 9 more; 3 not above the control"
    assert choice.more.toolTip() == choice.more.text()
    choice.more.click()
    assert told == [True] and choice.choose(NAMES) == list(range(len(NAMES)))
    assert choice.more.text() == f"Show the first {FEW}"


def test_names_are_found_by_any_part_in_the_order_of_the_rows(choice: RowChoice) -> None:
    choice.name.setText("cd11, D3 ,")
    assert choice.choose(NAMES) == [3, 11]
    assert not choice.more.isVisible()
    choice.name.setText("nothing is called this")
    assert choice.choose(NAMES) == []
