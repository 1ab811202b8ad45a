"""One channel alone: what comes meanwhile is seen, and what was hidden comes back as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.components import ViewerModel

from napari_channelmix.viewer.layers import MapLayer, add_image
from napari_channelmix.viewer.pages.channels.solo_channel import Solo
from napari_channelmix.viewer.session.session import Session, Shown

GEOMETRY: dict[str, Any] = {"scale": (1.0, 1.0)}


def soloed() -> tuple[Any, Any, MapLayer, Solo]:
    """Three channels, of which the last is hidden, a map, a blend, and the first channel alone."""
    viewer, session = ViewerModel(), Session()
    images = {
        name: add_image(viewer, f"channel {name}", np.zeros((8, 8)), GEOMETRY, name=name)
        for name in ("DNA", "GFP", "stress")
    }
    images["stress"].visible = False
    session.shown = shown = Shown(0, images)
    one = MapLayer(viewer, "explanation", "explanation")
    one.lay(shown, (0, 0, 4, 4), (4, 4))
    add_image(viewer, "mixed", np.zeros((8, 8)), GEOMETRY, name="mixed")
    solo = Solo(viewer, session)
    assert solo.toggle("DNA") == "DNA"
    return viewer, shown, one, solo


def seen(viewer: Any) -> set[str]:
    return {layer.name for layer in viewer.layers if layer.visible}


def test_what_is_made_while_a_channel_is_alone_is_seen() -> None:
    viewer, shown, one, solo = soloed()
    assert seen(viewer) == {"DNA"}
    one.lay(shown, (2, 2, 6, 6), (4, 4))
    assert seen(viewer) == {"DNA", "explanation"}
    add_image(viewer, "mixed", np.ones((8, 8)), GEOMETRY, name="mixed")
    add_image(viewer, "new", np.ones((8, 8)), GEOMETRY, name="new")
    assert seen(viewer) == {"DNA", "explanation", "mixed", "new"}
    # What the user hides meanwhile is not brought back.
    viewer.layers["explanation"].visible = False
    solo.toggle("DNA")
    assert seen(viewer) == {"DNA", "GFP", "mixed", "new"}


def test_a_layer_that_the_user_hid_stays_hidden_with_what_is_new_in_it() -> None:
    viewer, shown, one, solo = soloed()
    solo.restore()
    viewer.layers["explanation"].visible = False
    solo.toggle("GFP")
    one.lay(shown, (2, 2, 6, 6), (4, 4))
    assert seen(viewer) == {"GFP"}
    solo.restore()
    assert seen(viewer) == {"DNA", "GFP", "mixed"}


def test_a_channel_that_was_hidden_is_hidden_again() -> None:
    viewer, _, _, solo = soloed()
    solo.toggle("stress")
    assert seen(viewer) == {"stress"}
    assert solo.toggle("stress") is None
    assert seen(viewer) == {"DNA", "GFP", "explanation", "mixed"}
