from __future__ import annotations

from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy

from napari_channelmix.viewer.session.session import Session, Shown, session_of


def test_all_docks_of_a_viewer_share_its_session() -> None:
    viewer = ViewerModel()
    assert session_of(viewer) is session_of(viewer)
    # Every manifest widget gets a proxy of its own.
    assert session_of(PublicOnlyProxy(viewer)) is session_of(PublicOnlyProxy(viewer))
    assert session_of(PublicOnlyProxy(viewer)) is session_of(viewer)


def test_two_viewers_never_share_a_session() -> None:
    one, other = ViewerModel(), ViewerModel()
    assert session_of(one) is not session_of(other)


def test_a_new_data_set_forgets_what_was_found_in_the_one_before(plate: Any) -> None:
    session = Session()
    session.open(plate)
    session.history = ({"epoch": 1.0},)
    session.explanation = object()  # type: ignore[assignment]
    session.open(plate.subset(slice(10)))
    assert session.history == () and session.importance is None and session.explanation is None


def test_a_value_tells_of_its_change_once(plate: Any) -> None:
    session, heard = Session(), []
    session.cells_changed.connect(heard.append)
    session.cells = plate
    session.cells = plate
    assert heard == [plate]


def test_other_classes_are_another_set_of_cells(plate: Any) -> None:
    session = Session()
    session.open(plate)
    session.classify(np.zeros(len(plate), int), ("only",))
    assert session.cells is not plate
    assert session.cells is not None and session.cells.class_counts == {"only": len(plate)}
    assert set(plate.class_counts) == {"untreated", "treated"}


def test_shift_and_a_click_select_one_cell_more_and_no_longer() -> None:
    session, heard = Session(), []
    session.selected_changed.connect(heard.append)
    session.select(2)
    session.toggle(5)
    # The one that was clicked last is looked at first.
    assert session.selected == (5, 2)
    session.toggle(2)
    session.toggle(5)
    assert heard == [(2,), (5, 2), (5,), ()]


def test_a_field_of_view_is_in_the_viewer_as_long_as_its_first_layer_is() -> None:
    image, cells = object(), object()
    shown = Shown(0, {"DNA": image}, cells)
    assert shown.is_in([image]) and not shown.is_in([cells])
    assert Shown(0, {}, cells).is_in([cells]) and not Shown(0).is_in([cells])
