"""OMES, MIG and DCI: the published figures, and plain loops over their definitions."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from napari_channelmix.drl.metrics import ACTIVE, _focus, assigned, association, dci, mig, omes

# Section 5.2 of the specification, checked against both repositories of the authors: pooling over
# latents by their mean at alpha 0, .5 and 1, then by their maximum at .5.
GOLDEN = [
    (np.eye(3), (1, 1, 1), 1),
    (np.eye(4, 3), (1, 1, 1), 1),
    (np.ones((4, 3)), (0.25, 0.2917, 0.3333), 0.2917),
    ([[1, 0], [1, 0], [0, 1]], (0.8333, 0.9167, 1), 0.9167),
    ([[1, 1], [0, 0]], (1, 0.75, 0.5), 0.75),
    (0.1 + 0.7 * np.eye(3), (0.5627, 0.5627, 0.5627), 0.6933),
    (
        [[0.9, 0.2, 0.1], [0.1, 0.7, 0.3], [0.2, 0.1, 0.8], [0.3, 0.3, 0.3]],
        (0.4136, 0.4203, 0.4270),
        0.6481,
    ),
    (np.full((3, 3), 0.5), (0.25, 0.25, 0.25), 0.25),
]


@pytest.mark.parametrize(("matrix", "average", "best"), GOLDEN)
def test_omes_has_the_values_of_the_specification(matrix, average, best):
    for alpha, wanted in zip((0, 0.5, 1), average, strict=True):
        assert omes(matrix, alpha).score == pytest.approx(wanted, abs=5e-5)
    assert omes(matrix, 0.5, "max").score == pytest.approx(best, abs=5e-5)


def plain_omes(s, alpha, pooling):
    latents, factors = s.shape
    scores = []
    for k in range(factors):
        overlap, multiple = [], []
        for d in range(latents):
            overlap.append(1 - sum(abs((j == k) - s[d, j]) for j in range(factors)) / factors)
            multiple.append(1 - sum(abs((e == d) - s[e, k]) for e in range(latents)) / latents)
        pooled = []
        for values in (overlap, multiple):
            weighted = [value * s[d, k] for d, value in enumerate(values)]
            if pooling == "max":
                pooled.append(max(weighted))
            else:
                total = s[:, k].sum()
                pooled.append(sum(w * s[d, k] for d, w in enumerate(weighted)) / total)
        scores.append(alpha * pooled[0] + (1 - alpha) * pooled[1])
    return scores


@pytest.mark.parametrize("pooling", ["average", "max"])
@pytest.mark.parametrize("seed", range(5))
def test_omes_is_its_definition_written_out(seed, pooling):
    rng = np.random.default_rng(seed)
    s = rng.random((rng.integers(2, 8), rng.integers(2, 6)))
    alpha = rng.random()
    found = omes(s, alpha, pooling)
    np.testing.assert_allclose(found.per_factor, plain_omes(s, alpha, pooling))
    assert found.score == pytest.approx(np.mean(found.per_factor))


def test_a_factor_that_no_latent_follows_scores_0():
    found = omes([[1, 0], [0.5, 0]])
    assert found.per_factor[1] == 0
    assert np.isfinite(found.score)


def test_omes_of_no_latents_is_0():
    assert omes(np.zeros((0, 3))).score == 0


# ---------------------------------------------------------------- association


def test_association_is_one_minus_the_correlation_of_the_pairs():
    rng = np.random.default_rng(0)
    first = [rng.normal(size=(50, 4)) for _ in range(3)]
    second = [one * rng.normal(size=4) + rng.normal(size=(50, 4)) for one in first]
    found = association(first, second)
    assert found.shape == (4, 3)
    for k in range(3):
        for d in range(4):
            rho = np.corrcoef(first[k][:, d], second[k][:, d])[0, 1]
            assert found[d, k] == pytest.approx(1 - abs(rho))


def test_a_constant_latent_is_associated_with_nothing():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 40, 2))
    one[:, 0] = other[:, 0] = 0.7
    found = association([one], [other])
    assert found[0, 0] == 0
    assert found[1, 0] > 0.5


@pytest.mark.parametrize(("values", "ceiling"), [(2, 0.0), (3, 0.5), (5, 0.75), (40, 0.974)])
def test_the_ceiling_of_the_paper_and_the_lack_of_one_with_replacement(values, ceiling):
    rng = np.random.default_rng(0)
    old = rng.integers(0, values, 100_000)
    other = (old + rng.integers(1, values, 100_000)) % values
    anew = rng.integers(0, values, 100_000)
    first = old[:, None].astype(float)
    assert association([first], [other[:, None].astype(float)])[0, 0] == pytest.approx(
        ceiling, abs=0.01
    )
    assert association([first], [anew[:, None].astype(float)])[0, 0] > 0.99


def test_each_factor_is_given_the_latent_that_makes_the_best_whole():
    s = [[0.9, 0.8, 0.0], [0.8, 0.1, 0.0], [0.0, 0.0, 0.0], [0.1, 0.0, 0.3]]
    # By its largest entry, the first latent would serve two factors.
    assert assigned(s).tolist() == [1, 0, 3]
    assert sorted(assigned(np.eye(2, 3)).tolist()) == [-1, 0, 1]


# ---------------------------------------------------------------- information


def test_mig_is_the_gap_of_the_mutual_information_over_the_entropy():
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(0, v, 3000) for v in (3, 8)], axis=1)
    latents = factors @ rng.normal(size=(2, 4)) + 0.5 * rng.normal(size=(3000, 4))
    score, gaps = mig(latents, factors)
    for k in range(2):
        shared = []
        for column in latents.T:
            edges = np.linspace(column.min(), column.max(), 21)
            binned = np.digitize(column, edges[1:-1])
            shared.append(mutual_info_score(binned, factors[:, k]))
        best, second = sorted(shared)[:-3:-1]
        entropy = mutual_info_score(factors[:, k], factors[:, k])
        assert gaps[k] == pytest.approx((best - second) / entropy, abs=1e-6)
    assert score == pytest.approx(gaps.mean())


def test_mig_of_a_perfect_code_is_1_and_of_a_doubled_one_0():
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(0, 5, 2000) for _ in range(2)], axis=1)
    assert mig(factors, factors)[0] == pytest.approx(1, abs=0.01)
    assert mig(np.concatenate([factors, factors], axis=1), factors)[0] == pytest.approx(0)


def test_a_factor_of_one_value_and_a_constant_latent_count_nothing():
    factors = np.stack([np.zeros(100, int), np.arange(100) % 2], axis=1)
    latents = np.stack([np.full(100, 0.3), factors[:, 1]], axis=1)
    score, gaps = mig(latents, factors)
    assert gaps.tolist() == [0, pytest.approx(1)]
    assert score == pytest.approx(0.5)


# ---------------------------------------------------------------- prediction


@pytest.fixture(scope="module")
def factors():
    return np.random.default_rng(0).integers(0, 3, (600, 3))


def test_dci_of_a_perfect_code_is_1(factors):
    found = dci(factors + 0.01, factors, stages=20)
    assert found.disentanglement == pytest.approx(1, abs=0.02)
    assert found.completeness == pytest.approx(1, abs=0.02)
    assert found.informativeness == 1
    assert found.importance.argmax(axis=0).tolist() == [0, 1, 2]


def test_dci_of_a_mixed_code_is_low_and_of_a_doubled_one_incomplete(factors):
    turned = factors @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    assert dci(turned, factors, stages=20).disentanglement < 0.7
    # Each factor in two halves: what is right modulo 2, and the rest.
    halves = np.concatenate([factors % 2, factors // 2], axis=1)
    doubled = dci(halves, factors, stages=20)
    assert doubled.disentanglement > 0.95
    assert doubled.completeness < 0.8


def test_dci_of_noise_is_uninformative(factors):
    noise = np.random.default_rng(2).normal(size=factors.shape)
    assert dci(noise, factors, stages=10).informativeness < 0.45


# ---------------------------------------------------------------- the formulas, by hand


def test_omes_of_two_by_two_is_that_of_its_formula():
    # S = [[.8, .4], [.2, .6]]. Overlap of latent d and factor k: 1 - (|1 - S_dk| + S_dj) / 2;
    # encoding: 1 - (|1 - S_dk| + S_ek) / 2, with the other factor j and the other latent e.
    overlap = [[0.7, 0.3], [0.3, 0.7]]
    multiple = [[0.8, 0.4], [0.2, 0.6]]
    # Pooled over the latents d by S_dk: sum of S^2 O / sum of S.
    of_first = (0.64 * 0.7 + 0.04 * 0.3) / 1.0, (0.64 * 0.8 + 0.04 * 0.2) / 1.0
    of_second = (0.16 * 0.3 + 0.36 * 0.7) / 1.0, (0.16 * 0.4 + 0.36 * 0.6) / 1.0
    assert (overlap[0][0], multiple[1][1]) == (0.7, 0.6)
    found = omes([[0.8, 0.4], [0.2, 0.6]], alpha=0.25)
    wanted = [0.25 * o + 0.75 * m for o, m in (of_first, of_second)]
    assert found.per_factor == pytest.approx(wanted)
    assert found.score == pytest.approx(sum(wanted) / 2)
    assert omes([[0.8, 0.4], [0.2, 0.6]]).score == omes([[0.8, 0.4], [0.2, 0.6]], 0.5).score


def test_mig_has_twenty_bins_of_equal_width():
    # 0, 1, ..., 19 in 20 bins is each value in a bin of its own; in fewer bins some share one.
    values = np.arange(20)
    assert mig(values[:, None].astype(float), values[:, None])[0] == pytest.approx(1)
    # 0.04 apart: 0 and 1 in the first bin of 0 .. 20 * 1.2, so that only the others are told apart.
    latents = np.array([0.0, 1.0, 24.0, 12.0])
    share = (np.log(4) - 2 / 4 * np.log(2)) / np.log(4)
    assert mig(latents[:, None], np.arange(4)[:, None])[0] == pytest.approx(share)
    assert mig(latents[:, None], np.arange(4)[:, None], bins=25)[0] == pytest.approx(1)


def test_focus_is_one_minus_entropy_to_the_base_of_the_columns_weighted_by_the_rows():
    # Rows with the shares (1, 0), (1/2, 1/2) and (3/4, 1/4), which weigh 2, 1 and 4.
    mixed = 1 - (3 / 4 * np.log2(4 / 3) + 1 / 4 * np.log2(4))
    found = _focus(np.array([[2.0, 0], [0.5, 0.5], [3, 1]]))
    assert found == pytest.approx((2 * 1 + 1 * 0 + 4 * mixed) / 7)


def test_dci_trains_on_two_thirds_and_tests_on_the_last_third():
    # The latent says the factor in the first two thirds, and its opposite in the last.
    factor = np.random.default_rng(0).integers(0, 2, 300)
    latent = np.where(np.arange(300) < 200, factor, 1 - factor).astype(float)
    found = dci(
        np.stack([latent, np.zeros(300)], axis=1), factor[:, None].repeat(2, axis=1), stages=5
    )
    assert found.informativeness == 0


def test_a_latent_is_active_from_a_twentieth_on():
    assert ACTIVE == 0.05
