"""Labels projected along an axis: the cell with most pixels wins, and what is lost is said."""

from __future__ import annotations

import dask.array as da
import numpy as np

from napari_channelmix.data.array_planes import PROJECT, ArrayPlane
from napari_channelmix.data.label_projection import project_labels


def along_z(stack: object) -> ArrayPlane:
    return ArrayPlane(stack, (PROJECT, None, None))


def test_cells_beside_each_other_are_all_there() -> None:
    stack = np.zeros((3, 4, 6), np.uint16)
    stack[0, 0, 0], stack[1, 1, 1], stack[2, 1, 1], stack[2, 3, 5] = 5, 900, 900, 7
    result = project_labels(along_z(stack))
    assert result.labels[0, 0] == 5 and result.labels[1, 1] == 900 and result.labels[3, 5] == 7
    assert result.labels.dtype == np.uint16
    assert result.overlap == 0 and result.warnings("layer 'mask'", "axis 0: 3 long") == ()


def test_the_cell_with_most_pixels_wins_and_what_is_lost_is_counted() -> None:
    stack = np.zeros((5, 1, 4), np.int64)
    big = 2**60
    stack[:, 0, 0] = [3, 3, 9, 0, 0]  # 3 wins over 9
    stack[:, 0, 1] = [9, 0, 9, 4, 0]  # 9 wins over 4, which lies nowhere else
    stack[:, 0, 2] = [big, 3, 0, big, 3]  # as many: the smaller id
    stack[:, 0, 3] = [0, 0, big, 0, 0]
    result = project_labels(along_z(stack))
    assert result.labels.tolist() == [[3, 9, 3, big]]
    assert (result.overlap, result.cells, result.lost.tolist()) == (3, 3, [4])
    (line,) = result.warnings("layer 'mask'", "axis 0: 5 long")
    assert line == (
        "layer 'mask' projected along axis 0: 5 long: in 3 pixels several cells lie over each "
        "other, each goes to the cell with most pixels there; 3 cells lose pixels; 1 cell lies "
        "wholly behind others and is left out (first: 4)"
    )


def test_several_axes_are_projected_and_others_stand_at_their_slice() -> None:
    stack = np.zeros((2, 3, 2, 1, 2), np.int32)
    stack[1, 0, 0, 0, 0], stack[1, 2, 1, 0, 0], stack[1, 1, 1, 0, 0] = 8, 8, 2
    stack[0, 0, 0, 0, 1] = 6
    plane = ArrayPlane(
        da.from_array(stack, chunks=(1, 1, 1, 1, 2)), (1, PROJECT, PROJECT, None, None)
    )
    assert project_labels(plane).labels.tolist() == [[8, 0]]


def test_a_single_plane_is_a_copy() -> None:
    labels = np.ones((4, 6), np.int32)
    result = project_labels(ArrayPlane(labels, (None, None)))
    labels[:] = 2
    assert result.labels.max() == 1
