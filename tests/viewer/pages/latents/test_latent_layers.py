from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.viewer.charts.latent_axes import axes_of
from napari_channelmix.viewer.pages.latents.latent_layers import LatentLayers
from napari_channelmix.viewer.session.session import Shown

from ...latent_cases import COUNT, blobs, latents, planes


@pytest.fixture
def there(viewer: Any) -> tuple[Any, Shown, LatentLayers]:
    found = latents()
    images = {
        name: viewer.add_image(pixels, name=name)
        for name, pixels in zip(found.cells.channels, planes(), strict=True)
    }
    marked = viewer.add_labels(blobs(), name="cells")
    return found, Shown(0, images, marked), LatentLayers(viewer)


def axis(found: Any, name: str) -> Any:
    return next(one for one in axes_of(found) if one.name == name)


def of_labels(layer: Any) -> pd.DataFrame:
    """Features of labels 1 to N, without the row of the background."""
    return pd.DataFrame(layer.features).set_index("index").loc[1:].reset_index()


def test_latents_are_columns_beside_those_of_others(there: Any) -> None:
    found, shown, kept = there
    numbers = np.arange(1, COUNT + 1)
    shown.objects.features = pd.DataFrame({"index": numbers, "mine": numbers * 10.0})
    assert kept.write_columns(found, shown) == "cells"
    table = of_labels(shown.objects)
    assert table["mine"].tolist() == (numbers * 10.0).tolist()
    expected = [name for name in found.names if not name.startswith("Spare")]
    assert set(expected) <= set(table.columns) and "Spare 1" not in table.columns
    np.testing.assert_allclose(table["Scale"], found.of_axis("Scale"), atol=1e-4)


def test_a_column_of_the_users_with_the_name_of_a_latent_stays(there: Any) -> None:
    found, shown, kept = there
    numbers = np.arange(1, COUNT + 1)
    shown.objects.features = pd.DataFrame({"index": numbers, "Scale": numbers * 1.0})
    for _ in range(2):
        kept.write_columns(found, shown)
        table = of_labels(shown.objects)
        assert table["Scale"].tolist() == numbers.tolist()
        np.testing.assert_allclose(table["Scale (channelmix)"], found.of_axis("Scale"), atol=1e-4)
        assert list(table.columns).count("Texture") == 1


def test_columns_of_an_earlier_model_go_and_those_of_others_stay(there: Any) -> None:
    found, shown, kept = there
    shown.objects.features = pd.DataFrame({"index": [1, 2], "mine": [5.0, 6.0]})
    kept.write_columns(found, shown)
    fewer = latents(found.cells, channels=1)
    kept.write_columns(fewer, shown)
    columns = set(map(str, shown.objects.features.columns))
    assert {"mine", "Granularity", "Rim", "Orientation (degrees)"} <= columns
    assert not columns & {"Texture", "Color"}
    kept.write_columns(found, shown)
    columns = list(map(str, shown.objects.features.columns))
    assert "Granularity" not in columns
    assert columns.count("Scale") == 1


def test_the_angle_of_a_circle_is_a_column_in_degrees(there: Any) -> None:
    found, shown, kept = there
    kept.write_columns(found, shown)
    angle = of_labels(shown.objects)["Orientation (degrees)"]
    np.testing.assert_allclose(angle, np.degrees(found.of_axis("Orientation")), atol=0.06)


def test_the_grid_has_all_axes_and_steps_in_the_order_of_change(viewer: Any, there: Any) -> None:
    found, shown, kept = there
    assert kept.show_grid(found, shown, 6, "dark")
    layer, expected = viewer.layers["latent traversals"], found.traversal(6, 9)
    assert layer.metadata["axes"] == expected.axes and layer.metadata["cell"] == 6
    assert (np.diff(layer.metadata["change"]) <= 0).all()
    assert layer.data.shape == (6 * 66 + 2, 9 * 66 + 2, 3)
    np.testing.assert_allclose(
        layer.data[2:66, 2:66],
        found.shown(expected.pictures[0, 0]).transpose(1, 2, 0),
        atol=1e-5,
    )
    # At the scale at which the cells were prepared.
    assert layer.scale[0] == pytest.approx(1 / found.prepared.how.zoom)


def test_an_axis_colours_the_cells_and_an_angle_has_no_end(viewer: Any, there: Any) -> None:
    found, shown, kept = there
    scale = axis(found, "Scale")
    kept.show_scores(found, shown, scale)
    layer = viewer.layers["latent: Scale"]
    assert layer.contrast_limits == pytest.approx([scale.low, scale.high])
    kept.show_scores(found, shown, axis(found, "Orientation"))
    assert "latent: Scale" not in viewer.layers
    layer = viewer.layers["latent: Orientation"]
    first, last = (layer.colormap.map(np.array([end], np.float32))[0] for end in (0.0, 1.0))
    np.testing.assert_allclose(first, last, atol=0.05)


def test_what_is_selected_stays_selected(viewer: Any, there: Any) -> None:
    found, shown, kept = there
    viewer.layers.selection.active = viewer.layers["GFP"]
    kept.show_grid(found, shown, 6, "dark")
    kept.show_scores(found, shown, axis(found, "Scale"))
    assert viewer.layers.selection.active is viewer.layers["GFP"]


def test_all_of_it_can_be_taken_away(viewer: Any, there: Any) -> None:
    found, shown, kept = there
    before = list(viewer.layers)
    kept.show_grid(found, shown, 6, "dark")
    kept.show_scores(found, shown, axis(found, "Scale"))
    assert len(viewer.layers) == len(before) + 3
    kept.clear()
    assert list(viewer.layers) == before


def test_layers_that_are_gone_are_no_trouble(viewer: Any, there: Any) -> None:
    found, shown, kept = there
    viewer.layers.clear()
    assert not kept.show_grid(found, shown, 6, "dark")
    kept.show_scores(found, shown, axis(found, "Scale"))
    assert kept.write_columns(found, shown) == "" and not len(viewer.layers)
