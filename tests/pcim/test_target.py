"""Targets: log odds as the softmax says, and questions that make no sense are refused."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.target import Target, chosen_target

CLASSES = ("a", "b", "c")
PREDICTED = np.array([0, 1, 2, 1])

scores_of_classes = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 5), st.integers(2, 4)), elements=st.floats(-20, 20)
)


@given(scores_of_classes)
def test_probability_is_that_of_the_softmax(scores):
    scores = torch.from_numpy(scores)
    of = torch.arange(len(scores)) % scores.shape[1]
    wanted = torch.softmax(scores, dim=1)[torch.arange(len(scores)), of]
    torch.testing.assert_close(Target(of).probability(scores), wanted)
    own, rest = Target(of).log_losses(scores)
    torch.testing.assert_close(own.exp(), 1 / wanted)
    torch.testing.assert_close(torch.exp(-own) + torch.exp(-rest), torch.ones(len(scores)).double())


@given(scores_of_classes)
def test_against_one_class_the_others_do_not_count(scores):
    scores = torch.from_numpy(scores)
    of = torch.zeros(len(scores), dtype=torch.long)
    target = Target(of, of + 1)
    pair = torch.softmax(scores[:, :2], dim=1)[:, 0]
    torch.testing.assert_close(target.probability(scores), pair)


def test_parts_and_repeats_keep_both_classes():
    target = Target(torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0]))
    assert target[1:].of.tolist() == [1, 2]
    assert target[1:].versus.tolist() == [2, 0]
    assert target.repeated(2).versus.tolist() == [1, 2, 0, 1, 2, 0]
    assert len(target.repeated(2)) == 6
    assert target.to(torch.device("cpu")).versus.tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("asked", "means"),
    [
        (None, [0, 1, 2, 1]),
        ("c", [2, 2, 2, 2]),
        (1, [1, 1, 1, 1]),
        (np.int64(1), [1, 1, 1, 1]),
        (["a", 1, "c", np.int64(0)], [0, 1, 2, 0]),
        (np.array([2, 2, 0, 0]), [2, 2, 0, 0]),
    ],
)
def test_targets_may_be_names_or_positions_for_all_or_each(asked, means):
    target = chosen_target(asked, None, PREDICTED, CLASSES)
    assert target.of.tolist() == means
    assert target.versus is None


@pytest.mark.parametrize(
    ("target", "versus", "says"),
    [
        ("d", None, "target: the classifier knows no class 'd'; it has a, b, c"),
        (3, None, "knows no class 3"),
        (-1, None, "knows no class -1"),
        (1.0, None, "knows no class 1.0"),
        ("a", "d", "versus: the classifier knows no class 'd'"),
        (["a"], None, "target: 1 classes for 4 cells"),
        ("a", "a", "cell 0: class 'a' cannot be compared with itself"),
        (None, "c", "cell 2: class 'c' cannot be compared with itself"),
    ],
)
def test_questions_that_make_no_sense_are_refused(target, versus, says):
    with pytest.raises(ModelError, match=says):
        chosen_target(target, versus, PREDICTED, CLASSES)


def test_messages_call_cells_by_their_name():
    with pytest.raises(ModelError, match="cell 102: "):
        chosen_target(None, "c", PREDICTED, CLASSES, lambda row: str(100 + row))


def test_a_classifier_of_one_class_is_refused():
    with pytest.raises(ModelError, match="one class always predicts it"):
        chosen_target(None, None, np.zeros(1, np.int64), ("only",))
