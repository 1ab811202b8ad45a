from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.viewer.page_parts.open_page import DOCKS, FIRST_STEPS, WORKSPACE, open_docks
from napari_channelmix.viewer.page_parts.training_controls import BUILT_IN, FROM_MONAI
from napari_channelmix.viewer.pages.data.samples import (
    open_immunohistochemistry,
    open_synthetic_plate,
)


def test_the_manifest_names_docks_samples_and_menu(registered: Any) -> None:
    contributed = registered.contributions
    names = tuple(one.display_name for one in contributed.widgets)
    assert names == (WORKSPACE, FIRST_STEPS, *DOCKS)
    assert [one.display_name for one in contributed.sample_data] == [
        "ChannelMix: synthetic plate",
        "ChannelMix: immunohistochemistry, unmixed",
    ]
    assert len(contributed.menus["napari/layers/classify"]) == len(names)
    registered.validate_imports()


def test_docks_of_the_manifest_share_the_session(viewer: Any, registered: Any, qtbot: Any) -> None:
    images, *others = open_docks(viewer)
    assert len(others) == len(DOCKS) - 1
    assert all(dock.session is images.session for dock in others)
    assert open_docks(viewer)[0] is images
    qtbot.wait(100)
    assert images.isVisible()


@pytest.mark.parametrize("sample", [open_synthetic_plate, open_immunohistochemistry])
def test_a_sample_has_scale_units_and_cells(viewer: Any, sample: Any) -> None:
    for data, options, kind in sample():
        layer = getattr(viewer, f"add_{kind}")(data, **options)
        assert layer.axis_labels == ("y", "x")
    assert viewer.layers["cells"].data.max() > 20
    assert set(viewer.layers["cells"].features["class"]) - {""}
    assert len({tuple(layer.scale) for layer in viewer.layers}) == 1
    assert len({layer.data.shape for layer in viewer.layers}) == 1
    assert np.ptp(viewer.layers[0].data) > 0


def test_networks_offered_are_those_there_are() -> None:
    from napari_channelmix.classify import network_names

    assert set(network_names()) == {*BUILT_IN, *FROM_MONAI}
