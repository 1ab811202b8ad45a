"""What follows when a value of a session is replaced, and who is told of it."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_channelmix.viewer.session import Predictions, Session, Shown, Trained
from napari_channelmix.viewer.session.state import FIELDS, KEPT_PER_DATA_SET, SessionState
from napari_channelmix.viewer.session.update_rules import MOST_EXPLAINED, with_consequences


def trained(*classes: str) -> Trained:
    return Trained(SimpleNamespace(classes=classes), "trained on it")  # type: ignore[arg-type]


def explanation(cell: int, *, attribution: object = "a map") -> Any:
    return SimpleNamespace(cell=cell, question="why", attribution=attribution)


class Listener:
    """Hears every signal of a session, and notes what the session held at that moment."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.heard: list[tuple[str, tuple[int, ...]]] = []
        for name in FIELDS:
            self._listen(name, getattr(session, f"{name}_changed"))
        self._listen("data_sets", session.data_sets_changed)

    def _listen(self, name: str, signal: Any) -> None:
        def hear(*_: object) -> None:
            self.heard.append((name, self.held()))

        signal.connect(hear)

    def held(self) -> tuple[int, ...]:
        return tuple(id(getattr(self.session, name)) for name in FIELDS)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.heard]


@pytest.fixture
def session(plate: Any) -> Session:
    """Two data sets with results of every kind, the second in use."""
    session = Session()
    for count in (20, 60):
        session.open(plate.subset(slice(count)), f"{count} cells", Shown(0))
        session.trained = by = trained("untreated", "treated")
        session.history = ({"epoch": float(count)},)
        session.predictions = Predictions(("a",), np.ones((count, 1), np.float32), trained=by)
        session.importance, session.latents = object(), object()  # type: ignore[assignment]
        session.explanation = explanation(1)
        session.select(count - 1)
        session.prior = {"untreated": count / 100, "treated": 1 - count / 100}
    return session


def test_a_switch_tells_each_listener_once_with_a_consistent_state(session: Session) -> None:
    first = session.data_sets[0].key
    listener = Listener(session)
    session.switch(first, Shown(3))
    assert session.source == "20 cells" and session.selected == (19,)
    assert set(Counter(listener.names).values()) == {1}
    # Whoever hears of one value finds all others in place.
    assert {held for _, held in listener.heard} == {listener.held()}
    told = {"cells", "source", "shown", "history", "predictions", "importance", "latents"}
    assert told | {"selected", "explained", "explanation", "prior", "data_sets"} <= set(
        listener.names
    )
    # The classifier stays in use, so nobody hears of it.
    assert "trained" not in listener.names and "running" not in listener.names


def test_another_data_set_tells_each_listener_once_with_a_consistent_state(
    session: Session, plate: Any
) -> None:
    listener = Listener(session)
    session.open(plate, "new")
    assert set(Counter(listener.names).values()) == {1}
    assert {held for _, held in listener.heard} == {listener.held()}
    assert session.importance is None and session.explained == () and session.shown is None


def test_a_new_classifier_and_what_it_drops_are_told_of_together(session: Session) -> None:
    listener = Listener(session)
    session.put_classifier(session.data_set, trained("other"))
    assert session.predictions is None and session.explained == () and session.prior is None
    assert set(Counter(listener.names).values()) == {1}
    assert {held for _, held in listener.heard} == {listener.held()}


def test_a_listener_may_replace_what_others_are_about_to_hear_of(session: Session) -> None:
    heard: list[object] = []
    session.cells_changed.connect(lambda: session.select(7))
    session.selected_changed.connect(heard.append)
    session.switch(session.data_sets[0].key)
    assert heard == [(7,)]


def test_values_are_told_apart_by_identity() -> None:
    session, heard = Session(), []
    session.history_changed.connect(heard.append)
    session.history = ({"epoch": 1.0},)
    # Equal, and another object: arrays are not compared element by element.
    session.history = ({"epoch": 1.0},)
    assert len(heard) == 2


def test_a_session_has_no_signals_of_what_it_does_not_hold() -> None:
    with pytest.raises(AttributeError, match="cels_changed"):
        _ = Session().cels_changed


def test_a_classifier_from_a_file_belongs_to_the_cells_in_use() -> None:
    model = trained("a")
    before = SessionState(data_set=3)
    after = with_consequences(before, SessionState(data_set=3, trained=model))
    assert after.classifier_of == {3: model}
    # One that is known already stays where it was.
    again = SessionState(data_set=4, trained=model, classifier_of={3: model})
    assert with_consequences(before, again).classifier_of == {3: model}


def test_the_prior_of_other_classes_goes_with_a_new_classifier_only() -> None:
    before = SessionState(trained=trained("a", "b"), prior={"a": 0.5, "b": 0.5})
    same = SessionState(trained=trained("b", "a"), prior=before.prior)
    other = SessionState(trained=trained("a", "c"), prior=before.prior)
    assert with_consequences(before, same).prior is before.prior
    assert with_consequences(before, other).prior is None
    named = SessionState(trained=trained("a", "c"), prior="training")
    assert with_consequences(before, named).prior == "training"


def test_finished_explanations_are_listed_one_for_each_question() -> None:
    session, model = Session(), trained("a")
    session.trained = model
    session.explanation = explanation(1, attribution=None)
    assert session.explained == ()
    first, again = explanation(1), explanation(1)
    session.explanation = first
    session.explanation = other = explanation(2)
    session.explanation = again
    assert session.explained == (again, other) and session.explained_by is model
    # The list is of one classifier: a cell explained by another one begins a new list.
    session.trained = trained("b")
    session.explanation = third = explanation(3)
    assert session.explained == (third,)
    for cell in range(MOST_EXPLAINED + 2):
        session.explanation = explanation(cell)
    assert len(session.explained) == MOST_EXPLAINED


def test_what_is_kept_with_a_data_set() -> None:
    assert {"cells", "predictions", "importance", "latents", "selected", "edits", "prior"} <= set(
        KEPT_PER_DATA_SET
    )
    assert not {"trained", "running", "painting", "explanation", "shown"} & set(KEPT_PER_DATA_SET)
