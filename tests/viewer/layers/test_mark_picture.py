"""Very many cells without outlines are marked in a picture of what is in sight, not as points."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points

from napari_channelmix.data import Cells
from napari_channelmix.jobs import drain
from napari_channelmix.viewer.charts.colors import class_color
from napari_channelmix.viewer.layers import (
    class_layer,
    field_job,
    is_own,
    result_images,
    score_layer,
    select_objects,
    selection_signal,
    show_codes,
    show_field,
    show_scores,
)
from napari_channelmix.viewer.layers.mark_picture import MarkPicture
from napari_channelmix.viewer.layers.own_layers import plane_geometry

SIDE = 600


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> Cells:
    """Nine cells, which count as very many."""
    for module in (class_layer, score_layer):
        monkeypatch.setattr(module, "MANY", 9)
    plane = np.zeros((SIDE, SIDE), np.uint8)
    centres = np.array([[y, x] for y in (100, 300, 500) for x in (100, 300, 500)], float)
    made = Cells.from_points([plane], ["DNA"], centres, crop=40)
    return made.with_labels(np.array([0, 1, -1] * 3), ("a", "b"))


def coded(viewer: Any, cells: Cells, codes: np.ndarray[Any, Any]) -> Any:
    geometry = plane_geometry(cells.fields[0])
    return show_codes(viewer, "classes", cells, 0, codes, cells.classes, geometry)


def test_every_level_shows_each_cell_with_its_class(cells: Cells) -> None:
    viewer = ViewerModel()
    layer = coded(viewer, cells, cells.labels)
    assert isinstance(layer, Labels) and layer.multiscale and not layer.editable
    picture = np.asarray(layer.data[0])
    assert picture.shape == (SIDE, SIDE)
    # Boxes that lie apart are squares, 20 pixels from the middle; their line has 6 % of 40.
    assert picture[100, 79:84].tolist() == [0, 1, 1, 1, 0] and picture[80, 100] == 1
    assert picture[300, 320] == 2 and picture[500, 520] == 3
    assert picture[100, 100] == 0 and picture[200, 200] == 0
    assert (layer.get_color(3) == class_color(-1).astype(np.float32)).all()


def test_other_classes_are_drawn_in_the_same_layer(cells: Cells) -> None:
    viewer = ViewerModel()
    layer = coded(viewer, cells, cells.labels)
    assert coded(viewer, cells, np.ones(9, np.int64)) is layer
    assert set(np.unique(np.asarray(layer.data[0]))) == {0, 2}
    # Another class in all.
    more = cells.with_labels(np.full(9, 2), ("a", "b", "c"))
    assert coded(viewer, more, more.labels) is layer
    assert set(np.unique(np.asarray(layer.data[0]))) == {0, 3}
    assert (layer.get_color(3) == class_color(2).astype(np.float32)).all()


def test_points_give_way_where_a_field_holds_very_many_and_come_back(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = ViewerModel()
    monkeypatch.setattr(class_layer, "MANY", 10)
    assert isinstance(coded(viewer, cells, cells.labels), Points)
    monkeypatch.setattr(class_layer, "MANY", 9)
    assert isinstance(coded(viewer, cells, cells.labels), Labels) and len(viewer.layers) == 1
    monkeypatch.setattr(class_layer, "MANY", 10)
    assert isinstance(coded(viewer, cells, cells.labels), Points) and len(viewer.layers) == 1


def test_a_picture_of_marks_is_no_place_to_select_cells_in(cells: Cells) -> None:
    viewer = ViewerModel()
    shown = show_field(viewer, cells, drain(field_job(cells, 0)))
    assert isinstance(shown.objects, Labels) and is_own(shown.objects)
    assert selection_signal(shown.objects) is None
    before = shown.objects.selected_label
    select_objects(shown, cells, [4])
    assert shown.objects.selected_label == before
    assert result_images(viewer) == ()


def test_numbers_are_drawn_as_discs(cells: Cells) -> None:
    viewer = ViewerModel()
    geometry = plane_geometry(cells.fields[0])

    def shown(scores: np.ndarray[Any, Any]) -> Any:
        return show_scores(
            viewer,
            "score",
            cells,
            0,
            scores,
            geometry,
            name="margin",
            limits=(0, 1),
            colormap="viridis",
        )

    layer = shown(np.linspace(0, 1, 9))
    picture = np.asarray(layer.data[0])
    assert isinstance(layer, Image) and picture[300, 300] == np.float32(0.5)
    assert picture[300, 306] == np.float32(0.5) and np.isnan(picture[300, 311])
    assert shown(np.linspace(1, 0, 9)) is layer
    assert np.asarray(layer.data[0])[100, 100] == 1


def test_a_million_cells_are_drawn_in_the_time_of_a_redraw() -> None:
    side, n = 65_536, 1_000_000
    rng = np.random.default_rng(0)
    centres = rng.uniform(0, side, (n, 2))
    marks = MarkPicture((side, side), centres, 48, np.ones(n, np.uint8), "square")
    for level, view in ((0, (30_000, 31_600)), (3, (2000, 3600)), (-1, (0, 2048))):
        low, high = view
        begun = time.perf_counter()
        part = marks.levels[level][low:high, low:high]
        # Loosely: 0.1 s on a quiet core.
        assert time.perf_counter() - begun < 3.0
        assert 0 < part.mean() <= 1
