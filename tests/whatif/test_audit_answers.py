"""How the figures of an audit are read: the bars between green, amber and red."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.classify.accuracy import AccuracyEstimate, estimate_accuracy
from napari_channelmix.whatif.audit_answers import (
    by_design,
    changed_check,
    kept_of,
    kept_word,
    not_tested,
)
from napari_channelmix.whatif.audit_result import AuditCheck
from napari_channelmix.whatif.group_intervals import GroupedShare, share_of, surplus_of

GROUPS = np.repeat(np.arange(20), 10)
AB = ((0, "a"), (1, "b"))


def accuracy(right: float) -> AccuracyEstimate:
    """Of 20 wells of ten cells, ten wells of each class, with so many right in each."""
    labels = np.repeat([0, 1], 100)
    hit = np.tile(np.arange(10) < round(10 * right), 20)
    return estimate_accuracy(labels, np.where(hit, labels, 1 - labels), GROUPS, ("a", "b"))


@pytest.mark.parametrize(
    ("after", "kept", "word"), [(0.5, 0.0, "green"), (0.7, 0.5, "red"), (0.9, 1.0, "red")]
)
def test_half_of_the_advantage_over_a_guess_is_red(after: float, kept: float, word: str) -> None:
    whole = accuracy(0.9)
    assert kept_of(accuracy(after), whole) == pytest.approx(kept)
    assert kept_word(accuracy(after), whole) == word


def test_what_may_be_chance_is_never_red() -> None:
    labels, groups = np.array([0, 1, 0, 1]), np.arange(4)
    few = estimate_accuracy(labels, np.array([0, 1, 0, 0]), groups, ("a", "b"))
    assert few.low < few.chance
    assert kept_word(few, accuracy(0.9)) == "amber"


def few_groups(moved: int) -> GroupedShare:
    """Two wells of ten cells; so many of each are moved."""
    return share_of(np.tile(np.arange(10) < moved, 2), np.repeat(np.arange(2), 10))


def test_changes_as_large_as_between_groups_are_read_more_strictly() -> None:
    # Two wells are too few to be sure of a fifth.
    fifth = few_groups(2)
    assert fifth.low < 0.05
    shares = {"exposure x 0.9": fifth}
    assert changed_check("exposure", shares, "another exposure").answer == "green"
    strict = changed_check("exposure", shares, "another exposure", within=shares)
    assert strict.answer == "amber"
    assert strict.figure == pytest.approx(0.2)
    shares["exposure x 0.7"] = share_of(np.tile(np.arange(10) < 7, 20), GROUPS)
    worst = changed_check("exposure", shares, "another exposure", within=["exposure x 0.9"])
    assert worst.answer == "red"
    assert "exposure x 0.7 moves .70" in worst.line


def test_what_clearly_moves_more_than_resampling_is_never_green() -> None:
    tenth = share_of(np.tile(np.arange(10) < 1, 20), GROUPS)
    assert 0.05 < tenth.low < tenth.share == pytest.approx(0.1)
    shares = {"exposure x 0.7": tenth}
    check = changed_check("exposure", shares, "another exposure")
    assert check.answer == "amber" and "changes predictions" in check.line
    # As many are moved by interpolation alone: the exposure is not to blame.
    sham = changed_check("exposure", shares, "another exposure", sham=tenth)
    assert sham.answer == "green" and "resampling, the sham, .10" in sham.line
    assert sham.figures[-1].name == "resampled (sham)"


def test_a_layout_counts_only_where_a_way_to_the_classifier_is_open() -> None:
    closed = AuditCheck("background alone", "", "green", "")
    assert by_design("red", [closed])[0] == "green"
    assert by_design("red", [closed, not_tested("background learnt", "no")])[0] == "amber"
    assert by_design("green", [not_tested("background learnt", "no")]) == ("green", "")


def test_the_surplus_over_a_sham_is_paired() -> None:
    moved, sham = np.tile([True, True, False], 20), np.tile([True, False, False], 20)
    surplus, low, high = surplus_of(moved, sham, np.repeat(np.arange(20), 3))
    assert surplus == pytest.approx(1 / 3)
    assert 0 < low < surplus < high
    assert np.isnan(surplus_of([], [], [])).all()


def test_the_worst_change_is_told_class_by_class() -> None:
    moved = np.tile(np.arange(10) < 6, 20)
    labels = np.repeat([0, 1], 100)

    def by_class(change: str) -> dict[str, GroupedShare]:
        assert change == "exposure x 0.7"
        return {name: share_of(moved[labels == code], GROUPS[labels == code]) for code, name in AB}

    shares = {"exposure x 0.7": share_of(moved, GROUPS)}
    check = changed_check("exposure", shares, "another exposure", by_class=by_class)
    assert "(of a .60, of b .60)" in check.line
    assert [row.name for row in check.figures][1:] == ["exposure x 0.7, a", "exposure x 0.7, b"]
