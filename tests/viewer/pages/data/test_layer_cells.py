"""Cells out of layers: what marks them, in which slices, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from napari.layers import Image, Labels, Points

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.channels_panel import ChosenChannels
from napari_channelmix.viewer.pages.data.layer_cells import TRACKS, CellsPlan, cells_job, check_plan
from napari_channelmix.viewer.pages.data.layer_fields import shown_of, with_fields

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

SIDE = 48


def disc(y: int, x: int) -> Any:
    rows, columns = np.ogrid[:SIDE, :SIDE]
    return (rows - y) ** 2 + (columns - x) ** 2 < 16


def stack() -> tuple[Any, Any]:
    """Three planes and their labels: id 5 in all, 9 in the second, nothing else in the third."""
    labels, pixels = np.zeros((3, SIDE, SIDE), np.int32), np.zeros((3, SIDE, SIDE), np.float32)
    for plane, number, y, x in ((0, 5, 10, 10), (1, 5, 12, 12), (1, 9, 30, 30), (2, 5, 14, 14)):
        labels[plane][disc(y, x)] = number
        pixels[plane][disc(y, x)] = 100 * number + plane
    return pixels, labels


def chosen(image: Image, *, at: int | None = None, every: bool = False) -> ChosenChannels:
    """One channel of a stack: a slice, all of them, or their maximum."""
    project = frozenset() if at is not None else frozenset({0})
    planes = layers.planes_from_layers([image], (at or 0, 0, 0), project)
    return ChosenChannels(
        ("DNA",),
        planes,
        {"DNA": image},
        (1, 2),
        {} if at is None else {0: at},
        None,
        (0,) if every else (),
    )


def made(plan: CellsPlan) -> Cells:
    return drain(cells_job(plan))


def test_every_slice_is_a_field_of_view_with_its_own_pixels_and_objects() -> None:
    pixels, labels = stack()
    image = Image(pixels, name="film", axis_labels=("z", "y", "x"))
    plan = CellsPlan(chosen(image, every=True), Labels(labels, name="mask"), 12)
    cells = made(plan)
    assert [field.name for field in cells.fields] == ["film: z=0", "film: z=1", "film: z=2"]
    assert cells.table["object"].tolist() == [5, 5, 9, 5]
    assert cells.groups.tolist() == ["film: z=0", "film: z=1", "film: z=1", "film: z=2"]
    # The slice of the pixels is the slice of the objects.
    assert cells.read()[:, 0, 6, 6].tolist() == [500, 501, 901, 502]
    assert any("1 ids occur in several slices" in line for line in cells.warnings)
    shown = with_fields(shown_of(plan), plan, cells)
    assert shown.stack == {0: {0: 0}, 1: {0: 1}, 2: {0: 2}}


def test_slices_without_cells_are_left_out_and_counted() -> None:
    pixels, labels = stack()
    labels[1] = 0
    plan = CellsPlan(
        chosen(Image(pixels, name="Image"), every=True), Labels(labels, name="mask"), 12
    )
    cells = made(plan)
    assert [field.name for field in cells.fields] == ["Image: axis 0=0", "Image: axis 0=2"]
    assert "1 of 3 slices hold no cell and are left out" in cells.warnings
    shown = with_fields(shown_of(plan), plan, cells)
    assert shown.stack == {0: {0: 0}, 1: {0: 2}} and shown.slice_position == {0: 0}


def test_a_projection_of_the_channels_projects_the_objects() -> None:
    pixels, labels = stack()
    plan = CellsPlan(chosen(Image(pixels)), Labels(labels, name="mask"), 12)
    cells = made(plan)
    assert cells.table["object"].tolist() == [5, 9]
    assert cells.read()[1, 0, 6, 6] == 901
    # 9 now lies behind 5 in every pixel.
    labels[1][labels[1] == 9] = 0
    labels[1][disc(10, 10)] = 9
    labels[2][disc(10, 10)] = 5
    cells = made(CellsPlan(chosen(Image(pixels)), Labels(labels, name="mask"), 12))
    assert cells.table["object"].tolist() == [5]
    (line,) = (line for line in cells.warnings if "projected" in line)
    assert "1 cell lies wholly behind others and is left out (first: 9)" in line


def test_classes_are_paired_with_the_cells_of_the_slice() -> None:
    pixels, labels = stack()
    features = pd.DataFrame({"label": [9, 5, np.nan], "kind": ["b", "a", "b"]})
    mask = Labels(labels, name="mask", features=features)
    cells = made(CellsPlan(chosen(Image(pixels), at=0), mask, 12, "kind"))
    assert cells.class_counts == {"a": 1, "b": 0}
    assert any("1 of 3 rows have no id; left out" in line for line in cells.warnings)
    cells = made(CellsPlan(chosen(Image(pixels), every=True), mask, 12, "kind"))
    assert [cells.classes[code] for code in cells.labels] == ["a", "a", "b", "a"]


def test_ids_that_cannot_be_known_are_refused_before_pixels_are_read() -> None:
    pixels, labels = stack()
    features = pd.DataFrame({"index": [0, 1], "label": [5, 9], "kind": ["a", "b"]})
    mask = Labels(labels, name="mask", features=features)
    plan = CellsPlan(chosen(Image(pixels), at=1), mask, 12, "kind")
    with pytest.raises(DataError, match="choose the one that holds the id"):
        check_plan(plan)
    cells = made(CellsPlan(chosen(Image(pixels), at=1), mask, 12, "kind", "label"))
    assert cells.class_counts == {"a": 1, "b": 1}


def test_a_table_that_classes_cannot_be_written_into_is_said() -> None:
    pixels, labels = stack()
    mask = Labels(labels, name="mask", features={"area": [1.0, 2.0]})
    cells = made(CellsPlan(chosen(Image(pixels), at=1), mask, 12))
    (line,) = (line for line in cells.warnings if "features" in line)
    assert "will not be written" in line and "add a column 'index'" in line


def test_connected_regions_have_no_classes_of_labels_and_no_layer_that_knows_them() -> None:
    pixels, labels = stack()
    labels[1][disc(30, 30)] = 5
    mask = Labels(labels, name="mask", features={"index": [5], "kind": ["a"]})
    plan = CellsPlan(chosen(Image(pixels), at=1), mask, 12, labelled=False)
    assert len(made(plan)) == 2 and shown_of(plan).objects is None
    whole = made(CellsPlan(chosen(Image(pixels), at=1), mask, 12))
    assert len(whole) == 1 and any("apart" in line or "piece" in line for line in whole.warnings)
    with pytest.raises(DataError, match="belong to labels, not to connected regions"):
        check_plan(CellsPlan(chosen(Image(pixels), at=1), mask, 12, "kind", labelled=False))


def test_cells_at_the_border_are_left_out_and_counted() -> None:
    pixels, labels = stack()
    labels[1][disc(3, 40)] = 7
    plan = CellsPlan(chosen(Image(pixels), at=1), Labels(labels, name="mask"), 12, border=False)
    cells = made(plan)
    assert cells.table["object"].tolist() == [5, 9]
    assert "1 of 3 cells at the border are left out" in cells.warnings


def test_points_keep_their_ids_and_their_slices() -> None:
    pixels, _ = stack()
    points = Points(
        [(0, 10, 10), (1, 30, 30), (1, 12, 12)],
        name="seeds",
        features={"object": [70, 20, 30], "kind": ["a", "b", "a"]},
    )
    plan = CellsPlan(chosen(Image(pixels), every=True), points, 12, "kind")
    cells = made(plan)
    assert cells.table["object"].tolist() == [70, 20, 30]
    assert [cells.classes[code] for code in cells.labels] == ["a", "b", "a"]
    assert cells.read()[:, 0, 6, 6].tolist() == [500, 901, 501]
    assert shown_of(plan).id_column == "object"
    assert "1 of 3 slices hold no cell and are left out" in cells.warnings


def test_marks_without_slices_say_that_they_count_in_every_one() -> None:
    pixels, labels = stack()
    plan = CellsPlan(chosen(Image(pixels), every=True), Labels(labels[0], name="mask"), 12)
    cells = made(plan)
    assert len(cells) == 3
    assert any("'mask' has no axis 0: 3 long" in line for line in cells.warnings)


# ------------------------------------------------------------------ stacks


def odd_stack() -> tuple[Image, Labels]:
    """A film with odd axes, scales and places; id 5 moves, 9 is in the second slice alone."""
    pixels, labels = stack()
    labels[2][labels[2] == 5] = 9
    where = {
        "axis_labels": ("t", "y", "x"),
        "scale": (7, 0.5, 0.25),
        "translate": (3, 11, -2),
        "units": ("s", "µm", "µm"),
    }
    return Image(pixels, name="film", **where), Labels(labels, name="mask", **where)


def test_classes_are_those_of_the_label_in_its_slice() -> None:
    image, mask = odd_stack()
    mask.features = pd.DataFrame(
        {
            "label": [9, 5, 5, 9],
            "frame": [1, 0, 1, 2],
            "state": ["late", "early", "late", "dead"],
            "track": ["b", "a", "a", "b"],
        }
    )
    plan = CellsPlan(chosen(image, every=True), mask, 12, "state")
    check_plan(plan)
    cells = made(plan)
    frame = cells.to_frame()
    assert frame[["field_name", "object", "label"]].to_numpy().tolist() == [
        ["film_t0", 5, "early"],
        ["film_t1", 5, "late"],
        ["film_t1", 9, "late"],
        ["film_t2", 9, "dead"],
    ]
    assert cells.keys["track"].tolist() == ["a", "a", "b", "b"]
    assert cells.keys["frame"].tolist() == ["0", "1", "1", "2"]
    assert any("in column 'frame', counted from 0" in line for line in cells.warnings)
    assert cells.fields[0].pixel_size == (0.5, 0.25)
    # The slice that is shown, alone.
    every = chosen(image, every=True)
    planes = tuple(plane.moved({0: 1}) for plane in every.planes)
    shown = replace(every, every=(), planes=planes, slice_position={0: 1})
    one = made(CellsPlan(shown, mask, 12, "state"))
    assert [one.classes[code] for code in one.labels] == ["late", "late"]


def test_frames_that_count_from_one_are_told_by_the_labels() -> None:
    image, mask = odd_stack()
    rows = {"label": [9, 5, 5, 9], "frame": [2, 1, 2, 3], "state": ["b", "a", "b", "c"]}
    mask.features = pd.DataFrame(rows)
    cells = made(CellsPlan(chosen(image, every=True), mask, 12, "state"))
    assert [cells.classes[code] for code in cells.labels] == ["a", "b", "b", "c"]
    assert any("counted from 1" in line for line in cells.warnings)
    mask.features = pd.DataFrame({**rows, "frame": [7, 8, 9, 9]})
    with pytest.raises(DataError, match="fit the labels neither with planes counted from 0"):
        made(CellsPlan(chosen(image, every=True), mask, 12, "state"))


def test_a_track_is_a_group_of_its_own() -> None:
    image, mask = odd_stack()
    plan = CellsPlan(chosen(image, every=True), mask, 12)
    assert any(TRACKS in line for line in made(plan).warnings)
    cells = made(replace(plan, tracks=True))
    assert cells.groups.tolist() == ["film: id 5", "film: id 5", "film: id 9", "film: id 9"]
    assert not any("accuracy too good" in line for line in cells.warnings)


def test_columns_of_the_features_go_with_the_cells() -> None:
    pixels, labels = stack()
    features = pd.DataFrame({"label": [9, 5], "well": ["B03", "C04"], "area": [50.5, 49.25]})
    mask = Labels(labels, name="mask", features=features)
    cells = made(CellsPlan(chosen(Image(pixels), at=1), mask, 12))
    assert cells.keys.to_dict("list") == {"label": ["5", "9"], "well": ["C04", "B03"]}
    points = Points(
        [(0, 10, 10), (1, 30, 30)], features={"cell_id": [12, 40], "plate": ["p", "q"]}, name="p"
    )
    cells = made(CellsPlan(chosen(Image(pixels), every=True), points, 12))
    assert cells.keys["plate"].tolist() == ["p", "q"]
    assert cells.keys["cell_id"].tolist() == ["12", "40"]
