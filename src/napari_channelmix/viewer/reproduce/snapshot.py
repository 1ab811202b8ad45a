"""What the session holds at a moment, for jobs that write it down. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.drl import Latents
    from napari_channelmix.report.ome import PlaneImage
    from napari_channelmix.viewer.explaining import Explanation
    from napari_channelmix.viewer.session import Predictions, Session, Trained

__all__ = ["Snapshot", "snapshot_of"]


@dataclass(frozen=True)
class Snapshot:
    """Values of a session, none of which changes.

    Attributes
    ----------
    cells : Cells
    source : str
        Where they came from, in words, or the path of their data-set file.
    dataset : path or None
        Data-set file that may hold these very cells.
    trained, predictions, importance, latents
        As in the session.
    explained : tuple of Explanation
    history : tuple of dict
    images : tuple of PlaneImage
        What is drawn on the field of view.
    prior : str, dict of str to float, or None
        Which prior was chosen.
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

    @property
    def contents(self) -> tuple[str, ...]:
        """What a report of it says, in words."""
        found = [f"the data ({len(self.cells)} cells)"]
        if self.importance is not None:
            found.append("channel importance")
        if self.trained is not None:
            found.append("the classifier")
        if self.explained:
            count = len(self.explained)
            found.append(f"{count} explained cell{'' if count == 1 else 's'}")
        if self.latents is not None:
            found.append("latents")
        return tuple(found)


def snapshot_of(session: Session, images: tuple[PlaneImage, ...] = ()) -> Snapshot | None:
    """The session as it is now; None while it has no cells."""
    cells = session.cells
    if cells is None:
        return None
    predictions = session.predictions
    if predictions is not None and len(predictions.probabilities) != len(cells):
        predictions = None
    return Snapshot(
        cells, session.source, _dataset(session), session.trained, predictions,
        session.importance, session.latents, session.explained, images,
        session.prior,
    )  # fmt: skip


def _dataset(session: Session) -> Path | None:
    """Where these cells may lie on disk; whether they are the same is found out by opening it."""
    saved = session.saved
    if saved is not None and saved[0] is session.cells:
        return saved[1]
    path = Path(session.source)
    return path if path.suffix.lower() == ".toml" and path.is_file() else None
