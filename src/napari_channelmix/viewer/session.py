"""The session: what one viewer is working on, shared by all of its docks. It knows no Qt."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from psygnal import Signal, SignalInstance

from napari_channelmix.viewer.edits import Edit, Edits
from napari_channelmix.viewer.per_viewer import PerViewer, own_viewer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.classify.priors import Prior, PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.drl import Latents
    from napari_channelmix.phenotypes import Adjusted
    from napari_channelmix.viewer.explaining import Explanation

__all__ = ["Predictions", "Session", "Shown", "Trained", "own_viewer", "session_of"]

Value = TypeVar("Value")

# Explanations that are remembered.
MOST_EXPLAINED = 12


@dataclasses.dataclass(frozen=True)
class Shown:
    """The field of view that stands in the viewer, and the layers that show it.

    Attributes
    ----------
    field : int
        Its position in ``cells.fields``.
    images : dict of str to napari layer
        The layer of each channel; several channels share one where it has a channel axis.
    objects : napari layer or None
        The Labels or Points layer the cells come from.
    at : dict of int to int
        For cells of one slice of a stack: axis of the first image layer, and the slice.
    axes : (int, int) or None
        Rows and columns among the axes of the image layers; None: the last two.
    id_column : str or None
        Column in the features of ``objects`` that holds the ids of the cells, where the user chose
        one, or where points have ids.
    stack : dict of int to dict
        Where every slice of a stack is a field of view: for each field, its ``at``.
    """

    field: int
    images: dict[str, Any] = dataclasses.field(default_factory=dict)
    objects: Any = None
    at: dict[int, int] = dataclasses.field(default_factory=dict)
    axes: tuple[int, int] | None = None
    id_column: str | None = None
    stack: dict[int, dict[int, int]] = dataclasses.field(default_factory=dict)

    @property
    def reference(self) -> Any:
        """The layer whose geometry every result takes."""
        return next(iter(self.images.values()), self.objects)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A classifier in use, and how well it did on cells it never saw.

    ``accuracy``, ``chance``, ``recall`` and ``estimate`` (with intervals) are None where that is
    not known, as of models made elsewhere.
    """

    classifier: Classifier | ForeignClassifier
    source: str
    accuracy: float | None = None
    chance: float | None = None
    recall: dict[str, float] | None = None
    n_train: int = 0
    n_test: int = 0
    estimate: AccuracyEstimate | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """Class probabilities (N, K) of the session's cells, in the order of ``classes``.

    They have the ``prior``; ``balanced`` are the same with the balanced one, so that another can
    be applied. ``adjusted`` are the fractions of the classes in the groups of the cells, adjusted
    for the classifier's confusion; None where that is not known.
    """

    classes: tuple[str, ...]
    probabilities: npt.NDArray[np.float32] = dataclasses.field(repr=False)
    source: str = ""
    #: How the cells differ from those the classifier was trained on, a line each.
    warnings: tuple[str, ...] = ()
    prior: Prior | None = None
    balanced: npt.NDArray[np.float32] | None = dataclasses.field(default=None, repr=False)
    adjusted: Adjusted | None = dataclasses.field(default=None, repr=False)
    #: Whether the classifier was trained on each cell (N,); see `phenotypes.held_out`.
    training: tuple[str, ...] | None = dataclasses.field(default=None, repr=False)

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Most probable class of each cell (N,)."""
        return self.probabilities.argmax(axis=1)


class _Held(Generic[Value]):
    """An attribute that is replaced whole; its ``..._changed`` signal tells of the new value."""

    def __init__(self, default: Value) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> _Held[Value]: ...
    @overload
    def __get__(self, instance: Session, owner: type) -> Value: ...
    def __get__(self, instance: Session | None, owner: type) -> Value | _Held[Value]:
        if instance is None:
            return self
        value: Value = instance.__dict__.get(self._name, self._default)
        return value

    def __set__(self, instance: Session, value: Value) -> None:
        if value is self.__get__(instance, type(instance)):
            return
        instance.__dict__[self._name] = value
        signal: SignalInstance = getattr(instance, f"{self._name}_changed")
        signal.emit(value)


class Session:
    """State of one viewer. Every value is immutable and replaced whole, on the main thread.

    Attributes
    ----------
    cells : Cells or None
        The data set in use; its classes are the session's classes.
    source : str
        Where the cells came from, in words.
    shown : Shown or None
        The field of view in the viewer.
    trained : Trained or None
    history : tuple of dict
        Metrics of each epoch of the training that runs, or ran last.
    predictions : Predictions or None
    prior : str, dict of str to float, or None
        Which prior probabilities are shown with, as for `Classifier.predict_proba`.
    importance : ChannelImportance or None
        Partial while it is being computed.
    explanation : Explanation or None
        Of the cell that was clicked last; partial while it is being computed.
    latents : Latents or None
        Of all cells, as the dock 'Latent traversals' found them.
    selected : tuple of int
        Cells that are selected, everywhere: positions in ``cells``, the one looked at first.
    edits : Edits
        Changes of classes that can be taken back; see `classify`, `undo` and `redo`.
    explained : tuple of Explanation
        Those of these cells by this classifier whose map is finished, the latest first.
    saved : (Cells, path) or None
        Cells that were saved as a data set, and its file.
    painting : bool
        Whether a click in the viewer gives a cell a class.
    running : tuple of str
        Names of the tasks at work.
    """

    # Other cells are about to take the place of these.
    replaced = Signal()
    cells_changed = Signal(object)
    source_changed = Signal(object)
    shown_changed = Signal(object)
    trained_changed = Signal(object)
    history_changed = Signal(object)
    predictions_changed = Signal(object)
    prior_changed = Signal(object)
    importance_changed = Signal(object)
    explanation_changed = Signal(object)
    latents_changed = Signal(object)
    selected_changed = Signal(object)
    # Classes were changed, taken back or changed again; opening other cells is no edit.
    edited = Signal()
    explained_changed = Signal(object)
    saved_changed = Signal(object)
    # Memory is wanted: whoever lets go of something adds its bytes to the list.
    freeing = Signal(list)
    painting_changed = Signal(object)
    running_changed = Signal(object)

    cells: _Held[Cells | None] = _Held(None)
    source: _Held[str] = _Held("")
    shown: _Held[Shown | None] = _Held(None)
    trained: _Held[Trained | None] = _Held(None)
    history: _Held[tuple[dict[str, float], ...]] = _Held(())
    predictions: _Held[Predictions | None] = _Held(None)
    prior: _Held[PriorChoice] = _Held(None)
    importance: _Held[ChannelImportance | None] = _Held(None)
    explanation: _Held[Explanation | None] = _Held(None)
    latents: _Held[Latents | None] = _Held(None)
    selected: _Held[tuple[int, ...]] = _Held(())
    explained: _Held[tuple[Explanation, ...]] = _Held(())
    saved: _Held[tuple[Cells, Path] | None] = _Held(None)
    painting: _Held[bool] = _Held(False)
    running: _Held[tuple[str, ...]] = _Held(())

    def __init__(self) -> None:
        self.edits = Edits()
        self.explanation_changed.connect(self._remember)
        self.trained_changed.connect(self._forget_explained)
        self.trained_changed.connect(self._forget_prior)

    def open(self, cells: Cells | None, source: str = "", shown: Shown | None = None) -> None:
        """Begin with another data set: what was found in the one before no longer holds."""
        self.replaced.emit()
        self.importance = None
        self.explanation = None
        self.explained = ()
        self.latents = None
        self.predictions = None
        self.history = ()
        self.selected = ()
        self.edits.clear()
        self.source = source
        # Cells before what is shown: whoever hears of a new field of view may look it up.
        self.cells = cells
        self.shown = shown

    def select(self, *cells: int) -> None:
        """Select these cells everywhere; without any, none. What is selected already stays so."""
        if cells != self.selected:
            self.selected = cells

    def classify(
        self, labels: npt.ArrayLike, classes: tuple[str, ...], *, joined: bool = False
    ) -> None:
        """Give the cells other classes, (N,) positions in ``classes`` or -1.

        ``joined``: part of the change before, as along one stroke of a brush; they are taken back
        together.
        """
        before = self.cells
        if before is None:
            return
        after = before.with_labels(labels, classes)
        edit = Edit.between(before, after)
        if edit.empty:
            return
        self.edits.add(edit, joined=joined)
        self.cells = after
        self.edited.emit()

    def assign(self, cells: Sequence[int], code: int, *, joined: bool = False) -> None:
        """Give some cells a class, a position in the classes, or -1 for none."""
        if self.cells is not None:
            labels = self.cells.labels.copy()
            labels[list(cells)] = code
            self.classify(labels, self.cells.classes, joined=joined)

    def undo(self) -> None:
        """Take back the last change of classes."""
        self._restore(self.edits.back(self.cells))

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self._restore(self.edits.forth(self.cells))

    def _restore(self, cells: Cells | None) -> None:
        if cells is not None:
            self.cells = cells
            self.edited.emit()

    def _remember(self, found: Explanation | None) -> None:
        """Keep what was found of a cell, for the report: one answer to each question."""
        # While it is under way there is no map to remember yet.
        if found is None or getattr(found, "attribution", None) is None:
            return
        key = (found.cell, found.question)
        others = [one for one in self.explained if (one.cell, one.question) != key]
        self.explained = (found, *others[: MOST_EXPLAINED - 1])

    def _forget_explained(self, _: object) -> None:
        self.explained = ()

    def _forget_prior(self, trained: Trained | None) -> None:
        """Shares of other classes mean nothing to this classifier."""
        prior = self.prior
        known = () if trained is None else trained.classifier.classes
        if isinstance(prior, dict) and set(known) != set(prior):
            self.prior = None

    def begin(self, task: str) -> None:
        """Note that a task is at work."""
        self.running = (*self.running, task)

    def end(self, task: str) -> None:
        """Note that it is done, stopped or failed."""
        left = list(self.running)
        if task in left:
            left.remove(task)
        self.running = tuple(left)


_SESSIONS = PerViewer(lambda _: Session())


def session_of(viewer: Any) -> Session:
    """The session of a viewer, the same one for all of its docks."""
    return _SESSIONS(viewer)
