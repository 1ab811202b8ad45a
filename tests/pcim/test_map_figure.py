"""The contact sheet shows every cell twice, and nothing where there is no evidence."""

import numpy as np
import pytest

from napari_channelmix.pcim.map_figure import (
    channel_maps_figure,
    maps_figure,
    mean_maps_figure,
    stretched,
)


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


def test_the_magnitude_is_a_third_picture_and_all_colours_are_named():
    rng = np.random.default_rng(0)
    crops = rng.normal(size=(3, 2, 8, 6)).astype(np.float32)
    maps = rng.normal(size=(3, 8, 6)).astype(np.float32)
    figure = maps_figure(crops, maps, ["one", "two", "three"], "all", np.abs(maps))
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 9
    np.testing.assert_array_equal(shown[5].images[1].get_array(), np.abs(maps[1]))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "speaks for the class",
        "speaks against the class",
        "evidence for or against",
    ]
    means = mean_maps_figure(crops, maps[:, None], ["a", "b", "c"], ["all"])
    assert len(means.legends[0].get_texts()) == 2


def test_constant_cells_and_empty_maps_can_be_shown(tmp_path):
    figure = maps_figure(np.ones((1, 1, 1, 1), "f4"), np.zeros((1, 1, 1), "f4"), ["one"], "all")
    figure.savefig(tmp_path / "sheet.png")


def test_a_channel_is_stretched_between_its_darkest_and_brightest_half_percent():
    crop = np.stack([np.arange(201.0), np.full(201, 7.0)]).reshape(2, 1, 201)
    shown = stretched(crop)
    # Of 0 to 200 these are 1 and 199.
    assert shown[0, 0, [0, 1, 100, 199, 200]] == pytest.approx([0, 0, 0.5, 1, 1])
    assert (shown[1] == 0).all()


def test_for_and_against_are_drawn_on_one_scale_and_nothing_is_clear():
    maps = np.concatenate([np.full(50, -4.0), np.zeros(1), np.full(50, 2.0)]).reshape(1, 1, 101)
    figure = maps_figure(np.ones((1, 1, 1, 101), "f4"), maps.astype("f4"), ["one"], "all")
    over = [axes for axes in figure.axes if axes.images][1].images[1]
    assert (over.norm.vmin, over.norm.vmax) == (-4, 4)
    against, nothing, evidence_for = over.cmap(over.norm(np.array([-4.0, 0.0, 2.0])))
    assert nothing[3] == 0 and against[3] > evidence_for[3] > 0
    assert against[2] > against[0] and evidence_for[0] > evidence_for[2]


def test_greys_take_the_place_of_the_averaged_channels():
    rng = np.random.default_rng(0)
    crops = rng.normal(size=(2, 9, 8, 6)).astype(np.float32)
    greys = rng.uniform(size=(2, 8, 6)).astype(np.float32)
    figure = maps_figure(crops, crops[:, 0], ["one", "two"], "all", greys=greys)
    shown = [axes for axes in figure.axes if axes.images]
    for index in range(4):
        np.testing.assert_array_equal(shown[index].images[0].get_array(), greys[index // 2])
    means = mean_maps_figure(crops, crops[:, :1], ["a", "b"], ["all"], greys)
    shown = [axes for axes in means.axes if axes.images]
    np.testing.assert_array_equal(shown[1].images[0].get_array(), greys[1])
    # Where each channel has a map, the channel itself lies below it.
    means = mean_maps_figure(crops, crops, ["a", "b"], [f"{i}" for i in range(9)], greys)
    shown = [axes for axes in means.axes if axes.images]
    assert not np.array_equal(shown[0].images[0].get_array(), greys[0])


def test_a_cell_without_a_marker_is_dark_in_it():
    greys = [np.full((2, 8, 6), level, np.float32) for level in (0.1, 0.9)]
    maps = [np.ones((2, 8, 6), np.float32)] * 2
    figure = channel_maps_figure(greys, maps, [["CD3", "CD8"]] * 2, ["one", "two"], "all")
    shown = [axes.images[0] for axes in figure.axes if axes.images]
    assert [float(image.get_array().mean()) for image in shown] == pytest.approx(
        [0.1, 0.1, 0.9, 0.9]
    )
    assert {image.get_clim() for image in shown} == {(0, 1)}
