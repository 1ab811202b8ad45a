"""Baselines: captum's answers are those of a direct computation, for every cell by itself."""

import sys

import numpy as np
import pytest
import torch

from napari_channelmix.classify.inference import InferenceNetwork
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.baselines import attribute, evidence, finished
from napari_channelmix.pcim.batch import Problem
from napari_channelmix.pcim.expected_gradients import expected_gradients
from napari_channelmix.pcim.methods import BASELINES, MORE_BASELINES
from napari_channelmix.pcim.references import blurred, reference
from napari_channelmix.pcim.relevance import relevance
from napari_channelmix.pcim.superpixels import superpixels
from napari_channelmix.pcim.target import Target

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
    result = evidence(name, problem).sum(dim=(1, 2, 3))
    torch.testing.assert_close(result, odds[0] - odds[1], rtol=1e-4, atol=1e-4)


def test_occlusion_of_all_channels_is_the_same_in_each(planted, make_problem):
    result = evidence("occlusion", make_problem(planted.network, planted.crops))
    torch.testing.assert_close(result[:, 0], result[:, 2])
    own = evidence("occlusion", make_problem(planted.network, planted.crops, separate=True))
    assert own[:, 1].abs().max() > 0.1
    assert own[:, [0, 2]].abs().max() < 1e-5


def other_cells(shape, count=12):
    return np.random.default_rng(7).normal(size=(count, *shape)).astype(np.float32)


@pytest.mark.parametrize("name", [*BASELINES, *MORE_BASELINES])
def test_the_map_of_a_cell_does_not_depend_on_its_company(name, classifier, crops, make_problem):
    many = np.concatenate([crops] * 4)[: 5 if name in MORE_BASELINES else 23]
    others = other_cells((2, 16, 16))
    torch.manual_seed(5)
    together = next(attribute(name, make_problem(classifier, many, others=others))).values
    torch.manual_seed(6)
    alone = next(attribute(name, make_problem(classifier, many[2:3], others=others))).values
    assert together.shape == (len(many), 1, 16, 16)
    torch.testing.assert_close(together[2:3], alone, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["saliency", "integrated-gradients", "occlusion", "deeplift"])
def test_every_baseline_finds_the_planted_pixels(name, planted, make_problem):
    values = next(attribute(name, make_problem(planted.network, planted.crops))).values[:, 0]
    for one in values.numpy():
        assert one[planted.masks[0]].mean() > 3 * np.abs(one[~planted.masks[0]]).mean()


def test_finished_maps_are_signed_or_absolute_summed_or_separate():
    result = torch.tensor([1.0, -3.0]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    for absolute, separate, wanted in (
        (False, False, [-2.0]),
        (True, False, [4.0]),
        (True, True, [1.0, 3.0]),
    ):
        maps = finished(result, absolute=absolute, sigma=1.5, separate=separate)
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
    result = evidence(name, problem)
    maps = next(attribute(name, problem))
    summed = (result.abs() if absolute else result).sum(dim=1, keepdim=True)
    torch.testing.assert_close(maps.values, blurred(summed, sigma))
    torch.testing.assert_close(
        maps.magnitude, blurred(result.abs().sum(dim=1, keepdim=True), sigma)
    )


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
    result = evidence("occlusion", problem)[0].sum(dim=0)
    wanted, times = torch.zeros(24, 20), torch.zeros(24, 20)
    weight = planted.network.weight[1].detach()
    # What a pixel adds to the log odds: its weight times its distance from the mean, which is 0.
    each = (weight * problem.x[0]).sum(dim=0)
    for row in range(0, 21, 2):
        for column in range(0, 17, 2):
            window = slice(row, row + 4), slice(column, column + 4)
            wanted[window] += each[window].sum()
            times[window] += 1
    torch.testing.assert_close(result, wanted / times, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["expected-gradients", "integrated-gradients-many"])
def test_starts_that_differ_give_the_mean_of_their_changes_of_a_linear_network(
    name, planted, make_problem
):
    others = other_cells((3, 24, 20), 24)
    problem = make_problem(planted.network, planted.crops, others=others)
    weights = (planted.network.weight[1] - planted.network.weight[0]).detach()
    used, x = problem.pool, problem.x
    assert used.shape == (12, 3, 24, 20)
    if name == "expected-gradients":
        # 32 draws of 12 cells: a random order, again and again; eight cells are drawn three times.
        draws = torch.Generator().manual_seed(0)
        order = torch.cat([torch.randperm(12, generator=draws) for _ in range(3)])[:32]
        starts = [used[index].expand_as(x) for index in order.tolist()]
    else:
        made = [reference(kind, x, problem.mean) for kind in ("border", "mean", "blur")]
        starts = [*made, *(used[index].expand_as(x) for index in range(5))]
    wanted = torch.stack([weights * (x - r) for r in starts]).mean(dim=0)
    torch.testing.assert_close(evidence(name, problem), wanted, rtol=1e-4, atol=1e-6)


def test_expected_gradients_say_so_where_there_are_no_other_cells(planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    for name in ("expected-gradients", "expected-gradients-18"):
        with pytest.raises(ModelError, match=f"'{name}' .*too few; give 12 cells or more"):
            evidence(name, problem)


def test_a_cell_is_never_its_own_start(planted, make_problem):
    crops = other_cells((3, 24, 20), 24)
    problem = make_problem(planted.network, crops, others=crops, of=[1] * 24)
    problem.numbers[:] = np.arange(24)
    alone = expected_gradients(problem, 1)
    # The one start is a cell of the set: for it, the next one is taken.
    assert (alone.abs().sum(dim=(1, 2, 3)) > 0).all()


def test_relevance_is_conserved_but_for_biases(classifier, make_problem, crops):
    for layer in classifier.network.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.bias.data.zero_()
    problem = make_problem(classifier, crops)
    odds = problem.target.log_odds(problem.subject.scores(problem.x)).detach()
    torch.testing.assert_close(
        evidence("lrp", problem).sum(dim=(1, 2, 3)), odds, rtol=1e-3, atol=1e-4
    )


def test_relevance_of_a_network_of_one_convolution_by_hand():
    """One linear convolution, then ReLU, mean and maximum: pixel by pixel what it adds."""
    weight = torch.tensor([[[[1.0]]], [[[2.0]]]])
    fused = InferenceNetwork(
        [(weight, torch.zeros(2))], 0, (torch.tensor([[0.0] * 4, [1.0, 0, 0, 0.5]]), torch.zeros(2))
    )
    network = torch.nn.Module()
    network.inference = lambda: fused
    x = torch.tensor([[[[4.0, 2.0], [1.0, 1.0]]]])
    problem = Problem(None, x, torch.zeros(1, 1, 1, 1), Target(torch.tensor([1])))
    # score 1 = mean of the first map (1 x) + half the maximum of the second (2 x).
    wanted = torch.tensor([[[[1.0 + 4.0, 0.5], [0.25, 0.25]]]])
    with torch.enable_grad():
        result = relevance(captum_attr(), network, problem)
    torch.testing.assert_close(result, wanted, rtol=1e-4, atol=1e-5)


def captum_attr():
    from captum import attr

    return attr


def test_relevance_refuses_a_network_it_has_no_rules_for(planted, make_problem):
    with pytest.raises(ModelError, match=r"'lrp' cannot look into this network: it has rules for"):
        evidence("lrp", make_problem(planted.network, planted.crops))


def test_superpixels_are_numbered_from_0_without_gaps():
    image = torch.zeros(2, 20, 20)
    image[0, :10], image[1, :, 10:] = 1, 3
    segments = superpixels(image, 4)
    assert segments.shape == (20, 20)
    assert sorted(segments.unique().tolist()) == list(range(int(segments.max()) + 1))
    # Flat images are one or more segments, not an error.
    assert superpixels(torch.zeros(1, 8, 8)).min() == 0


def test_a_removed_superpixel_has_the_change_of_the_log_odds(planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    weights = (planted.network.weight[1] - planted.network.weight[0]).detach()
    result = evidence("feature-ablation", problem).sum(dim=1)
    for cell, x in enumerate(problem.x):
        segments = superpixels(x)
        for number in range(int(segments.max()) + 1):
            inside = segments == number
            wanted = (weights * x).sum(dim=0)[inside].sum()
            torch.testing.assert_close(result[cell][inside].sum(), wanted, rtol=1e-3, atol=1e-4)


def test_kernel_shap_of_a_linear_network_is_what_each_superpixel_adds(planted, make_problem):
    problem = make_problem(planted.network, planted.crops[:2])
    added, shap = (evidence(name, problem) for name in ("feature-ablation", "kernel-shap"))
    # 200 random sets determine the sum of about 50 superpixels.
    torch.testing.assert_close(shap, added, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("name", ["kernel-shap", "feature-ablation"])
def test_superpixels_of_each_channel_apart(name, planted, make_problem):
    result = evidence(name, make_problem(planted.network, planted.crops[:1], separate=True))
    assert result[:, 1].abs().max() > 0.05
    assert result[:, [0, 2]].abs().max() < 0.01
