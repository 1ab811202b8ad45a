"""Label images of stacks: a plane of them, their projection, and files of planes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data.array_planes import PROJECT
from napari_channelmix.data.label_stacks import LabelStack
from napari_channelmix.data.stack_places import StackPlace
from napari_channelmix.errors import DataError


def planes() -> np.ndarray:
    """Cell 3 in the columns 0 and 1 of plane 0, cell 7 in 1 and 2 of plane 1."""
    labels = np.zeros((2, 1, 4), np.uint16)
    labels[0, 0, :2], labels[1, 0, 1:3] = 3, 7
    return labels


def test_a_plane_is_a_copy_of_its_own() -> None:
    values = planes()
    stack = LabelStack(values, ("Z",), "t.csv, line 2: m.tif", "m.tif")
    labels, lines = stack.labels(StackPlace((("Z", 1),), ("Z",)))
    values[:] = 0
    assert labels.tolist() == [[0, 7, 7, 0]] and lines == ()


def test_what_a_projection_costs_is_said_with_the_file() -> None:
    stack = LabelStack(planes(), ("Z",), "t.csv, line 2: m.tif", "m.tif")
    labels, (line,) = stack.labels(StackPlace((("Z", PROJECT),)))
    # In column 1 both lie once: the smaller id has it.
    assert labels.tolist() == [[3, 3, 7, 0]]
    assert line.startswith("t.csv, line 2: m.tif projected along Z: in 1 pixels")


def test_files_of_planes_are_projected_and_one_file_for_all_is_not() -> None:
    first, second = planes()
    stack = LabelStack.of([(first, ()), (second, ())], "m.tif", "m.tif")
    labels, (line,) = stack.labels(StackPlace())
    assert labels.tolist() == [[3, 3, 7, 0]] and "along its files" in line
    alone = LabelStack.of([(first, ())], "m.tif", "m.tif")
    assert alone.labels(StackPlace((("Z", 5),), ("Z",)))[0].tolist() == first.tolist()


def test_files_of_other_sizes_are_no_stack() -> None:
    with pytest.raises(DataError, match=r"m\.tif is \(1, 4\), .* \(1, 3\); all must have one size"):
        LabelStack.of([(planes()[0], ()), (planes()[0][:, :3], ())], "m.tif", "m.tif")
