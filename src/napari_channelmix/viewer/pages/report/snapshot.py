"""What the session holds at a moment, for jobs that write it down. It knows no Qt.

A snapshot is of the data set in use; it holds one of every other data set that is open.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from napari_channelmix.viewer.session.data_sets import owner_of

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.data.display_channels import DisplayChannels
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.drl import Latents
    from napari_channelmix.report.ome import PlaneImage
    from napari_channelmix.viewer.session.data_sets import DataSetState
    from napari_channelmix.viewer.session.explanation import Explanation
    from napari_channelmix.viewer.session.session import Predictions, Session, Trained
    from napari_channelmix.viewer.session.what_if_answers import WhatIfAnswers

__all__ = ["Snapshot", "snapshot_of"]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Values of one data set of a session, none of which changes.

    Attributes
    ----------
    cells : Cells
    source : str
        Where they came from, in words, or the path of their data-set file.
    dataset : path or None
        Data-set file that may hold these very cells.
    trained : Trained or None
        The classifier in use; of another data set, its own.
    predictions, importance, latents, what_if
        As in the session.
    explained : tuple of Explanation
    images : tuple of PlaneImage
        What is drawn on the field of view.
    prior : str, dict of str to float, or None
        Which prior was chosen.
    name : str
        What the session calls the data set; empty: as the cells are called.
    explained_by : Trained or None
        The classifier whose answers were explained; None: ``trained``.
    own : bool
        Whether ``trained`` was trained on this data set, or opened with it.
    in_use : bool
        Whether the session works on it.
    edited : bool
        Whether classes were changed since it was opened, and not saved since.
    others : tuple of Snapshot
        Those before and after it, each by its ``place``.
    place : int
        When it was opened, among the others.
    closed : bool
        Whether it was closed, and is part of the record only because its classifier is used.
    display : DisplayChannels or None
        Of the data set in use: the channels that pictures of cells show.
    """

    cells: Cells
    source: str
    dataset: Path | None = None
    trained: Trained | None = None
    predictions: Predictions | None = None
    importance: ChannelImportance | None = None
    latents: Latents | None = None
    explained: tuple[Explanation, ...] = ()
    images: tuple[PlaneImage, ...] = field(default=(), repr=False)
    prior: PriorChoice = None
    name: str = ""
    explained_by: Trained | None = None
    own: bool = True
    in_use: bool = True
    edited: bool = False
    others: tuple[Snapshot, ...] = ()
    place: int = 0
    closed: bool = False
    display: DisplayChannels | None = None
    what_if: WhatIfAnswers | None = None

    @property
    def title(self) -> str:
        """What the data set is called."""
        return self.name or self.cells.name

    @property
    def classifier(self) -> Trained | None:
        """The classifier that belongs to this data set."""
        return self.trained if self.own else None

    @property
    def data_sets(self) -> tuple[Snapshot, ...]:
        """All data sets of the session, in the order in which they were opened."""
        return tuple(sorted((self, *self.others), key=lambda data_set: data_set.place))

    @property
    def recorded(self) -> tuple[Snapshot, ...]:
        """Data sets of which something was found; or that in use, where there is nothing."""
        recorded = tuple(data_set for data_set in self.data_sets if data_set.results)
        return recorded or (self,)

    @property
    def results(self) -> tuple[str, ...]:
        """What was found of it and can be found again, in words."""
        results = []
        if self.importance is not None:
            results.append("channel importance")
        if self.classifier is not None:
            results.append("the classifier")
        if self.predictions is not None:
            results.append("predictions")
        if self.explained:
            count = len(self.explained)
            results.append(f"{count} explained cell{'' if count == 1 else 's'}")
        if self.latents is not None:
            results.append("latents")
        if self.what_if is not None:
            results += self.what_if.words
        return tuple(results)

    @property
    def contents(self) -> tuple[str, ...]:
        """What a report of it says, in words."""
        return (f"the data ({len(self.cells):,} cells)", *self.results)

    def owner_of(self, trained: Trained | None) -> Snapshot | None:
        """The data set that a classifier belongs to; None where it is no data set's any more."""
        return owner_of(trained, self.data_sets)


def snapshot_of(session: Session, images: tuple[PlaneImage, ...] = ()) -> Snapshot | None:
    """The session as it is now; None while it has no cells."""
    state = session.of(session.data_set)
    if state is None:
        return None
    states = list(session.data_sets)
    used = [session.trained, *(entry for each in states for entry in each.answered_by)]
    # Closed ones too, where their classifier is used.
    closed = (session.data_set_of(trained) for trained in used)
    known = {entry.key: entry for entry in (*closed, state, *states) if entry is not None}
    places = sorted(known)
    others = tuple(
        replace(_of_state(entry, places.index(key), in_use=False), closed=session.is_closed(entry))
        for key, entry in known.items()
        if key != state.key
    )
    trained = session.trained
    own = trained is None or state.classifier is trained
    if not own and state.classifier is not None:
        # It has another one of its own, which is not in use.
        trained, own = state.classifier, True
    snapshot = _of_state(state, places.index(state.key), in_use=True)
    return replace(
        snapshot,
        trained=trained,
        own=own,
        images=images,
        prior=session.prior,
        others=others,
        display=session.display.together,
    )


def _of_state(state: DataSetState, place: int, *, in_use: bool) -> Snapshot:
    predictions = state.predictions
    if predictions is not None and len(predictions.probabilities) != len(state.cells):
        predictions = None
    return Snapshot(
        state.cells,
        state.source,
        state.saved_in,
        state.classifier,
        predictions,
        state.importance,
        state.latents,
        state.explained,
        prior=state.prior,
        name=state.name,
        explained_by=state.explained_by,
        in_use=in_use,
        place=place,
        edited=state.edited,
        what_if=state.what_if,
    )
