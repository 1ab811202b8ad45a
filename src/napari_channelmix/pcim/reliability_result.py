"""How far maps can be trusted, as a result: figures, words and a verdict for each map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.pcim.chance import SEEN_GAIN, ChanceTest
from napari_channelmix.shown_result import ShownResult
from napari_channelmix.wording import sentences

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_channelmix.pcim.scores import Fidelity
    from napari_channelmix.result_display import Summary

__all__ = ["STAYS", "TOO_ALIKE", "Reliability", "Verdict"]

Doubles = npt.NDArray[np.float64]
Verdict = Literal["good", "warning", "error"]

# Above this correlation with the map of a random network, a map shows the image more than the
# classifier; where less than this share of its strongest pixels stable under noise, its details
# are those of the noise. Our choice, for the words only; `benchmarks/reliability_words.py`.
TOO_ALIKE = 0.5
STAYS = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class Reliability(ShownResult):
    """What is known of the trustworthiness of N maps.

    Attributes
    ----------
    fidelity : Fidelity
        Insertion and deletion curves.
    against_chance : ChanceTest
        What the maps gain, and what random smooth maps of the same cells do.
    randomisation : (N,) float64 array or None
        Spearman's rho with the map of the same network with random weights; lower is better.
        None where there are no weights to be randomised.
    stability : (N,) float64 array
        Relative change of the map under noise of 0.1 standard deviations; lower is better.
    staying : (N,) float64 array
        Share of the strongest tenth of the map's pixels that is among the strongest tenth under
        that noise, too, mean over the draws; 0.1 is chance, higher is better. Our definition.
    doubts : tuple of tuple of str
        For each cell, why its map must not be read whatever the figures say; see `pcim.doubts`.
        Empty where nothing is known against any cell.
    caveats : tuple of tuple of str
        For each cell, what to mind beside a map that can be read: a close prediction, what limits
        the classifier; see `pcim.caveats`. Empty where there is nothing.

    Examples
    --------
    >>> tested = cm.explain(rule, test, only=[1], forwards=60, reliability=True).reliability
    >>> len(tested), tested.to_frame().columns[:3].tolist()
    (1, ['verdict', 'readable', 'srg'])
    """

    fidelity: Fidelity
    against_chance: ChanceTest
    randomisation: Doubles | None
    stability: Doubles
    staying: Doubles
    doubts: tuple[tuple[str, ...], ...] = ()
    caveats: tuple[tuple[str, ...], ...] = ()

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.pcim.result_summaries import reliability_summary

        return reliability_summary(self)

    def __len__(self) -> int:
        return len(self.against_chance.gain)

    @property
    def share_readable(self) -> float:
        """Share of the maps that can be read, 0 to 1; see `readable`."""
        return float(np.mean([self.readable(cell) for cell in range(len(self))]))

    @property
    def readable_text(self) -> str:
        """As ``readable: 5 of 6 maps (95 % Wilson interval over cells 0.44 to 0.97)``."""
        from napari_channelmix.phenotypes.wilson import wilson

        count = sum(self.readable(cell) for cell in range(len(self)))
        low, high = wilson(count, len(self))
        ends = f"95 % Wilson interval over cells {low:.2f} to {high:.2f}"
        return f"readable: {count} of {len(self)} maps ({ends})"

    @property
    def lines(self) -> tuple[str, ...]:
        """What the figures of all maps say together, a sentence each."""
        test = self.against_chance
        lines = [
            f"Mean gain over the references (SRG) {float(np.mean(self.fidelity.srg)):.3f}; random "
            f"maps gain 0 with a standard deviation of {float(np.mean(test.spread)):.3f} "
            f"(n = {len(self)} maps, {test.n} random maps of each cell)."
        ]
        if self.randomisation is None:
            lines.append("Random weights: not tested, for the model has none that are known.")
        else:
            lines.append(
                "Correlation with the map of a network with random weights: median "
                f"{float(np.median(self.randomisation)):.2f} (above {TOO_ALIKE} the map shows the "
                "image rather than what was learnt)."
            )
        lines.append(
            f"With a little noise {float(np.median(self.staying)):.0%} of the strongest tenth of a "
            f"map stays in place (median; below {STAYS:.0%} read regions, not pixels)."
        )
        return tuple(lines)

    def to_frame(self) -> pd.DataFrame:
        """A row per map.

        Returns
        -------
        pandas.DataFrame
            ``verdict``, ``readable``, ``srg``, ``insertion``, ``deletion``, ``gain`` (against
            random maps), ``p_value`` of that, ``better_than_chance``, ``randomisation`` (NaN
            where it was not tested), ``stability``, ``staying``, ``words``.
        """
        from napari_channelmix.pcim.result_summaries import reliability_frame

        return reliability_frame(self)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the columns of `to_frame` as lists, and what they say together."""
        frame = self.to_frame().astype(object)
        columns = {
            name: [None if value != value else value for value in frame[name].tolist()]
            for name in frame.columns
        }
        columns["words"] = [list(self.words(cell)) for cell in range(len(self))]
        return {"n": len(self), "share_readable": self.share_readable, **columns}

    def plot(self, ax: Axes | None = None) -> Figure:
        """What each map gains, and what the random maps of its cell gain at most."""
        from napari_channelmix.charts import bars_figure
        from napari_channelmix.result_display import Bar, Bars

        rows = [
            Bar(
                f"map {cell}",
                float(self.against_chance.gain[cell]),
                reference=float(self.chance_most[cell]),
                readable=self.readable(cell),
            )
            for cell in range(len(self))
        ]
        bars = Bars(rows, "gain (SRG); grey: do not read", reference="highest of the random maps")
        return bars_figure(bars, self.readable_text, (), ax)

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write ``reliability.json``, ``reliability.csv`` and ``reliability.png`` into a folder.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.result_files import save_result

        return save_result(folder, "reliability", self.as_dict(), self.to_frame(), self.plot())

    @property
    def better_than_chance(self) -> npt.NDArray[np.bool_]:
        """Whether each map (N,) is better than random ones; see `ChanceTest.better`."""
        return self.against_chance.better

    @property
    def chance(self) -> Doubles:
        """Mean gain of the random maps and their negatives (N,): 0."""
        return np.zeros(len(self.against_chance.gain))

    @property
    def chance_sd(self) -> Doubles:
        """Standard deviation of what the random maps gain (N,)."""
        return self.against_chance.spread

    @property
    def chance_most(self) -> Doubles:
        """The highest gain of the random maps and their negatives (N,)."""
        return np.asarray(np.abs(self.against_chance.random).max(axis=0), dtype=np.float64)

    def readable(self, cell: int = 0) -> bool:
        """Whether the map of a cell can be read: no doubt about the cell, and better than chance.

        Its details may still be unstable; `words` says so.
        """
        return not self._doubts(cell) and bool(self.better_than_chance[cell])

    def verdict(self, cell: int = 0) -> Verdict:
        """``error`` for a map that must not be read, ``warning`` where something is to be minded.

        ``good`` only where nothing is known against the cell, the prediction is clear, and the
        classifier is better than chance and of more than a few cells.
        """
        if not self.readable(cell):
            return "error"
        return "good" if len(self.words(cell)) == 1 else "warning"

    def answer_range(self, cell: int = 0) -> float:
        """How far the probability of the target moves, 0 to 1, as the cell's pixels come and go."""
        curves = np.stack([self.fidelity.inserting[:, cell], self.fidelity.deleting[:, cell]])
        tested = float(self.against_chance.answer_range[cell])
        return max(float(curves.max() - curves.min()), tested)

    def _doubts(self, cell: int) -> tuple[str, ...]:
        return self.doubts[cell] if self.doubts else ()

    def words(self, cell: int = 0) -> tuple[str, ...]:
        """What the figures of a cell mean, a plain sentence each.

        Doubts about the cell come first; beside them nothing is said in favour of the map.
        Caveats follow: the map may be faithful and the prediction close to undecided.
        """
        lines = [f"Do not read this map: {doubt}." for doubt in self._doubts(cell)]
        if self.answer_range(cell) < SEEN_GAIN:
            lines.append(
                "The prediction does not change whichever pixels are removed, so a map has "
                "nothing to show."
            )
        elif not self.better_than_chance[cell]:
            lines.append("This map is no better than a random one: do not read it.")
        elif not lines:
            lines.append(f"Faithful: better than random maps ({self._chance_text(cell)}).")
        lines += sentences(self.caveats[cell]) if self.caveats else ()
        if self.randomisation is not None and self.randomisation[cell] > TOO_ALIKE:
            lines.append(
                "A network with random weights gives a similar map: the map shows the image "
                "rather than what was learnt."
            )
        if self.staying[cell] < STAYS:
            lines.append(
                f"With a little noise only {self.staying[cell]:.0%} of the strongest "
                "tenth of the map stays in place: read regions, not pixels."
            )
        return tuple(lines)

    def _chance_text(self, cell: int) -> str:
        """The test against random maps in figures."""
        test = self.against_chance
        p = float(test.p_value[cell])
        return f"p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}, n = {test.n} random maps"
