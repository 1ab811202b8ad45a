"""Warnings of an explanation are collected in the order they came up, each once."""

from napari_channelmix.pcim.collected_maps import Notes


def test_a_note_is_taken_once_and_stays_where_it_first_came_up():
    notes = Notes(["first"])
    for text in ("second", "first", "third", "second"):
        notes.add(text)
    assert notes == ["first", "second", "third"]
