"""Drawings from named and residual latents: learning, measuring, drawing, storing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from napari_channelmix.drl import encode as encode_module
from napari_channelmix.drl import learnt_drawing, residual_learner, residual_training
from napari_channelmix.drl.drawing_store import load_drawing, save_drawing
from napari_channelmix.drl.learnt_drawing import LearntDrawing, measure_drawing_job, worst_text
from napari_channelmix.drl.residual_drawing import ResidualDrawing
from napari_channelmix.drl.residual_network import ResidualNetwork, ResidualSettings
from napari_channelmix.drl.residual_training import held_out_cells, learn_drawing_job
from napari_channelmix.drl.sprites import CELLS
from napari_channelmix.errors import BundleError, DataError, ModelError
from napari_channelmix.jobs import drain


@pytest.fixture
def grey(make_untrained):
    return make_untrained(CELLS)


@pytest.fixture
def quick(monkeypatch):
    """A small network, small batches, and epochs of two steps."""
    for module in (residual_learner, residual_training):
        monkeypatch.setattr(module, "EPOCH", 2)
    small = partial(ResidualSettings, maps=4, filters=16, hidden=16)
    monkeypatch.setattr(residual_learner, "ResidualSettings", small)
    for name, count in (("CELLS", 8), ("EDITED", 2), ("SPRITES", 2)):
        monkeypatch.setattr(residual_learner, name, count)


@pytest.fixture
def few_pairs(monkeypatch):
    """Few sprites measure the names."""
    monkeypatch.setattr(encode_module, "DRIFT_PAIRS", 60)


def discs(count, seed=0):
    """Discs (count, 1, 64, 64) uint8 of several sizes and grey values, brighter on one side."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64] - 31.5
    made = [
        (np.hypot(y, x) < rng.uniform(10, 24)) * rng.uniform(90, 200) * (1 + 0.01 * x)
        for _ in range(count)
    ]
    return np.round(np.stack(made))[:, None].astype(np.uint8)


def drawing_of(source, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ResidualNetwork(ResidualSettings(source.shape[0], len(source.names), maps=2))
    return ResidualDrawing(source, network.eval(), {"steps": 0})


def test_whole_groups_are_held_out_a_fifth_of_the_cells():
    groups = np.repeat(np.arange(10), 10)
    held = held_out_cells(groups, 0)
    assert held.sum() == 20
    assert all(len(set(held[groups == group])) == 1 for group in range(10))
    np.testing.assert_array_equal(held, held_out_cells(groups, 0))
    assert (held != held_out_cells(groups, 1)).any()
    assert not held_out_cells(np.zeros(30), 0).any()
    # Of two groups the larger one is learnt from, and half of the cells in any case.
    for seed in range(4):
        assert held_out_cells(np.array([0] * 9 + [1]), seed).sum() == 1
        assert held_out_cells(np.array([0] * 6 + [1, 1, 2, 2]), seed)[:6].sum() == 0


def test_learning_is_the_same_for_the_same_seed_and_leaves_the_named_encoder_alone(grey, quick):
    pictures, held = discs(24), np.arange(24) < 5
    before = {name: value.clone() for name, value in grey.network.state_dict().items()}
    first, second, other = (
        drain(learn_drawing_job(grey, pictures, held, steps=2, seed=seed, device="cpu"))
        for seed in (0, 0, 1)
    )
    for name, value in grey.network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    weights = [one.network.state_dict()["last.weight"] for one in (first, second, other)]
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=0)
    assert (weights[0] != weights[2]).any()
    assert first.about["cells"] == 19
    assert first.about["held_out"] == 5


def test_learning_draws_discs_that_were_not_learnt_from(grey, quick, monkeypatch):
    for module in (residual_learner, residual_training):
        monkeypatch.setattr(module, "EPOCH", 50)
    pictures, groups = discs(40), np.arange(40) % 10
    held = held_out_cells(groups, 0)
    drawing = drain(learn_drawing_job(grey, pictures, held, steps=150, device="cpu"))
    values = grey.encode(pictures)
    drawn = drawing.decode(values, drawing.encode(pictures, values))
    off = (drawn - pictures / 255)[held]
    # The mean of the discs that were learnt from leaves .28.
    assert (off**2).sum() < 0.2 * ((pictures / 255)[held] ** 2).sum()


def test_a_stopped_learning_goes_on_where_it_was(grey, quick, tmp_path):
    pictures, held, path = discs(24), np.zeros(24, bool), tmp_path / "drawing.partial"

    def learning():
        return learn_drawing_job(
            grey, pictures, held, steps=6, seed=0, device="cpu", checkpoint=path
        )

    job = learning()
    for step in job:
        if step.metrics and step.metrics.get("epoch") == 2:
            break
    job.close()
    assert path.exists()
    stages = []
    job = learning()
    while True:
        try:
            stages.append(next(job).stage)
        except StopIteration as done:
            again = done.value
            break
    assert sum("picking up" in stage for stage in stages) == 2
    path.unlink()
    at_once = drain(learning())
    for name, value in at_once.network.state_dict().items():
        torch.testing.assert_close(again.network.state_dict()[name], value)


def test_what_cannot_be_learnt_from_is_refused(grey):
    with pytest.raises(DataError, match="needs 20 cells or more, these are 19"):
        drain(learn_drawing_job(grey, discs(19), np.zeros(19, bool)))
    with pytest.raises(DataError, match="needs 10 cells that are not held out"):
        drain(learn_drawing_job(grey, discs(24), np.ones(24, bool)))
    with pytest.raises(DataError, match="images must be"):
        drain(learn_drawing_job(grey, np.zeros((24, 3, 64, 64), np.uint8), np.zeros(24, bool)))
    with pytest.raises(ModelError, match="steps must be 100 or more, not 7"):
        drain(learn_drawing_job(grey, discs(24), np.zeros(24, bool), steps=7))


def test_a_slider_acts_on_the_cell_s_own_drawing(grey):
    drawing, pictures = drawing_of(grey), discs(3)
    codes = drawing.encode(pictures)
    plain = drawing.decode(codes.named, codes)
    dimmed = codes.named.copy()
    dimmed[:, grey.names.index("Intensity")] -= 0.75
    # Two values of intensity a doubling, four steps on the axis of 3.
    np.testing.assert_allclose(drawing.decode(dimmed, codes), plain / 2**0.5, atol=1e-5)
    own = drawing.drawer_of(pictures[1], codes.named[1]).decode
    np.testing.assert_allclose(own(codes.named[1][None])[0], plain[1], atol=1e-5)
    assert own(np.repeat(codes.named[:1], 5, axis=0)).shape == (5, 1, 64, 64)


def test_other_numbers_of_latents_or_cells_are_refused(grey):
    drawing = drawing_of(grey)
    codes = drawing.encode(discs(3))
    with pytest.raises(DataError, match="latents must be"):
        drawing.decode(np.zeros((3, 4)), codes)
    with pytest.raises(DataError, match="2 sets of latents for 3 cells"):
        drawing.decode(codes.named[:2], codes)
    with pytest.raises(DataError, match="images must be"):
        drawing.encode(np.zeros((3, 3, 64, 64), np.uint8))


class Perfect:
    """Draws the cells as they are, whatever the latents."""

    def __init__(self, source, pictures):
        self.source, self.pictures, self.about = source, pictures / np.float32(255), {}

    def encode(self, pictures, named=None):
        return pictures / np.float32(255)

    def decode(self, latents, codes):
        return codes


def test_a_perfect_drawing_explains_all_and_its_sliders_move_nothing(grey):
    pictures, groups = discs(24), np.arange(24) // 4
    values, held = grey.encode(pictures), np.arange(24) // 4 == 1
    measuring = measure_drawing_job(
        Perfect(grey, pictures), pictures, values, groups, held, ("Scale", "Rim")
    )
    learnt = drain(measuring)
    np.testing.assert_allclose(learnt.explained, 1)
    assert learnt.reconstruction.explained == pytest.approx(1)
    assert learnt.reconstruction.n_cells == 4
    assert [effect.moves for effect in learnt.sliders] == [False, False]
    assert "does not move area" in learnt.sliders[0].text
    assert "cells it did not learn from" in learnt.lines[0]
    assert "1 group is too few to say anything about other groups." in learnt.lines[0]
    assert set(learnt.worst) <= set(np.flatnonzero(held))
    assert worst_text(learnt, list("abcd")).startswith("drawn worst of 4 held-out cells: a (100 %)")


def test_without_held_out_cells_that_is_said(grey):
    pictures = discs(24)
    learnt = drain(
        measure_drawing_job(
            Perfect(grey, pictures),
            pictures,
            grey.encode(pictures),
            np.zeros(24),
            np.zeros(24, bool),
            (),
        )
    )
    assert "No cells were held out" in learnt.lines[1]


def test_a_drawing_is_stored_and_read_beside_its_own_weights_only(grey, make_untrained, tmp_path):
    drawing, pictures = drawing_of(grey), discs(3)
    path = save_drawing(drawing, tmp_path / "drawing.safetensors")
    again = load_drawing(path, grey)
    codes = drawing.encode(pictures)
    np.testing.assert_allclose(
        again.decode(codes.named, again.encode(pictures)),
        drawing.decode(codes.named, codes),
        atol=0.01,
    )
    assert again.about == {"steps": 0}
    with pytest.raises(ModelError, match="learnt beside other weights"):
        load_drawing(path, make_untrained(CELLS, seed=5))
    with pytest.raises(BundleError, match="no such file"):
        load_drawing(tmp_path / "none.safetensors", grey)


def test_latents_learn_to_draw_where_that_is_asked_for(
    untrained, ellipses, few_pairs, monkeypatch, tmp_path
):
    asked = []

    def learn(of, pictures, held, **settings):
        asked.append((of, len(pictures), int(held.sum()), settings))
        yield from ()
        return drawing_of(of)

    monkeypatch.setattr(learnt_drawing, "learn_drawing_job", learn)
    plain = encode_module.latents(ellipses, untrained, separate=False)
    assert plain.drawing is None
    assert "drawing explains" not in plain.to_frame()
    result = encode_module.latents(
        ellipses, untrained, separate=False, drawing="residual", drawing_steps=300, seed=3
    )
    ((of, count, held, settings),) = asked
    assert (of, count) == (untrained, 24)
    assert 0 < held < 24
    assert (settings["steps"], settings["seed"]) == (300, 3)
    # The names are what they were.
    np.testing.assert_array_equal(result.values, plain.values)
    assert result.trust == plain.trust
    assert isinstance(result.drawing, LearntDrawing)
    own = result.decoder_of(2)(result.values[2][None])
    assert not np.allclose(own, untrained.decode(result.values[2][None]))
    result.save(tmp_path)
    assert (tmp_path / "drawing.safetensors").exists()
    frame = result.to_frame()
    assert frame["drawing held out"].sum() == held
    assert result.as_dict()["drawing"]["held_out"] == held
    assert any(f"drawn worst of {held} held-out cells" in line for line in result.warnings)


def test_too_few_cells_are_drawn_from_their_names_and_that_is_said(untrained, ellipses, few_pairs):
    few = ellipses.subset(slice(8))
    result = encode_module.latents(few, untrained, separate=False, drawing="residual")
    assert result.drawing is None
    assert any("learning to draw needs 20 cells" in line for line in result.warnings)


def test_a_network_of_no_size_is_refused():
    with pytest.raises(ModelError, match="1 or more"):
        replace(ResidualSettings(), maps=0)
    with pytest.raises(ModelError, match="multiple of 4"):
        replace(ResidualSettings(), filters=10)
