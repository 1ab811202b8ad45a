"""Baselines: captum's answers are those of a direct computation, for every cell by itself."""

import sys

import numpy as np
import pytest
import torch

from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.baselines import attribute, evidence, finished
from napari_channelmix.pcim.methods import BASELINES
from napari_channelmix.pcim.references import blurred

pytest.importorskip("captum")


def test_saliency_is_the_gradient_of_the_log_odds(classifier, crops, make_problem):
    problem = make_problem(classifier, crops, of=[0, 1, 0, 1, 1, 0])
    x = problem.x.clone().requires_grad_(True)
    scores = classifier.network(x)
    own = scores.gather(1, problem.target.of[:, None])[:, 0]
    other = scores.gather(1, 1 - problem.target.of[:, None])[:, 0]
    (gradient,) = torch.autograd.grad((own - other).sum(), x)
    torch.testing.assert_close(evidence("saliency", problem), gradient)


@pytest.mark.parametrize("name", ["integrated-gradients", "deeplift"])
def test_what_is_complete_sums_to_the_change_of_the_log_odds(name, planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    odds = [
        problem.target.log_odds(planted.network(x)).detach()
        for x in (problem.x, problem.mean.expand_as(problem.x))
    ]
    found = evidence(name, problem).sum(dim=(1, 2, 3))
    torch.testing.assert_close(found, odds[0] - odds[1], rtol=1e-4, atol=1e-4)


def test_occlusion_of_all_channels_is_the_same_in_each(planted, make_problem):
    found = evidence("occlusion", make_problem(planted.network, planted.crops))
    torch.testing.assert_close(found[:, 0], found[:, 2])
    own = evidence("occlusion", make_problem(planted.network, planted.crops, separate=True))
    assert own[:, 1].abs().max() > 0.1
    assert own[:, [0, 2]].abs().max() < 1e-5


@pytest.mark.parametrize("name", BASELINES)
def test_the_map_of_a_cell_does_not_depend_on_its_company(name, classifier, crops, make_problem):
    many = np.concatenate([crops] * 4)[:23]
    together = next(attribute(name, make_problem(classifier, many))).values
    alone = next(attribute(name, make_problem(classifier, many[2:3]))).values
    assert together.shape == (23, 1, 16, 16)
    torch.testing.assert_close(together[2:3], alone, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["saliency", "integrated-gradients", "occlusion", "deeplift"])
def test_every_baseline_finds_the_planted_pixels(name, planted, make_problem):
    values = next(attribute(name, make_problem(planted.network, planted.crops))).values[:, 0]
    for one in values.numpy():
        assert one[planted.masks[0]].mean() > 3 * np.abs(one[~planted.masks[0]]).mean()


def test_finished_maps_are_signed_or_absolute_summed_or_separate():
    found = torch.tensor([1.0, -3.0]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    for absolute, separate, wanted in (
        (False, False, [-2.0]),
        (True, False, [4.0]),
        (True, True, [1.0, 3.0]),
    ):
        maps = finished(found, absolute=absolute, sigma=1.5, separate=separate)
        torch.testing.assert_close(maps[0, :, 2, 2], torch.tensor(wanted))


def test_a_network_without_convolutions_has_no_gradcam(planted, make_problem):
    with pytest.raises(ModelError, match=r"'gradcam' cannot look into .*: it has no convolution"):
        evidence("gradcam", make_problem(planted.network, planted.crops))


def test_what_only_answers_has_no_baseline(planted, make_problem):
    with pytest.raises(ModelError, match="'saliency' needs gradients"):
        evidence("saliency", make_problem(planted.predict, planted.crops))


def test_without_captum_one_line_says_what_to_install(planted, make_problem, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    with pytest.raises(ModelError, match=r"pip install 'napari-channelmix\[compare\]'"):
        evidence("saliency", make_problem(planted.network, planted.crops))


# ---------------------------------------------------------------- the formulas, by hand


@pytest.mark.parametrize(
    ("name", "absolute", "sigma"),
    [
        ("saliency", True, 1.5),
        ("integrated-gradients", False, 1.5),
        ("occlusion", False, 0.0),
        ("gradcam", False, 0.0),
        ("deeplift", False, 1.5),
    ],
)
def test_a_map_is_the_evidence_with_what_suits_its_method(
    name, absolute, sigma, classifier, crops, make_problem
):
    problem = make_problem(classifier, crops)
    found = evidence(name, problem)
    maps = next(attribute(name, problem))
    summed = (found.abs() if absolute else found).sum(dim=1, keepdim=True)
    torch.testing.assert_close(maps.values, blurred(summed, sigma))
    torch.testing.assert_close(maps.magnitude, blurred(found.abs().sum(dim=1, keepdim=True), sigma))


def test_integrated_gradients_take_32_steps_two_for_each_cell_at_once(planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    seen = []
    hook = planted.network.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    evidence("integrated-gradients", problem)
    hook.remove()
    assert sum(seen) in (32 * 4, 32 * 4 + 2 * 4)  # captum may also ask about both ends
    assert max(seen) == 2 * 4


def test_occlusion_slides_a_window_of_a_fifth_by_half_of_it(planted, make_problem):
    problem = make_problem(planted.network, planted.crops[:1])
    # 24 x 20 pixels: windows of 4 at steps of 2; the mean of the data set takes their place.
    found = evidence("occlusion", problem)[0].sum(dim=0)
    wanted, times = torch.zeros(24, 20), torch.zeros(24, 20)
    weight = planted.network.weight[1].detach()
    # What a pixel adds to the log odds: its weight times its distance from the mean, which is 0.
    each = (weight * problem.x[0]).sum(dim=0)
    for row in range(0, 21, 2):
        for column in range(0, 17, 2):
            window = slice(row, row + 4), slice(column, column + 4)
            wanted[window] += each[window].sum()
            times[window] += 1
    torch.testing.assert_close(found, wanted / times, rtol=1e-3, atol=1e-4)
