"""The result of an explanation: a map for each cell, its target, its scores and its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, drain
from napari_channelmix.pcim.measure import measure_job
from napari_channelmix.shown_result import ShownResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.classify.shift import DataShift
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.pcim.reliability_result import Reliability
    from napari_channelmix.pcim.scores import Fidelity
    from napari_channelmix.result_display import Summary

__all__ = ["Attribution", "MapUpdate"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Cells that a figure shows.
SHOWN = 12


@dataclass(frozen=True, eq=False)
class MapUpdate:
    """What is known of some maps so far, while a job goes on.

    Attributes
    ----------
    cells : (n,) int64 array
        Positions of the cells.
    maps : (n, H, W) float32 array
    magnitude : (n, H, W) float32 array
    channel_maps : (n, C, H, W) float32 array or None
    probabilities : (n, K) float32 array
        What the classifier says of these cells.
    target : (n,) int64 array
    """

    cells: IntArray
    maps: FloatArray
    magnitude: FloatArray
    channel_maps: FloatArray | None
    probabilities: FloatArray
    target: IntArray


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(ShownResult):
    """Which pixels made a classifier say what it says.

    Attributes
    ----------
    maps : (N, H, W) float32 array
        Higher means more important for the target. Where the method knows a sign, 0 is no
        evidence and below 0 speaks against the target. In log odds for ``pcim`` and
        ``pcim-fidelity`` (the mean over the pixels is that of the crop), see
        `pcim.gradient_solver.solve`; the scale of other methods is their own.
    magnitude : (N, H, W) float32 array
        How much evidence there is at a pixel, for the target or against it; not negative. The
        maps answer 'what makes it this class', the magnitude 'where does it look'.
    channel_maps : (N, C, H, W) float32 array or None
        The maps of each channel, where they were asked for; their sum is ``maps``.
    target : (N,) int64 array
        Class that is explained, a position in ``classes``.
    versus : (N,) int64 array or None
        Class it is held against; None: all others.
    probabilities : (N, K) float32 array
        What the classifier says of the cells, with the ``prior``.
    standard_error : (N, H, W) float32 array or None
        Of the linear fit to random masks (black box).
    classes, channels : tuple of str
    method, mode : str
    seconds_per_cell : float
    warnings : tuple of str
    provenance : dict
    source : Source
        What was explained, as it was: the classifier, its device, the cells and their mean.
    output : str
        What the model's numbers mean, and how that is known, in words.
    flat : dict of str to tuple of int
        Cells whose maps are flat or nearly so, by reason: ``constant``, ``saturated``, ``deaf``,
        ``small``; see `pcim.flatness`. ``warnings`` says it in words.
    shift : DataShift or None
        How the cells differ from those the classifier was trained on; None where it was not
        compared, or the model is not ours.
    prior : Prior or None
        Which shares of the classes the probabilities take for granted; maps do not depend on it.
    noise : tuple of int
        Cells whose pixels have no structure in any channel; see `pcim.doubts`.
    reliability : Reliability or None
        How far the maps can be trusted; None where ``explain`` was not asked to test them.

    Examples
    --------
    >>> maps = cm.explain(model, test, only=[0, 1])
    >>> maps.maps.shape, [maps.classes[code] for code in maps.target]
    ((2, 12, 12), ['low', 'high'])
    """

    maps: FloatArray = field(repr=False)
    magnitude: FloatArray = field(repr=False)
    channel_maps: FloatArray | None = field(repr=False)
    target: IntArray
    versus: IntArray | None
    probabilities: FloatArray = field(repr=False)
    standard_error: FloatArray | None = field(repr=False)
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    method: str
    mode: str
    seconds_per_cell: float
    warnings: tuple[str, ...]
    provenance: dict[str, Any] = field(repr=False, compare=False)
    source: Source = field(repr=False, compare=False)
    output: str = ""
    flat: dict[str, tuple[int, ...]] = field(default_factory=dict)
    shift: DataShift | None = field(default=None, repr=False)
    prior: Prior | None = None
    noise: tuple[int, ...] = ()
    reliability: Reliability | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.maps)

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.pcim.result_summaries import attribution_summary

        return attribution_summary(self)

    def plot(self, cells: Sequence[int] | None = None) -> Figure:
        """Cells, and their maps over them.

        Parameters
        ----------
        cells : sequence of int, optional
            Rows of ``maps``; default: up to 12, spread over all.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        DataError
            Cells whose images cannot be read.
        """
        from napari_channelmix.pcim.map_figure import maps_figure
        from napari_channelmix.pcim.result_summaries import map_titles

        rows = np.unique(np.linspace(0, len(self) - 1, SHOWN).astype(np.int64))
        rows = rows if cells is None else np.asarray(cells, np.int64)
        summary = self.summary()
        first = f"\nWarning: {summary.warnings[0]}" if summary.warnings else ""
        how = f"{self.method}, n = {len(self)}"
        heading = f"which pixels speak for or against the class ({how}){first}"
        greys, words = self.source.greys(rows)
        heading += f"\n{words}" if words else ""
        titles = map_titles(self, rows)
        return maps_figure(greys[:, None], self.maps[rows], titles, heading, greys=greys)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write the maps and what is known of them into a folder.

        ``maps.npy``, ``magnitude.npy`` and, where there are any, ``channel_maps.npy`` hold the
        arrays; ``attribution.csv`` has a row per map, ``attribution.json`` the rest,
        ``attribution.png`` some of the maps.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result, write_array

        folder = Path(folder)
        arrays = {"maps": self.maps, "magnitude": self.magnitude, "channel_maps": self.channel_maps}
        files = [
            write_array(folder / f"{name}.npy", values)
            for name, values in arrays.items()
            if values is not None
        ]
        return (
            *files,
            *save_result(folder, "attribution", self.as_dict(), self.to_frame(), self.plot()),
        )

    def as_dict(self) -> dict[str, Any]:
        """All but the maps, for JSON."""
        return {
            "n": len(self),
            "method": self.method,
            "mode": self.mode,
            "channels": list(self.channels),
            "classes": list(self.classes),
            "target": self.target.tolist(),
            "versus": None if self.versus is None else self.versus.tolist(),
            "probabilities": self.probabilities.astype(float).tolist(),
            "seconds_per_cell": self.seconds_per_cell,
            "output": self.output,
            "reliability": None if self.reliability is None else self.reliability.as_dict(),
            "warnings": list(self.warnings),
            "provenance": self.provenance,
        }

    @overload
    def scores(self, *, per_cell: Literal[False] = False) -> dict[str, float]: ...
    @overload
    def scores(self, *, per_cell: Literal[True]) -> dict[str, npt.NDArray[np.float64]]: ...
    def scores(self, *, per_cell: bool = False) -> dict[str, Any]:
        """Fidelity of the maps: ``srg``, ``insertion`` and ``deletion``.

        Measured on references of kinds that no method works with; see `pcim.scores.Fidelity`.

        Parameters
        ----------
        per_cell : bool
            Arrays (N,) instead of the means over the cells.
        """
        fidelity = drain(self.fidelity_job())
        each = {"srg": fidelity.srg, "insertion": fidelity.insertion, "deletion": fidelity.deletion}
        return each if per_cell else {name: float(np.mean(of)) for name, of in each.items()}

    def to_frame(self) -> pd.DataFrame:
        """A row per map: the cell it is of, the target, and what the classifier says of the cell.

        The columns of a data set's cells are those of `Cells.to_frame`, with the user's own, so
        that maps can be joined with other tables; of crops in an array only ``cell`` is known.
        Then ``target``, ``prediction`` and a column ``probability of CLASS`` each; of maps that
        were tested ``verdict``, ``srg``, ``p_value`` and ``words``, see `Reliability.to_frame`.

        Returns
        -------
        pandas.DataFrame

        Examples
        --------
        >>> import napari_channelmix as cm
        >>> def scores(crops):  # bright crops are of class 1
        ...     bright = 1 / (1 + np.exp(5 - crops.mean((1, 2, 3))))
        ...     return np.stack([1 - bright, bright], axis=1)
        >>> crops = np.random.default_rng(0).normal(size=(2, 1, 16, 16)) + [[[[0]]], [[[9]]]]
        >>> frame = cm.explain(scores, crops, forwards=20, check=False).to_frame()
        >>> frame.columns.tolist()
        ['cell', 'target', 'prediction', 'probability of class 0', 'probability of class 1']
        """
        import pandas as pd

        numbers, known = self.source.numbers, self.source.known
        cells = pd.DataFrame({"cell": numbers}) if known is None else known.to_frame()
        if known is not None:
            cells = cells.iloc[numbers].reset_index(drop=True)
        columns: dict[str, Any] = {
            "target": [self.classes[code] for code in self.target.tolist()],
            "prediction": [self.classes[code] for code in self.probabilities.argmax(1).tolist()],
        }
        columns |= {
            f"probability of {name}": self.probabilities[:, code]
            for code, name in enumerate(self.classes)
        }
        if self.reliability is not None:
            tested = self.reliability.to_frame()
            columns |= {name: tested[name] for name in ("verdict", "srg", "p_value", "words")}
        # Columns of the user's that are called like ours keep theirs beside them.
        cells = cells.rename(columns={name: f"{name} (table)" for name in columns if name in cells})
        return pd.concat([cells, pd.DataFrame(columns)], axis=1)

    def fidelity_job(self) -> Job[Fidelity]:
        """Insertion and deletion curves of the maps, as a job."""
        return measure_job(self.source.model, self.source, self.maps, self.target, self.versus)
