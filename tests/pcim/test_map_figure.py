"""The contact sheet shows every cell twice, and nothing where there is no evidence."""

import numpy as np
import pytest

from napari_channelmix.pcim.map_figure import EVIDENCE, maps_figure, stretched


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


def test_a_channel_is_stretched_between_its_darkest_and_brightest_half_percent():
    crop = np.stack([np.arange(201.0), np.full(201, 7.0)]).reshape(2, 1, 201)
    shown = stretched(crop)
    # Of 0 to 200 these are 1 and 199.
    assert shown[0, 0, [0, 1, 100, 199, 200]] == pytest.approx([0, 0, 0.5, 1, 1])
    assert (shown[1] == 0).all()


def test_a_map_is_bright_from_its_highest_percent_on():
    maps = np.arange(101.0, dtype=np.float32).reshape(1, 1, 101)
    figure = maps_figure(np.ones((1, 1, 1, 101), "f4"), maps, ["one"], "all")
    over = [axes for axes in figure.axes if axes.images][1].images[1]
    assert (over.norm.vmin, over.norm.vmax) == (0, pytest.approx(99))
