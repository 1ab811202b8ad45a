"""Colours of channels: apart from each other, and those of the picture where it is a photo."""

from __future__ import annotations

import pytest

from napari_channelmix.viewer.charts.colors import channel_colors, is_photo


@pytest.mark.parametrize("names", [("R", "G", "B"), ("red", "Green", "blue")])
def test_a_photo_has_its_own_colours(names: tuple[str, ...]) -> None:
    assert is_photo(names)
    assert channel_colors(names) == ("#FF0000", "#00FF00", "#0000FF")


@pytest.mark.parametrize("names", [("G", "R", "B"), ("R", "G"), ("R", "G", "B", "DNA"), ()])
def test_other_channels_have_colours_that_stay_apart(names: tuple[str, ...]) -> None:
    assert not is_photo(names)
    assert len(set(channel_colors(names))) == len(names)


def test_photos_are_those_that_are_looked_at_as_photos() -> None:
    from napari_channelmix.drl import View

    for names in (("R", "G", "B"), ("red", "green", "blue"), ("G", "R", "B"), ("a", "b", "c")):
        assert is_photo(names) == View.colors(names).natural
