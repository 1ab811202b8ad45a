"""What follows from what in a session: a function of the state before and the state after.

Whoever replaces a value replaces that one only (`Session.update`); what no longer holds then goes
by the rules below, in one step, so that nobody is told of a state that contradicts itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.session.data_sets import answered_by

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.data_sets import DataSetState
    from napari_channelmix.viewer.session.state import SessionState
    from napari_channelmix.viewer.session.trained import Trained

__all__ = ["MOST_EXPLAINED", "RULES", "is_used", "with_consequences"]

# Explanations that are remembered.
MOST_EXPLAINED = 12


def with_consequences(before: SessionState, after: SessionState) -> SessionState:
    """``after`` with all that follows from what was replaced, by `RULES` in their order."""
    for rule in RULES:
        changes = rule(before, after)
        if changes:
            after = replace(after, **changes)
    return after


def _new_classifier_gets_a_data_set(before: SessionState, after: SessionState) -> dict[str, Any]:
    """A classifier of no data set, as from a file, is from now on that of the one in use."""
    trained = after.trained
    if trained is None or trained is before.trained or _has_data_set(after, trained):
        return {}
    return {"classifier_of": {**after.classifier_of, after.data_set: trained}}


def _new_classifier_drops_results(before: SessionState, after: SessionState) -> dict[str, Any]:
    """The next classifier of a data set drops what the one before said of its own cells.

    Answers of other data sets' classifiers stay: they know whose they are.
    """
    changes: dict[str, Any] = {}
    for key, trained in after.classifier_of.items():
        last = before.classifier_of.get(key)
        if trained is last:
            continue
        if key == after.data_set:
            changes.update(_results_by(after, last))
        elif key in after.not_in_use:
            state = after.not_in_use[key]
            others = changes.get("not_in_use", after.not_in_use)
            changes["not_in_use"] = {**others, key: replace(state, **_results_by(state, last))}
    return changes


def _other_classes_drop_the_prior(before: SessionState, after: SessionState) -> dict[str, Any]:
    """Shares of classes mean nothing to a classifier of other classes."""
    same = after.trained is before.trained and after.data_set == before.data_set
    if same or not isinstance(after.prior, dict):
        return {}
    classes = () if after.trained is None else after.trained.classifier.classes
    return {"prior": None} if set(classes) != set(after.prior) else {}


def _finished_explanation_is_listed(before: SessionState, after: SessionState) -> dict[str, Any]:
    """One answer to each question about a cell is kept for the report, by one classifier."""
    new = after.explanation
    # While it is under way there is no map to keep yet.
    if new is None or new is before.explanation or getattr(new, "attribution", None) is None:
        return {}
    same = after.explained_by is None or after.explained_by is after.trained
    key = (new.cell, new.question)
    others = [old for old in after.explained if same and (old.cell, old.question) != key]
    explained = (new, *others[: MOST_EXPLAINED - 1])
    return {"explained": explained, "explained_by": after.trained}


def _unused_classifier_drops_its_closed_data_set(
    before: SessionState, after: SessionState
) -> dict[str, Any]:
    """What a classifier was trained on is part of the record as long as it is used."""
    unused = {
        key
        for key in after.no_longer_open
        if key not in after.classifier_of or not is_used(after, after.classifier_of[key])
    }
    if not unused:
        return {}
    return {
        name: {key: value for key, value in getattr(after, name).items() if key not in unused}
        for name in ("no_longer_open", "classifier_of")
    }


#: Each gets the states before and after, and gives what has to be replaced beside.
RULES = (
    _new_classifier_gets_a_data_set,
    _new_classifier_drops_results,
    _other_classes_drop_the_prior,
    _finished_explanation_is_listed,
    _unused_classifier_drops_its_closed_data_set,
)


def is_used(state: SessionState, trained: Trained, apart_from: int | None = None) -> bool:
    """Whether a classifier is in use, or gave predictions or explanations that are there.

    ``apart_from``: the key of a data set whose predictions and explanations do not count.
    """
    givers = [
        giver
        for key, other in state.not_in_use.items()
        if key != apart_from
        for giver in answered_by(other)
    ]
    if state.cells is not None and state.data_set != apart_from:
        givers += answered_by(state)
    return any(trained is user for user in (state.trained, *givers))


def _has_data_set(state: SessionState, trained: Trained) -> bool:
    return any(known is trained for known in state.classifier_of.values())


def _results_by(state: SessionState | DataSetState, last: Trained | None) -> dict[str, Any]:
    """Predictions and explanations by a classifier, as they are dropped."""
    changes: dict[str, Any] = {}
    if state.predictions is not None and state.predictions.is_by(last):
        changes["predictions"] = None
    if state.explained and (state.explained_by is None or state.explained_by is last):
        changes["explained"] = ()
    if state.what_if is not None and state.what_if.trained is last:
        changes["what_if"] = None
    return changes
