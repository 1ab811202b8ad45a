"""The latents of a data set: what cells are like, how far to trust it, what separates classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_json, write_text
from napari_channelmix.data.cell_columns import columns_of_cells
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.data.identifier_columns import named_keys
from napari_channelmix.drl.drawing_store import DRAWING_FILE, save_drawing
from napari_channelmix.drl.feature_disentangler import FeatureDisentangler
from napari_channelmix.drl.nearest_cells import Drawer, NearestCells, nearest_traversal
from napari_channelmix.drl.traversal import Decode, Traversal, ranges, save_sheet, traversal
from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.label_quality import NARROWEST
from napari_channelmix.phenotypes.robust import robust_z_scores
from napari_channelmix.shown_result import ShownResult

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_channelmix.data import Cells
    from napari_channelmix.drl.disentangler import Disentangler
    from napari_channelmix.drl.learnt_drawing import LearntDrawing
    from napari_channelmix.drl.preparation import Prepared
    from napari_channelmix.drl.reconstruction import Reconstruction
    from napari_channelmix.drl.separation import Separation
    from napari_channelmix.drl.trust import Trust
    from napari_channelmix.result_display import Summary

__all__ = ["UNDER_WAY", "Latents"]

FloatArray = npt.NDArray[np.float32]

SCHEMA = "napari-channelmix/latents/1"
# Why there is no separation in a result that comes before it.
UNDER_WAY = "still being computed"


@dataclass(frozen=True, eq=False, repr=False)
class Latents(ShownResult):
    """The latents of a data set.

    Attributes
    ----------
    cells : Cells
    values : (N, Z) float32 array
        Mean of each cell's posterior.
    spread : (N, Z) float32 array
        Standard deviation of each cell's posterior.
    disentangler : Disentangler
        The one that encoded them: the source, or its fine-tuned copy.
    prepared : Prepared
        The cells as they were shown to it.
    trust : tuple of Trust
        For each latent.
    separation : Separation or None
    unseparated : str
        Why there is none, in a line.
    provenance : dict
    warnings : tuple of str
    reconstruction : Reconstruction or None
        How far the decoder's pictures resemble the cells; None for a single cell.
    drawing : LearntDrawing or None
        Drawings from named and residual latents, where they were learnt; see
        `drl.learnt_drawing`.

    Examples
    --------
    >>> latents = cm.latents(cells.subset([0, 1, 2, 3]), separate=False)
    >>> latents.values.shape == (4, len(latents.names))
    True
    """

    cells: Cells = field(repr=False)
    values: FloatArray = field(repr=False)
    spread: FloatArray = field(repr=False)
    disentangler: Disentangler
    prepared: Prepared = field(repr=False)
    trust: tuple[Trust, ...]
    separation: Separation | None
    unseparated: str = ""
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()
    reconstruction: Reconstruction | None = None
    drawing: LearntDrawing | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each latent (Z)."""
        return self.disentangler.names

    @property
    def under_way(self) -> bool:
        """Whether what separates the classes was still to be worked out."""
        return self.unseparated == UNDER_WAY

    @property
    def active(self) -> npt.NDArray[np.bool_]:
        """(Z,) latents that vary among the cells and stand for something."""
        return np.array([entry.badge not in ("inactive", "spare") for entry in self.trust])

    def axes(self) -> tuple[str, ...]:
        """Axes worth looking at: those with an active latent."""
        active = self.active
        of = self.disentangler
        return tuple(axis for axis in of.axes() if active[list(of.columns(axis))].any())

    def ranges(self) -> npt.NDArray[np.float64]:
        """Where each latent lies among the cells (Z, 2)."""
        return ranges(self.values)

    def of_axis(self, axis: str) -> npt.NDArray[np.float64]:
        """Value of each cell (N,) on an axis; for a cyclic one the angle, in radians."""
        columns = self.disentangler.columns(axis)
        if len(columns) == 1:
            return self.values[:, columns[0]].astype(np.float64)
        angle: npt.NDArray[np.float64] = np.arctan2(
            self.values[:, columns[1]].astype(np.float64), self.values[:, columns[0]]
        ) % (2 * np.pi)
        return angle

    def traversal(self, cell: int, steps: int = 9) -> Traversal:
        """Traversal of a cell along all axes worth looking at, over the range of the data set.

        Latents of features cannot be drawn: there it is the nearest real cells; see `nearest`.
        """
        if not self.disentangler.draws:
            return nearest_traversal(self, cell, steps)
        return traversal(
            self.disentangler,
            self.values[cell],
            self.ranges(),
            self.axes(),
            steps,
            self.decoder_of(cell),
        )

    def decoder_of(self, cell: int) -> Decode:
        """What draws a cell at latents (n, Z): with its residual latents, where there are any."""
        return self.drawer(cell=cell).decode

    def shown(self, pictures: npt.NDArray[Any]) -> FloatArray:
        """Pictures (..., C, H, W) as people are to see them; see `Preparation.shown`."""
        return self.prepared.how.shown(pictures)

    def nearest(self, cell: int, axis: str, count: int = 9) -> npt.NDArray[np.int64]:
        """Real cells (count,) along an axis, as like this cell as can be in everything else.

        For each of ``count`` values from low to high, the cell nearest to this one moved there,
        distances in units of each latent's spread over the cells. Our definition.
        """
        of = self.disentangler
        span = self.ranges()[of.columns(axis)[0]]
        targets = of.steps(self.values[cell], axis, count, (float(span[0]), float(span[1])))
        return self.nearest_to(targets, (axis,))

    def nearest_to(
        self, latents: npt.NDArray[Any], axes: Sequence[str] = ()
    ) -> npt.NDArray[np.int64]:
        """Real cells (n,) that lie nearest to latents (n, Z), on some axes above all; as `nearest`.

        Only active latents count, in units of their spread over the cells; ``axes`` three times.
        """
        weight = np.where(self.active, 1 / np.maximum(self.values.std(axis=0), 0.05), 0.0)
        # Along these a cell must be right; elsewhere near is good enough.
        for axis in axes:
            weight[list(self.disentangler.columns(axis))] *= 3
        apart = ((np.asarray(latents)[:, None] - self.values[None]) * weight) ** 2
        nearest: npt.NDArray[np.int64] = apart.sum(axis=2).argmin(axis=1)
        return nearest

    def drawer(self, moved: Sequence[str] = (), cell: int | None = None) -> Drawer:
        """What gives pictures of latents: the decoder, or the nearest real cells for features.

        Parameters
        ----------
        moved : sequence of str
            Axes along which a cell was moved: on these the nearest cell must be right.
        cell : int, optional
            The cell that is moved, whose residual latents are drawn as well where there are any.
        """
        if self.drawing is not None and cell is not None:
            picture = np.asarray(self.prepared.pictures[cell])
            return self.drawing.drawing.drawer_of(picture, self.values[cell])
        return self.disentangler if self.disentangler.draws else NearestCells(self, tuple(moved))

    def against_class(self, cell: int, name: str) -> npt.NDArray[np.float64]:
        """How unusual a cell is for a class, per latent: robust z-scores (Z,).

        Against the class's cells without this one, see `phenotypes.robust`; 0 where the latent is
        not active.

        Raises
        ------
        DataError
            No such class, or fewer than three other cells of it.
        """
        if name not in self.cells.classes:
            raise DataError(
                f"there is no class {name!r}; there are {', '.join(self.cells.classes) or 'none'}"
            )
        of_class = self.cells.labels == self.cells.classes.index(name)
        of_class[cell] = False
        if of_class.sum() < 3:
            raise DataError(f"class {name!r} has fewer than three other cells")
        scores = robust_z_scores(self.values[cell], self.values[of_class], NARROWEST)
        return np.where(self.active, scores, 0.0)

    def to_frame(self) -> pd.DataFrame:
        """A row per cell: where it is, its class, its latents and its hand-crafted features.

        ``y``, ``x`` are its centre in pixels; pixel centres are whole numbers. The user's own
        columns come last, see `Cells.keys`.
        """
        import pandas as pd

        where = pd.DataFrame(columns_of_cells(self.cells)).drop(columns="cell")
        latents = pd.DataFrame(self.values, columns=list(self.names))
        features = self.prepared.features.add_prefix("feature: ")
        both = pd.concat([where, latents, features], axis=1)
        if self.drawing is not None:
            both["drawing explains"] = self.drawing.explained
            both["drawing held out"] = self.drawing.held_out
        keys = pd.DataFrame(named_keys(self.cells.keys, both.columns), index=both.index)
        return pd.concat([both, keys], axis=1)

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.drl.result_summary import latents_summary

        return latents_summary(self)

    def plot(self, ax: Axes | None = None) -> Figure:
        """Where the cells of each class lie along each active latent: median and middle half.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: a figure of its own.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from napari_channelmix.charts import ranges_figure
        from napari_channelmix.drl.result_summary import latent_ranges

        names, of_classes = latent_ranges(self)
        summary = self.summary()
        unit = "standard deviations from the median of all cells (point: median; line: middle half)"
        title = "; ".join([summary.title, *summary.facts])
        return ranges_figure(names, of_classes, unit, title, summary.warnings, ax)

    def as_dict(self) -> dict[str, Any]:
        """For JSON, as the command line writes it."""
        card = self.disentangler.about.get("card", {})
        kinds = ("latents", "pixels_or_features", "features", "pixels")
        accuracy: dict[str, Any] = dict.fromkeys(kinds)
        if self.separation is not None:
            best = self.separation.best
            # Pixels where a classifier of them was tested on the same folds.
            beside = best.get("pixels", best["hand-crafted"])
            accuracy = {
                "latents": best["latents"].accuracy,
                "pixels_or_features": beside.accuracy,
                "features": best["hand-crafted"].accuracy,
                "pixels": best["pixels"].accuracy if "pixels" in best else None,
            }
        return {
            "schema": SCHEMA,
            "n": len(self.values),
            "names": list(self.names),
            "trust": [entry.value for entry in self.trust],
            "badges": [entry.as_dict() for entry in self.trust],
            "active": [bool(entry) for entry in self.active],
            "accuracy": accuracy,
            "separation": None if self.separation is None else self.separation.as_dict(),
            "metrics": card,
            "features": self._features,
            "preparation": self.prepared.how.as_dict(),
            "finetuned": self.disentangler.about.get("finetuned"),
            "reconstruction": (
                None if self.reconstruction is None else self.reconstruction.as_dict()
            ),
            "drawing": None if self.drawing is None else self.drawing.as_dict(),
            "warnings": list(self.warnings),
            "provenance": self.provenance,
        }

    @property
    def _features(self) -> dict[str, Any] | None:
        """For JSON: the network whose features were encoded, or None."""
        if not isinstance(self.disentangler, FeatureDisentangler):
            return None
        of = self.disentangler
        return {
            "name": of.features.name,
            "width": of.network.settings.width,
            "shown_by": "nearest real cells",
        }

    def save(self, folder: str | Path) -> Path:
        """Write latents.csv, traversals.png and latents.json, and drawing.safetensors if learnt.

        Raises
        ------
        SaveError
            Disk full and the like.
        """
        folder = Path(folder)
        write_text(folder / "latents.csv", csv_text(self.to_frame()))
        notes = {}
        for axis in self.axes():
            columns = [column for column in self.disentangler.columns(axis) if self.active[column]]
            weakest = min((self.trust[column] for column in columns), key=lambda trust: trust.value)
            notes[axis] = f"{weakest.badge}: {weakest.words}"
        rows = [
            (title, self.prepared.pictures[cell] / np.float32(255), self.traversal(cell))
            for title, cell in self._examples()
        ]
        of = self.disentangler if self.disentangler.draws else None
        save_sheet(folder / "traversals.png", of, rows, notes, self.shown)
        if self.drawing is not None:
            save_drawing(self.drawing.drawing, folder / DRAWING_FILE)
        write_json(folder / "latents.json", self.as_dict())
        return folder

    def _examples(self, most: int = 3) -> Iterator[tuple[str, int]]:
        """The most typical cell of each class, or of all cells where there are no classes."""
        known = [
            code for code in range(len(self.cells.classes)) if (self.cells.labels == code).any()
        ][:most]
        groups = [
            (self.cells.classes[code], np.flatnonzero(self.cells.labels == code)) for code in known
        ]
        for title, members in groups or [("all cells", np.arange(len(self.values)))]:
            middle = np.median(self.values[members], axis=0)
            scale = np.maximum(self.values.std(axis=0), 0.05)
            apart = (((self.values[members] - middle) / scale)[:, self.active] ** 2).sum(axis=1)
            yield title, int(members[np.argmin(apart)])
