"""The steps of an analysis and where they stand, read off the session. It knows no Qt.

What is ticked off is what the session holds, however it came there; nothing remembers clicks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.page_parts.training_controls import reason_not_ready
from napari_channelmix.viewer.pages.data.dataset_panel import SAMPLES
from napari_channelmix.viewer.workspace.page_list import page_info
from napari_channelmix.viewer.workspace.summary import accuracy_text
from napari_channelmix.wording import chance_shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.session.session import Session

__all__ = ["SAMPLE", "WAY", "Action", "Step", "annotation_step", "next_of", "steps_of"]

# The sample that newcomers are given, as a function of `data.samples`.
SAMPLE = "synthetic_plate"
# Steps on the way to an explanation; those after them may be taken in any order.
WAY = 3

OPENING, TRAINING, IMPORTANCE = "making the sample", "training", "channel importance"
DATA, ANNOTATE, CLASSIFIER = "Images and cells", "Annotate", "Classifier"


@dataclass(frozen=True)
class Action:
    """What a button does.

    Attributes
    ----------
    kind : str
        ``"go"`` (to a page), ``"sample"``, ``"train"`` or ``"click"``.
    dock : str
        The page it is done on, a name of `launch.DOCKS`.
    label, tip : str
    unavailable_reason : str
        Why it cannot be done yet; empty where it can.
    mended_on : str
        The page on which what is missing is found, where it cannot be done yet.
    """

    kind: str
    dock: str
    label: str
    tip: str
    unavailable_reason: str = ""
    mended_on: str = ""


@dataclass(frozen=True)
class Step:
    """One step as it stands now.

    Attributes
    ----------
    page : str
        The page it is taken on, a name of `launch.DOCKS`.
    line : str
        What happens there, or what came of it.
    actions : tuple of Action
        The first is the one that a newcomer wants.
    done : bool
    counted : bool
        Whether the session can tell that it is done.
    doubt : str
        Why what came of it must be read with care, or not at all; empty where it need not.
    """

    page: str
    line: str
    actions: tuple[Action, ...]
    done: bool = False
    counted: bool = True
    doubt: str = ""


def steps_of(session: Session, layers: Sequence[Any]) -> tuple[Step, ...]:
    """All steps of a viewer's session.

    Parameters
    ----------
    session : Session
    layers : sequence of napari layers
        Those in the viewer: cells whose layers were removed cannot be clicked.
    """
    in_viewer = session.shown is not None and session.shown.is_in(layers)
    seen = session.cells is not None and in_viewer
    return (
        _images(session, seen, bool(len(layers))),
        _classifier(session, seen),
        _explanation(session, seen),
        _importance(session),
        _what_if(session, seen),
        _latents(session),
        _phenotypes(session),
        _report(session),
    )


def next_of(steps: Sequence[Step]) -> int | None:
    """Position of the step to take next: the first that is neither done nor out of reach."""
    for position, step in enumerate(steps):
        if step.counted and not step.done and not step.actions[0].unavailable_reason:
            return position
    return None


@dataclass(frozen=True)
class _Missing:
    """What a step waits for, and the page on which that is found; empty where for nothing."""

    reason: str = ""
    page: str = ""


CELLS_FIRST = _Missing("Cells are missing: open a data set, or choose the layers.", DATA)
CLASSIFIER_FIRST = _Missing("A classifier is missing: train one, or open a model.", CLASSIFIER)
PAINTING = _Missing("Clicks paint classes now: switch painting off first.", ANNOTATE)
NOTHING = _Missing()


def _go(dock: str, label: str = "Open page", missing: _Missing = NOTHING) -> Action:
    tip = f"Go to the page {page_info(dock).title}"
    return Action("go", dock, label, tip, missing.reason, missing.page)


def _images(session: Session, seen: bool, layers: bool) -> Step:
    page, cells = DATA, session.cells
    if seen and cells is not None:
        line = f"{len(cells):,} cells, {len(cells.channels)} channels: {session.source}."
        return Step(page, line, (_go(page),), done=True)
    if OPENING in session.running:
        return Step(page, "The sample is being made…", (_go(page),))
    sample = Action(
        "sample",
        page,
        "Open the sample",
        f"{SAMPLES[SAMPLE]}: made on this computer, nothing is downloaded",
    )
    if cells is not None:
        line = "The layers of the cells were removed; open the data set or the sample again."
    elif layers:
        # Images that are open are what the user came for.
        line = "Images are open: choose which layers are channels, and which mark the cells."
        return Step(page, line, (_go(page), sample))
    else:
        line = "Open your own images below, or try the sample: a plate of synthetic cells."
    return Step(page, line, (sample, _go(page, "Own images…")))


def annotation_step(session: Session) -> Step:
    """Giving classes: no step on the way, since many data sets bring theirs."""
    page, cells = ANNOTATE, session.cells
    if cells is None:
        return Step(page, "", (_go(page, missing=CELLS_FIRST),), counted=False)
    labelled = sum(cells.class_counts.values())
    line = f"{labelled} of {len(cells)} cells have a class."
    return Step(page, line, (_go(page),), done=not reason_not_ready(session), counted=False)


def _classifier(session: Session, seen: bool) -> Step:
    page, trained = CLASSIFIER, session.trained
    if TRAINING in session.running:
        epochs = len(session.history)
        so_far = f": {epochs} passes over the cells so far" if epochs else ""
        return Step(page, f"Training{so_far}. The page shows the curves.", (_go(page),))
    channels = _missing_channels(session)
    if channels:
        line = f"The classifier there is needs channels that these cells lack: {channels}."
        return Step(page, line, (_go(page),))
    if trained is not None:
        line = f"{trained.source[:1].upper()}{trained.source[1:]}"
        if trained.accuracy is not None and trained.chance is not None:
            estimate = trained.estimate
            between = "" if estimate is None else f"{estimate.interval_text}, "
            line += (
                f": balanced accuracy {trained.accuracy:.2f} on {trained.n_test} held-out cells "
                f"({between}chance {chance_shown(trained.chance)})"
            )
        text, reliable = accuracy_text(trained)
        doubt = "" if reliable else f"{text}."
        return Step(page, f"{line}.", (_go(page),), done=True, doubt=doubt)
    if not seen:
        line = "A small network learns to tell the classes apart."
        return Step(page, line, (_go(page, missing=CELLS_FIRST),))
    reason = reason_not_ready(session)
    if reason:
        return Step(page, reason, (_go(ANNOTATE, "Give classes"), _go(page, "Open a model…")))
    line = "A small network learns to tell the classes apart; some wells are held out to test it."
    if session.source in SAMPLES.values():
        quick = Action(
            "train",
            page,
            "Train quickly",
            "Train the smallest network for a few passes over the cells: enough for the sample. "
            "All settings are below",
        )
        return Step(page, line, (quick, _go(page)))
    return Step(page, line, (_go(page),))


def _missing_channels(session: Session) -> str:
    """Channels of the classifier that the cells do not have, as a list in words."""
    cells, trained = session.cells, session.trained
    if cells is None or trained is None:
        return ""
    return ", ".join(name for name in trained.classifier.channels if name not in cells.channels)


def _without_classifier(session: Session, seen: bool) -> _Missing:
    """What a click on a cell waits for, where the classifier is asked about it."""
    if not seen:
        return CELLS_FIRST
    if session.trained is None or _missing_channels(session):
        return CLASSIFIER_FIRST
    return PAINTING if session.painting else NOTHING


def _explanation(session: Session, seen: bool) -> Step:
    page = "Explain a cell"
    missing = _without_classifier(session, seen)
    explained = next(iter(session.explained), None)
    done = explained is not None and session.trained is not None
    click = Action(
        "click",
        page,
        "Click another cell" if done else "Click a cell",
        "While this page is in front, a click on a cell explains it",
        missing.reason,
        missing.page,
    )
    doubt = ""
    if done and explained is not None and explained.target is not None:
        target, tested = explained.classes[explained.target], explained.reliability
        line = f"Cell {explained.name}: the map shows why the classifier predicts {target}."
        if tested is not None and tested.verdict() != "good":
            # Of a map that may be read, the first sentence says so.
            doubt = tested.words()[1 if tested.readable() else 0]
    else:
        line = "Click a cell in the image: a map shows which pixels support its class."
    return Step(page, line, (click,), done=done, doubt=doubt)


def _what_if(session: Session, seen: bool) -> Step:
    page = "What if"
    missing = _without_classifier(session, seen)
    click = Action(
        "click",
        page,
        "Click a cell",
        "While this page is in front, a click on a cell opens it for edits",
        missing.reason,
        missing.page,
    )
    line = "Click a cell and change it: brighter, larger, without neighbours."
    answers = session.what_if
    if answers is not None and answers.result is not None and answers.result.lines:
        line = answers.result.lines[0]
    # Edits of single cells are not kept.
    return Step(page, line, (click,), done=answers is not None, counted=False)


def _importance(session: Session) -> Step:
    page, importance = "Channel importance", session.importance
    under_way = IMPORTANCE in session.running
    missing = NOTHING if importance is not None or under_way else _without_classes(session)
    line = "Which channels the classifier needs, with error bars. Takes a few training runs."
    done = importance is not None and not under_way
    doubt = ""
    if done and importance is not None:
        if importance.shares_readable:
            line = f"The most important channel is {importance.channels[importance.order[0]]}."
            doubt = importance.caveat
        else:
            line = "Read the shares with care; the page says why."
            doubt = importance.verdict or importance.gate
    elif under_way:
        line = "Being computed; the bars appear repeat by repeat."
    return Step(page, line, (_go(page, missing=missing),), done=done, doubt=doubt)


def _without_classes(session: Session) -> _Missing:
    if session.cells is None:
        return CELLS_FIRST
    reason = reason_not_ready(session)
    return _Missing(reason, ANNOTATE) if reason else NOTHING


def _latents(session: Session) -> Step:
    page = "Latent traversals"
    missing = CELLS_FIRST if session.cells is None else NOTHING
    latents, doubt = session.latents, ""
    line = "Cells along named axes such as size and texture, and what separates the classes."
    if latents is not None:
        line = "Computed for all cells: click one, and modify it along its axes."
        if latents.reconstruction is not None and not latents.reconstruction.resembles:
            doubt = "The reconstruction does not resemble these cells."
    return Step(page, line, (_go(page, missing=missing),), done=latents is not None, doubt=doubt)


def _phenotypes(session: Session) -> Step:
    page = "Phenotypes"
    missing = CELLS_FIRST if session.cells is None else NOTHING
    done = session.predictions is not None
    line = "All cells as a gallery, those first where label and prediction disagree."
    if not done and session.trained is not None:
        line = "All cells as a gallery. 'Classify all cells' in 'Classifier' adds predictions."
    return Step(page, line, (_go(page, missing=missing),), done=done)


def _report(session: Session) -> Step:
    page = "Report and script"
    missing = CELLS_FIRST if session.cells is None else NOTHING
    line = "A report of all results, and a script that reproduces them."
    return Step(page, line, (_go(page, missing=missing),), counted=False)
