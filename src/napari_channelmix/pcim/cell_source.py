"""Cells of any kind, brought together with the classifier they are asked about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.device import choose_device, unavailable_reason
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.predictor import Predictor, matched
from napari_channelmix.classify.priors import Prior, PriorChoice, own_prior
from napari_channelmix.classify.shift import Observer
from napari_channelmix.classify.training_cells import crop_digests
from napari_channelmix.data import Cells
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.grey_cells import grey_cells_job
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.pcim.batch import Problem
from napari_channelmix.pcim.cell_pool import CellPool, StoredCells, usable_cells
from napari_channelmix.pcim.model_adapter import PROBE, Subject, numbered, subject_of
from napari_channelmix.pcim.subject_predictor import SubjectPredictor
from napari_channelmix.pcim.target import chosen_target
from napari_channelmix.phenotypes.held_out import UNKNOWN, Marks

if TYPE_CHECKING:
    from napari_channelmix.classify.output_selection import Select
    from napari_channelmix.classify.outputs import Reading
    from napari_channelmix.classify.training_cells import TrainingCells
    from napari_channelmix.jobs import Job

__all__ = ["Source"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Cells of the data set a mean is taken over where the classifier does not bring one.
MEAN_OF = 256
# Kinds of device that another process is asked for; on others a model stays where it is.
DEVICES = ("cpu", "cuda", "mps")
# Narrower crops show nothing; they are channels that stand last.
LEAST_SIDE = 5


@dataclass(frozen=True, eq=False)
class Source:
    """Cells of any kind as tensors for a subject.

    Attributes
    ----------
    subject : Subject
    cells : Cells or (N, C, H, W) float32 array
        Those an array holds, or the data set they are in.
    mean : (1, C, 1, 1) tensor
        Mean of the data set on the scale of the subject.
    numbers : (N,) int64 array
        Of the cells; in a data set their positions, in which they are read. See `name_of`.
    known : Cells or None
        The data set that they come from, also where their pixels have been read.
    requested_prior : Prior or None
        Which prior the probabilities are shown with; None: that of training.
    sd : (1, C, 1, 1) tensor or None
        Standard deviation of the pixels of the data set on the scale of the subject.
    real_cells : CellPool or None
        Other cells of the data set, as references.
    """

    subject: Subject
    cells: Cells | FloatArray
    mean: Tensor
    model: Any
    numbers: IntArray
    known: Cells | None = None
    requested_prior: Prior | None = None
    sd: Tensor | None = None
    real_cells: CellPool | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """The model and the cells; how the model is asked is made anew in the other process."""
        of, own = self.subject, {"mean", "sd", "subject", "real_cells"}
        values = {row.name: getattr(self, row.name) for row in fields(self) if row.name not in own}
        statistics = self.mean.cpu(), None if self.sd is None else self.sd.cpu()
        # Read here once, not by each worker.
        stored = None if self.real_cells is None else self.real_cells.stored
        own_state = of.device.type, of.select, of.reading, of.alone
        return _again, (values, statistics, stored, *own_state)

    @classmethod
    def of(
        cls,
        model: Any,
        cells: Cells | npt.ArrayLike | Source,
        device: str = "auto",
        chosen: IntArray | None = None,
        *,
        output: str = "auto",
        select: Select = None,
    ) -> Source:
        """Bring a model and cells together; a source stays as it is.

        Parameters
        ----------
        model, cells, device
            As for `pcim.explain`.
        chosen : (N,) int64 array, optional
            Positions of the cells that are meant; default: all.
        output, select
            As for `pcim.explain`.

        Raises
        ------
        ModelError, DataError
            As `pcim.explain`.
        """
        if isinstance(cells, Source):
            return cells
        known = getattr(model, "channels", None)
        if isinstance(cells, Cells):
            alike = getattr(model, "neighbours", "")
            data: Cells | FloatArray = (
                cells
                if known is None
                else matched(
                    cells, known, neighbours=alike, scaling=getattr(model, "scaling", None)
                )
            )
        else:
            if isinstance(cells, torch.Tensor):
                cells = cells.detach().cpu().numpy()
            if np.iscomplexobj(cells):
                raise DataError("crops must be whole numbers or floats, not complex numbers")
            if np.ma.is_masked(cells):
                raise DataError("crops have masked pixels; fill them in, or leave the cells out")
            try:
                data = np.ascontiguousarray(cells, dtype=np.float32)
            except (TypeError, ValueError) as error:
                raise DataError(f"crops must be an (N, C, H, W) array: {error}") from error
            if data.ndim != 4 or 0 in data.shape[1:]:
                raise DataError(f"crops must be (N, C, H, W), not {data.shape}")
            if data.shape[3] < LEAST_SIDE <= min(data.shape[1:3]):
                raise DataError(
                    f"crops must be (N, C, H, W), not {data.shape}: are the channels last? Move "
                    "them with numpy.moveaxis(crops, -1, 1)"
                )
        if isinstance(model, Predictor):
            model.refuse_other_crops(*data.shape[2:])
        numbers = np.arange(len(data)) if chosen is None else chosen
        if not len(numbers):
            raise DataError("there are no cells to explain")
        sample_size = 2 if isinstance(model, Classifier) else MEAN_OF
        sample = np.linspace(0, len(numbers) - 1, min(sample_size, len(numbers))).astype(np.int64)
        sample = numbers[sample]
        crops = data.read(sample) if isinstance(data, Cells) else data[sample]
        of = data if isinstance(data, Cells) else None
        _refuse_not_finite(crops, lambda row: _named(of, sample[row]))
        subject = subject_of(
            model, _spread(crops), choose_device(device), output=output, select=select
        )
        centred = isinstance(model, ForeignClassifier) and model.is_centred
        scaled = isinstance(model, ForeignClassifier) and model.is_scaled
        # Normalised crops have the mean of the training cells at 0, and their spread is 1.
        mean = torch.zeros(1, crops.shape[1], 1, 1, device=subject.device)
        sd = torch.ones_like(mean)
        if not isinstance(model, Classifier):
            if chosen is not None:
                # Of all cells: what a cell gets does not depend on which others are explained.
                every = np.linspace(0, len(data) - 1, min(MEAN_OF, len(data))).astype(np.int64)
                known_crops = usable_cells(data, every).crops
                crops = known_crops if len(known_crops) else crops
            prepared = subject.prepare(crops).float()
            if not (centred and subject.network is not None):
                mean = prepared.mean(dim=(0, 2, 3), keepdim=True)
            if not (centred and scaled and subject.network is not None):
                sd = prepared.std(dim=(0, 2, 3), keepdim=True, correction=0)
        pool = CellPool(data, getattr(model, "training_cells", None), subject.prepare)
        if not isinstance(data, Cells) and chosen is not None:
            data = data[chosen]
        return cls(subject, data, mean, model, numbers, of, sd=sd, real_cells=pool)

    def read(self, some: IntArray | slice = slice(None)) -> Source:
        """Some of the cells, their pixels read, as parts of the whole: its mean and numbers."""
        return replace(self, cells=self.crops(some), numbers=self.numbers[some])

    def narrowed(self, only: Sequence[int]) -> Source:
        """Some of the cells, by their positions, with the mean of all; nothing is read yet.

        Raises
        ------
        DataError
            No cell, or one that is not there.
        """
        wrong = [index for index in only if not 0 <= index < len(self)]
        if wrong or not len(only):
            what = f"there is no cell {wrong[0]}" if wrong else "no cell was chosen"
            raise DataError(f"{what}; the cells are 0 to {len(self) - 1}")
        some = np.asarray(only, dtype=np.int64)
        subset = self.cells if isinstance(self.cells, Cells) else self.cells[some]
        return replace(self, cells=subset, numbers=self.numbers[some])

    def crops(self, some: IntArray | slice = slice(None)) -> FloatArray:
        """Pixels (n, C, H, W) of some of the cells, raw units."""
        cells, numbers = self.cells, self.numbers[some]
        return cells.read(numbers) if isinstance(cells, Cells) else cells[some]

    def greys(self, some: IntArray | slice = slice(None)) -> tuple[FloatArray, str]:
        """Some of the cells in grey (n, H, W), 0 to 1, and what is grey in them, in words.

        Of more than six channels of a data set only the display channels; see `data.grey_cells`.

        Raises
        ------
        DataError
            Pixels that cannot be read.
        """
        return self.greys_of(self.crops(some))

    def greys_of(self, crops: FloatArray) -> tuple[FloatArray, str]:
        """`greys` of crops (n, C, H, W) in raw units, such as mean cells."""
        return drain(grey_cells_job(self.known, crops))

    def with_model(self, model: Any) -> Source:
        """The same cells, with the same mean, and another model of the same kind."""
        own = self.subject
        known = isinstance(model, Predictor)
        subject = subject_of(
            model,
            self.crops(slice(2)),
            own.device,
            select=None if known else own.select,
            reading=own.reading,
            alone=own.alone,
        )
        pool = self.real_cells
        if pool is not None:
            pool = CellPool.of_stored(pool.stored, subject.prepare)
        return replace(self, subject=subject, model=model, real_cells=pool)

    def answering(self, cells: Cells) -> Predictor:
        """The subject as what predicts the classes of these cells.

        Classes without names are taken for those of the cells where they are as many.
        """
        subject = self.subject
        classes = subject.classes
        if classes == numbered(len(classes)) and len(cells.classes) == len(classes):
            classes = cells.classes
        return SubjectPredictor(subject, self.channels, classes)

    def __len__(self) -> int:
        return len(self.numbers)

    def name_of(self, number: int) -> str:
        """What messages call a cell, by its number: as everywhere for one of a data set."""
        return _named(self.known, number)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        return len(self), *self.cells.shape[1:]

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the C channels."""
        if isinstance(self.cells, Cells):
            return self.cells.channels
        return self.subject.channels or tuple(f"channel {i}" for i in range(self.shape[1]))

    def training_marks(self) -> Marks:
        """Whether the classifier was trained on each cell (N,); their pixels are read for it."""
        known: TrainingCells | None = getattr(self.model, "training_cells", None)
        if known is None:
            return np.full(len(self), UNKNOWN)
        parts = [
            crop_digests(self.crops(slice(start, start + MEAN_OF)))
            for start in range(0, len(self), MEAN_OF)
        ]
        groups = None
        if isinstance(self.cells, Cells):
            groups = self.cells.groups[self.numbers].tolist()
        return known.marks(np.concatenate(parts), groups)

    def observer(self) -> Observer | None:
        """What compares the cells with those of training; None for models that know none."""
        if not isinstance(self.model, Classifier):
            return None
        of = self.cells if self.known is None else self.known
        return Observer(self.model, of, self.numbers)

    @property
    def prior(self) -> Prior:
        """Which shares of the classes the probabilities take for granted."""
        if isinstance(self.model, Classifier):
            return self.requested_prior or self.model.prior_of()
        return own_prior(self.subject.classes)

    def with_prior(self, choice: PriorChoice) -> Job[Source]:
        """The same with another prior, as a job: one that is estimated is so from these cells.

        Raises
        ------
        ModelError
            A prior that is none, or one for a model whose own is not known.
        """
        if choice is None:
            return self
        if isinstance(self.model, Predictor):
            of = self.cells if self.known is None else self.known
            return replace(self, requested_prior=(yield from self.model.prior_job(of, choice)))
        if choice not in ("training", "balanced"):
            raise ModelError(f"{self.subject.who}: its training is not known; leave the prior out")
        return self

    def tensor(self, some: IntArray | slice, observer: Observer | None = None) -> Tensor:
        """Some of the cells, on the scale of the subject; an observer sees their pixels."""
        crops = self.crops(some)
        _refuse_not_finite(crops, lambda row: self.name_of(self.numbers[some][row]))
        if observer is not None:
            observer.add(crops, np.arange(len(self))[some])
        return self.subject.prepare(crops)

    def problem(
        self,
        some: IntArray,
        target: Any = None,
        versus: Any = None,
        *,
        separate: bool = False,
        seed: int = 0,
        forwards: int = 1000,
        observer: Observer | None = None,
    ) -> tuple[Problem, FloatArray]:
        """The question about some cells, and the probabilities (n, K) the classifier gives them.

        Raises
        ------
        ModelError, DataError
            As `pcim.explain`.
        """
        x = self.tensor(some, observer)
        with torch.inference_mode():
            scores = self.subject.checked_scores(x)
        probabilities = self.shown(scores)
        count = len(self)
        targets = chosen_target(
            _each(target, some, count, "target"),
            _each(versus, some, count, "versus"),
            probabilities.argmax(axis=1),
            self.subject.classes,
            lambda row: self.name_of(self.numbers[some][row]),
            independent=self.subject.reading.independent,
        )
        targets = targets.to(x.device)
        problem = Problem(
            self.subject,
            x,
            self.mean,
            targets,
            separate,
            seed,
            forwards,
            self.sd,
            self.real_cells,
            self.numbers[some],
        )
        return problem, probabilities

    def shown(self, scores: Tensor) -> FloatArray:
        """Probabilities (n, K) as they are shown, by the rule of `classify.priors`."""
        if isinstance(self.model, Classifier):
            return self.prior.applied(self.model.balanced(scores))
        shown: FloatArray = (
            self.subject.reading.probabilities(scores).to(torch.float32).cpu().numpy()
        )
        return shown


def _again(
    values: dict[str, Any],
    statistics: tuple[Tensor, Tensor | None],
    stored: tuple[StoredCells, StoredCells] | None,
    device: str,
    select: Select,
    reading: Reading,
    alone: bool,
) -> Source:
    """A source in another process; on the same kind of device, where there is one."""
    model, cells = values["model"], values["cells"]
    place = None
    if device in DEVICES:
        place = choose_device(device if unavailable_reason(device) is None else "auto")
    subject = subject_of(
        model,
        np.zeros((0, *cells.shape[1:]), np.float32),
        place,
        select=None if isinstance(model, Predictor) else select,
        reading=reading,
        alone=alone,
    )
    mean, sd = statistics
    return Source(
        subject,
        mean=mean.to(subject.device),
        sd=None if sd is None else sd.to(subject.device),
        real_cells=CellPool.of_stored(stored, subject.prepare),
        **values,
    )


def _each(requested: Any, some: npt.NDArray[np.int64], count: int, what: str) -> Any:
    """The part of a list of classes that belongs to some of the cells; one class is for all."""
    if requested is None or np.ndim(requested) == 0:
        return requested
    if len(requested) != count:
        raise ModelError(f"{what}: {len(requested)} classes for {count} cells; give one for each")
    return [requested[i] for i in some]


def _spread(crops: FloatArray) -> FloatArray:
    """As many of the crops as a model is tried on, from all over."""
    rows = np.linspace(0, len(crops) - 1, min(PROBE, len(crops))).astype(np.int64)
    return np.ascontiguousarray(crops[rows])


def _named(cells: Cells | None, number: int) -> str:
    return str(number) if cells is None else cell_name(cells, int(number))


def _refuse_not_finite(crops: FloatArray, name_of: Callable[[int], str]) -> None:
    bad = ~np.isfinite(crops).all(axis=(1, 2, 3))
    if bad.any():
        raise DataError(
            f"cell {name_of(int(np.argmax(bad)))} has NaN or infinite pixels; replace them or "
            "leave the cell out"
        )
