"""Settings of the scaling of pixels: what goes together, and the words of it."""

from __future__ import annotations

from typing import Any

import pytest

from napari_channelmix.errors import ModelError
from napari_channelmix.settings.scaling import ScalingSettings


def test_the_steps_are_said_in_order() -> None:
    settings = ScalingSettings(clip=99.5, arcsinh=5, low=1, high=99)
    assert settings.text == (
        "clipped at the percentile 99.5, arcsinh with the cofactor 5, "
        "percentiles 1 and 99 to 0 and 1"
    )
    assert ScalingSettings().text == ""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"low": 50, "high": 50}, "the percentile that becomes 0 must be below that of 1"),
        ({"low": 1}, "give both percentiles, those that become 0 and 1"),
        ({"clip": 20}, "clip"),
        ({"arcsinh": 0}, "arcsinh"),
    ],
)
def test_what_does_not_go_together_is_one_line(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError) as error:
        ScalingSettings(**given)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_text_is_read_and_spelt_the_same() -> None:
    text = "clip=99.9,arcsinh=5,low=1,high=99.8"
    settings = ScalingSettings.from_text(f" {text.replace(',', ' , ')} ")
    assert settings == ScalingSettings(clip=99.9, arcsinh=5, low=1, high=99.8)
    assert settings.spelt == text
    assert ScalingSettings.from_text("high=99,low=0.25").spelt == "low=0.25,high=99"
    third = ScalingSettings(arcsinh=1 / 3)
    assert ScalingSettings.from_text(third.spelt) == third
    assert ScalingSettings.from_text("None") == ScalingSettings()
    assert ScalingSettings().spelt == "none"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gamma=2", "'gamma' is not one of clip, arcsinh, low, high; give clip=99.9"),
        ("", "names no step; give clip=99.9"),
        ("  ", "names no step; give clip=99.9"),
        ("arcsinh=5,", "a comma or = has no name next to it"),
        ("=5", "a comma or = has no name next to it"),
        ("arcsinh", "arcsinh has no number; give arcsinh=NUMBER"),
        ("arcsinh=true", "arcsinh must be a number, not 'true'"),
        ("arcsinh=nan", "arcsinh must be a finite number"),
        ("clip=99,clip=98", "clip is given twice"),
        ("clip=20", "clip must be 50 or more"),
        ("low=1", "give both percentiles"),
        ("percentiles=1", "name the two percentiles low and high: low=1,high=99.8"),
        ("clip=99;arcsinh=5", "clip must be a number, not '99;arcsinh=5'"),
    ],
)
def test_a_text_that_is_no_scaling_is_one_line(text: str, says: str) -> None:
    with pytest.raises(ModelError) as error:
        ScalingSettings.from_text(text)
    assert str(error.value).startswith("scaling: ") and says in str(error.value)
    assert "\n" not in str(error.value)
