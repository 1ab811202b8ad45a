"""Rows that speak of the same cells agree, or are refused with both lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_channelmix.data import open_dataset
from napari_channelmix.errors import DataError

WriteSet = Callable[..., Path]

MASK = ("[channels]", 'DNA = "dna"', "[cells]", 'from = "mask"', 'column = "mask"', "crop = 16")
HEAD = "well,label,dna,mask,object,y,x\n"


def row(label: str, value: Any = 2, well: str = "W", y: int = 14) -> str:
    return f"{well},{label},dna0.tif,mask0.tif,{value},{y},12\n"


def test_the_same_again_is_left_out_and_counted(write_set: WriteSet) -> None:
    rows = HEAD + row("a") + row("b", 5) + row("a", "2.0")
    cells = open_dataset(write_set(*MASK, 'object = "object"', rows=rows))
    assert cells.table["object"].tolist() == [2, 5]
    assert any("1 row says again what an earlier row says" in w for w in cells.warnings)
    cells = open_dataset(write_set(*MASK, rows=HEAD + row("a") + row("a")))
    assert len(cells) == 6 and any("1 row says again" in w for w in cells.warnings)


def test_contradictions_are_refused_with_both_lines(write_set: WriteSet) -> None:
    by_id = (*MASK, 'object = "object"')
    with pytest.raises(
        DataError,
        match=r"line 4, column 'object': object 2 has another class than "
        r"in line 2",
    ):
        open_dataset(write_set(*by_id, rows=HEAD + row("a") + row("b", 5) + row("b")))
    with pytest.raises(DataError, match="object 2 has another group than in line 2"):
        open_dataset(write_set('group = "well"', *by_id, rows=HEAD + row("a") + row("a", well="V")))
    with pytest.raises(
        DataError,
        match="line 3: the cells of this image have another class than "
        "in line 2; where cells differ",
    ):
        open_dataset(write_set(*MASK, rows=HEAD + row("a") + row("b")))


def test_one_id_in_two_masks_is_two_cells(write_set: WriteSet) -> None:
    rows = HEAD + row("a") + row("b").replace("0.tif", "1.tif")
    cells = open_dataset(write_set(*MASK, 'object = "object"', rows=rows))
    assert len(cells) == 2 and cells.labels.tolist() == [0, 1]


def test_places_that_stand_there_twice_are_kept_and_said(write_set: WriteSet) -> None:
    point = (
        "[channels]",
        'DNA = "dna"',
        "[cells]",
        'from = "point"',
        'columns = ["y", "x"]',
        "crop = 16",
    )
    rows = HEAD + row("a") + row("a", y=15) + row("b")
    cells = open_dataset(write_set(*point, rows=rows))
    assert len(cells) == 3
    (warning,) = [w for w in cells.warnings if "earlier row" in w]
    assert "1 row names the place of an earlier row, 1 of them of another class" in warning
    assert "line 4, as line 2" in warning
