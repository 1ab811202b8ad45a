"""The contact sheet shows every cell twice, and nothing where there is no evidence."""

import numpy as np
import pytest

from napari_channelmix.pcim.picture import EVIDENCE, maps_figure


@pytest.mark.parametrize("count", [1, 3, 4])
def test_every_cell_stands_alone_and_with_its_map(count, tmp_path):
    rng = np.random.default_rng(0)
    crops = rng.normal(size=(count, 2, 8, 6)).astype(np.float32)
    maps = rng.normal(size=(count, 8, 6)).astype(np.float32)
    figure = maps_figure(crops, maps, [f"cell {i}" for i in range(count)], "all")
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 2 * count
    assert [axes.get_title(loc="left") for axes in shown[::2]] == [
        f"cell {i}" for i in range(count)
    ]
    np.testing.assert_array_equal(shown[1].images[1].get_array(), maps[0])
    figure.savefig(tmp_path / "sheet.png")


def test_no_evidence_is_clear():
    assert EVIDENCE(0.0)[3] == 0
    assert EVIDENCE(1.0)[3] > 0.8


def test_constant_cells_and_empty_maps_can_be_shown(tmp_path):
    figure = maps_figure(np.ones((1, 1, 1, 1), "f4"), np.zeros((1, 1, 1), "f4"), ["one"], "all")
    figure.savefig(tmp_path / "sheet.png")
