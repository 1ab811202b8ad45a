"""The gradient solver: a first map at once, then steps that settle; cells do not mix."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_channelmix.pcim.cell_pool import CellPool
from napari_channelmix.pcim.gradient_solver import FIDELITY, SolverSettings, path_evidence, solve
from napari_channelmix.pcim.methods import METHODS
from napari_channelmix.pcim.references import Reference
from napari_channelmix.pcim.scores import rank_correlation

from ..same_order import assert_same_order

SOLVERS = ("pcim", "pcim-fidelity", "literal")


def maps_of(name, problem):
    return [one.values for one in METHODS[name].run(problem)]


def of(problem):
    return Reference(problem.x, problem.mean, problem.seed, pooled=problem.pooled)


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


# ---------------------------------------------------------------- the formulas, by hand


WEIGHT = 0.1 * torch.randn((2, 12, 10), generator=torch.Generator().manual_seed(0))


class Cubic(torch.nn.Module):
    """Log odds ``sum w x^3`` of the second class, so that the gradient is ``3 w x^2``."""

    def forward(self, x):
        odds = (WEIGHT * x**3).sum(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(odds), odds], dim=1)


@pytest.fixture
def cubic(make_problem):
    """Two cells with noise around a data-set mean that is not 0, and a network that is curved."""
    x = np.random.default_rng(5).normal(0.3, 0.5, (2, 2, 12, 10)).astype(np.float32)
    problem = make_problem(Cubic(), x, seed=11)
    return replace(problem, mean=torch.tensor([0.4, -0.2]).view(1, 2, 1, 1))


@pytest.fixture
def real_cells():
    """A problem with other cells of its data set, of which the second one is one."""

    def with_pool(problem):
        crops = np.random.default_rng(6).normal(0.3, 0.5, (20, 2, 12, 10)).astype(np.float32)
        pool = CellPool(crops, None, torch.from_numpy)
        numbers = np.array([100, pool.stored[0].numbers[0]])
        return replace(problem, real_cells=pool, numbers=numbers)

    return with_pool


def smooth(images, sigma):
    blurred = ndimage.gaussian_filter(
        images.detach().numpy(), (0, 0, sigma, sigma), mode="mirror", truncate=3.5
    )
    return torch.from_numpy(blurred)


def in_units_of_their_spread(maps):
    return maps / maps.flatten(1).std(dim=1, correction=0).view(-1, 1, 1, 1)


def evidence_at(problem, t, r):
    """``(x - r) * d log_odds / dz`` at ``z = r + t (x - r)``."""
    z = r + t * (problem.x - r)
    return (problem.x - r) * 3 * WEIGHT * z**2


def test_evidence_is_a_mean_over_the_path_and_magnitude_what_both_references_agree_on(cubic):
    # From the middle outwards; each kind of reference has one t below it and one above.
    stations = [(3 / 8, "border"), (5 / 8, "blur"), (1 / 8, "blur"), (7 / 8, "border")]
    drawn, each, size = of(cubic), [], {}
    for (t, kind), found in zip(stations, path_evidence(cubic, of(cubic), 4), strict=True):
        each.append(evidence_at(cubic, t, drawn.draw(kind)))
        torch.testing.assert_close(found.signed, torch.stack(each).mean(dim=0))
        absolute = each[-1].abs().sum(dim=1, keepdim=True)
        size[kind] = size.get(kind, 0) + absolute
        spreads = [in_units_of_their_spread(smooth(one, 1.5)) for one in size.values()]
        lower = torch.minimum(*spreads) if len(spreads) == 2 else spreads[0]
        torch.testing.assert_close(found.magnitude, lower, rtol=1e-4, atol=1e-4)


WITHOUT_A_POOL = (("border", "blur"), ("border", "mean", "blur"))


def solved(
    problem,
    *,
    path,
    steps,
    rate,
    momentum,
    softness,
    sigma,
    step_sigmas,
    areas_of,
    kinds=WITHOUT_A_POOL,
):
    """The last map of the solver, written out; ``areas_of(step, generator)`` are its shares."""
    path_kinds, step_kinds = kinds
    x, drawn = problem.x, of(problem)
    stations = sorted(((i + 0.5) / path for i in range(path)), key=lambda t: abs(t - 0.5))
    first, second = path_kinds
    turns = [first, second, second, first] * path
    each = [
        evidence_at(problem, t, drawn.draw(kind)) for t, kind in zip(stations, turns, strict=False)
    ]
    signed = torch.stack(each).mean(dim=0).sum(dim=1, keepdim=True)
    theta = in_units_of_their_spread(smooth(signed, sigma))
    velocity = torch.zeros_like(theta)
    for step in range(steps):
        areas = areas_of(step, drawn.draws)
        r = drawn.draw(step_kinds[step % len(step_kinds)])
        ranked = theta.clone().requires_grad_(True)
        loss = 0.0
        for area in areas:
            falling = theta.flatten(1).sort(dim=1, descending=True).values
            edge = falling[:, int(area * falling.shape[1])].view(-1, 1, 1, 1)
            alpha = torch.sigmoid((ranked - edge) / softness)
            keep, drop = r + (x - r) * alpha, x + (r - x) * alpha
            odds = [problem.subject.network(one)[:, 1] for one in (keep, drop)]
            loss = loss + (torch.sigmoid(odds[1] / 2) - torch.sigmoid(odds[0] / 2)).sum()
        (gradient,) = torch.autograd.grad(loss, ranked)
        shaped = [in_units_of_their_spread(smooth(gradient, one)) for one in step_sigmas]
        velocity = momentum * velocity - sum(shaped) / len(shaped)
        theta = theta + rate * velocity
    if "cells" in path_kinds:
        # What is not there is known of references that are no real cells.
        drawn = of(problem)
        each = [evidence_at(problem, t, drawn.draw("border")) for t in (3 / 6, 1 / 6, 5 / 6)]
        signed = torch.stack(each).mean(dim=0).sum(dim=1, keepdim=True)
    pixels = x.shape[2] * x.shape[3]
    return dealt_out(theta, smooth(signed, sigma) * pixels)


def assert_same_map(values, wanted):
    """The same values, at the same pixels, but that rounding may exchange two next in rank."""
    in_order = [one.flatten(2).sort(dim=2).values for one in (values, wanted)]
    torch.testing.assert_close(*in_order, rtol=1e-3, atol=1e-2)
    planes = [one.flatten(0, 1).numpy() for one in (values, wanted)]
    assert_same_order(*planes, rho=0.9999, furthest=1 / planes[0][0].size)


def dealt_out(theta, values):
    """The highest value to the pixel with the highest theta, and so on, in each channel."""
    result = torch.zeros_like(theta)
    for cell in range(theta.shape[0]):
        for channel in range(theta.shape[1]):
            ranks = theta[cell, channel].flatten().argsort().argsort()
            result[cell, channel] = (
                values[cell, channel].flatten().sort().values[ranks].view(theta.shape[2:])
            )
    return result


def golden(step, generator):
    return [(step + 1) * 0.6180339887 % 1]


def halves(step, generator):
    drawn = torch.rand(2, generator=generator).tolist()
    return [drawn[0] / 2, (1 + drawn[1]) / 2]


@pytest.mark.parametrize("steps", [0, 1, 2, 7])
def test_the_steps_of_the_solver_are_those_of_its_formula(cubic, steps):
    wanted = solved(
        cubic,
        path=3,
        steps=steps,
        rate=0.35,
        momentum=0.5,
        softness=0.5,
        sigma=1.0,
        step_sigmas=(0.5, 2.0),
        areas_of=golden,
    )
    *_, last = solve(cubic, SolverSettings(steps=steps))
    assert_same_map(last.values, wanted)


def test_high_fidelity_takes_smaller_steps_and_real_cells_on_the_path(cubic, real_cells):
    made = {"rate": 0.1, "momentum": 0.5, "softness": 0.5, "sigma": 1.0, "step_sigmas": (0.5, 2.0)}
    for problem, kinds in (
        (cubic, WITHOUT_A_POOL),
        (real_cells(cubic), (FIDELITY.path_kinds, FIDELITY.step_kinds)),
    ):
        wanted = solved(problem, path=6, steps=5, areas_of=golden, kinds=kinds, **made)
        *_, last = solve(problem, replace(FIDELITY, steps=5))
        assert_same_map(last.values, wanted)


def test_every_second_step_takes_a_real_cell_where_there_are_any(cubic, real_cells):
    problem, settings = real_cells(cubic), SolverSettings(steps=6)
    wanted = solved(
        problem,
        path=3,
        steps=6,
        rate=0.35,
        momentum=0.5,
        softness=0.5,
        sigma=1.0,
        step_sigmas=(0.5, 2.0),
        areas_of=golden,
        kinds=(settings.path_kinds, ("cells", "border", "cells", "blur")),
    )
    *_, last = solve(problem, settings)
    assert_same_map(last.values, wanted)
    *_, without = solve(cubic, settings)
    maps = [one.values[:, 0].numpy() for one in (last, without)]
    assert rank_correlation(*maps).max() < 0.99


def test_several_shares_in_a_step_come_from_parts_of_the_range(cubic):
    wanted = solved(
        cubic,
        path=3,
        steps=4,
        rate=0.1,
        momentum=0.5,
        softness=0.5,
        sigma=1.0,
        step_sigmas=(0.5, 2.0),
        areas_of=halves,
    )
    *_, last = solve(cubic, SolverSettings(steps=4, areas=2, rate=0.1))
    assert_same_map(last.values, wanted)


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("settings", [SolverSettings(), replace(FIDELITY, steps=6)])
def test_values_are_the_evidence_on_a_path_without_real_cells(
    cubic, real_cells, settings, pool, separate
):
    problem = replace(real_cells(cubic) if pool else cubic, separate=separate)
    of_cells = pool and "cells" in settings.path_kinds
    kinds, points = (("border",), 3) if of_cells else (("border", "blur"), settings.path)
    *_, evidence = path_evidence(problem, of(problem), points, kinds)
    signed = evidence.signed if separate else evidence.signed.sum(dim=1, keepdim=True)
    pixels = problem.x.shape[2] * problem.x.shape[3]
    wanted = (smooth(signed, settings.sigma) * pixels).flatten(2).sort(dim=2).values
    *_, last = solve(problem, settings)
    values = last.values.flatten(2).sort(dim=2).values
    torch.testing.assert_close(values, wanted, rtol=1e-4, atol=1e-3)


def test_values_add_up_to_the_change_of_the_log_odds(planted, make_problem):
    # A linear network, so that the path from a reference holds all of the change.
    problem = make_problem(planted.network, planted.crops)
    *_, last = solve(problem, SolverSettings())
    drawn = of(problem)
    odds = [problem.target.log_odds(planted.network(problem.x))]
    for kind in ("border", "blur", "blur"):
        odds.append(problem.target.log_odds(planted.network(drawn.draw(kind))))
    change = odds[0] - torch.stack(odds[1:]).mean(dim=0)
    # The blur of the map loses a little at the border of the crop.
    torch.testing.assert_close(
        last.values.sum(dim=1).mean(dim=(1, 2)), change, rtol=0.02, atol=0.02
    )


def test_without_evidence_on_the_path_the_ranks_stay(cubic):
    # Blurred and bordered alike, a crop of one value has no evidence: nothing is dealt out.
    constant = replace(cubic, x=torch.full_like(cubic.x, 0.5))
    for maps in solve(constant, SolverSettings(steps=2)):
        assert maps.values.isfinite().all()


def test_coarse_blurs_of_a_step_grow_with_the_side_of_large_crops():
    settings = SolverSettings(step_sigmas=(0.5, 2.0, 3.0))
    assert settings.blurs((24, 60)) == settings.blurs((48, 48)) == (0.5, 2.0, 3.0)
    assert settings.blurs((96, 120)) == (0.5, 4.0, 6.0)


@pytest.mark.parametrize(("name", "count"), [("pcim", 9), ("pcim-fidelity", 126), ("literal", 20)])
def test_a_method_has_so_many_steps(cubic, name, count):
    assert METHODS[name].steps(cubic) == len(maps_of(name, cubic)) == count


def test_the_literal_form_is_adam_on_the_cross_entropy_of_what_is_kept_on_black(cubic):
    x = cubic.x
    black = x.flatten(2).min(dim=2).values[:, :, None, None]
    w = torch.full((2, 1, 12, 10), 0.5)
    first, second = torch.zeros_like(w), torch.zeros_like(w)
    for step in range(1, 21):
        ranked = w.clone().requires_grad_(True)
        keep = black + (x - black) * ranked.clamp(min=0)
        p = torch.sigmoid(cubic.subject.network(keep)[:, 1])
        (gradient,) = torch.autograd.grad(-p.log().sum(), ranked)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        w = w - 0.1 * (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
    torch.testing.assert_close(maps_of("literal", cubic)[-1], w.clamp(min=0), rtol=1e-3, atol=1e-3)
