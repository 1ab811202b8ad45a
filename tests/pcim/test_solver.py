"""The gradient solver: a first map at once, then steps that settle; cells do not mix."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_channelmix.pcim.methods import METHODS
from napari_channelmix.pcim.references import Reference
from napari_channelmix.pcim.scores import rank_correlation
from napari_channelmix.pcim.solver import path_evidence

SOLVERS = ("pcim", "pcim-fidelity", "literal")


def maps_of(name, problem):
    return [one.values for one in METHODS[name].run(problem)]


def of(problem):
    return Reference(problem.x, problem.mean, problem.seed)


def test_path_evidence_of_a_linear_network_is_weight_times_contrast(planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    # References that hardly differ from the mean: a picture of one value and no noise.
    flat = replace(problem, x=torch.full_like(problem.x, 2.0), mean=problem.mean + 2.0)
    *_, nothing = (one.signed for one in path_evidence(flat, of(flat), 4))
    torch.testing.assert_close(nothing, torch.zeros_like(nothing), atol=1e-5, rtol=0)
    found = list(path_evidence(problem, of(problem), 4))
    some = [one.signed for one in found]
    assert len(some) == 4
    weight = planted.network.weight[1].detach()
    inside = some[-1][:, weight > 0]
    assert (inside > 0).all()
    assert some[-1][:, weight == 0].abs().max() == 0
    # The planted pixels are 1 above their background.
    assert inside.sum(dim=1).mean() == pytest.approx(4, rel=0.5)
    magnitude = found[-1].magnitude[:, 0]
    assert (magnitude >= 0).all()
    assert magnitude[:, (weight != 0).any(dim=0)].mean() > 3 * magnitude.mean()


@pytest.mark.parametrize("name", SOLVERS)
def test_the_best_pixels_are_the_planted_ones(name, planted, make_problem):
    last = maps_of(name, make_problem(planted.network, planted.crops))[-1][:, 0].numpy()
    for one in last:
        assert planted.masks[0][np.unravel_index(one.argmax(), one.shape)]
        if name != "literal":
            assert one[planted.masks[0]].mean() > one[~planted.masks[0]].mean() + one.std()


@pytest.mark.parametrize("name", ["pcim", "pcim-fidelity"])
def test_maps_settle(name, classifier, crops, make_problem):
    maps = [one[:, 0].numpy() for one in maps_of(name, make_problem(classifier, crops))]
    to_the_end = [rank_correlation(one, maps[-1]).mean() for one in maps]
    assert to_the_end[-2] > 0.95
    assert to_the_end[-2] > to_the_end[0]


@pytest.mark.parametrize("name", SOLVERS)
def test_the_map_of_a_cell_does_not_depend_on_its_company(name, classifier, crops, make_problem):
    together = maps_of(name, make_problem(classifier, crops))[-1]
    alone = maps_of(name, make_problem(classifier, crops[3:4]))[-1]
    torch.testing.assert_close(together[3:4], alone, rtol=0.02, atol=0.02 * float(alone.std()))


@pytest.mark.parametrize("name", SOLVERS)
def test_a_seed_gives_one_map(name, classifier, crops, make_problem):
    one, again = (maps_of(name, make_problem(classifier, crops, seed=4))[-1] for _ in range(2))
    assert torch.equal(one, again)


@pytest.mark.parametrize("name", SOLVERS)
def test_separate_maps_have_the_evidence_in_its_channel(name, planted, make_problem):
    problem = make_problem(planted.network, planted.crops, separate=True)
    last = maps_of(name, problem)[-1]
    assert last.shape == problem.x.shape
    inside = last[:, :, planted.masks[0]].mean(dim=2)
    assert (inside.argmax(dim=1) == 1).all()
    if name != "literal":
        assert inside[:, [0, 2]].abs().max() < 0.1 * inside[:, 1].min()


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3), (1, 7)])
def test_tiny_cells_have_finite_maps(name, size, make_problem):
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    x = np.random.default_rng(0).normal(size=(2, 2, *size)).astype(np.float32)
    for one in maps_of(name, make_problem(network, x)):
        assert one.shape == (2, 1, *size)
        assert torch.isfinite(one).all()


@pytest.mark.parametrize("name", ["pcim", "pcim-fidelity"])
def test_a_constant_cell_has_an_empty_map(name, classifier, make_problem):
    x = np.full((1, 2, 16, 16), 0.5, np.float32)
    first = maps_of(name, make_problem(classifier, x))[0]
    assert torch.isfinite(first).all()
