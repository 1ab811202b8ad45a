from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt

from napari_channelmix.viewer.pages.whatif.axis_sliders import EditSliders, first_axes
from napari_channelmix.viewer.pages.whatif.opened_cell import AxisRange

from ...whatif_cases import brightness, opened, plain

CHANNELS = ("DNA", "GFP")
KINDS = ("brightness", "level", "rim", "nucleus against cytoplasm", "detail")


def ranges() -> tuple[AxisRange, ...]:
    axes = [plain(f"{c} {kind}", "channel", channel=c) for c in CHANNELS for kind in KINDS]
    axes += [plain(name, "shape") for name in ("size", "elongation", "roundness")]
    axes += [plain("neighbours away", "surroundings"), plain("exposure", "acquisition")]
    return tuple(AxisRange(axis, -5, 5) for axis in axes)


@pytest.fixture
def sliders(qtbot: Any) -> EditSliders:
    made = EditSliders("dark")
    qtbot.addWidget(made)
    made.resize(340, 600)
    made.show_ranges(ranges())
    made.show()
    qtbot.waitExposed(made)
    return made


def test_every_channel_has_its_first_edit_in_sight_before_the_next_kind() -> None:
    assert first_axes(ranges()) == (
        "DNA brightness",
        "GFP brightness",
        # Light leaves the nucleus in the channel that is none of nuclei.
        "GFP nucleus against cytoplasm",
        "DNA nucleus against cytoplasm",
        "DNA rim",
        "size",
        "elongation",
        "neighbours away",
        "exposure",
    )


def many_ranges() -> tuple[AxisRange, ...]:
    names = [f"marker {letter}" for letter in "ABCDEFGHIJ"]
    axes = [plain(f"{c} {kind}", "channel", channel=c) for c in names for kind in KINDS]
    return tuple(AxisRange(axis, -5, 5) for axis in (*axes, plain("size", "shape")))


def test_of_many_channels_those_that_are_shown_come_first_not_the_first_of_the_file(
    sliders: EditSliders, qtbot: Any
) -> None:
    shown = ("marker H", "marker C")
    assert first_axes(many_ranges(), shown)[:3] == (
        "marker C brightness",
        "marker H brightness",
        "marker C nucleus against cytoplasm",
    )
    sliders.show_ranges(many_ranges(), shown)
    qtbot.waitUntil(sliders.sliders["marker H brightness"].isVisible)
    assert sliders.sliders["marker A brightness"].visibleRegion().isEmpty()
    # Other display channels, also while a cell is open.
    sliders.prefer(["marker J"])
    qtbot.waitUntil(sliders.sliders["marker J brightness"].isVisible)


def test_the_others_are_folded_away(sliders: EditSliders) -> None:
    assert (
        sliders.sliders["size"].isVisible()
        and sliders.sliders["roundness"].visibleRegion().isEmpty()
    )
    assert "(6)" in sliders.more.text()


def test_an_amount_that_is_set_brings_its_slider_into_sight(
    sliders: EditSliders, qtbot: Any
) -> None:
    told: list[str] = []
    sliders.moved.connect(lambda: told.append("moved"))
    sliders.show_moves({"roundness": 2.0, "unknown": 1.0})
    qtbot.wait(10)
    assert not sliders.sliders["roundness"].visibleRegion().isEmpty()
    assert sliders.moves == {"roundness": 2.0}
    assert sliders.sliders["roundness"].amount == pytest.approx(2.0, abs=0.01)
    assert not told
    sliders.show_moves({})
    assert sliders.moves == {} and sliders.sliders["roundness"].amount == 0


def test_a_drag_is_told_and_a_double_click_takes_it_back(sliders: EditSliders, qtbot: Any) -> None:
    told: list[dict[str, float]] = []
    sliders.moved.connect(lambda: told.append(dict(sliders.moves)))
    slider = sliders.sliders["size"]
    place = slider.place(3.0).toPoint()
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=place)
    assert told[-1]["size"] == pytest.approx(3.0, abs=0.1)
    qtbot.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=place)
    assert told[-1] == {}


def test_beyond_the_data_the_slider_says_so(qtbot: Any) -> None:
    made = EditSliders("dark")
    qtbot.addWidget(made)
    made.show_ranges(opened().ranges)
    slider = made.sliders["DNA brightness"]
    slider.go_to(0.5)
    assert slider.accessibleDescription() == "× 1.41 +0.50 doublings"
    slider.go_to(1.5)
    assert slider.accessibleDescription().endswith("no such cell in the data")


def test_a_switch_has_two_amounts(qtbot: Any) -> None:
    made = EditSliders("dark")
    qtbot.addWidget(made)
    axis = plain("neighbours away", "surroundings", "on / off")
    made.show_ranges([AxisRange(axis, 0, 1)])
    slider = made.sliders["neighbours away"]
    made.resize(340, 200)
    for share, amount in ((0.3, 0.0), (0.8, 1.0)):
        place = slider.place(share).toPoint() + QPoint(0, 0)
        qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=place)
        qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=place)
        assert slider.amount == amount


def test_the_same_axes_of_another_cell_keep_their_sliders(sliders: EditSliders) -> None:
    before = dict(sliders.sliders)
    sliders.show_moves({"size": 1.0})
    sliders.show_ranges(ranges())
    assert sliders.sliders == before and sliders.moves == {}
    sliders.show_ranges([AxisRange(brightness(), -1, 1)])
    assert list(sliders.sliders) == ["DNA brightness"]
