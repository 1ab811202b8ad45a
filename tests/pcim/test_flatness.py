"""Flat maps say so, with the cells and the reason."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix import explain
from napari_channelmix.pcim.flatness import flat_lines, joined_flat


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
        line.startswith("6 of 6 cells (0, 1, 2, 3, 4, 5): the model's answer does not depend")
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
    assert any("a probability of exactly 0 or 1" in line and "logits" in line
               for line in found.warnings)  # fmt: skip
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
        "deaf": [1, 70], "small": [71],
    }  # fmt: skip
