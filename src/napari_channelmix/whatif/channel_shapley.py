"""Which channels a finished classifier decides by: exact Shapley values and exchanges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_games import EXACT_CHANNELS, donor_pairs, drawn_donors
from napari_channelmix.classify.channel_paths import equal_pairs, pairs_within
from napari_channelmix.classify.channel_values import agreement, pair_values_job, sampling_error
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.intervals import accuracy_interval
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.classify.sampling import ENOUGH_HELD_OUT
from napari_channelmix.classify.stratified_sample import drawn_equally
from napari_channelmix.data.statistics import constant_lines
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.provenance import provenance
from napari_channelmix.settings.channels import ChannelSettings
from napari_channelmix.settings.fields import as_dict, merged, takes_settings
from napari_channelmix.whatif.asking import Asker, asker_job, refuse_no_classifier
from napari_channelmix.whatif.blended_calls import AskedBlends, probabilities_job
from napari_channelmix.whatif.cell_choice import ChosenCells, chosen_cells_job
from napari_channelmix.whatif.channel_copies import copy_lines
from napari_channelmix.whatif.channel_players import named_players
from napari_channelmix.whatif.channel_shapley_result import (
    ALL_CLASSES,
    ChannelRow,
    ChannelShapley,
)
from napari_channelmix.whatif.channel_swap import ChannelSwaps, channel_swaps_job
from napari_channelmix.whatif.class_table import SAMPLED
from napari_channelmix.whatif.group_intervals import ClassMeans, class_means
from napari_channelmix.wording import counted, fraction, listed

if TYPE_CHECKING:
    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress

__all__ = [
    "channel_shapley",
    "channel_shapley_job",
]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Crops that are held in memory, in bytes.
MOST_BYTES = 2**29
# Cells that are asked about twice, to see whether the answers are steady.
STEADY_CELLS = 16
# Cells that are read in one step.
READ_AT_ONCE = 128


@takes_settings(ChannelSettings)
def channel_shapley(
    model: Predictor,
    cells: Cells,
    *,
    settings: ChannelSettings | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> ChannelShapley:
    """Find which channels a finished classifier decides by, in seconds.

    Shapley values (Shapley 1953, 'A value for n-person games'): the value of a subset of the
    channels is the recall of each class when the other channels are those of another held-out
    cell; exact for up to 8 channels, over sampled orders for more. Beside it the exchange of a
    single channel: see `whatif.channel_swap`. Value, donors and exchange are our definitions. Any
    model will do: only its answers are needed.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
        Held-out cells are taken; see `ChannelSettings.only`.
    settings : ChannelSettings, optional
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, such as ``forwards=5000``.

    Returns
    -------
    ChannelShapley

    Raises
    ------
    DataError
        No cells, NaN in pixels.
    ModelError
        One channel only; channels that are missing; crops of another size; a model that changes
        its answer from call to call.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_channelmix as cm
    >>> from napari_channelmix.classify import ForeignClassifier
    >>> def rule(crops):
    ...     high = crops[:, 0].mean(axis=(1, 2)) > 2
    ...     return np.stack([~high, high], axis=1).astype(np.float32)
    >>> labels = np.arange(40) % 2
    >>> crops = np.random.default_rng(0).normal(size=(40, 2, 8, 8)).astype(np.float32)
    >>> crops[:, 0] += 4.0 * labels[:, None, None]
    >>> cells = cm.Cells.from_array(crops, ["GFP", "DNA"], labels, ["low", "high"])
    >>> names = ("GFP", "DNA"), ("low", "high")
    >>> model = ForeignClassifier(rule, *names, np.zeros(2), np.ones(2), "probabilities", "a rule")
    >>> result = cm.channel_shapley(model, cells)
    >>> result.order, [round(row.value, 2) for row in result.of_class()]
    (('GFP', 'DNA'), [0.5, 0.0])
    >>> [(row.swap, row.sham) for row in result.of_class()]
    [(1.0, 0.0), (0.0, 0.0)]
    """
    return drain(channel_shapley_job(model, cells, settings=settings, **options), progress)


def channel_shapley_job(
    model: Predictor,
    cells: Cells,
    *,
    settings: ChannelSettings | None = None,
    **options: Any,
) -> Job[ChannelShapley]:
    """`channel_shapley` as a job.

    Choose held-out cells; blend each with donors over subsets of the channels; exchange single
    channels; put intervals over groups to both.
    """
    chosen = merged(ChannelSettings, settings, options)
    refuse_no_classifier(model)
    if len(model.channels) < 2:
        raise ModelError(
            f"{model.who} has one channel ({', '.join(model.channels)}): there is nothing to "
            "compare it with; ask what of it matters instead (what_if)"
        )
    asker, fitting = yield from part(asker_job(model, cells, chosen.prior), 0, 5, 100)
    sample = yield from part(chosen_cells_job(model, fitting, chosen.only), 5, 10, 100)
    game = _Game(asker, fitting, sample, chosen)
    yield from part(game.read_job(), 15, 10, 100)
    values = yield from part(game.values_job(), 25, 45, 100)
    swaps = yield from part(
        channel_swaps_job(
            asker,
            game.pixels,
            game.called,
            game.groups,
            forwards=chosen.forwards,
            seed=chosen.seed,
            players=game.members,
        ),
        70,
        30,
        100,
    )
    about = provenance(
        model=model_hash(model) if isinstance(model, Classifier | ForeignClassifier) else "",
        data=fitting.fingerprint,
        prior=asker.prior.as_dict(),
        settings={
            **as_dict(chosen, leave_out=("prior", "players")),
            "players": {name: list(channels) for name, channels in chosen.players},
        },
        seed=chosen.seed,
        forwards=chosen.forwards,
    )
    return game.result(values, swaps, about)


@dataclass(frozen=True, eq=False)
class _Values:
    """Shapley values, their sampling errors and directions, of each class and of all."""

    value: ClassMeans
    sampling_error: npt.NDArray[np.float64]
    direction: ClassMeans


class _Game:
    """The cells that take part, and what becomes of them."""

    def __init__(
        self, asker: Asker, cells: Cells, sample: ChosenCells, settings: ChannelSettings
    ) -> None:
        self.asker, self._cells, self._sample = asker, cells, sample
        self._rng = np.random.default_rng(settings.seed)
        self.named = named_players(settings.players, asker.channels)
        self.members = [
            [asker.channels.index(channel) for channel in channels]
            for channels in self.named.values()
        ]
        count = len(self.members)
        self.exact = count <= EXACT_CHANNELS
        if self.exact:
            self._pairs_wanted = max(1, settings.forwards // 2**count)
        else:
            self._pairs_wanted = pairs_within(settings.forwards, count, len(asker.classes))
        self.pixels: FloatArray = np.zeros((0, len(asker.channels), 1, 1), np.float32)
        self._probabilities: FloatArray = np.zeros((0, len(asker.classes)), np.float32)
        self.called: IntArray = np.zeros(0, np.int64)
        self.groups: npt.NDArray[Any] = sample.groups
        self.whole, self.nothing = float("nan"), float("nan")

    def read_job(self) -> Job[None]:
        """Read cells, as many as fit, and predict them; refuse a model that is not steady."""
        sample, bytes_each = self._sample, 4 * len(self.asker.channels) * self._cells.crop**2
        most = max(8, MOST_BYTES // bytes_each)
        rows = drawn_equally(sample.labels, min(most, max(2 * self._pairs_wanted, 2000)), self._rng)
        side = self._cells.crop
        self.pixels = np.empty((len(rows), len(self.asker.channels), side, side), np.float32)
        for start in range(0, len(rows), READ_AT_ONCE):
            some = slice(start, start + READ_AT_ONCE)
            self.pixels[some] = self._cells.read(sample.positions[rows[some]])
            yield Progress(start, 2 * len(rows), "reading the cells")
        self.groups = sample.groups[rows]
        self.asker.refuse_unsteady(self.pixels[:STEADY_CELLS])
        job = probabilities_job(self.asker, self.pixels)
        self._probabilities = yield from part(job, 1, 1, 2)
        self.called = np.asarray(self._probabilities.argmax(axis=1), np.int64)
        self.labels = sample.labels[rows] if sample.labelled else self.called

    def values_job(self) -> Job[_Values]:
        """Shapley values, from whether each pair of cell and donor is called its class."""
        labels, count = self.labels, len(self.asker.classes)
        pairs = donor_pairs if self.exact else equal_pairs
        cells, donors = pairs(labels, self._pairs_wanted, self._rng)
        other = drawn_donors(cells, labels[donors], labels, self._rng, self.groups)
        donors = np.where(other >= 0, other, donors)
        truth, groups = labels[cells], self.groups[cells]
        values = yield from pair_values_job(
            AskedBlends(self.asker, self.pixels, cells, donors, self.members),
            truth,
            self._probabilities[cells],
            self._probabilities[donors],
            len(self.members),
            exact=self.exact,
            rng=self._rng,
        )
        self.whole, self.nothing = (
            float(np.mean([hits[truth == code].mean() for code in np.unique(truth)]))
            for hits in (values.whole, values.nothing)
        )
        errors = sampling_error(values.calls, truth, count)
        light = self._light()
        _, linear = agreement(values.evidence, light[cells] - light[donors], truth)
        return _Values(
            class_means(values.calls, truth, groups, count, cells),
            np.zeros_like(errors) if self.exact else errors,
            class_means(linear, truth, groups, count, cells),
        )

    def _light(self) -> npt.NDArray[np.float64]:
        """Mean of each player's pixels in each crop (N, players), in spreads of its channels."""
        means = self.pixels.mean(axis=(2, 3), dtype=np.float64)
        spread = means.std(axis=0)
        scaled = means / np.where(spread > 0, spread, 1.0)
        return np.stack([scaled[:, members].mean(axis=1) for members in self.members], axis=1)

    def result(self, values: _Values, swaps: ChannelSwaps, about: dict[str, Any]) -> ChannelShapley:
        """Both as a table, and in words."""
        channels, classes = tuple(self.named), self.asker.classes
        value, direction = values.value, values.direction
        # Of all classes together a channel has no direction: what one needs another must lack.
        lows, highs = (np.clip(ends, -1.0, 1.0) for ends in (direction.low, direction.high))
        names = (*classes, ALL_CLASSES)
        rows = []
        for place in (len(classes), *range(len(classes))):
            for index, channel in enumerate(channels):
                swap, sham = swaps.swap[index], swaps.sham[index]
                rows.append(
                    ChannelRow(
                        channel=channel,
                        class_name=names[place],
                        value=float(value.mean[place, index]),
                        low=float(value.low[place, index]),
                        high=float(value.high[place, index]),
                        n=int(value.n[place]),
                        n_groups=int(value.n_groups[place]),
                        swap=float(swap.mean[place]),
                        swap_low=float(swap.low[place]),
                        swap_high=float(swap.high[place]),
                        swap_n=int(swap.n[place]),
                        sham=float(sham.mean[place]),
                        sham_low=float(sham.low[place]),
                        sham_high=float(sham.high[place]),
                        sampling_error=float(values.sampling_error[place, index]),
                        **(
                            {
                                "direction": float(direction.mean[place, index]),
                                "direction_low": float(lows[place, index]),
                                "direction_high": float(highs[place, index]),
                            }
                            if place < len(classes)
                            else {}
                        ),
                    )
                )
        made = ChannelShapley(
            channels,
            classes,
            tuple(rows),
            self.whole,
            self.nothing,
            self._sample.labelled,
            self.exact,
            self.asker.asked,
            provenance=about,
            players={} if self.named.keys() == set(self.asker.channels) else self.named,
        )
        return replace(made, lines=self._lines(made), warnings=tuple(self._warnings()))

    def _lines(self, made: ChannelShapley) -> tuple[str, ...]:
        rows = {row.channel: row for row in made.of_class()}
        first = ", ".join(f"{name} {_figures(rows[name])}" for name in made.order[:3])
        what = "accuracy" if made.of_labels else "agreement with its own predictions"
        lines = [
            f"of its balanced {what} of {fraction(made.whole)} ({fraction(made.nothing)} without "
            f"any channel of the cell), this classifier owes to: {first}"
            + ("" if made.exact else f"; {SAMPLED}")
        ]
        lines += made.sentences
        swaps = sorted(
            (row for row in rows.values() if row.swap == row.swap), key=lambda row: -row.swap
        )
        if swaps:
            best = swaps[0]
            sham = "" if best.sham != best.sham else f"; from the same class: {fraction(best.sham)}"
            lines.append(
                f"taken from a cell of another class, {best.channel} alone changes the "
                f"prediction of {fraction(best.swap)} ({fraction(best.swap_low)} to "
                f"{fraction(best.swap_high)}) of {counted(best.swap_n, 'cell')}{sham}"
            )
        return (*lines, self._sample.line)

    def _warnings(self) -> list[str]:
        lines = [*self.asker.model.warnings]
        if self._sample.groups_line:
            lines.append(self._sample.groups_line)
        if not self._sample.labelled:
            lines.append("no cell has a class: figures are of the classifier's own predictions")
        lines += self._at_chance()
        spread = np.ptp(self.pixels, axis=(0, 2, 3))
        lines += constant_lines(self.asker.channels, spread == 0, "an exchange")
        lines += copy_lines(self.asker.channels, self.pixels, self.members)
        counts = np.bincount(self.labels, minlength=len(self.asker.classes))
        for name, of in zip(self.asker.classes, counts, strict=True):
            if of == 1:
                lines.append(f"{name} has one cell: its figures say nothing of others")
        few = [
            f"{name} ({of})"
            for name, of in zip(self.asker.classes, counts, strict=True)
            if 1 < of < ENOUGH_HELD_OUT
        ]
        if few:
            lines.append(f"few cells, figures are rough: {listed(few, 5)}")
        missing = [n for n, of in zip(self.asker.classes, counts, strict=True) if of == 0]
        if missing:
            lines.append(f"no held-out cell is {' or '.join(missing)}: nothing is said of it")
        if len(np.unique(self.called)) < 2:
            lines.append(
                "the classifier predicts all these cells as one class: there is no other class to "
                "take channels from"
            )
        return lines

    def _at_chance(self) -> list[str]:
        """That the classifier is not known to be better than a guess on these cells."""
        kinds = len(np.unique(self.labels))
        if not self._sample.labelled or kinds < 2:
            return []
        count = len(self.asker.classes)
        low, high = accuracy_interval(self.labels, self.called, self.groups, count)
        if not low <= 1 / kinds:
            return []
        return [
            f"the classifier is not known to be better than chance on these cells (95 % interval "
            f"of its balanced accuracy {fraction(low)} to {fraction(high)}, chance "
            f"{fraction(1 / kinds)}): shares of its accuracy say nothing of the classes"
        ]


def _figures(row: ChannelRow) -> str:
    sampled = f" ± {fraction(row.sampling_error)}" if row.sampling_error > 0 else ""
    if row.low != row.low:
        return f"{fraction(row.value)}{sampled}"
    return f"{fraction(row.value)}{sampled} ({fraction(row.low)} to {fraction(row.high)})"
