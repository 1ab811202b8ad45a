"""One choice of display channels for each data set: at most six, never simply the first ones."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.data.display_limits import channel_sample_job, known_sample
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.viewer.session.session import Session

NAMES = ("A", "B", "C", "D", "E", "DAPI", "F", "T", "G", "H")


def cells_of(names: tuple[str, ...] = NAMES) -> Cells:
    """Sixty cells of two classes: T is bright in the second class alone, DAPI in all."""
    rng = np.random.default_rng(0)
    crops = rng.normal(100, 3, (60, len(names), 12, 12)).astype(np.float32)
    labels = np.arange(60) % 2
    for place, name in enumerate(names):
        if name == "T":
            crops[labels == 1, place, 3:9, 3:9] += 80
        if name == "DAPI":
            crops[:, place, 3:9, 3:9] += 200
    return Cells.from_array(crops, names).with_labels(labels, ["plain", "bright"])


def test_few_channels_are_shown_as_they_come_and_many_are_proposed_once_measured() -> None:
    session = Session()
    told: list[int] = []
    session.display.changed.connect(lambda: told.append(len(session.display.channels)))
    session.open(cells_of(("A", "B")))
    assert session.display.channels == ("A", "B") and told == [2]
    session.open(cells_of())
    assert session.display.channels == ("DAPI",)
    session.display.take_sample(drain(channel_sample_job(session.cells)))
    assert session.display.channels[:2] == ("DAPI", "T")
    assert len(session.display.channels) == len(session.display.colors) <= 6
    assert told[-1] == len(session.display.channels)
    low, high = session.display.contrast["T"]
    assert 95 < low < 105 and 170 < high < 200


def test_a_choice_stays_and_channels_keep_their_colours() -> None:
    session = Session()
    session.open(cells_of())
    display = session.display
    display.set(["DAPI", "A", "B"])
    before = display.color_of("B")
    display.remove("A")
    assert display.add("C") and display.channels == ("DAPI", "B", "C")
    assert display.color_of("B") == before and display.color_of("A") is None
    assert len(set(display.colors)) == 3
    display.take_sample(drain(channel_sample_job(session.cells)))
    assert display.channels == ("DAPI", "B", "C") and display.measured
    for name in ("D", "E", "F"):
        display.add(name)
    assert not display.add("G") and len(display.channels) == 6
    with pytest.raises(DataError, match="7 channels; 6 at most"):
        display.set(NAMES[:7])
    with pytest.raises(DataError, match="there is no channel X"):
        display.set(["X"])


def test_each_data_set_has_its_own_choice() -> None:
    session = Session()
    session.open(cells_of())
    first = session.data_set
    session.display.set(["A", "T"])
    session.open(cells_of(("A", "B")))
    assert session.display.channels == ("A", "B")
    session.switch(first)
    assert session.display.channels == ("A", "T")


def test_markers_of_a_class_are_those_it_stands_out_in() -> None:
    session = Session()
    session.open(cells_of())
    assert session.display.markers_of("bright") == ()
    session.display.take_sample(drain(channel_sample_job(session.cells)))
    assert session.display.markers_of("bright")[:2] == ("DAPI", "T")
    with pytest.raises(DataError, match="no class 'other'"):
        session.display.markers_of("other")


def test_a_data_set_that_is_closed_is_forgotten() -> None:
    session = Session()
    session.open(cells_of())
    first = session.data_set
    session.display.set(["A", "B"])
    session.open(cells_of())
    session.switch(first)
    assert session.display.channels == ("A", "B")
    session.open(cells_of(), instead=True)
    assert session.display.channels == ("DAPI",)
    assert first not in session.display._choices


def test_a_class_named_after_the_sample_has_markers_once_there_is_another() -> None:
    session = Session()
    cells = cells_of()
    session.open(cells.with_labels([-1] * len(cells), ()))
    session.display.take_sample(drain(channel_sample_job(session.cells)))
    shown = session.display.channels
    known = known_sample(session.cells)
    assert known is not None
    # Only cells that the sample does not hold are named.
    labels = np.where(np.isin(np.arange(len(cells)), known.rows), -1, cells.labels)
    session.classify(labels, cells.classes)
    assert session.display.lacking_classes == ("plain", "bright")
    assert session.display.markers_of("bright") == ()
    session.display.take_sample(drain(channel_sample_job(session.cells)))
    assert session.display.lacking_classes == ()
    assert session.display.markers_of("bright")[:2] == ("DAPI", "T")
    # Whoever names cells keeps what is shown.
    assert session.display.channels == shown
