"""The decoy test and Holm's correction."""

import numpy as np

from napari_channelmix.dcmix.negative_control import dealt, decoy_p_values, holm, paired_p_values


def test_a_channel_far_above_its_decoys_is_found_and_one_among_them_is_not():
    rng = np.random.default_rng(0)
    decoys = 0.1 * np.exp(rng.normal(0, 0.2, (4, 6)))
    shares = np.concatenate([np.full((4, 1), 0.5), decoys[::-1, 1:]], axis=1)
    p_values = decoy_p_values(shares, decoys)
    assert p_values[0] < 1e-4
    assert (p_values[1:] > 0.05).all()


def test_p_values_are_uniform_where_a_channel_is_one_draw_of_its_decoys():
    # The share of a real channel hardly varies over the seeds: its chance link to the labels is
    # one draw, while its decoys draw anew. That is what a paired test gets wrong.
    rng = np.random.default_rng(1)
    honest, fooled = [], []
    for _ in range(300):
        decoys = 0.1 * np.exp(rng.normal(0, 0.3, (4, 5)))
        once = 0.1 * np.exp(rng.normal(0, 0.3, 5))
        shares = once * np.exp(rng.normal(0, 0.01, (4, 5)))
        honest += decoy_p_values(shares, decoys).tolist()
        fooled += paired_p_values(shares, decoys).tolist()
    assert 0.02 < np.mean(np.array(honest) < 0.05) < 0.08
    assert np.mean(np.array(fooled) < 0.05) > 0.1


def test_holm_multiplies_the_smallest_most_and_never_falls():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    assert holm(np.array([0.9, 0.8])).max() == 1


def test_shares_of_nothing_at_all_still_give_a_number():
    p_values = decoy_p_values(np.array([[1.0, 0.0]] * 4), np.array([[0.0, 0.1]] * 4))
    assert np.isfinite(p_values).all()


def test_decoys_are_dealt_by_whole_wells_of_any_class_and_size():
    sizes = [3, 5, 2, 4, 4]
    wells = np.repeat([f"w{i}" for i in range(5)], sizes)
    givers = []
    for seed in range(200):
        donors = dealt(wells, np.random.default_rng(seed))
        pairs = {(own, giver) for own, giver in zip(wells, wells[donors], strict=True)}
        assert len(pairs) == 5
        assert len({giver for _, giver in pairs}) == 5
        givers.append(wells[donors][0])
        # A well that is large enough gives each of its cells once.
        large = donors[wells == "w2"]
        assert len(set(large.tolist())) == 2
    assert set(givers) == set(wells)


def test_decoys_of_single_cells_are_a_permutation_of_the_cells():
    donors = dealt(np.arange(50).astype(str), np.random.default_rng(0))
    assert sorted(donors.tolist()) == list(range(50))
