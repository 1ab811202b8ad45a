from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_channelmix.viewer.selection.navigation import Going
from napari_channelmix.viewer.session.session import session_of

from ...latent_cases import cells

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


@pytest.fixture
def going(viewer: Any, open_plate: Any) -> tuple[Going, list[str]]:
    open_plate()
    failed: list[str] = []
    return Going(viewer, session_of(viewer), failed.append), failed


def middle(plate: Cells, cell: int) -> Any:
    return plate.centres[cell]


def test_a_cell_of_this_field_comes_into_the_middle(viewer: Any, going: Any, plate: Cells) -> None:
    there, failed = going
    there.to(4)
    reference = session_of(viewer).shown.reference
    expected = reference.data_to_world(middle(plate, 4))
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], expected)
    assert viewer.layers["cells"].selected_label == plate.table["object"].iloc[4]
    assert not failed and not there.task.busy


def test_a_cell_of_another_field_brings_that_field(
    viewer: Any, going: Any, plate: Cells, qtbot: Any
) -> None:
    there, failed = going
    cell = int(np.flatnonzero(plate.table["field"] == 3)[2])
    pixels = viewer.layers["DNA"].data.copy()
    there.to(cell)
    qtbot.waitUntil(lambda: not there.task.busy)
    session = session_of(viewer)
    assert session.shown.field == 3 and not failed
    assert not np.array_equal(viewer.layers["DNA"].data, pixels)
    expected = session.shown.reference.data_to_world(middle(plate, cell))
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], expected)


def test_where_the_layers_are_gone_that_is_said(viewer: Any, going: Any) -> None:
    there, failed = going
    viewer.layers.clear()
    there.to(4)
    assert "layers of this field of view are gone" in failed[0]


def test_without_cells_there_is_nowhere_to_go(viewer: Any) -> None:
    session = session_of(viewer)
    Going(viewer, session, pytest.fail).to(3)
    session.open(cells(), "", None)
    Going(viewer, session, pytest.fail).to(3)
    assert not session.running
