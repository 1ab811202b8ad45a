"""The first steps and where they stand, read off the session. It knows no Qt.

What is ticked off is what the session holds, however it came there; nothing remembers clicks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.dataset_panel import SAMPLES
from napari_channelmix.viewer.settings_form import reason_not_ready

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.viewer.session import Session

__all__ = ["SAMPLE", "WAY", "Deed", "Step", "next_of", "steps_of"]

# The sample that newcomers are given, as a function of `data.samples`.
SAMPLE = "synthetic_plate"
# Steps on the way to an explanation; those after them may be taken in any order.
WAY = 3

OPENING, TRAINING, IMPORTANCE = "making the sample", "training", "channel importance"
# Beside a button there is room for little more.
CELLS_FIRST = "Needs step 1."
CLASSIFIER_FIRST = "Needs step 2."
PAINTING = "Clicks give cells a class now: switch that off in 'Annotate'."


@dataclass(frozen=True)
class Deed:
    """What a button does.

    Attributes
    ----------
    kind : str
        ``"go"`` (to a dock), ``"sample"``, ``"train"`` or ``"click"``.
    dock : str
        The dock it is done in, a name of `launch.DOCKS`.
    label, tip : str
    why_not : str
        Why it cannot be done yet; empty where it can.
    """

    kind: str
    dock: str
    label: str
    tip: str
    why_not: str = ""


@dataclass(frozen=True)
class Step:
    """One step as it stands now.

    Attributes
    ----------
    title : str
    line : str
        What happens there, or what came of it.
    deeds : tuple of Deed
        The first is the one that a newcomer wants.
    done : bool
    counted : bool
        Whether the session can tell that it is done.
    """

    title: str
    line: str
    deeds: tuple[Deed, ...]
    done: bool = False
    counted: bool = True


def steps_of(session: Session, layers: Sequence[Any]) -> tuple[Step, ...]:
    """All steps of a viewer's session.

    Parameters
    ----------
    session : Session
    layers : sequence of napari layers
        Those in the viewer: cells whose layers were removed cannot be clicked.
    """
    here = session.shown is not None and session.shown.reference in layers
    seen = session.cells is not None and here
    return (
        _images(session, seen, bool(len(layers))),
        _classifier(session, seen),
        _explanation(session, seen),
        _importance(session),
        _latents(session),
        _phenotypes(session),
        _report(session),
    )


def next_of(steps: Sequence[Step]) -> int | None:
    """Position of the step to take next: the first that is neither done nor out of reach."""
    for at, step in enumerate(steps):
        if step.counted and not step.done and not step.deeds[0].why_not:
            return at
    return None


def _go(dock: str, label: str = "Open dock", why_not: str = "") -> Deed:
    tip = f"Open the dock '{dock}', or bring it to the front"
    return Deed("go", dock, label, tip, why_not)


def _images(session: Session, seen: bool, layers: bool) -> Step:
    title, dock = "Images and cells", "Images and cells"
    cells = session.cells
    if seen and cells is not None:
        said = f"{len(cells)} cells, {len(cells.channels)} channels: {session.source}."
        return Step(title, said, (_go(dock),), done=True)
    if OPENING in session.running:
        return Step(title, "The sample is being made…", (_go(dock),))
    sample = Deed(
        "sample", dock, "Open the sample",
        f"{SAMPLES[SAMPLE]}: made on this computer, nothing is downloaded",
    )  # fmt: skip
    if cells is not None:
        said = "The layers of the cells were removed; open the data set or the sample again."
    elif layers:
        # Images that are open are what the user came for.
        said = "Images are open: say which layers are channels, and where the cells are."
        return Step(title, said, (_go(dock), sample))
    else:
        said = "A plate of cells, half of them treated, that comes with the plugin; or your own."
    return Step(title, said, (sample, _go(dock, "Own images…")))


def _classifier(session: Session, seen: bool) -> Step:
    title, dock = "Classifier", "Classifier"
    trained = session.trained
    if TRAINING in session.running:
        epochs = len(session.history)
        so_far = f": {epochs} passes over the cells so far" if epochs else ""
        return Step(title, f"Training{so_far}. The dock shows the curves.", (_go(dock),))
    missing = _missing(session)
    if missing:
        said = f"The classifier there is needs channels that these cells lack: {missing}."
        return Step(title, said, (_go(dock),))
    if trained is not None:
        said = f"{trained.source[:1].upper()}{trained.source[1:]}"
        if trained.accuracy is not None:
            found = trained.estimate
            between = "" if found is None else f"{found.interval_text}, "
            said += (
                f": balanced accuracy {trained.accuracy:.2f} on {trained.n_test} cells it never "
                f"saw ({between}chance {trained.chance:.2f})"
            )
        return Step(title, f"{said}.", (_go(dock),), done=True)
    if not seen:
        said = "A small network learns to tell the classes apart."
        return Step(title, said, (_go(dock, why_not=CELLS_FIRST),))
    why = reason_not_ready(session)
    if why:
        return Step(title, why, (_go("Annotate", "Open 'Annotate'"), _go(dock, "Open a model…")))
    said = "A small network learns to tell the classes apart; some wells are held back to test it."
    if session.source in SAMPLES.values():
        quick = Deed(
            "train", dock, "Train quickly",
            "Train the smallest network for a few passes over the cells: enough for the sample. "
            "The dock 'Classifier' has all settings",
        )  # fmt: skip
        return Step(title, said, (quick, _go(dock)))
    return Step(title, said, (_go(dock),))


def _missing(session: Session) -> str:
    """Channels of the classifier that the cells do not have, in words."""
    cells, trained = session.cells, session.trained
    if cells is None or trained is None:
        return ""
    return ", ".join(one for one in trained.classifier.channels if one not in cells.channels)


def _explanation(session: Session, seen: bool) -> Step:
    title = "Explain a cell"
    if not seen:
        why = CELLS_FIRST
    elif session.trained is None or _missing(session):
        why = CLASSIFIER_FIRST
    else:
        why = PAINTING if session.painting else ""
    found = next(iter(session.explained), None)
    done = found is not None and session.trained is not None
    deed = Deed(
        "click", title, "Click another cell" if done else "Click a cell",
        "Open the dock 'Explain a cell'; while it is in front, a click on a cell explains it", why,
    )  # fmt: skip
    if done and found is not None and found.target is not None:
        said = f"Cell {found.name}: the map shows why the classifier says {_class(found)}."
    else:
        said = "Press the button, then click a cell: a map shows which pixels speak for its class."
    return Step(title, said, (deed,), done=done)


def _class(found: Any) -> str:
    return str(found.classes[found.target])


def _importance(session: Session) -> Step:
    title, found = "Channel importance", session.importance
    under_way = IMPORTANCE in session.running
    why = "" if found is not None or under_way else _without_classes(session)
    said = "Which channels the answer needs, with error bars: a few trainings."
    done = found is not None and not under_way
    if done and found is not None:
        if found.shares_readable:
            said = f"Most of the answer comes from {found.channels[found.order[0]]}."
        else:
            said = "The shares are to be read with care; the dock says why."
    elif under_way:
        said = "Being found; the bars appear repeat by repeat."
    return Step(title, said, (_go(title, why_not=why),), done=done)


def _without_classes(session: Session) -> str:
    if session.cells is None:
        return CELLS_FIRST
    return reason_not_ready(session)


def _latents(session: Session) -> Step:
    title = "Latent traversals"
    why = CELLS_FIRST if session.cells is None else ""
    done = session.latents is not None
    said = "Cells along named axes such as size and texture, and what separates the classes."
    if session.latents is not None:
        said = "Found for all cells: click one, and move it along its axes."
    return Step(title, said, (_go(title, why_not=why),), done=done)


def _phenotypes(session: Session) -> Step:
    title = "Phenotypes"
    why = CELLS_FIRST if session.cells is None else ""
    done = session.predictions is not None
    said = "All cells as a gallery, those first where label and prediction disagree."
    if not done and session.trained is not None:
        said = "All cells as a gallery. 'Classify all cells' in 'Classifier' adds predictions."
    return Step(title, said, (_go(title, why_not=why),), done=done)


def _report(session: Session) -> Step:
    title = "Report and script"
    why = CELLS_FIRST if session.cells is None else ""
    said = "One page with all that was found, and a script that does it again."
    return Step(title, said, (_go(title, why_not=why),), counted=False)
