"""How cells differ from those a classifier was trained on, and what that did to its calls."""

from __future__ import annotations

import warnings as python_warnings
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.accuracy import AccuracyEstimate, estimate_accuracy
from napari_channelmix.classify.borders import MirroredBorders, border_warning
from napari_channelmix.classify.neighbours import PreparedNeighbours, neighbours_warning
from napari_channelmix.classify.shift_words import calls_line, differences
from napari_channelmix.classify.training_data import dtypes_of
from napari_channelmix.classify.training_distance import Likeness, likeness, plain_likeness
from napari_channelmix.data import Cells
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.crop_pixels import pixel_sizes
from napari_channelmix.data.crop_profile import MeasuredCrops, Profiler
from napari_channelmix.errors import DataShiftWarning
from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.shown_result import BarsResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from napari_channelmix.classify.training_data import TrainingData
    from napari_channelmix.result_display import Summary

__all__ = ["ChannelShift", "ComparedModel", "DataShift", "Observer", "say"]

FloatArray = npt.NDArray[np.float32]

OLDER = (
    "this model was saved by an earlier version and does not know its training data; only the "
    "crop and the mean and standard deviation of each channel can be compared"
)
ELSEWHERE = "{who} was made elsewhere: nothing is known of its training data to compare with"


class ComparedModel(MirroredBorders, PreparedNeighbours, Protocol):
    """What a comparison asks of a classifier; see `Predictor`."""

    @property
    def who(self) -> str: ...  # noqa: D102
    @property
    def channels(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def mean(self) -> npt.NDArray[np.float64]: ...  # noqa: D102
    @property
    def std(self) -> npt.NDArray[np.float64]: ...  # noqa: D102
    @property
    def training_data(self) -> TrainingData | None: ...  # noqa: D102


@dataclass(frozen=True)
class ChannelShift:
    """A channel of the cells beside that of training, in raw units.

    Attributes
    ----------
    channel : str
    mean, sd, training_mean, training_sd : float
        Of all pixels.
    distance : float
        Of the figure that lies farthest from training, in units of what is ordinary between groups
        of training cells; above ``limit`` it is said.
    limit : float
    figure : str
        Which one it is; see `data.crop_profile.FEATURES`.
    """

    channel: str
    mean: float
    sd: float
    training_mean: float
    training_sd: float
    distance: float
    limit: float
    figure: str


@dataclass(frozen=True, repr=False)
class DataShift(BarsResult):
    """How cells differ from those a classifier was trained on.

    Attributes
    ----------
    n : int
        Cells compared.
    warnings : tuple of str
        A line for each kind of difference; empty where there is none.
    limits : str
        Why less than all could be compared; empty where all could.
    per_channel : tuple of ChannelShift
    strange : tuple of int
        Cells that lie far outside what was trained on, by their numbers.
    shares, training_shares : dict of str to float
        Share of the cells called each class, now, and given it in training.
    confidence : float or None
        Mean probability of the called class.
    accuracy : float or None
        Balanced accuracy, where the cells have classes that the classifier knows.
    accuracy_interval : (float, float) or None
        95 %, over groups; see `classify.intervals`.
    whole : bool
        Whether the cells differ as a whole, beside single strange ones.

    Examples
    --------
    >>> shift = model.compare(test)
    >>> shift.n, shift.to_frame()["channel"].tolist()
    (20, ['GFP', 'DNA'])
    """

    n: int
    warnings: tuple[str, ...] = ()
    limits: str = ""
    per_channel: tuple[ChannelShift, ...] = ()
    strange: tuple[int, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    training_shares: Mapping[str, float] = field(default_factory=dict)
    confidence: float | None = None
    accuracy: float | None = None
    whole: bool = False
    accuracy_interval: tuple[float, float] | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """All that is worth saying: the differences, and why less could be compared."""
        return (*self.warnings, self.limits) if self.limits else self.warnings

    def to_frame(self) -> pd.DataFrame:
        """The channels as a table, a row for each."""
        import pandas as pd

        return pd.DataFrame([asdict(channel) for channel in self.per_channel])

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.classify.result_summaries import shift_summary

        return shift_summary(self)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``data-shift.json``, ``data-shift.csv`` and ``data-shift.png`` into a folder.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result

        return save_result(folder, "data-shift", self.as_dict(), self.to_frame(), self.plot())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        lists = {name: list(getattr(self, name)) for name in ("warnings", "strange")}
        interval = None if self.accuracy_interval is None else list(self.accuracy_interval)
        lists |= {"per_channel": [asdict(channel) for channel in self.per_channel]}
        return asdict(self) | lists | {"accuracy_interval": interval}


class Observer:
    """Sees crops on their way to a classifier, and compares them when all have been seen.

    Parameters
    ----------
    model : ComparedModel
    cells : Cells or array
        Where the crops come from.
    numbers : (N,) int array, optional
        Positions of the cells; default: all of them.
    dtype : numpy.dtype, optional
        Of an array before it became float32.
    """

    def __init__(
        self,
        model: ComparedModel,
        cells: Cells | npt.NDArray[Any],
        numbers: npt.NDArray[np.int64] | None = None,
        dtype: np.dtype[Any] | None = None,
    ) -> None:
        self._model, self._cells, self._numbers = model, cells, numbers
        count = len(cells) if numbers is None else len(numbers)
        self._profiler = Profiler(count)
        self._dtypes: tuple[str, ...] = () if dtype is None else (str(dtype),)

    @property
    def useful(self) -> bool:
        """Whether the classifier knows anything to compare with."""
        return hasattr(self._model, "network")

    def add(self, crops: FloatArray, positions: npt.ArrayLike | None = None) -> None:
        """Look at crops (n, C, H, W), in any order.

        Parameters
        ----------
        crops : (n, C, H, W) float32 array
        positions : (n,) int array or int, optional
            Of the crops among those that are compared (not numbers of cells), or of the first;
            default: behind those that were seen. See `Profiler.add`.
        """
        if self.useful:
            self._profiler.add(crops, positions)

    def measured(self, crops: FloatArray, positions: npt.ArrayLike) -> MeasuredCrops | None:
        """What `add` finds of crops, for `take`, maybe in another process; None where not useful.

        An observer can be pickled: a copy that has seen nothing measures the same.
        """
        if not self.useful or not len(crops):
            return None
        return self._profiler.measured(crops, np.asarray(positions, dtype=np.int64))

    def take(self, part: MeasuredCrops | None) -> None:
        """Keep what `measured` found, in any order; nothing where it is None."""
        if part is not None:
            self._profiler.take(part)

    def shift(
        self, probabilities: FloatArray | None = None, balanced: FloatArray | None = None
    ) -> DataShift:
        """What was seen, beside training; with probabilities (N, K) also what became of the calls.

        Confidence and accuracy are of those with the ``balanced`` prior, where these are given.
        Classes of the cells are used where all of them were seen.
        """
        model, cells = self._model, self._cells
        numbers = np.arange(len(cells)) if self._numbers is None else self._numbers
        facts = _Calls.of(model, cells, numbers, probabilities, balanced)
        profile, data = self._profiler.profile(), model.training_data
        if profile is None:
            return DataShift(
                len(numbers),
                limits="" if self.useful else ELSEWHERE.format(who=model.who),
                shares=facts.shares,
                confidence=facts.confidence,
                **facts.accuracies,
            )
        if data is None:
            comparison = plain_likeness(model.mean, model.std, profile)
        else:
            comparison = likeness(data, profile)
        whole_set = cells if isinstance(cells, Cells) else None
        some = whole_set
        if whole_set is not None and self._numbers is not None:
            some = whole_set.subset(numbers)
        dtypes = self._dtypes if some is None else dtypes_of(some)
        sizes = {} if some is None else pixel_sizes(some)
        name_of = str if whole_set is None else partial(cell_name, whole_set)
        lines = differences(
            model.channels, comparison, profile, data, dtypes, sizes, numbers, name_of
        )
        # Lines that speak of the cells as a whole: all but the one on strange cells.
        whole = len(lines) > int(comparison.strange.any())
        if some is not None:
            border = border_warning(model, some)
            prepared = neighbours_warning(model, some)
            lines += [line for line in (border, prepared) if line]
        # Of one cell there are no shares.
        if lines and facts.shares and len(profile) > 1:
            record = getattr(model, "record", {}).get("held_out") or {}
            lines.append(
                calls_line(facts.shares, facts.training, facts.confidence, facts.estimate, record)
            )
        return DataShift(
            len(profile),
            tuple(lines),
            OLDER if data is None else "",
            tuple(_channels(model, profile, comparison)),
            tuple(numbers[comparison.strange].tolist()),
            facts.shares,
            facts.training,
            facts.confidence,
            whole=whole,
            **facts.accuracies,
        )


def say(shift: DataShift, of_model: Sequence[str] = (), stacklevel: int = 3) -> None:
    """Warn of the differences in one `DataShiftWarning`, of what speaks against a model in one."""
    if of_model:
        python_warnings.warn("\n".join(of_model), UserWarning, stacklevel=stacklevel)
    if shift.warnings:
        python_warnings.warn("\n".join(shift.warnings), DataShiftWarning, stacklevel=stacklevel)


@dataclass(frozen=True)
class _Calls:
    """What a classifier says of cells, in figures."""

    shares: dict[str, float]
    training: dict[str, float]
    confidence: float | None
    estimate: AccuracyEstimate | None

    @property
    def accuracies(self) -> dict[str, Any]:
        """As of `DataShift`."""
        estimate = self.estimate
        if estimate is None:
            return {}
        return {"accuracy": estimate.balanced, "accuracy_interval": (estimate.low, estimate.high)}

    @classmethod
    def of(
        cls,
        model: ComparedModel,
        cells: Cells | npt.NDArray[Any],
        numbers: npt.NDArray[np.int64],
        probabilities: FloatArray | None,
        balanced: FloatArray | None,
    ) -> _Calls:
        known = {} if model.training_data is None else model.training_data.class_shares
        if probabilities is None or not len(probabilities):
            return cls({}, known, None, None)
        codes = probabilities.argmax(axis=1)
        counts = np.bincount(codes, minlength=len(model.classes))
        shares = dict(zip(model.classes, (counts / len(codes)).tolist(), strict=True))
        estimate = None
        even = probabilities if balanced is None else balanced
        codes = even.argmax(axis=1)
        if isinstance(cells, Cells):
            labels = matching(cells.labels[numbers], cells.classes, model.classes)
            labelled = labels >= 0
            if labelled.any():
                # Numbers in the order of the names: of a million cells these take long to sort.
                groups = _group_numbers(cells)[numbers][labelled]
                estimate = estimate_accuracy(
                    labels[labelled], codes[labelled], groups, model.classes
                )
        return cls(shares, known, float(even.max(axis=1).mean()), estimate)


def _group_numbers(cells: Cells) -> npt.NDArray[np.int64]:
    """A number for the group of each cell (N,), in the order of their names."""
    import pandas as pd

    names = cells.table["group"].astype(str).to_numpy(dtype=object)
    return np.asarray(pd.factorize(names, sort=True)[0], dtype=np.int64)


def _channels(model: ComparedModel, profile: Any, comparison: Likeness) -> Sequence[ChannelShift]:
    data = model.training_data
    means, spreads = (model.mean, model.std) if data is None else (data.mean, data.sd)
    return [
        ChannelShift(
            name,
            float(profile.mean[index]),
            float(profile.sd[index]),
            float(means[index]),
            float(spreads[index]),
            float(comparison.distance[index]),
            comparison.limit,
            comparison.figure[index],
        )
        for index, name in enumerate(model.channels)
    ]
