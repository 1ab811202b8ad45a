"""Cells drawn when they are asked for are those drawn at once, and take no memory meanwhile."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.drl import View, preparation
from napari_channelmix.drl import latents as run_latents
from napari_channelmix.drl.cell_drawing import DrawnPictures, Preparation, cell_cuts
from napari_channelmix.drl.preparation import prepare_job, some_pictures_job
from napari_channelmix.jobs import drain

EACH = 3 * 64 * 64


@pytest.fixture(scope="module", autouse=True)
def few_pairs(textured):
    """Few sprites to measure names with, whose outlines are drawn once."""
    with pytest.MonkeyPatch.context() as patch:
        # The package gives the function of this name, not the module.
        patch.setattr(import_module("napari_channelmix.drl.encode"), "DRIFT_PAIRS", 60)
        for user in ("quality", "sprite_learner"):
            patch.setattr(f"napari_channelmix.drl.{user}.Sprites", lambda _: textured)
        yield


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for the pictures of five cells."""
    monkeypatch.setattr(preparation, "PICTURES_BYTES", 5 * EACH)


@pytest.fixture
def shuffled(ellipses: Cells) -> Cells:
    return ellipses.subset(np.random.default_rng(0).permutation(len(ellipses)))


def test_pictures_that_do_not_fit_are_drawn_alike(
    shuffled: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = View.colors(["A", "B"])
    kept = drain(prepare_job(shuffled, view))
    monkeypatch.setattr(preparation, "PICTURES_BYTES", 5 * EACH)
    drawn = drain(prepare_job(shuffled, view))
    assert isinstance(drawn.pictures, DrawnPictures)
    assert drawn.pictures.shape == kept.pictures.shape
    for index in (3, -1, slice(2, 6), [7, 7, 0], np.array([4])):
        np.testing.assert_array_equal(drawn.pictures[index], kept.pictures[index])
    np.testing.assert_array_equal(drawn.features, kept.features)
    np.testing.assert_array_equal(drawn.outlined, kept.outlined)
    assert (drawn.warnings, drawn.how) == (kept.warnings, kept.how)
    some = drain(some_pictures_job(drawn))
    np.testing.assert_array_equal(some, kept.pictures[[0, 5, 11, 17, 23]])


def test_latents_are_the_same_where_pictures_do_not_fit(
    shuffled: Cells, make_untrained, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = make_untrained()
    usual = run_latents(shuffled, of, separate=False)
    monkeypatch.setattr(preparation, "PICTURES_BYTES", 5 * EACH)
    streamed = run_latents(shuffled, of, separate=False)
    np.testing.assert_allclose(streamed.values, usual.values, atol=1e-6)
    np.testing.assert_allclose(streamed.spread, usual.spread, atol=1e-6)
    assert [one.badge for one in streamed.trust] == [one.badge for one in usual.trust]


@pytest.mark.usefixtures("little_room")
def test_fine_tuning_takes_as_many_as_fit_and_says_so(shuffled: Cells, make_untrained) -> None:
    found = run_latents(shuffled, make_untrained(), separate=False, finetune=1, device="cpu")
    assert any("fine-tuned on 5 of 24 cells" in line for line in found.warnings)
    assert found.values.shape[0] == len(shuffled)
    alone = found.disentangler.encode(found.prepared.pictures[:])
    np.testing.assert_allclose(found.values, alone, atol=1e-6)


def test_cells_are_cut_out_of_the_part_of_the_crop_that_lies_in_the_image() -> None:
    plane = np.arange(20.0 * 30).reshape(20, 30)
    cells = Cells.from_points([plane], ["DNA"], [(1, 1), (10, 15)], crop=8)
    cuts = dict(cell_cuts(cells))
    np.testing.assert_array_equal(cuts[0].pixels[0], plane[:5, :5])
    np.testing.assert_array_equal(cuts[1].pixels[0], plane[6:14, 11:19])


def test_dark_cells_are_shown_in_the_colours_of_their_image():
    """Encoded as light on black; shown as they are: dark on the background's own colour."""
    view = View.colors(("R", "G", "B"))
    how = Preparation(view, (200.0, 180.0, 160.0), (-100.0,) * 3, 1.0)
    picture = np.zeros((3, 2, 2), np.float32)
    picture[:, 0, 0] = (0.5, 1.0, 0.0)
    shown = how.shown(picture)
    white = 1.05 * 200
    np.testing.assert_allclose(shown[:, 1, 1], np.array([200, 180, 160]) / white, rtol=1e-5)
    np.testing.assert_allclose(shown[:, 0, 0], np.array([150, 80, 160]) / white, rtol=1e-5)
    assert how.inverted
    levels = np.round(255 * picture).astype(np.uint8)
    np.testing.assert_allclose(how.shown(levels), shown, atol=0.005)


def test_bright_cells_are_shown_with_the_95th_percentile_of_their_maxima_as_white():
    how = Preparation(View.one("GFP"), (2.0,), (245.0,), 1.0, bright=0.5)
    picture = np.array([0.0, 0.25, 0.5, 0.9], np.float32).reshape(1, 2, 2)
    assert how.shown(picture).ravel().tolist() == [0.0, 0.5, 1.0, 1.0]
    assert not how.inverted
    # A record of an earlier version has no brightness of its own.
    record = how.as_dict()
    record.pop("bright")
    assert Preparation.from_dict(record).shown(picture).max() == np.float32(0.9)
