from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer.session.session import Session, Shown, Trained
from napari_channelmix.viewer.workspace.page_state import next_page, page_states

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


class _Layer:
    """A layer; the session holds layers weakly."""


LAYER = _Layer()


def opened(plate: Cells) -> Session:
    session = Session()
    session.open(plate, "plate.toml", Shown(0, {"DNA": LAYER}))
    return session


def trained() -> Trained:
    classifier: Any = SimpleNamespace(channels=("DNA",), classes=("treated", "untreated"))
    return Trained(classifier, "trained on the plate")


def kinds(session: Session) -> dict[str, str]:
    return {key: state.kind for key, state in page_states(session, (LAYER,)).items()}


def test_without_cells_all_pages_but_one_wait_for_data() -> None:
    states = page_states(Session(), ())
    assert states.pop("data").kind == "ready"
    for state in states.values():
        assert (state.kind, state.mended_on) == ("blocked", "data")
        assert state.line.startswith("Cells are missing")
    assert next_page(Session(), ()) == "data"


def test_with_classes_all_is_ready_but_what_needs_a_classifier(plate: Cells) -> None:
    session = opened(plate)
    assert kinds(session) == {
        "data": "done",
        "annotate": "done",
        "classifier": "ready",
        "channels": "ready",
        "pixels": "blocked",
        "whatif": "blocked",
        "latents": "ready",
        "phenotypes": "ready",
        "report": "ready",
    }
    assert page_states(session, (LAYER,))["pixels"].mended_on == "classifier"
    assert next_page(session, (LAYER,)) == "classifier"
    session.trained = trained()
    assert kinds(session)["pixels"] == "ready" and kinds(session)["classifier"] == "done"
    assert next_page(session, (LAYER,)) == "pixels"


def test_without_classes_training_waits_for_annotating(plate: Cells) -> None:
    session = opened(plate.with_labels(np.full(len(plate), -1), ()))
    states = page_states(session, (LAYER,))
    assert states["annotate"].kind == "ready"
    for key in ("classifier", "channels"):
        assert (states[key].kind, states[key].mended_on) == ("blocked", "annotate")
    assert next_page(session, (LAYER,)) == "annotate"


def test_after_an_explanation_any_page_may_follow(plate: Cells) -> None:
    session = opened(plate)
    session.trained = trained()
    session.explanation = SimpleNamespace(  # type: ignore[assignment]
        cell=7,
        name="7",
        classes=("treated", "no"),
        target=0,
        question=None,
        attribution=object(),
        reliability=None,
    )
    assert kinds(session)["pixels"] == "done"
    assert next_page(session, (LAYER,)) == ""
