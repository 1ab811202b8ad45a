"""Choosing among the channels of a data set that was opened from its file."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.data.panel_table import text_panel_table
from napari_channelmix.viewer.pages.data.page import DataPage

if TYPE_CHECKING:
    from pathlib import Path


NAMES = ("DAPI", "CD3", "CD8", "CD20", "AF", "Blank", "FOXP3")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A data-set file of seven channels, two fields of view and twelve cells of two classes."""
    fields = []
    for number in range(2):
        rng = np.random.default_rng(number)
        planes = list(rng.integers(0, 4000, (len(NAMES), 48, 56)).astype("uint16"))
        points = [(y, x) for y in (12, 34) for x in (10, 28, 46)]
        fields.append(cm.Cells.from_points(planes, NAMES, points, crop=8, name=f"field {number}"))
    cells = cm.Cells.together(fields, "panel")
    return cells.with_labels([0, 1] * 6, ("B", "T")).save(tmp_path / "panel")


@pytest.fixture
def page(dock: Any, file: Path, qtbot: Any) -> Any:
    """The page with a data-set file, the list of its channels unfolded."""
    page = dock(DataPage)
    page.open_file(file)
    qtbot.waitUntil(lambda: page.session.shown is not None and not page.task.busy)
    page.data_set_channels.expand(animate=False)
    qtbot.wait(20)
    return page


def use(page: Any, click: Any, qtbot: Any) -> Any:
    click(page.data_set_channels.use)
    qtbot.waitUntil(lambda: not page.task.busy)
    return page.session.cells


def tick(page: Any, *names: str) -> None:
    page.data_set_channels.list.tick(lambda item: item.text() in names)


def test_cells_of_the_channels_ticked_take_the_place_of_those_before(
    page: Any, viewer: Any, click: Any, qtbot: Any, file: Path
) -> None:
    panel, session = page.data_set_channels, page.session
    whole = session.cells
    assert panel.text() == "Channels: 7 in use" and not panel.use.isEnabled()
    assert panel.tools.isVisible()
    labels = whole.labels.copy()
    labels[:3] = (labels[:3] + 1) % len(whole.classes)
    session.classify(labels, whole.classes)
    page.show_field(1)
    qtbot.waitUntil(lambda: session.shown.field == 1 and not page.task.busy)
    tick(page, "CD8", "CD3", "DAPI")
    cells = use(page, click, qtbot)
    assert cells.channels == tuple(n for n in whole.channels if n in ("CD8", "CD3", "DAPI"))
    np.testing.assert_array_equal(cells.read([5]), whole.with_channels(cells.channels).read([5]))
    # Classes stay, as a change that can be taken back; so does the field of view.
    np.testing.assert_array_equal(cells.labels, labels)
    assert session.edits.undoable and len(session.data_sets) == 1
    assert session.shown.field == 1 and "CD8" in viewer.layers and "CD20" not in viewer.layers
    assert "3 of 7 channels are in use" in page.notice.text()
    assert panel.text() == "Channels: 3 of 7 in use"
    assert session.of(session.data_set).saved_in == file
    # All of them are still there, to be taken again.
    panel.tools.all.click()
    assert use(page, click, qtbot).channels == whole.channels
    assert panel.text() == "Channels: 7 in use"
    np.testing.assert_array_equal(session.cells.labels, labels)


def test_nothing_ticked_and_one_name_twice_are_refused_in_a_line(page: Any) -> None:
    panel = page.data_set_channels
    panel.tools.none.click()
    assert panel.reason.text() == "tick at least one channel" and not panel.use.isEnabled()
    panel.tools.all.click()
    assert not panel.reason.isVisible()
    panel.list.item(1).setText(panel.list.item(0).text())
    assert "have one marker name" in panel.reason.text() and not panel.use.isEnabled()


def test_a_panel_table_renames_and_groups_and_the_file_no_longer_says_so(
    page: Any, click: Any, qtbot: Any
) -> None:
    panel = page.data_set_channels
    rows = "channel,marker,use,group\nCD3,CD3e,yes,lineage\nCD20,CD20,no,\nCD8,CD8,yes,lineage\n"
    panel.tools.apply(text_panel_table(rows))
    cells = use(page, click, qtbot)
    assert "CD3e" in cells.channels and "CD3" not in cells.channels
    assert "CD20" not in cells.channels and len(cells.channels) == 6
    assert cells.channel_groups == {"lineage": ("CD3e", "CD8")}
    # A script would look for the new names in the file.
    assert page.session.of(page.session.data_set).saved_in is None
    assert "Save data set" in page.notice.text()
    ticked = {item.text(): item.checkState().value for item in panel.list.items()}
    assert ticked["CD3e"] and not ticked["CD20"]


def test_results_stay_with_the_channels_they_are_of(page: Any, click: Any, qtbot: Any) -> None:
    session = page.session
    whole = session.cells
    classifier = SimpleNamespace(channels=("CD3", "CD20"), classes=whole.classes)
    session.trained = SimpleNamespace(classifier=classifier, accuracy=None, source="model")
    session.update(latents=SimpleNamespace())
    tick(page, "CD3", "CD8")
    cells = use(page, click, qtbot)
    first, second = session.data_sets
    assert first.cells is whole and first.latents is not None
    assert second.cells is cells and session.latents is None
    text = page.notice.text()
    assert f"{first.name} stays open with" in text and "latents" in text
    assert "The classifier in use needs CD20" in text


def test_a_script_of_the_choice_opens_these_channels(
    page: Any, click: Any, qtbot: Any, file: Path
) -> None:
    from napari_channelmix.config import Config, script_of
    from napari_channelmix.config.from_results import data_part

    tick(page, "CD3", "CD8")
    cells = use(page, click, qtbot)
    state = page.session.of(page.session.data_set)
    space: dict[str, Any] = {}
    exec(script_of(Config(data=data_part(cells, state.saved_in))), space)
    assert space["cells"].channels == cells.channels == ("CD3", "CD8")
    assert space["cells"].fingerprint == cells.fingerprint
    assert cm.open_dataset(file).fingerprint != cells.fingerprint


def test_layers_have_their_own_list(page: Any, viewer: Any) -> None:
    assert page.data_set_channels.isVisible()
    page.origin.setCurrentIndex(1)
    assert not page.data_set_channels.isVisible()
