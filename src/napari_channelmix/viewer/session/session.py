"""The session: what one viewer is working on, shared by all of its docks. It knows no Qt."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from psygnal import Signal, SignalInstance

from napari_channelmix.viewer.session.data_sets import (
    RESULTS,
    DataSetState,
    ShownBefore,
    unique_name,
)
from napari_channelmix.viewer.session.edits import Edit, Edits
from napari_channelmix.viewer.session.per_viewer import PerViewer, own_viewer

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
    from napari_channelmix.viewer.session.explanation import Explanation

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
    #: The classifier that gave them.
    trained: Trained | None = dataclasses.field(default=None, repr=False)

    def is_by(self, trained: Trained | None) -> bool:
        """Whether a classifier gave them, as far as that is known."""
        return self.trained is None or self.trained is trained

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Most probable class of each cell (N,)."""
        codes: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return codes


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

    Several data sets can be open, of which one is in use: `open` and `switch` keep what was found
    of the one before. The classifier in use stays in use.

    Attributes
    ----------
    data_sets : tuple of DataSetState
        Those that are open, in the order in which they were opened.
    data_set : int
        The key of the one in use.
    cells : Cells or None
        The cells of the data set in use; its classes are the session's classes.
    original : Cells or None
        The same with the classes that they came with.
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
    # A data set was opened, taken in use or closed, or something was found of one not in use.
    data_sets_changed = Signal()
    # A data set is gone, with all that was found of it; its key.
    closed = Signal(int)
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
        self.original: Cells | None = None
        self._keys = itertools.count(1)
        self._key = 0
        # Keys of the open data sets, in order, and their names.
        self._names: dict[int, str] = {}
        # Those that are not in use, and closed ones whose classifier may still be in use.
        self._others: dict[int, DataSetState] = {}
        self._closed: dict[int, DataSetState] = {}
        self._classifiers: dict[int, Trained] = {}
        self._explained_by: Trained | None = None
        # Each task at work, and the data set that its result belongs to, where it has one.
        self._tasks: tuple[tuple[str, int | None], ...] = ()
        self.explanation_changed.connect(self._remember)
        self.trained_changed.connect(self._remember_classifier)
        self.trained_changed.connect(self._forget_prior)

    # ---------------------------------------------------------------- data sets

    @property
    def data_set(self) -> int:
        """The key of the data set in use."""
        return self._key

    @property
    def data_sets(self) -> tuple[DataSetState, ...]:
        """The open data sets, in the order in which they were opened."""
        found = (self.of(key) for key in self._names)
        return tuple(one for one in found if one is not None)

    def of(self, key: int) -> DataSetState | None:
        """An open data set by its key."""
        state = self._now() if key == self._key else self._others.get(key)
        if state is None:
            return None
        return dataclasses.replace(state, classifier=self._classifiers.get(key))

    def is_closed(self, state: DataSetState) -> bool:
        """Whether a data set was closed, and is known only for its classifier."""
        return state.key in self._closed

    def data_set_of(self, trained: Trained | None) -> DataSetState | None:
        """The data set that a classifier was trained on, or was opened with; also a closed one."""
        for key, one in self._classifiers.items():
            if one is trained:
                return self.of(key) or self._closed.get(key)
        return None

    @property
    def classifiers(self) -> tuple[Trained, ...]:
        """The last classifier of each data set."""
        return tuple(self._classifiers.values())

    def _now(self) -> DataSetState | None:
        """The data set in use; None while there are no cells."""
        cells = self.cells
        if cells is None:
            return None
        return DataSetState(
            self._key,
            self._names.get(self._key, cells.name),
            cells,
            self.original or cells,
            self.source,
            ShownBefore(self.shown),
            self.edits,
            self.prior,
            explained_by=self._explained_by,
            **{name: getattr(self, name) for name in RESULTS},
        )

    def open(
        self,
        cells: Cells | None,
        source: str = "",
        shown: Shown | None = None,
        *,
        instead: bool = False,
    ) -> None:
        """Take another data set in use; what was found of the one before is kept with it.

        ``instead``: it takes the place of the one in use, as cells that were cut out anew.
        """
        self.replaced.emit()
        before, self._key = self._now(), next(self._keys)
        last = 0 if before is None else before.key
        names = {key: name for key, name in self._names.items() if not (instead and key == last)}
        if before is None or instead:
            # A classifier that is there goes with the cells that come now.
            if last in self._classifiers:
                self._classifiers[self._key] = self._classifiers.pop(last)
        else:
            self._others[last] = before
            names.setdefault(last, before.name)
        if cells is not None:
            names[self._key] = unique_name(cells.name, names.values())
        self._names = names
        self._show(cells, source, shown, cells, Edits())
        if instead and before is not None:
            self.closed.emit(last)
        self.data_sets_changed.emit()

    def switch(self, key: int, shown: Shown | None = None) -> None:
        """Take another open data set in use, with all that was found of it."""
        if key not in self._others:
            return
        self.replaced.emit()
        before, after = self._now(), self._others.pop(key)
        if before is not None:
            self._others[before.key] = before
        self._key = key
        self._show(after.cells, after.source, shown, after.original, after.edits)
        self.prior = after.prior
        self._forget_prior(self.trained)
        self._explained_by = after.explained_by
        for name in RESULTS:
            setattr(self, name, getattr(after, name))
        self.data_sets_changed.emit()

    def close(self, key: int) -> None:
        """Let go of a data set that is not in use, and of all that was found of it."""
        state = self._others.pop(key, None)
        if state is None:
            return
        del self._names[key]
        trained = self._classifiers.get(key)
        if trained is not None and self.uses(trained):
            # What a classifier was trained on is part of the record as long as it is used.
            self._closed[key] = dataclasses.replace(
                state,
                history=(),
                predictions=None,
                importance=None,
                latents=None,
                explained=(),
                selected=(),
                classifier=trained,
            )
        else:
            self._classifiers.pop(key, None)
        # Its predictions may have been the last of another classifier.
        self._let_go()
        self.closed.emit(key)
        self.data_sets_changed.emit()

    def put(self, key: int, **found: Any) -> None:
        """Results of a data set by its key, whichever is in use; nothing where it is closed."""
        if key == self._key:
            for name, value in found.items():
                setattr(self, name, value)
        elif key in self._others:
            self._others[key] = dataclasses.replace(self._others[key], **found)
            self.data_sets_changed.emit()

    def put_classifier(self, key: int, trained: Trained) -> None:
        """A classifier that was trained on a data set; nothing where that is closed.

        It is in use from now on, unless another data set is in use by now with a classifier of
        another one: its results stay as they are.
        """
        if key != self._key and key not in self._others:
            return
        before = self._classifiers.get(key)
        self._classifiers[key] = trained
        if key == self._key or self.trained is None or self.trained is before:
            self.trained = trained
        self._forget_replaced(key, before)
        self.data_sets_changed.emit()

    def _forget_replaced(self, key: int, before: Trained | None) -> None:
        """Forget what the classifier before that of now said of the cells of its own data set."""
        state = self.of(key)
        if state is not None:
            given = state.predictions
            if given is not None and given.is_by(before):
                self.put(key, predictions=None)
            if state.explained and (state.explained_by is None or state.explained_by is before):
                self.put(key, explained=())
        self._let_go()

    def _let_go(self) -> None:
        """Forget closed data sets whose classifier is no longer used."""
        unused = [one for one in self._closed if not self.uses(self._classifiers[one])]
        for one in unused:
            del self._closed[one], self._classifiers[one]

    def _show(
        self,
        cells: Cells | None,
        source: str,
        shown: Shown | None,
        original: Cells | None,
        edits: Edits,
    ) -> None:
        """Put cells in use; nothing is known of them yet."""
        self.importance = None
        self.explanation = None
        self.explained = ()
        self.latents = None
        self.predictions = None
        self.history = ()
        self.selected = ()
        self.saved = None
        self._explained_by = None
        self.edits, self.original = edits, original
        self.source = source
        # Cells before what is shown: whoever hears of a new field of view may look it up.
        self.cells = cells
        self.shown = shown

    def uses(self, trained: Trained) -> bool:
        """Whether a classifier is in use, or gave predictions or explanations that are there."""
        return trained is self.trained or any(
            trained is one for state in self.data_sets for one in state.answered_by
        )

    def uses_elsewhere(self, trained: Trained, key: int) -> bool:
        """The same, apart from what it said of one data set: whether it outlives that one."""
        return trained is self.trained or any(
            trained is one
            for state in self.data_sets
            if state.key != key
            for one in state.answered_by
        )

    def _remember_classifier(self, trained: Trained | None) -> None:
        """One that is no data set's yet, as from a file, is from now on that of the one in use."""
        if trained is not None and all(one is not trained for one in self.classifiers):
            before = self._classifiers.get(self._key)
            self._classifiers[self._key] = trained
            self._forget_replaced(self._key, before)

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
        # The list is of one classifier: those of another go.
        same = self._explained_by is None or self._explained_by is self.trained
        before = self.explained if same else ()
        others = [one for one in before if (one.cell, one.question) != key]
        self._explained_by = self.trained
        self.explained = (found, *others[: MOST_EXPLAINED - 1])

    def _forget_prior(self, trained: Trained | None) -> None:
        """Shares of other classes mean nothing to this classifier."""
        prior = self.prior
        known = () if trained is None else trained.classifier.classes
        if isinstance(prior, dict) and set(known) != set(prior):
            self.prior = None

    # ---------------------------------------------------------------- tasks

    def begin(self, task: str, data_set: int | None = None) -> None:
        """Note that a task is at work; its result belongs to a data set, where one is named."""
        self._work_on((*self._tasks, (task, data_set)))

    def end(self, task: str, data_set: int | None = None) -> None:
        """Note that it is done, stopped or failed."""
        left = list(self._tasks)
        if (task, data_set) in left:
            left.remove((task, data_set))
        self._work_on(tuple(left))

    def _work_on(self, tasks: tuple[tuple[str, int | None], ...]) -> None:
        self._tasks = tasks
        self.running = tuple(name for name, _ in tasks)

    def running_on(self, key: int) -> tuple[str, ...]:
        """Names of the tasks whose result belongs to a data set: closing it stops them."""
        return tuple(name for name, data_set in self._tasks if data_set == key)


_SESSIONS = PerViewer(lambda _: Session())


def session_of(viewer: Any) -> Session:
    """The session of a viewer, the same one for all of its docks."""
    return _SESSIONS(viewer)
