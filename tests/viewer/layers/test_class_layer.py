"""Cells in the colours of their classes: rings and tints, redrawn where they change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel

from napari_channelmix.data import Cells
from napari_channelmix.jobs import drain
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.layers import class_layer as drawing
from napari_channelmix.viewer.layers.label_lookup import Outlines
from napari_channelmix.viewer.selection.class_overlays import overlays_of
from napari_channelmix.viewer.session.session import Shown, session_of

from ..latent_cases import CLASSES, COUNT, ODD, blobs, planes
from ..latent_cases import cells as some_cells


@pytest.fixture
def model() -> ViewerModel:
    """A viewer without a window, with a picture."""
    viewer = ViewerModel()
    viewer.add_image(planes()[0], name="DNA", **ODD)
    return viewer


def show(viewer: Any, cells: Cells, role: str = "classes", field: int = 0) -> Any:
    return layers.show_codes(
        viewer, role, cells, field, cells.labels, cells.classes, layers.like(viewer.layers["DNA"])
    )


def ringed(cells: Cells, field: int = 0) -> Any:
    """What the rings must look like."""
    labels = cells.fields[field].labels
    of = cells.table["field"] == field
    table = np.zeros(int(labels.max()) + 1, np.uint8)
    table[cells.table["object"][of]] = cells.labels[of] + 1
    return Outlines.of(labels, 2).fill(np.zeros(labels.shape, np.uint8), table)


def given(cells: Cells, *changed: int, code: int = -1) -> Cells:
    """The cells, some with another class."""
    labels = cells.labels.copy()
    labels[list(changed)] = code
    return cells.with_labels(labels, cells.classes)


def heard(layer: Any) -> list[str]:
    """What the layer tells its picture from now on."""
    told: list[str] = []
    layer.events.labels_update.connect(lambda event: told.append("part"))
    layer.events.set_data.connect(lambda event: told.append("whole"))
    return told


def test_a_class_given_to_one_cell_changes_its_ring_only(model: ViewerModel) -> None:
    cells = some_cells()
    layer = show(model, cells)
    picture, told = layer.data, heard(layer)
    parts: list[Any] = []
    layer.events.labels_update.connect(lambda event: parts.append((event.offset, event.data.shape)))
    after = given(cells, 3, code=1)
    assert show(model, after) is layer
    assert layer.data is picture and told == ["part"]
    np.testing.assert_array_equal(picture, ringed(after))
    where = np.argwhere(blobs() == 4)
    np.testing.assert_array_equal(parts[0][0], where.min(axis=0))
    np.testing.assert_array_equal(parts[0][1], np.ptp(where, axis=0) + 1)
    # The same once more: nothing to be said.
    show(model, after)
    assert told == ["part"]
    assert layer.contour == 0


def test_napari_cannot_take_back_what_only_the_session_may(model: ViewerModel) -> None:
    cells = some_cells()
    layer = show(model, cells)
    after = given(cells, 3)
    show(model, after)
    layer.undo()
    np.testing.assert_array_equal(layer.data, ringed(after))
    assert not layer.editable


def test_many_changes_are_drawn_in_one_go(
    model: ViewerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "FEW", 50)
    cells = some_cells()
    layer = show(model, cells)
    picture, told = layer.data, heard(layer)
    after = given(cells, *range(COUNT), code=1)
    show(model, after)
    assert told == ["whole"] and layer.data is picture
    np.testing.assert_array_equal(picture, ringed(after))


def test_a_hidden_layer_is_right_when_it_is_shown(model: ViewerModel) -> None:
    cells = some_cells()
    layer = show(model, cells)
    layer.visible, layer.opacity = False, 0.4
    after = given(cells, 2)
    show(model, after)
    assert (layer.visible, layer.opacity) == (False, 0.4)
    layer.visible = True
    np.testing.assert_array_equal(layer.data, ringed(after))
    assert layer.get_value(tuple(np.argwhere(ringed(after) == 2)[0])) == 2


def test_tints_fill_the_cells_and_keep_their_array(model: ViewerModel) -> None:
    cells = some_cells()
    layer = show(model, cells, "predicted")
    picture = layer.data
    assert layer.opacity == 0.3
    after = given(cells, 1, 7)
    show(model, after, "predicted")
    assert layer.data is picture
    table = np.array([0, *(after.labels + 1)])
    np.testing.assert_array_equal(picture, table[blobs()])


def test_other_labels_are_drawn_anew(model: ViewerModel) -> None:
    cells = some_cells()
    layer = show(model, cells)
    # As when labels were corrected and are used again: one cell is gone, another one is cut.
    labels = blobs()
    labels[labels == 6] = 0
    labels[:28][labels[:28] == 2] = 0
    other = Cells.from_labels(planes(), ("DNA", "GFP"), labels, crop=24)
    other = other.with_labels([0] * len(other), CLASSES)
    assert show(model, other) is layer
    np.testing.assert_array_equal(layer.data, ringed(other))
    # And back, to labels that were drawn before.
    show(model, cells)
    np.testing.assert_array_equal(layer.data, ringed(cells))


def test_what_is_painted_over_a_field_of_view_changes_no_cell_of_it(plate: Any) -> None:
    viewer = ViewerModel()
    shown = layers.show_field(viewer, plate, drain(layers.field_job(plate, 0)))
    layer = layers.show_codes(
        viewer, "classes", plate, 0, plate.labels, plate.classes, layers.like(shown.reference)
    )
    shown.objects.data_setitem(np.nonzero(shown.objects.data), 0)
    assert not shown.objects.data.any()
    after = given(plate, 0)
    layers.show_codes(
        viewer, "classes", after, 0, after.labels, plate.classes, layers.like(shown.reference)
    )
    np.testing.assert_array_equal(layer.data, ringed(after))
    assert layer.data.any()


def test_fields_of_view_with_equal_labels_are_kept_apart(model: ViewerModel) -> None:
    one, two = some_cells(), given(some_cells(), *range(COUNT), code=-1)
    table = pd.concat([one.table, two.table.assign(field=1)], ignore_index=True)
    both = replace(one, fields=(*one.fields, *two.fields), table=table)
    layer = show(model, both, field=0)
    np.testing.assert_array_equal(layer.data, ringed(one))
    show(model, both, field=1)
    assert not layer.data.any()
    show(model, given(both, 3, code=0), field=1)
    assert not layer.data.any()
    show(model, given(both, COUNT + 3, code=0), field=1)
    assert set(np.unique(blobs()[layer.data > 0])) == {4}


def test_a_new_class_has_a_colour_and_a_name(model: ViewerModel) -> None:
    cells = some_cells()
    layer = show(model, cells)
    more = cells.with_labels([2, *cells.labels.tolist()[1:]], (*CLASSES, "dead"))
    show(model, more)
    assert layer.features["class"].tolist() == ["", *CLASSES, "dead"]
    assert layer.get_color(3) is not None and layer.get_color(3)[3] == 1
    np.testing.assert_array_equal(layer.data, ringed(more))


def test_a_stack_shows_what_changed_in_whatever_view() -> None:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((3, *blobs().shape)), name="DNA")
    cells = some_cells()
    layer = show(viewer, cells)
    for at, (view, order) in enumerate(
        [(2, (0, 1, 2)), (2, (0, 2, 1)), (2, (1, 0, 2)), (3, (0, 1, 2))]
    ):
        viewer.dims.ndisplay, viewer.dims.order = view, order
        cells = given(cells, at, code=1)
        show(viewer, cells)
        np.testing.assert_array_equal(layer.data, ringed(cells))


def test_a_layer_of_scores_keeps_its_array(model: ViewerModel) -> None:
    cells = some_cells()
    look = {"name": "scores", "limits": (0.0, 1.0), "colormap": "viridis"}
    place = layers.like(model.layers["DNA"])
    first = np.linspace(0, 1, COUNT)
    layer = layers.show_scores(model, "scores", cells, 0, first, place, **look)
    picture = layer.data
    layers.show_scores(model, "scores", cells, 0, first[::-1], place, **look)
    assert layer.data is picture
    numbers = np.array([np.nan, *first[::-1]], np.float32)
    np.testing.assert_array_equal(picture, numbers[blobs()])
    look |= {"name": "others", "limits": (-2.0, 3.0)}
    layers.show_scores(model, "scores", cells, 0, first, place, **look)
    assert (layer.name, layer.contrast_limits) == ("others", [-2.0, 3.0])
    # Other labels, another array.
    moved = Cells.from_labels(planes(), ("DNA", "GFP"), np.roll(blobs(), 3, 0), crop=24)
    layers.show_scores(model, "scores", moved, 0, first, place, **look)
    np.testing.assert_array_equal(np.isnan(layer.data), np.roll(blobs(), 3, 0) == 0)


# -------------------------------------------------------------------- in the window


def test_the_window_shows_the_ring_of_a_class_that_was_given(viewer: Any, qtbot: Any) -> None:
    cells = some_cells()
    images = {
        name: viewer.add_image(0 * pixels, name=name)
        for name, pixels in zip(cells.channels, planes(), strict=True)
    }
    marked = viewer.add_labels(blobs(), name="cells", visible=False)
    overlays_of(viewer)
    session = session_of(viewer)
    session.open(cells, "test", Shown(0, images, marked))
    qtbot.waitUntil(lambda: "classes" in viewer.layers)
    viewer.layers["classes"].opacity = 1.0
    viewer.reset_view()
    qtbot.wait(200)

    def seen() -> Any:
        """Colours of the picture, a row for each class."""
        picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].reshape(-1, 3)
        colors = [viewer.layers["classes"].get_color(code)[:3] for code in (1, 2)]
        near = [np.abs(picture - 255 * np.asarray(one)).max(axis=1) < 12 for one in colors]
        return np.array([np.count_nonzero(one) for one in near])

    before = seen()
    assert before.min() > 50
    told = heard(viewer.layers["classes"])
    session.assign([0, 1, 2], 1)
    qtbot.waitUntil(lambda: bool(told))
    qtbot.wait(200)
    after = seen()
    assert after[0] < 0.7 * before[0] and after[1] > 1.2 * before[1]
    session.undo()
    qtbot.waitUntil(lambda: len(told) > 1)
    qtbot.wait(200)
    np.testing.assert_allclose(seen(), before, rtol=0.02)
    assert marked.features["class"].tolist()[1:4] == ["dim"] * 3


# -------------------------------------------------------------------- columns


def test_columns_that_are_there_are_changed_in_place(model: ViewerModel) -> None:
    layer = model.add_labels(blobs(), name="cells")
    numbers = np.arange(1, COUNT + 1)
    words = np.array(["a"] * COUNT, dtype=object)
    layers.write_features(layer, numbers, {"said": words, "much": np.linspace(0, 1, COUNT)})
    layer.features = layer.features.assign(mine=range(COUNT + 1))
    table, told = layer.features, []
    layer.events.features.connect(lambda event: told.append(event))
    words = words.copy()
    words[4] = "b"
    layers.write_features(layer, numbers, {"said": words})
    assert layer.features is table and len(told) == 1
    assert table["said"].tolist()[1:] == words.tolist()
    assert table["mine"].tolist() == list(range(COUNT + 1))
    # Nothing new, nothing said.
    layers.write_features(layer, numbers, {"said": words})
    assert len(told) == 1
    # What an array of that kind cannot hold gets a new column; one that is gone goes.
    layers.write_features(layer, numbers, {"said": np.arange(COUNT)}, whole=True)
    assert layer.features["said"].tolist()[1:] == list(range(COUNT))
    assert "much" not in layer.features and "mine" in layer.features


def test_sparse_ids_and_more_classes_than_a_byte_holds_are_coloured_right(
    model: ViewerModel,
) -> None:
    labels = np.zeros((40, 4000), np.int64)
    for place in range(400):
        labels[10:18, place * 10 + 1 : place * 10 + 9] = (place + 1) * 6_000_000_000
    names = [f"class {i}" for i in range(400)]
    cells = Cells.from_labels([np.zeros(labels.shape)], ["A"], labels, crop=8)
    few = cells.with_labels(np.arange(400) % 3, names[:3])
    layer = show(model, few)
    # Class 1 is the value 2.
    assert layer.data.dtype == np.uint8 and layer.data[10, 11] == 2
    # More classes come while the layer is there.
    again = show(model, few.with_labels(np.arange(400), names))
    assert again is layer and layer.data.dtype == np.uint16
    values = [int(layer.data[10, place * 10 + 1]) for place in (0, 254, 255, 256, 399)]
    assert values == [1, 255, 256, 257, 400]
    # Rings in the picture, whole cells where it is exported.
    assert layer.data[14, 3995] == 0 and drawing.whole_cells(layer)[14, 3995] == 400
