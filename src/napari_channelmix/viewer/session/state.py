"""Everything that a session holds at one moment. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.session.data_sets import DataSetState
from napari_channelmix.viewer.session.edits import Edits

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.drl import Latents
    from napari_channelmix.viewer.session.explanation import Explanation
    from napari_channelmix.viewer.session.predictions import Predictions
    from napari_channelmix.viewer.session.shown import Shown
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.viewer.session.what_if_answers import WhatIfAnswers

__all__ = ["FIELDS", "KEPT_PER_DATA_SET", "SessionState", "nothing_known"]


@dataclass(eq=False)
class SessionState:
    """The fields of a session, each declared here alone, with its default.

    Every value is immutable and replaced whole. `Session` has a signal ``<field>_changed`` for
    each. Fields that `DataSetState` has too are kept with a data set while another one is in use.

    Attributes
    ----------
    cells : Cells or None
        The cells of the data set in use; its classes are the session's classes.
    original : Cells or None
        The same with the classes that they came with.
    source : str
        Where the cells came from, in words.
    shown : Shown or None
        The field of view in the viewer.
    trained : Trained or None
        The classifier in use; it stays so when another data set is taken in use.
    history : tuple of dict
        Metrics of each epoch of the training that runs, or ran last.
    predictions : Predictions or None
    prior : str, dict of str to float, or None
        Which prior probabilities are shown with, as for `Classifier.predict_proba`.
    importance : ChannelImportance or None
        Partial while it is being computed.
    explanation : Explanation or None
        Of the cell that was clicked last; partial while it is being computed.
    explained : tuple of Explanation
        Those of these cells by one classifier whose map is finished, the latest first.
    explained_by : Trained or None
        That classifier.
    latents : Latents or None
        Of all cells, as the page 'Latents' computed them.
    what_if : WhatIfAnswers or None
        Of held-out cells that were edited, as the page 'What if' asked for them.
    selected : tuple of int
        Cells that are selected, everywhere: positions in ``cells``, the one looked at first.
    edits : Edits
        Changes of classes that can be taken back; see `Session.classify`.
    saved : (Cells, path) or None
        Cells that were saved as a data set, and its file.
    painting : bool
        Whether a click in the viewer gives a cell a class.
    running : tuple of str
        Names of the tasks at work.
    tasks : tuple of (str, int or None)
        The same, each with the data set that its result belongs to, where it has one.
    data_set : int
        The key of the data set in use; 0 before the first one.
    names : dict of int to str
        Names of the open data sets by their keys, in the order in which they were opened.
    not_in_use : dict of int to DataSetState
        Open data sets, except the one in use.
    no_longer_open : dict of int to DataSetState
        Closed data sets whose classifier is still used.
    classifier_of : dict of int to Trained
        The last classifier of each data set, open or closed.
    """

    cells: Cells | None = None
    original: Cells | None = None
    source: str = ""
    shown: Shown | None = None
    trained: Trained | None = None
    history: tuple[dict[str, float], ...] = ()
    predictions: Predictions | None = None
    prior: PriorChoice = None
    importance: ChannelImportance | None = None
    explanation: Explanation | None = None
    explained: tuple[Explanation, ...] = ()
    explained_by: Trained | None = None
    latents: Latents | None = None
    what_if: WhatIfAnswers | None = None
    selected: tuple[int, ...] = ()
    edits: Edits = field(default_factory=Edits)
    saved: tuple[Cells, Path] | None = None
    painting: bool = False
    running: tuple[str, ...] = ()
    tasks: tuple[tuple[str, int | None], ...] = ()
    data_set: int = 0
    names: dict[int, str] = field(default_factory=dict)
    not_in_use: dict[int, DataSetState] = field(default_factory=dict)
    no_longer_open: dict[int, DataSetState] = field(default_factory=dict)
    classifier_of: dict[int, Trained] = field(default_factory=dict)


FIELDS = tuple(one.name for one in fields(SessionState))
#: What goes with a data set and comes back with it. What is shown is kept as `ShownBefore`.
KEPT_PER_DATA_SET = tuple(
    one.name for one in fields(DataSetState) if one.name in FIELDS and one.name != "shown"
)


def nothing_known() -> dict[str, Any]:
    """What a session holds of cells that were just opened; the prior is that of the user."""
    empty = SessionState()
    of_cells = {*KEPT_PER_DATA_SET, "explanation", "shown"} - {"prior"}
    return {name: getattr(empty, name) for name in FIELDS if name in of_cells}
