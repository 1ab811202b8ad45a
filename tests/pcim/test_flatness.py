"""Flat maps say so, with the cells and the reason."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix import explain
from napari_channelmix.pcim.flatness import Flatness, _flat, _taken_away, flat_lines, joined_flat
from napari_channelmix.pcim.references import blurred, border_median


def crops(count=6, seed=0):
    return np.random.default_rng(seed).normal(100, 10, (count, 2, 16, 16)).astype(np.float32)


class Level(nn.Module):
    """Logits of the mean of the first channel above 100, in units of ``unit``."""

    def __init__(self, unit=1.0, softmax=False):
        super().__init__()
        self.unit, self.softmax = unit, softmax

    def forward(self, x):
        v = (x[:, 0].mean(dim=(1, 2)) - 100) / self.unit
        z = torch.stack([-v, v], dim=1)
        return torch.softmax(z, dim=1) if self.softmax else z


@pytest.mark.parametrize("mode", ["autograd", "blackbox"])
def test_a_model_that_does_not_look_is_told_of_for_all_its_cells(mode):
    class Deaf(nn.Module):
        def forward(self, x):
            return x.new_tensor([[1.0, -2.0]]).repeat(len(x), 1) + 0 * x.mean()

    found = explain(Deaf(), crops(), mode=mode, forwards=40, device="cpu")
    assert found.flat == {"deaf": (0, 1, 2, 3, 4, 5)}
    assert not found.maps.any()
    assert any(
        line.startswith("6 of 6 cells (0, 1, 2, 3, 4, 5): the model's output does not depend")
        for line in found.warnings
    )


@pytest.mark.parametrize("mode", ["autograd", "blackbox"])
def test_saturated_probabilities_are_told_of_and_logits_have_maps(mode):
    x = crops(4)
    x[:2, 0] += 400
    x[2:, 0] -= 90
    asked = {"mode": mode, "forwards": 100, "device": "cpu"}
    found = explain(Level(softmax=True), x, **asked)
    assert found.flat["saturated"] == (0, 1, 2, 3)
    assert any(
        "a probability of exactly 0 or 1" in line and "logits" in line for line in found.warnings
    )
    sure = explain(Level(), x, **asked)
    assert not sure.flat
    assert (np.abs(sure.maps).reshape(4, -1).max(axis=1) > 0.05).all()


def test_a_cell_without_structure_is_named_among_the_others():
    x = crops()
    x[3] = 120
    found = explain(Level(), x, device="cpu")
    assert found.flat == {"constant": (3,)}
    assert "cell 3 is constant: its map is empty" in found.warnings
    x[1] = 7
    found = explain(Level(), x, device="cpu", batch=2)
    assert "2 of 6 cells (1, 3) are constant, and their maps are empty" in found.warnings


def test_a_model_of_the_mean_alone_is_not_called_deaf():
    # Blurring keeps the mean, and the mean over the only cell is its own.
    assert not explain(Level(), crops(1), device="cpu").flat
    assert not explain(Level(), crops(1), mode="blackbox", forwards=60, device="cpu").flat


def test_many_cells_are_counted_and_the_first_named():
    lines = flat_lines({"constant": range(20)}, 64)
    assert lines == (
        "20 of 64 cells (0, 1, 2, 3, 4, 5, 6, 7 and 12 more) are constant, and their maps are "
        "empty",
    )
    assert joined_flat([{"deaf": (1,)}, {}, {"deaf": (70,), "small": [71]}]) == {
        "deaf": [1, 70],
        "small": [71],
    }


# ---------------------------------------------------------------- the formulas, by hand


def test_a_map_is_flat_within_rounding_or_within_what_its_unit_allows():
    maps = np.zeros((5, 1, 2), np.float32)
    maps[:, 0, 1] = [0, 0.9e-3, 1.1e-3, 0, 0]
    maps[3] = 1000, 1000.0005
    maps[4] = 1000, 1000.002
    assert _flat(maps, 1e-3).tolist() == [True, True, False, True, False]
    assert _flat(maps, 1e-12).tolist() == [True, False, False, True, False]


@pytest.mark.parametrize(("moved", "deaf"), [(0.9e-3, True), (1.1e-3, False)])
def test_a_model_is_deaf_that_moves_by_less_than_a_thousandth(moved, deaf, make_problem):
    # Log odds of the mean pixel; black moves them most.
    x = np.zeros((1, 1, 8, 8), np.float32)
    x[:, :, 2:6, 2:6] = 1
    network = Mean(moved / x.mean())
    flatness = Flatness()
    maps = np.arange(64.0, dtype=np.float32).reshape(1, 8, 8)
    flatness.look(make_problem(network, x), np.array([7]), maps, of_log_odds=False)
    assert flatness.by_reason == ({"deaf": (7,)} if deaf else {})


class Mean(nn.Module):
    """Log odds of ``gain`` times the mean pixel."""

    def __init__(self, gain):
        super().__init__()
        self.gain = gain

    def forward(self, x):
        mean = x.mean(dim=(1, 2, 3))
        # Added to both scores, so that nobody takes them for probabilities.
        both = 40 * mean - 5
        return torch.stack([both, both + self.gain * mean], dim=1)


@pytest.mark.parametrize(
    ("of_log_odds", "value", "small"),
    [(True, 0.9e-3, True), (True, 1.1e-3, False), (False, 0.9e-3, False), (False, 1e-13, True)],
)
def test_maps_of_log_odds_are_flat_within_a_thousandth_and_others_within_rounding(
    of_log_odds, value, small, make_problem
):
    x = np.random.default_rng(0).normal(size=(1, 1, 8, 8)).astype(np.float32)
    maps = np.zeros((1, 8, 8), np.float32)
    maps[0, 3, 3] = value
    flatness = Flatness()
    flatness.look(make_problem(Mean(5.0), x), np.array([2]), maps, of_log_odds=of_log_odds)
    assert flatness.by_reason == ({"small": (2,)} if small else {})


def test_an_image_is_taken_away_to_its_mean_its_border_its_black_and_its_blur(make_problem):
    x = np.random.default_rng(0).normal(size=(2, 1, 8, 12)).astype(np.float32)
    problem = replace(make_problem(Mean(1.0), x), mean=torch.full((1, 1, 1, 1), 3.0))
    mean, border, black, soft = _taken_away(problem)
    assert (mean == 3).all()
    torch.testing.assert_close(border, border_median(problem.x).expand_as(problem.x))
    torch.testing.assert_close(black[1], torch.full((1, 8, 12), float(x[1].min())))
    # A quarter of the longer side.
    torch.testing.assert_close(soft, blurred(problem.x, 3.0))
