"""From a snapshot of the session to a config that does the same again, as a job.

Each data set of which something was found is a part of the config: what was trained and found on
its cells, and what classifier, of which data set, gave its predictions and explanations.

PyTorch is imported where a job begins, never with a page.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.settings import as_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.config import (
        Config,
        DataSetConfig,
        ExplanationPart,
        PredictionsPart,
    )
    from napari_channelmix.viewer.pages.report.snapshot import Snapshot
    from napari_channelmix.viewer.session.explanation import Question
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["CLOSED", "ELSEWHERE", "UnsavedError", "changes", "config_job", "doable"]


# What to do about a data set that is not in use.
ELSEWHERE = "; choose that data set on the page 'Data' to do so, or close it"
# What to do about one that was closed, of which only the classifier is left.
CLOSED = (
    "they were closed, and only their classifier is left. Save that on the page 'Classifier', open "
    "its file there, and classify and explain with it again; or use another classifier"
)


class UnsavedError(DataError):
    """Cells that are in no data-set file as they are now."""


def doable(snapshot: Snapshot) -> str:
    """Why there is nothing that could be done again, or an empty text."""
    parts = [
        part
        for data_set in snapshot.data_sets
        for part in (data_set.trained, data_set.importance, data_set.latents)
    ]
    if not any(part is not None for part in parts):
        return "Nothing to reproduce yet: no classifier, channel importance or latents."
    return ""


def config_job(snapshot: Snapshot) -> Job[Config]:
    """What the session did, as a config; data-set files are opened to see that they are the same.

    Raises
    ------
    UnsavedError
        Cells of layers, or with other classes than their file has.
    DataError
        As `open_dataset`.
    """
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.classify.device import choose_device
    from napari_channelmix.config import Config
    from napari_channelmix.provenance import provenance

    recorded = snapshot.recorded
    as_in_file: set[int] = set()
    for index, data_set in enumerate(recorded):
        same = yield from part(
            _same_on_disk_job(data_set, snapshot),
            100 * index / len(recorded),
            100 / len(recorded),
            100,
        )
        if same:
            as_in_file.add(id(data_set))
    record = _Record(snapshot, as_in_file)
    # Classifiers first: predictions name them.
    for data_set in recorded:
        record.add_classifier(data_set)
    parts = [record.data_set(data_set) for data_set in recorded]
    about = provenance()
    first = {name: getattr(parts[0], name) for name in type(parts[0]).model_fields}
    return Config(
        **first,
        others=tuple(parts[1:]),
        made=about["made"],
        versions=about["versions"],
        # What 'auto' was here: elsewhere it may be another one.
        device=choose_device("auto").type,  # type: ignore[arg-type]
        notes=(*record.notes, *changes(snapshot)),
    )


def _same_on_disk_job(data_set: Snapshot, snapshot: Snapshot) -> Job[bool]:
    """Open the file of a data set, and see that it holds the cells that are open here.

    Whether it does by itself, without channels or a scaling that were chosen when it was open.
    """
    from napari_channelmix.config.recorded_cells import as_recorded_job
    from napari_channelmix.data import open_dataset_job

    several = len(snapshot.data_sets) > 1
    elsewhere = "" if data_set.in_use else ELSEWHERE
    if data_set.closed and (data_set.dataset is None or data_set.edited):
        raise UnsavedError(
            f"{data_set.title}: its cells are in no data-set file as they were: {CLOSED}"
        )
    if data_set.dataset is None:
        which = f"{data_set.title}: these" if several else "these"
        raise UnsavedError(f"{which} cells are in no data-set file yet: save them first{elsewhere}")
    on_disk = yield from part(open_dataset_job(data_set.dataset), 0, 90, 100, "reading the file:  ")
    yield Progress(90, 100, "comparing the cells")
    now = data_set.cells
    as_in_file = on_disk.fingerprint == now.fingerprint
    if not as_in_file:
        choice = as_recorded_job(on_disk, now.channels, now.scaling.chosen or None)
        on_disk = yield from part(choice, 90, 10, 100, "comparing the cells: ")
    if on_disk.fingerprint != now.fingerprint:
        which = f"{data_set.title}: {data_set.dataset.name}" if several else data_set.dataset.name
        if data_set.closed:
            raise UnsavedError(
                f"{which} holds other cells or classes than were open here: {CLOSED}"
            )
        raise UnsavedError(
            f"{which} holds other cells or classes than are open here: save these first{elsewhere}"
        )
    return as_in_file


@dataclass
class _Record:
    """Puts the parts together; ``notes`` say what is left out."""

    snapshot: Snapshot
    # Data sets whose file says of itself what was chosen, by their identity.
    as_in_file: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    # Of the classifiers that can be come by again, by the identity of their data sets.
    _parts: dict[int, Any] = field(default_factory=dict)

    def add_classifier(self, data_set: Snapshot) -> None:
        """The classifier of a data set."""
        from napari_channelmix.config.from_results import classifier_part

        trained = data_set.classifier
        if trained is None:
            return
        prior = data_set.prior if self._fits(data_set.prior, data_set) else None
        classifier = classifier_part(trained.classifier, _file(trained.source), prior)
        if classifier is None:
            self._left_out(data_set, "the classifier")
            return
        self._parts[id(data_set)] = classifier

    @staticmethod
    def _fits(prior: PriorChoice, owner: Snapshot) -> bool:
        """Whether a prior can be that of the classifier of a data set."""
        trained = owner.classifier
        # A model made elsewhere has none.
        if trained is None or not hasattr(trained.classifier, "temperature"):
            return False
        return not isinstance(prior, dict) or set(prior) == set(trained.classifier.classes)

    def data_set(self, data_set: Snapshot) -> DataSetConfig:
        """All of one data set."""
        from napari_channelmix.config import DataSetConfig
        from napari_channelmix.config.from_results import data_part, importance_part, latents_part

        assert data_set.dataset is not None
        importance, latents = None, None
        if data_set.importance is not None:
            importance = importance_part(data_set.importance)
            if importance is None:
                self._left_out(data_set, "channel importance")
        if data_set.latents is not None:
            latents = latents_part(data_set.latents.provenance)
            if latents is None:
                self._left_out(data_set, "what is known of the latents")
        return DataSetConfig(
            data=data_part(
                data_set.cells,
                data_set.dataset,
                data_set.title,
                as_in_file=id(data_set) in self.as_in_file,
            ),
            classifier=self._parts.get(id(data_set)),
            importance=importance,
            predictions=self._predictions(data_set),
            explanations=self._explanations(data_set),
            latents=latents,
            **self._what_if(data_set),
        )

    def _what_if(self, data_set: Snapshot) -> dict[str, Any]:
        """The parts of what was asked about changed cells, by their names in a config."""
        from napari_channelmix.config import from_results

        answers = data_set.what_if
        if answers is None:
            return {}
        owner = self._owner(answers.trained)
        if owner is None:
            self._by_another(data_set, "answers of what-if")
            return {}
        named = self._named(data_set, owner)
        makers: dict[str, tuple[str, Any, Callable[..., Any]]] = {
            "what_if": ("what-if", answers.result, from_results.what_if_part),
            "transplants": ("transplants", answers.transplants, from_results.transplants_part),
            "model_channels": (
                "the channels of the classifier",
                answers.channels,
                from_results.model_channels_part,
            ),
            "audit": ("the shortcut audit", answers.audit, from_results.audit_part),
        }
        parts: dict[str, Any] = {}
        for name, (words, result, part_of) in makers.items():
            if result is None:
                continue
            parts[name] = part_of(result.provenance, classifier=named)
            if parts[name] is None:
                self._left_out(data_set, f"what is known of {words}")
        return parts

    def _predictions(self, data_set: Snapshot) -> PredictionsPart | None:
        from napari_channelmix.config.from_results import predictions_part

        predictions = data_set.predictions
        if predictions is None:
            return None
        owner = self._owner(predictions.trained or data_set.trained)
        if owner is None:
            self._by_another(data_set, "predictions")
            return None
        counts = np.bincount(predictions.codes, minlength=len(predictions.classes)).tolist()
        called = dict(zip(predictions.classes, counts, strict=True))
        return predictions_part(predictions.prior, called, self._named(data_set, owner))

    def _explanations(self, data_set: Snapshot) -> tuple[ExplanationPart, ...]:
        """What was asked of which cells; the same question of several cells is one part."""
        from napari_channelmix.config.from_results import explanation_part, prior_choice

        questions: dict[Question, list[int]] = {}
        abouts: dict[Question, dict[str, Any]] = {}
        for explanation in reversed(data_set.explained):
            if explanation.attribution is not None:
                # The map of all channels, which is tested; those of each stand beside it.
                question = replace(explanation.question, channels="shared")
                questions.setdefault(question, []).append(explanation.cell)
                abouts[question] = explanation.attribution.provenance
        if not questions:
            return ()
        owner = self._owner(data_set.explained_by or data_set.trained)
        if owner is None:
            self._by_another(data_set, "explanations")
            return ()
        # A model made elsewhere has no prior to choose.
        choosable = self._fits(None, owner)
        parts = [
            explanation_part(
                tuple(cells),
                abouts[question],
                as_dict(question, ["prior"]),
                classifier=self._named(data_set, owner),
                prior=prior_choice(question.prior) or "training" if choosable else None,
            )
            for question, cells in questions.items()
        ]
        return tuple(row for row in parts if row is not None)

    def _owner(self, trained: Trained | None) -> Snapshot | None:
        """The data set whose classifier this is, where it can be come by again."""
        owner = self.snapshot.owner_of(trained)
        return owner if id(owner) in self._parts else None

    def _named(self, data_set: Snapshot, owner: Snapshot) -> str | None:
        return None if owner is data_set else owner.title

    def _of(self, data_set: Snapshot) -> str:
        return f" of {data_set.title}" if len(self.snapshot.data_sets) > 1 else ""

    def _left_out(self, data_set: Snapshot, what: str) -> None:
        self.notes.append(
            f"it is not known how {what}{self._of(data_set)} was made, so it is left out"
        )

    def _by_another(self, data_set: Snapshot, what: str) -> None:
        self.notes.append(
            f"the {what}{self._of(data_set)} are left out: it is not known how their classifier "
            f"was made, or it was replaced"
        )


def changes(snapshot: Snapshot) -> tuple[str, ...]:
    """What was found of other cells, or of these with other classes, a line each."""
    several = len(snapshot.data_sets) > 1
    return tuple(
        f"{data_set.title}: {line}" if several else line
        for data_set in snapshot.recorded
        for line in _changes_of(data_set)
    )


def _changes_of(data_set: Snapshot) -> Sequence[str]:
    trained, importance, latents = data_set.classifier, data_set.importance, data_set.latents
    made: list[tuple[str, Any]] = []
    # A model from a file was never meant to be of these cells.
    if trained is not None and _file(trained.source) is None:
        about = getattr(trained.classifier, "provenance", {})
        made.append(("the classifier was trained", about))
    if importance is not None:
        made.append(("channel importance was found", importance.provenance))
    if latents is not None:
        made.append(("the latents were found", latents.provenance))
    now = data_set.cells.fingerprint if made else ""
    return [
        f"{what} before cells or classes were changed: the figures are of those, and will differ "
        f"when reproduced"
        for what, about in made
        if about.get("cells") not in (None, now)
    ]


def _file(source: str) -> Path | None:
    path = Path(source)
    return path if path.suffix and path.is_file() else None
