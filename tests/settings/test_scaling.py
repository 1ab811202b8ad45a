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
