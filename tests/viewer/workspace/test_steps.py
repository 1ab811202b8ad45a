from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_channelmix.viewer.page_parts.open_page import DOCKS
from napari_channelmix.viewer.pages.data.dataset_panel import SAMPLES
from napari_channelmix.viewer.session.session import Session, Shown, Trained
from napari_channelmix.viewer.workspace.steps import (
    SAMPLE,
    WAY,
    Step,
    annotation_step,
    next_of,
    steps_of,
)

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


class _Layer:
    """A layer; the session holds layers weakly."""


LAYER = _Layer()
NAMES = (
    "images",
    "classifier",
    "explanation",
    "importance",
    "what if",
    "latents",
    "phenotypes",
    "report",
)


def opened(plate: Cells, source: str = SAMPLES[SAMPLE]) -> Session:
    session = Session()
    session.open(plate, source, Shown(0, {"DNA": LAYER}))
    return session


def trained(**given: Any) -> Trained:
    classifier: Any = SimpleNamespace(channels=("DNA", "reporter"), classes=("treated", "no"))
    return Trained(classifier, "trained on the plate", **given)


def found(session: Session, layers: tuple[Any, ...] = (LAYER,)) -> dict[str, Step]:
    return dict(zip(NAMES, steps_of(session, layers), strict=True))


def explained(reliability: Any = None) -> Any:
    return SimpleNamespace(
        cell=7,
        name="7",
        classes=("treated", "no"),
        target=0,
        question=None,
        attribution=object(),
        reliability=reliability,
    )


def test_all_but_the_first_step_wait_and_say_for_what() -> None:
    steps = found(Session(), ())
    assert next_of(tuple(steps.values())) == 0
    assert [one.kind for one in steps["images"].actions] == ["sample", "go"]
    for name, step in steps.items():
        assert not step.done
        assert bool(step.actions[0].unavailable_reason) == (name != "images")
        assert step.actions[0].mended_on == ("" if name == "images" else "Images and cells")
        assert step.actions[0].dock in DOCKS


def test_images_that_are_open_come_before_the_sample() -> None:
    step = found(Session(), (object(),))["images"]
    assert [one.kind for one in step.actions] == ["go", "sample"]


def test_a_step_is_ticked_off_by_what_the_session_holds(plate: Cells) -> None:
    session = opened(plate)
    steps = found(session)
    assert steps["images"].done and f"{len(plate)} cells" in steps["images"].line
    assert next_of(tuple(steps.values())) == 1
    assert steps["explanation"].actions[0].unavailable_reason

    session.trained = trained(accuracy=0.97, chance=0.5, n_test=15)
    steps = found(session)
    assert steps["classifier"].done and "0.97 on 15 held-out cells" in steps["classifier"].line
    assert next_of(tuple(steps.values())) == 2
    assert not steps["explanation"].actions[0].unavailable_reason

    session.explanation = explained()
    steps = found(session)
    assert steps["explanation"].done and "Cell 7" in steps["explanation"].line
    assert next_of(tuple(steps.values())) == WAY

    session.trained = None
    assert not found(session)["explanation"].done

    session.open(None)
    assert not any(one.done for one in found(session, ()).values())


def test_cells_whose_layers_were_removed_have_to_be_opened_again(plate: Cells) -> None:
    session = opened(plate)
    session.trained = trained()
    steps = found(session, ())
    assert not steps["images"].done and "removed" in steps["images"].line
    assert steps["explanation"].actions[0].unavailable_reason
    assert next_of(tuple(steps.values())) == 0


def test_only_a_sample_is_trained_on_quickly(plate: Cells) -> None:
    assert found(opened(plate))["classifier"].actions[0].kind == "train"
    assert found(opened(plate, "mine.toml"))["classifier"].actions[0].kind == "go"


def test_cells_without_classes_lead_to_annotating(plate: Cells) -> None:
    bare = plate.with_labels(np.full(len(plate), -1), ())
    steps = found(opened(bare))
    assert steps["classifier"].actions[0].dock == "Annotate"
    assert "Two classes are needed" in steps["classifier"].line
    assert "Two classes are needed" in steps["importance"].actions[0].unavailable_reason


def test_a_training_under_way_is_not_begun_twice(plate: Cells) -> None:
    session = opened(plate)
    session.begin("training")
    session.history = ({"epoch": 1.0}, {"epoch": 2.0})
    step = found(session)["classifier"]
    assert [one.kind for one in step.actions] == ["go"] and "2 passes" in step.line
    session.end("training")
    assert found(session)["classifier"].actions[0].kind == "train"


def test_a_classifier_of_other_channels_does_not_count(plate: Cells) -> None:
    session = opened(plate.with_channels(["DNA", "stress"]))
    session.trained = trained()
    steps = found(session)
    assert not steps["classifier"].done and "reporter" in steps["classifier"].line
    assert steps["explanation"].actions[0].unavailable_reason


def test_no_cell_is_clicked_while_classes_are_painted(plate: Cells) -> None:
    session = opened(plate)
    session.trained = trained()
    session.painting = True
    action = found(session)["explanation"].actions[0]
    assert "painting" in action.unavailable_reason and action.mended_on == "Annotate"


@pytest.mark.parametrize(("gate", "said"), [("ok", "reporter"), ("too few", "with care")])
def test_channel_importance_is_done_when_no_seed_is_left(
    plate: Cells, gate: str, said: str
) -> None:
    session = opened(plate)
    partial: Any = SimpleNamespace(
        channels=("DNA", "reporter"),
        order=(1, 0),
        shares_readable=gate == "ok",
        verdict="Nothing can be read",
        caveat="",
    )
    session.begin("channel importance")
    session.importance = partial
    assert not found(session)["importance"].done
    session.end("channel importance")
    step = found(session)["importance"]
    assert step.done and said in step.line
    assert step.doubt == ("" if gate == "ok" else "Nothing can be read")


def test_a_result_that_must_be_read_with_care_says_why(plate: Cells) -> None:
    session = opened(plate)
    session.trained = trained()
    assert not found(session)["classifier"].doubt
    tested = SimpleNamespace(
        verdict=lambda: "error", readable=lambda: False, words=lambda: ("Do not read this map",)
    )
    session.explanation = explained(tested)
    session.latents = SimpleNamespace(  # type: ignore[assignment]
        reconstruction=SimpleNamespace(resembles=False)
    )
    steps = found(session)
    assert steps["explanation"].doubt == "Do not read this map"
    assert "not resemble" in steps["latents"].doubt
    session.latents = SimpleNamespace(  # type: ignore[assignment]
        reconstruction=SimpleNamespace(resembles=True)
    )
    assert not found(session)["latents"].doubt


def test_annotating_is_done_where_two_classes_are_given(plate: Cells) -> None:
    assert annotation_step(Session()).actions[0].mended_on == "Images and cells"
    step = annotation_step(opened(plate))
    assert step.done and step.line == f"{len(plate)} of {len(plate)} cells have a class."
    bare = opened(plate.with_labels(np.full(len(plate), -1), ()))
    assert not annotation_step(bare).done and not annotation_step(bare).actions[0].mended_on
