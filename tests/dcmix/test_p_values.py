"""p-values of channels: both tests have to be passed, and what is missing has its reason."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_channelmix.classify.channel_features import CropNumbers
from napari_channelmix.dcmix.label_link import LinkTest
from napari_channelmix.dcmix.negative_control import decoy_p_values
from napari_channelmix.dcmix.p_values import both_tests, p_values_job, too_few_groups
from napari_channelmix.jobs import drain

SHARES = np.array([[0.7, 0.3], [0.8, 0.2], [0.75, 0.25], [0.72, 0.28]])
DECOYS = np.array([[0.2, 0.3], [0.25, 0.2], [0.3, 0.25], [0.22, 0.33]])


def test_the_larger_p_counts():
    np.testing.assert_array_equal(
        both_tests(np.array([0.01, 0.2, 0.001]), np.array([0.03, 0.001, 0.001])), [0.03, 0.2, 0.001]
    )


@pytest.mark.parametrize(
    ("least", "ways", "groups", "channels", "says"),
    [
        # Wells 3 + 3: 20 deals, half of them mirror images of the others.
        (
            0.1,
            10,
            6,
            2,
            "6 groups can be labelled in 10 ways that differ: p, corrected for 2 channels, "
            "cannot fall below 0.2",
        ),
        # Wells 4 + 4: 70 deals. One channel of two could be found, one of three could be not.
        (1 / 35, 35, 8, 1, ""),
        (
            1 / 35,
            35,
            8,
            3,
            "8 groups can be labelled in 35 ways that differ: p, corrected for "
            "3 channels, cannot fall below 0.086",
        ),
        (1 / 462, 462, 12, 5, ""),
        (0.001, float("inf"), 1, 2, "all cells are in one group"),
        (
            0.5,
            2,
            2,
            40,
            "2 groups can be labelled in 2 ways that differ: p, corrected for 40 channels, "
            "cannot fall below 1",
        ),
    ],
)
def test_groups_that_are_too_few_for_a_small_p_are_the_reason(least, ways, groups, channels, says):
    link = LinkTest((least,) * channels, (1.0,) * channels, least, ways, groups)
    assert too_few_groups(link, channels, grouped=True) == says


def test_a_class_with_too_few_cells_is_the_reason():
    link = LinkTest.missing(2, 8)
    says = "a class has too few cells to test the channels alone"
    assert too_few_groups(link, 2, grouped=True) == says


def p_values(wells, *, repeats=4, opens=True, decoys=True, uncalibrated=""):
    """Of two channels: the first is brighter in the wells of the second class, the other constant.

    Half of the wells are of either class.
    """
    groups = np.repeat(np.arange(wells), 6)
    labels = (groups >= wells / 2).astype(np.int64)
    first = labels + np.random.default_rng(0).uniform(0, 0.5, len(labels))
    numbers = CropNumbers(
        np.stack([first, np.ones(len(labels))], axis=1)[:, None], np.zeros((len(labels), 0, 0))
    )
    importance = SimpleNamespace(
        channels=("a", "b"),
        shares_readable=opens,
        verdict="Reliable" if opens else "Nothing can be read: chance",
    )
    done = [
        SimpleNamespace(
            seed=seed,
            decoy_share=SHARES[seed].tolist(),
            decoys=DECOYS[seed].tolist() if decoys else None,
        )
        for seed in range(repeats)
    ]
    return drain(
        p_values_job(
            importance, done, numbers, labels, groups.astype(str), uncalibrated=uncalibrated
        )
    )


def test_p_values_of_wells_are_corrected_for_all_channels():
    result = p_values(12)
    # 462 ways to label twelve wells that differ: the first channel tells the true one only.
    assert result.p_alone == pytest.approx((1 / 462, 1.0))
    assert result.p_decoy == pytest.approx(tuple(decoy_p_values(SHARES, DECOYS)))
    assert result.p_value == pytest.approx((2 * max(result.p_decoy[0], 1 / 462), 1.0))
    assert result.reason == ""


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"wells": 6}, "6 groups can be labelled in 10 ways that differ"),
        ({"wells": 12, "repeats": 3}, "fewer than 4 repeats"),
        ({"wells": 12, "decoys": False}, "no negative control was asked for"),
        (
            {"wells": 12, "opens": False},
            "the shares must not be read (nothing can be read: chance)",
        ),
        ({"wells": 12, "uncalibrated": "another network"}, "another network"),
    ],
)
def test_missing_p_values_give_their_reason(asked, says):
    result = p_values(**asked)
    assert result.p_value is result.p_decoy is result.p_alone is None
    assert result.reason.startswith(says)
