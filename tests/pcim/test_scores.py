"""Scores agree with other implementations of them, and have the properties they are chosen for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import auc, roc_auc_score

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.pcim.cell_pool import PooledCells
from napari_channelmix.pcim.inpainting import filled_in
from napari_channelmix.pcim.references import REPORTED, Reference, reference
from napari_channelmix.pcim.scores import (
    SHARES,
    Fidelity,
    auroc,
    fidelity_job,
    joined,
    rank_accuracy,
    rank_correlation,
    relative_change,
    shared_strongest,
)

rng = np.random.default_rng(0)


def fidelity(problem, maps, **more):
    return drain(
        fidelity_job(problem.subject, problem.x, problem.mean, problem.target, maps, **more)
    )


def curves_pixel_by_pixel(problem, cell, one, kind, seed):
    """Insertion and deletion probabilities of a cell, with Python lists and loops."""
    x = problem.x
    r = reference(kind, x, problem.mean, torch.Generator().manual_seed(seed))[cell].numpy()
    x = x[cell].numpy()
    places = sorted(np.ndindex(one.shape), key=lambda place: -one[place])
    found = []
    for share in SHARES:
        inserted, deleted = r.copy(), x.copy()
        for place in places[: round(share * len(places))]:
            where = place if len(place) == 3 else (slice(None), *place)
            inserted[where], deleted[where] = x[where], r[where]
        with torch.no_grad():
            scores = problem.subject.scores(torch.from_numpy(np.stack([inserted, deleted])))
        found.append(torch.softmax(scores, 1)[:, int(problem.target.of[cell])].tolist())
    return np.array(found).T


@pytest.mark.parametrize("shape", [(3, 16, 16), (3, 2, 16, 16)])
def test_curves_are_those_of_a_loop_over_pixels(shape, classifier, crops, make_problem):
    problem = make_problem(classifier, crops[:3], of=[1, 0, 1])
    maps = rng.normal(size=shape).astype(np.float32)
    found = fidelity(problem, maps, seed=5)
    assert found.references == REPORTED
    for at, kind in enumerate(REPORTED):
        if kind == "filled":
            # It depends on the mask: see the next test.
            continue
        for cell in range(3):
            inserting, deleting = curves_pixel_by_pixel(problem, cell, maps[cell], kind, 5)
            np.testing.assert_allclose(found.inserting[at, cell], inserting, atol=1e-5)
            np.testing.assert_allclose(found.deleting[at, cell], deleting, atol=1e-5)
    areas = [np.mean([auc(SHARES, one[cell]) for one in found.inserting]) for cell in range(3)]
    np.testing.assert_allclose(found.insertion, areas, atol=1e-6)
    np.testing.assert_allclose(found.srg, found.insertion - found.deletion)


def test_pixels_that_are_filled_in_follow_from_those_that_are_kept(classifier, crops, make_problem):
    problem = make_problem(classifier, crops[:1])
    values = rng.normal(size=(1, 16, 16)).astype(np.float32)
    curves = fidelity(problem, values, references=("filled",), shares=(0.25,))
    kept = torch.from_numpy(values >= np.sort(values.ravel())[-64])[:, None]
    grain = Reference(problem.x, problem.mean).grain()
    for mask, curve in ((kept, curves.inserting), (~kept, curves.deleting)):
        filled = filled_in(problem.x, mask, problem.mean) + grain
        images = torch.where(mask, problem.x, filled)
        p = problem.target.probability(problem.subject.scores(images)).detach()
        np.testing.assert_allclose(curve[0, :, 0], p, rtol=1e-5)


def test_other_cells_are_reported_by_themselves_and_not_in_the_mean(
    classifier, crops, make_problem
):
    problem = make_problem(classifier, crops[:2])
    others = PooledCells(problem.subject.prepare(crops[2:5]), torch.tensor([-1, -1]))
    maps = rng.normal(size=(2, 16, 16)).astype(np.float32)
    curves = fidelity(problem, maps, other_cells=others)
    assert curves.references == (*REPORTED, "other cells")
    np.testing.assert_allclose(curves.srg, curves.srg_by_reference[:-1].mean(axis=0))
    np.testing.assert_allclose(curves.mean_inserting, curves.inserting[:-1].mean(axis=0))
    alone = fidelity(problem, maps, other_cells=others, references=("other cells",))
    np.testing.assert_allclose(alone.srg, curves.srg_by_reference[-1])
    # The whole image is that of the other cell where nothing is kept.
    draws = torch.Generator().manual_seed(0)
    donor = others.x[int(torch.randint(3, (1,), generator=draws))]
    p = problem.target.probability(problem.subject.scores(donor.expand(2, -1, -1, -1))).detach()
    np.testing.assert_allclose(alone.inserting[0, :, 0], p, rtol=1e-5)


def test_curves_begin_and_end_where_they_must(planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    found = fidelity(problem, rng.normal(size=(4, 24, 20)).astype(np.float32))
    whole = problem.target.probability(problem.subject.scores(problem.x)).detach()
    for curve, end in ((found.inserting, -1), (found.deleting, 0)):
        np.testing.assert_allclose(curve[:, :, end], np.stack([whole] * len(REPORTED)), rtol=1e-5)
    np.testing.assert_allclose(found.inserting[:, :, 0], found.deleting[:, :, -1], rtol=1e-5)


def test_ties_fall_to_the_first_pixel(planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    flat = np.zeros((4, 24, 20), np.float32)
    falling = -np.arange(480, dtype=np.float32).reshape(1, 24, 20).repeat(4, 0)
    assert np.array_equal(fidelity(problem, flat).srg, fidelity(problem, falling).srg)


def test_no_map_beats_the_truth(planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    truth = np.repeat(planted.masks[0][None].astype(np.float32), 4, 0)
    best = fidelity(problem, truth).srg
    for _ in range(10):
        assert (fidelity(problem, rng.normal(size=truth.shape).astype("f4")).srg < best).all()
    assert (fidelity(problem, -truth).srg < -0.3).all()


def test_parts_join_to_the_whole_whatever_the_batch(planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    maps = rng.normal(size=(4, 24, 20)).astype(np.float32)
    whole = fidelity(problem, maps)
    halves = [
        fidelity(make_problem(planted.network, planted.crops[some]), maps[some], batch=1)
        for some in (slice(0, 3), slice(3, 4))
    ]
    np.testing.assert_allclose(joined(halves).srg, whole.srg, atol=1e-5)
    assert joined(halves).inserting.shape == whole.inserting.shape


@pytest.mark.parametrize("shape", [(4, 20, 24), (3, 24, 20), (4, 2, 24, 20)])
def test_maps_that_do_not_fit_are_refused(shape, planted, make_problem):
    problem = make_problem(planted.network, planted.crops)
    with pytest.raises(DataError, match="do not fit cells"):
        fidelity(problem, np.zeros(shape, np.float32))


# Few distinct values, so that there are many ties.
maps_with_ties = hnp.arrays(np.float32, (2, 4, 5), elements=st.integers(-3, 3))
some_masks = hnp.arrays(bool, (2, 4, 5))


@given(maps_with_ties, some_masks)
def test_auroc_is_that_of_scikit_learn(maps, masks):
    for cell, found in enumerate(auroc(maps, masks)):
        inside = masks[cell].ravel()
        if inside.all() or not inside.any():
            assert np.isnan(found)
        else:
            assert found == pytest.approx(roc_auc_score(inside, maps[cell].ravel()))


@given(maps_with_ties, some_masks)
def test_auroc_knows_ranks_only(maps, masks):
    np.testing.assert_array_equal(auroc(maps, masks), auroc(np.exp(maps / 2) - 7, masks))
    np.testing.assert_allclose(auroc(-maps, masks), 1 - auroc(maps, masks))


@given(maps_with_ties, some_masks)
def test_rank_accuracy_is_that_of_a_sorted_list(maps, masks):
    for cell, found in enumerate(rank_accuracy(maps, masks)):
        inside, values = masks[cell].ravel().tolist(), maps[cell].ravel().tolist()
        size = sum(inside)
        best = sorted(range(20), key=lambda place: -values[place])[:size]
        if size:
            assert found == pytest.approx(sum(inside[place] for place in best) / size)
        else:
            assert np.isnan(found)


def test_a_perfect_map_has_perfect_localisation(planted):
    masks = planted.masks[0][None]
    truth = masks.astype(np.float32)
    assert rank_accuracy(truth, masks).tolist() == [1.0]
    assert auroc(truth, masks).tolist() == [1.0]
    with pytest.raises(DataError, match="differ"):
        auroc(truth, masks[:, :-1])


@settings(max_examples=50)
@given(maps_with_ties, maps_with_ties)
def test_rank_correlation_is_scipys(maps, others):
    for cell, found in enumerate(rank_correlation(maps, others)):
        one, other = maps[cell].ravel(), others[cell].ravel()
        if np.ptp(one) == 0 or np.ptp(other) == 0:
            assert found == 0
        else:
            assert found == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-9)


@given(maps_with_ties)
def test_relative_change_knows_no_scale(maps):
    there = np.abs(maps).sum(axis=(1, 2)) > 0
    np.testing.assert_allclose(relative_change(maps, 3 * maps), 0, atol=1e-6)
    np.testing.assert_allclose(relative_change(maps, -maps), 2.0 * there, atol=1e-6)
    np.testing.assert_allclose(relative_change(maps, 0 * maps), 1.0 * there, atol=1e-6)


# ---------------------------------------------------------------- the formulas, by hand


def test_curves_are_taken_from_no_pixel_to_all_and_densely_at_first():
    assert SHARES[:5] == (0, 0.005, 0.01, 0.02, 0.03)
    assert SHARES[5:] == (0.045, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.28, 0.35, 0.45, 0.6, 0.8, 1)


def test_areas_are_those_of_trapezoids_and_means_over_the_references():
    curves = np.array([[[0.0, 1.0, 1.0]], [[0.0, 0.5, 1.0]]], np.float32)
    found = Fidelity(np.array([0.0, 0.2, 1.0]), curves, curves[:, :, ::-1], ("a", "b"))
    # 0.1 + 0.8 and 0.05 + 0.6; turned round 0.2 + 0.4 and 0.15 + 0.2.
    assert found.insertion == pytest.approx([(0.9 + 0.65) / 2])
    assert found.deletion == pytest.approx([(0.6 + 0.35) / 2])
    assert found.srg == pytest.approx([0.3])


def test_relative_change_is_the_distance_of_maps_of_unit_length():
    maps, others = np.array([[[3.0, 4.0]]]), np.array([[[1.0, 0.0]]])
    # (0.6, 0.8) and (1, 0).
    assert relative_change(maps, others) == pytest.approx([np.sqrt(0.4**2 + 0.8**2)])


def test_rank_correlation_is_that_of_the_ranks():
    # Ranks 1 2 3 and 2 1 3: 1 - 6 * 2 / (3 * 8).
    assert rank_correlation(np.array([[[1, 5, 90]]]), np.array([[[2, 1, 3]]])) == pytest.approx(0.5)


@pytest.mark.parametrize(("share", "shared"), [(0.01, 0), (0.1, 0), (0.2, 1 / 2), (0.3, 1)])
def test_the_strongest_pixels_are_a_share_and_one_at_least(share, shared):
    maps = np.arange(10.0)[::-1].reshape(1, 2, 5)
    others = np.array([6, 9, 7, 0, 0, 0, 0, 0, 0, 0.0]).reshape(1, 2, 5)
    # The highest first: pixels 0, 1, 2 here and 1, 2, 0 there.
    assert shared_strongest(maps, others, share) == pytest.approx([shared])


def test_a_tenth_of_the_pixels_is_strongest_unless_asked_otherwise():
    maps = np.arange(20.0).reshape(1, 4, 5)
    others = maps.copy()
    others[0, 3, 3] = -1
    assert shared_strongest(maps, others) == pytest.approx([0.5])
    assert shared_strongest(maps, others) == shared_strongest(maps, others, 0.1)
