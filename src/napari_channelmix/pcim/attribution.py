"""The result of an explanation: a map for each cell, its target, its scores and its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, drain
from napari_channelmix.pcim.measure import measure_job

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.classify.shift import DataShift
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.pcim.scores import Fidelity

__all__ = ["Attribution", "MapUpdate"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


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


@dataclass(frozen=True, eq=False)
class Attribution:
    """Which pixels made a classifier say what it says.

    Attributes
    ----------
    maps : (N, H, W) float32 array
        Higher means more important for the target. Where the method knows a sign, 0 is no
        evidence and below 0 speaks against the target. The scale is that of each cell.
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

    def __len__(self) -> int:
        return len(self.maps)

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
        Then ``target``, ``prediction`` and a column ``probability of CLASS`` each.

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
        # Columns of the user's that are called like ours keep theirs beside them.
        cells = cells.rename(columns={name: f"{name} (table)" for name in columns if name in cells})
        return pd.concat([cells, pd.DataFrame(columns)], axis=1)

    def fidelity_job(self) -> Job[Fidelity]:
        """Insertion and deletion curves of the maps, as a job."""
        return measure_job(self.source.model, self.source, self.maps, self.target, self.versus)
