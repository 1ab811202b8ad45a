"""Changes of classes can be taken back and made again, a stroke at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_channelmix.viewer.session.edits import MOST, Edits
from napari_channelmix.viewer.session.session import Session


@pytest.fixture
def session(plate):
    session = Session()
    session.open(plate)
    return session


def test_undo_takes_back_one_change_and_redo_makes_it_again(session, plate):
    session.assign([0, 3], 1)
    session.assign([3], -1)
    changed = session.cells.labels
    session.undo()
    assert session.cells.labels[[0, 3]].tolist() == [1, 1]
    session.undo()
    np.testing.assert_array_equal(session.cells.labels, plate.labels)
    session.undo()
    np.testing.assert_array_equal(session.cells.labels, plate.labels)
    session.redo()
    session.redo()
    np.testing.assert_array_equal(session.cells.labels, changed)
    assert (session.edits.undoable, session.edits.redoable) == (2, 0)


def test_a_stroke_is_taken_back_as_a_whole(session, plate):
    other = 1 - plate.labels[:5]
    for cell in range(5):
        session.assign([cell], int(other[cell]), joined=cell > 0)
    assert session.edits.undoable == 1
    session.undo()
    np.testing.assert_array_equal(session.cells.labels, plate.labels)


def test_a_change_after_undo_forgets_what_was_taken_back(session):
    session.assign([0], -1)
    session.undo()
    session.assign([1], -1)
    session.redo()
    assert session.cells.labels[1] == -1
    assert session.cells.labels[0] != -1


def test_the_palette_comes_back_with_the_cells_of_its_classes(session, plate):
    codes = plate.labels
    session.classify(np.where(codes == 0, -1, codes - 1), plate.classes[1:])
    assert session.cells.classes == plate.classes[1:]
    session.undo()
    assert session.cells.classes == plate.classes
    np.testing.assert_array_equal(session.cells.labels, plate.labels)


def test_nothing_changed_is_no_edit(session, plate):
    heard = []
    session.edited.connect(lambda: heard.append(1))
    session.assign([0], int(plate.labels[0]))
    session.classify(plate.labels, plate.classes)
    assert session.edits.undoable == 0
    assert heard == []
    assert session.cells is plate


def test_other_cells_forget_edits_and_what_was_selected(session, plate):
    session.assign([0], -1)
    session.select(0, 4)
    session.open(plate.subset(slice(3)))
    assert session.edits.undoable == 0
    assert session.selected == ()
    session.undo()
    assert len(session.cells) == 3


def test_edits_are_told_of_after_the_cells_have_changed(session):
    heard = []
    session.edited.connect(lambda: heard.append(session.cells.labels[0]))
    session.assign([0], -1)
    session.undo()
    session.redo()
    assert heard == [-1, heard[1], -1]
    assert heard[1] != -1


def test_the_same_selection_is_told_of_once(session):
    heard = []
    session.selected_changed.connect(heard.append)
    session.select(2, 5)
    session.select(2, 5)
    session.select()
    assert heard == [(2, 5), ()]


def test_only_so_many_changes_are_kept(session, monkeypatch):
    monkeypatch.setattr("napari_channelmix.viewer.session.edits.MOST", 3)
    for turn in range(8):
        session.assign([0], -1 if turn % 2 else 0)
        session.assign([1], turn % 2)
    assert session.edits.undoable == 3
    assert MOST >= 100


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.lists(st.integers(0, 5), min_size=1), st.integers(-1, 1), st.booleans()),
        max_size=8,
    )
)
def test_all_the_way_back_is_the_beginning_and_all_the_way_forth_the_end(plate, steps):
    session = Session()
    session.open(plate)
    for cells, code, joined in steps:
        session.assign(cells, code, joined=joined)
    end, count = session.cells.labels, session.edits.undoable
    for _ in range(count):
        session.undo()
    np.testing.assert_array_equal(session.cells.labels, plate.labels)
    for _ in range(count):
        session.redo()
    np.testing.assert_array_equal(session.cells.labels, end)


def test_edits_of_no_cells_are_none():
    assert Edits().back(None) is None
    session = Session()
    session.assign([0], 1)
    session.undo()
    assert session.cells is None
