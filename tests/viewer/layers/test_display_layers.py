"""The canvas shows the display channels; what the user changed in a layer stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QCoreApplication, QEvent

from napari_channelmix.data import Cells
from napari_channelmix.data.display_limits import channel_sample_job, known_sample
from napari_channelmix.jobs import drain
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.layers.display_layers import DisplayLayers
from napari_channelmix.viewer.pages.channels.solo_channel import Solo
from napari_channelmix.viewer.session.session import Session

NAMES = ("A", "B", "C", "D", "E", "DAPI", "F", "T", "G", "H")


def cells_of(names: tuple[str, ...] = NAMES) -> Cells:
    """A field of 16 discs; T is bright in every second one, DAPI in all, the rest is noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:128, 0:128]
    inside = ((y % 32 - 16) ** 2 + (x % 32 - 16) ** 2) < 36
    second = (x // 32) % 2 == 1
    planes = []
    for name in names:
        light = {"T": inside * second * 80.0, "DAPI": inside * 200.0}.get(name, 0)
        planes.append((rng.normal(100, 3, inside.shape) + light).astype(np.float32))
    centres = [(16 + 32 * row, 16 + 32 * column) for row in range(4) for column in range(4)]
    cells = Cells.from_points(planes, names, centres, crop=24)
    return cells.with_labels(np.arange(16) % 2, ["plain", "bright"])


@pytest.fixture
def opened(qapp: Any, qtbot: Any) -> Any:
    """A viewer, its session with ten channels shown, and what keeps the two together."""
    viewer, session = ViewerModel(), Session()
    kept = DisplayLayers(viewer, session)
    cells = cells_of()
    shown = layers.show_field(viewer, cells, drain(layers.field_job(cells, 0)))
    session.open(cells, "made", shown)
    qtbot.waitUntil(lambda: not kept.busy)
    yield viewer, session, kept
    kept.task.abandon()


def visible(viewer: Any) -> set[str]:
    return {layer.name for layer in viewer.layers if layer.visible and layer.name in NAMES}


def test_a_data_set_of_many_channels_opens_with_those_that_are_proposed(opened: Any) -> None:
    viewer, session, _ = opened
    assert session.display.channels[:2] == ("DAPI", "T")
    assert visible(viewer) == set(session.display.channels)
    low, high = session.display.contrast["T"]
    assert viewer.layers["T"].contrast_limits == pytest.approx((low, high))
    assert len(viewer.layers) >= len(NAMES)


def test_other_display_channels_hide_layers_and_show_others(opened: Any, qtbot: Any) -> None:
    viewer, session, kept = opened
    session.display.set(["DAPI", "A"])
    qtbot.waitUntil(lambda: not kept.busy)
    assert visible(viewer) == {"DAPI", "A"}
    top = viewer.layers["A"].colormap.colors[-1][:3]
    color = "#" + "".join(f"{round(255 * part):02X}" for part in top)
    assert color == session.display.color_of("A")
    looks = layers.looks_of(viewer, session.cells, session.shown, session.display.together)
    drawn = [name for name, look in zip(NAMES, looks, strict=True) if look is not None]
    assert set(drawn) == {"DAPI", "A"}


def test_what_the_user_changed_stays(opened: Any, qtbot: Any) -> None:
    viewer, session, kept = opened
    session.display.set(["DAPI", "T", "A"])
    qtbot.waitUntil(lambda: not kept.busy)
    viewer.layers["T"].contrast_limits = (3, 30)
    viewer.layers["T"].colormap = "magenta"
    viewer.layers["A"].visible = False
    session.display.set(["T", "A", "B"])
    qtbot.waitUntil(lambda: not kept.busy)
    # Hidden by the user, so not lit again; its colour and contrast are the user's, too.
    assert visible(viewer) == {"T", "B"}
    assert viewer.layers["T"].contrast_limits == [3, 30]
    assert viewer.layers["T"].colormap.name == "magenta"


def test_a_layer_that_the_user_shows_joins_while_there_is_room(opened: Any, qtbot: Any) -> None:
    viewer, session, kept = opened
    session.display.set(["DAPI", "A"])
    qtbot.waitUntil(lambda: not kept.busy)
    viewer.layers["T"].visible = True
    assert session.display.channels == ("DAPI", "A", "T")
    session.display.set(["DAPI", "A", "B", "C", "D", "E"])
    qtbot.waitUntil(lambda: not kept.busy)
    viewer.layers["G"].visible = True
    assert "G" not in session.display.channels and len(session.display.channels) == 6
    looks = layers.looks_of(viewer, session.cells, session.shown, session.display.together)
    assert sum(look is not None for look in looks) == 6


def test_a_channel_alone_for_a_while_is_no_choice(opened: Any, qtbot: Any) -> None:
    viewer, session, kept = opened
    session.display.set(["DAPI", "A"])
    qtbot.waitUntil(lambda: not kept.busy)
    layers.hide(viewer.layers["DAPI"])
    viewer.layers["T"].visible = True
    assert session.display.channels == ("DAPI", "A")


def test_a_channel_removed_while_another_one_is_alone_stays_away(opened: Any, qtbot: Any) -> None:
    viewer, session, kept = opened
    session.display.set(["DAPI", "A", "B"])
    qtbot.waitUntil(lambda: not kept.busy)
    solo = Solo(viewer, session)
    assert solo.toggle("DAPI") == "DAPI"
    assert visible(viewer) == {"DAPI"}
    session.display.remove("B")
    qtbot.waitUntil(lambda: not kept.busy)
    assert visible(viewer) == {"DAPI"}
    solo.restore()
    qtbot.waitUntil(lambda: not kept.busy)
    assert session.display.channels == ("DAPI", "A")
    assert visible(viewer) == {"DAPI", "A"}
    # It can be shown again.
    session.display.add("B")
    qtbot.waitUntil(lambda: not kept.busy)
    assert visible(viewer) == {"DAPI", "A", "B"}


def test_a_channel_added_while_it_is_alone_stays(opened: Any, qtbot: Any) -> None:
    viewer, session, kept = opened
    session.display.set(["DAPI", "A"])
    qtbot.waitUntil(lambda: not kept.busy)
    solo = Solo(viewer, session)
    solo.toggle("T")
    assert session.display.channels == ("DAPI", "A") and visible(viewer) == {"T"}
    session.display.add("T")
    qtbot.waitUntil(lambda: not kept.busy)
    solo.restore()
    assert visible(viewer) == {"DAPI", "A", "T"}
    session.display.remove("T")
    qtbot.waitUntil(lambda: not kept.busy)
    assert visible(viewer) == {"DAPI", "A"}


def test_a_layer_hidden_by_hand_and_removed_is_shown_when_it_is_added_again(
    opened: Any, qtbot: Any
) -> None:
    viewer, session, kept = opened
    session.display.set(["DAPI", "A", "B"])
    qtbot.waitUntil(lambda: not kept.busy)
    viewer.layers["B"].visible = False
    session.display.remove("B")
    qtbot.waitUntil(lambda: not kept.busy)
    session.display.add("B")
    qtbot.waitUntil(lambda: not kept.busy)
    assert visible(viewer) == {"DAPI", "A", "B"}


def test_layers_of_the_user_say_what_is_shown_unless_they_are_many(qapp: Any, qtbot: Any) -> None:
    cells = cells_of()
    for count in (3, 10):
        viewer, session = ViewerModel(), Session()
        kept = DisplayLayers(viewer, session)
        images = {name: viewer.add_image(np.zeros((8, 8)), name=name) for name in NAMES}
        for name in NAMES[count:]:
            images[name].visible = False
        shown = layers_shown(images)
        session.open(cells, "layers", shown)
        qtbot.waitUntil(lambda kept=kept, session=session: session.display.measured)
        qtbot.waitUntil(lambda kept=kept: not kept.busy)
        if count == 3:
            assert visible(viewer) == set(NAMES[:3]) == set(session.display.channels)
        else:
            # Ten colours on top of each other are white.
            assert visible(viewer) == set(session.display.channels)
            assert len(session.display.channels) <= 6
        kept.task.abandon()


def layers_shown(images: dict[str, Any]) -> Any:
    from napari_channelmix.viewer.session.session import Shown

    return Shown(0, images)


def test_a_sample_of_cells_is_read_once(opened: Any) -> None:
    _, session, _ = opened
    with pytest.raises(StopIteration):
        next(channel_sample_job(session.cells))


def test_classes_named_later_are_measured_and_what_is_shown_stays(qapp: Any, qtbot: Any) -> None:
    viewer, session = ViewerModel(), Session()
    kept = DisplayLayers(viewer, session)
    cells = cells_of()
    session.open(cells.with_labels([-1] * len(cells), ()), "made")
    qtbot.waitUntil(lambda: session.display.measured)
    shown = session.display.channels
    known = known_sample(session.cells)
    assert known is not None
    labels = np.where(np.isin(np.arange(16), known.rows), -1, cells.labels)
    session.classify(labels, cells.classes)
    assert session.display.lacking_classes
    qtbot.waitUntil(lambda: not session.display.lacking_classes)
    again = known_sample(session.cells)
    assert again is not known and session.display.channels == shown
    # What the next stroke changes is nothing new.
    session.assign([0], 0)
    qtbot.waitUntil(lambda: not kept.busy)
    assert known_sample(session.cells) is again
    kept.end()


def test_another_data_set_is_measured_though_the_one_before_still_is(qapp: Any, qtbot: Any) -> None:
    viewer, session = ViewerModel(), Session()
    kept = DisplayLayers(viewer, session)
    first, second = cells_of(), cells_of()
    session.open(first, "made")
    assert kept.busy
    session.open(second, "made")
    qtbot.waitUntil(lambda: session.display.measured)
    assert session.display.channels[:2] == ("DAPI", "T")
    kept.end()


def test_a_viewer_that_is_closed_changes_no_layer_any_more(opened: Any, qtbot: Any) -> None:
    viewer, session, kept = opened
    before = visible(viewer)
    session.display.set(["A"])
    assert kept.busy
    kept.end()
    qtbot.wait(50)
    assert not kept.busy and visible(viewer) == before


def test_layers_of_scaled_pixels_keep_the_contrast_of_the_files(qapp: Any, qtbot: Any) -> None:
    viewer, session = ViewerModel(), Session()
    kept = DisplayLayers(viewer, session)
    cells = cells_of().scaled(percentiles=(0, 100))
    shown = layers.show_field(viewer, cells, drain(layers.field_job(cells, 0)))
    session.open(cells, "made", shown)
    qtbot.waitUntil(lambda: session.display.measured and not kept.busy)
    low, high = viewer.layers["DAPI"].contrast_limits
    assert 90 < low < 150 and 250 < high < 330
    kept.end()


def test_the_end_is_quiet_where_qt_went_before(opened: Any) -> None:
    kept = opened[-1]
    timer = kept._soon
    timer.deleteLater()
    QCoreApplication.sendPostedEvents(timer, QEvent.Type.DeferredDelete)
    with pytest.raises(RuntimeError):
        timer.stop()
    kept.end()
    assert not kept.busy
