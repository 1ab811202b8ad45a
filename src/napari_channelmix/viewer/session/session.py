"""The session: what one viewer is working on, shared by all of its pages. It knows no Qt.

- `state` declares its fields, each with its default;
- `update_rules` says what follows when one of them is replaced;
- `Session` tells who listens, and opens, switches and closes data sets.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any, ClassVar

from psygnal import Signal, SignalGroupDescriptor, SignalInstance

from napari_channelmix.viewer.session.data_sets import (
    DataSetState,
    ShownBefore,
    owner_of,
    unique_name,
)
from napari_channelmix.viewer.session.display import Display
from napari_channelmix.viewer.session.edits import Edit
from napari_channelmix.viewer.session.per_viewer import PerViewer, own_viewer
from napari_channelmix.viewer.session.predictions import Predictions
from napari_channelmix.viewer.session.shown import Shown
from napari_channelmix.viewer.session.state import (
    FIELDS,
    KEPT_PER_DATA_SET,
    SessionState,
    nothing_known,
)
from napari_channelmix.viewer.session.trained import Trained
from napari_channelmix.viewer.session.update_rules import is_used, with_consequences
from napari_channelmix.viewer.session.what_if_answers import with_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_channelmix.data import Cells

__all__ = ["Predictions", "Session", "Shown", "Trained", "own_viewer", "session_of"]


class Session(SessionState):
    """State of one viewer. Every value is immutable and replaced whole, on the main thread.

    Several data sets can be open, of which one is in use: `open` and `switch` keep what was found
    of the one before. The classifier in use stays in use.

    A field that is replaced by another object emits ``<field>_changed`` with the new value, as
    ``cells_changed``, once it and all that follows from it are in place.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor(
        signal_aliases=lambda field: f"{field}_changed",
        # `update` emits: values are told apart by identity, and all are in place first.
        patch_setattr=False,
        connect_child_events=False,
    )

    # Other cells are about to take the place of these.
    replaced = Signal()
    # A data set was opened, taken in use or closed, or something was found of one not in use.
    data_sets_changed = Signal()
    # A data set is gone, with all that was found of it; its key.
    closed = Signal(int)
    # Classes were changed, taken back or changed again; opening other cells is no edit.
    edited = Signal()
    # Memory is wanted: whoever lets go of something adds its bytes to the list.
    freeing = Signal(list)

    def __init__(self) -> None:
        self._keys = itertools.count(1)
        vars(self).update(vars(SessionState()))
        #: The channels that every picture of cells shows.
        self.display = Display(self)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIELDS:
            self.update(**{name: value})
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> SignalInstance:
        """The signal of a field."""
        if name.endswith("_changed") and name in self.events:
            return self.events[name]
        raise AttributeError(f"a session has no {name!r}")

    @property
    def state(self) -> SessionState:
        """All values as they are now."""
        return SessionState(**{name: getattr(self, name) for name in FIELDS})

    def update(self, **values: Any) -> None:
        """Replace fields, with all that follows from it; then tell of each that changed, once.

        Whoever hears of one finds all others in place.
        """
        before = self.state
        after = vars(with_consequences(before, dataclasses.replace(before, **values)))
        changed = [name for name in FIELDS if after[name] is not getattr(before, name)]
        vars(self).update({name: after[name] for name in changed})
        for name in changed:
            # Else whoever heard of the others replaced it again, which was told of already.
            if getattr(self, name) is after[name]:
                self.events[f"{name}_changed"].emit(after[name])

    # ---------------------------------------------------------------- data sets

    @property
    def data_sets(self) -> tuple[DataSetState, ...]:
        """The open data sets, in the order in which they were opened."""
        states = (self.of(key) for key in self.names)
        return tuple(state for state in states if state is not None)

    def of(self, key: int) -> DataSetState | None:
        """An open data set by its key."""
        state = self._in_use() if key == self.data_set else self.not_in_use.get(key)
        if state is None:
            return None
        return dataclasses.replace(state, classifier=self.classifier_of.get(key))

    def is_closed(self, state: DataSetState) -> bool:
        """Whether a data set was closed, and is known only for its classifier."""
        return state.key in self.no_longer_open

    def data_set_of(self, trained: Trained | None) -> DataSetState | None:
        """The data set that a classifier was trained on, or was opened with; also a closed one."""
        return owner_of(trained, (*self.data_sets, *self.no_longer_open.values()))

    @property
    def classifiers(self) -> tuple[Trained, ...]:
        """The last classifier of each data set."""
        return tuple(self.classifier_of.values())

    def uses(self, trained: Trained) -> bool:
        """Whether a classifier is in use, or gave predictions or explanations that are there."""
        return is_used(self, trained)

    def uses_elsewhere(self, trained: Trained, key: int) -> bool:
        """The same, apart from what it said of one data set: whether it outlives that one."""
        return is_used(self, trained, apart_from=key)

    def _in_use(self) -> DataSetState | None:
        """The data set in use; None while there are no cells."""
        cells = self.cells
        if cells is None:
            return None
        values = {name: getattr(self, name) for name in KEPT_PER_DATA_SET}
        values["original"] = self.original or cells
        return DataSetState(
            self.data_set,
            self.names.get(self.data_set, cells.name),
            shown=ShownBefore(self.shown),
            **values,
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
        before, key = self._in_use(), next(self._keys)
        names, not_in_use = dict(self.names), dict(self.not_in_use)
        classifier_of = dict(self.classifier_of)
        if before is None or instead:
            names.pop(self.data_set, None)
            # A classifier that is there goes with the cells that come now.
            if self.data_set in classifier_of:
                classifier_of[key] = classifier_of.pop(self.data_set)
        else:
            not_in_use[before.key] = before
            names.setdefault(before.key, before.name)
        if cells is not None:
            names[key] = unique_name(cells.name, names.values())
        new: dict[str, Any] = {"cells": cells, "original": cells, "source": source, "shown": shown}
        self.update(
            **{**nothing_known(), **new},
            data_set=key,
            names=names,
            not_in_use=not_in_use,
            classifier_of=classifier_of,
        )
        if instead and before is not None:
            self.closed.emit(before.key)
        self.data_sets_changed.emit()

    def switch(self, key: int, shown: Shown | None = None) -> None:
        """Take another open data set in use, with all that was found of it."""
        if key not in self.not_in_use:
            return
        self.replaced.emit()
        before, not_in_use = self._in_use(), dict(self.not_in_use)
        after = not_in_use.pop(key)
        if before is not None:
            not_in_use[before.key] = before
        stored = {name: getattr(after, name) for name in KEPT_PER_DATA_SET}
        self.update(
            **{**nothing_known(), **stored, "shown": shown}, data_set=key, not_in_use=not_in_use
        )
        self.data_sets_changed.emit()

    def close(self, key: int) -> None:
        """Let go of a data set that is not in use, and of all that was found of it."""
        if key not in self.not_in_use:
            return
        names, not_in_use = dict(self.names), dict(self.not_in_use)
        del names[key]
        # It is on record until no classifier of it is used; see `update_rules`.
        record = dataclasses.replace(
            not_in_use.pop(key),
            history=(),
            predictions=None,
            importance=None,
            latents=None,
            what_if=None,
            explained=(),
            selected=(),
            classifier=self.classifier_of.get(key),
        )
        self.update(
            names=names,
            not_in_use=not_in_use,
            no_longer_open={**self.no_longer_open, key: record},
        )
        self.closed.emit(key)
        self.data_sets_changed.emit()

    def keep_answer(self, key: int, trained: Trained, **answer: Any) -> None:
        """Keep an answer of what-if with its data set, whichever is in use; see `WhatIfAnswers`."""
        state = self.of(key)
        if state is not None:
            self.put(key, what_if=with_answer(state.what_if, trained, **answer))

    def put(self, key: int, **results: Any) -> None:
        """Results of a data set by its key, whichever is in use; nothing where it is closed."""
        if key == self.data_set:
            self.update(**results)
        elif key in self.not_in_use:
            state = dataclasses.replace(self.not_in_use[key], **results)
            self.update(not_in_use={**self.not_in_use, key: state})
            self.data_sets_changed.emit()

    def put_classifier(self, key: int, trained: Trained) -> None:
        """A classifier that was trained on a data set; nothing where that is closed.

        It is in use from now on, unless another data set is in use by now with a classifier of
        another one: its results stay as they are.
        """
        if key != self.data_set and key not in self.not_in_use:
            return
        before = self.classifier_of.get(key)
        stays = key != self.data_set and self.trained is not None and self.trained is not before
        self.update(
            classifier_of={**self.classifier_of, key: trained},
            trained=self.trained if stays else trained,
        )
        self.data_sets_changed.emit()

    # ---------------------------------------------------------------- cells

    def select(self, *cells: int) -> None:
        """Select these cells everywhere; without any, none. What is selected already stays so."""
        if cells != self.selected:
            self.selected = cells

    def toggle(self, cell: int) -> None:
        """Select one cell more, as the one looked at first; one that is selected no longer."""
        others = [other for other in self.selected if other != cell]
        self.select(*(others if cell in self.selected else [cell, *others]))

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
        """Undo the last change of classes."""
        self._restore(self.edits.back(self.cells))

    def redo(self) -> None:
        """Redo the change of classes that was undone last."""
        self._restore(self.edits.forth(self.cells))

    def _restore(self, cells: Cells | None) -> None:
        if cells is not None:
            self.cells = cells
            self.edited.emit()

    # ---------------------------------------------------------------- tasks

    def begin(self, task: str, data_set: int | None = None) -> None:
        """Note that a task is at work; its result belongs to a data set, where one is named."""
        self._work_on((*self.tasks, (task, data_set)))

    def end(self, task: str, data_set: int | None = None) -> None:
        """Note that it is done, stopped or failed."""
        left = list(self.tasks)
        if (task, data_set) in left:
            left.remove((task, data_set))
        self._work_on(tuple(left))

    def _work_on(self, tasks: tuple[tuple[str, int | None], ...]) -> None:
        self.update(tasks=tasks, running=tuple(name for name, _ in tasks))

    def running_on(self, key: int) -> tuple[str, ...]:
        """Names of the tasks whose result belongs to a data set: closing it stops them."""
        return tuple(name for name, data_set in self.tasks if data_set == key)


_SESSIONS = PerViewer(lambda _: Session())


def session_of(viewer: Any) -> Session:
    """The session of a viewer, the same one for all of its docks."""
    return _SESSIONS(viewer)
