"""Whether probabilities mean what they say: the result of a calibration, and how files keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from napari_channelmix.bounds import Finite, Flag, Index, Name
from napari_channelmix.classify.intervals import few_groups_text
from napari_channelmix.classify.temperature import COLDEST, HOTTEST
from napari_channelmix.stored_files import Stored, validated

__all__ = ["Calibration", "ReliabilityBin", "StoredCalibration"]

Interval = tuple[float, float]


@dataclass(frozen=True)
class ReliabilityBin:
    """Cells with about the same probability of a class, and how many of them are of it.

    Attributes
    ----------
    n : int
        Cells.
    predicted : float
        Their mean probability.
    observed : float
        Share of them that are of the class.
    low, high : float
        95 % interval of ``observed``.
    """

    n: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """How well probabilities agree with the classes of cells.

    Attributes
    ----------
    temperature : float
        Scores were divided by it.
    n_cells, n_groups : int
    brier : float
        See `brier_score`; ``brier_interval`` over groups, None where there is one group.
    ece, adaptive : float
        See `calibration_error`: with equal bins and with equally filled ones; ``ece_interval``.
    top : float
        Of the called class alone, see `confidence_error`.
    by_chance : float
        The ``ece`` that these cells would have on average if every probability were right.
    curve : dict of str to tuple of ReliabilityBin
        By class.
    prior : str
        Which prior the probabilities had, in words.
    cross_fitted : bool
        Whether the temperature was fitted on other groups than those it was measured on.
    doubt : str
        Why the cells may not be held out, or empty.
    """

    temperature: float
    n_cells: int
    n_groups: int
    brier: float
    ece: float
    adaptive: float
    top: float
    by_chance: float
    brier_interval: Interval | None = None
    ece_interval: Interval | None = None
    curve: Mapping[str, tuple[ReliabilityBin, ...]] = field(default_factory=dict, repr=False)
    prior: str = ""
    cross_fitted: bool = True
    doubt: str = ""

    def text(self) -> str:
        """In a sentence, with what it was measured on."""
        groups = f"{self.n_groups} groups" if self.n_groups > 1 else "one group"
        description = (
            f"calibration error {_short(self.ece)}{_between(self.ece_interval)}, "
            f"of which {_short(self.by_chance)} comes by chance; Brier score "
            f"{_short(self.brier)}{_between(self.brier_interval)}; {self.n_cells} cells, {groups}"
        )
        if not self.cross_fitted:
            description += "; measured on the cells it was calibrated on, so too good"
        few = few_groups_text(self.n_groups, self.n_cells)
        return "; ".join(line for line in (description, few, self.doubt) if line)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        curve = {
            name: [
                [
                    entry.n,
                    *(
                        round(float(value), 6)
                        for value in (entry.predicted, entry.observed, entry.low, entry.high)
                    ),
                ]
                for entry in bins
            ]
            for name, bins in self.curve.items()
        }
        intervals = {
            name: None if of is None else list(of)
            for name, of in (
                ("brier_interval", self.brier_interval),
                ("ece_interval", self.ece_interval),
            )
        }
        return {
            "temperature": self.temperature,
            "n_cells": self.n_cells,
            "n_groups": self.n_groups,
            "brier": self.brier,
            "ece": self.ece,
            "adaptive": self.adaptive,
            "top": self.top,
            "by_chance": self.by_chance,
            **intervals,
            "curve": curve,
            "prior": self.prior,
            "cross_fitted": self.cross_fitted,
            "doubt": self.doubt,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Calibration:
        """From JSON.

        Raises
        ------
        DataError
            Content that is missing or of another kind.
        """
        stored = validated(content, StoredCalibration, where="calibration")
        curve = {
            name: tuple(ReliabilityBin(*row) for row in rows) for name, rows in stored.curve.items()
        }
        return cls(**{**stored.model_dump(), "curve": curve})


class StoredCalibration(Stored):
    """As of `Calibration.as_dict`, for the schemas of files that hold one."""

    temperature: Annotated[float, Field(strict=True, ge=COLDEST, le=HOTTEST)]
    n_cells: Index
    n_groups: Index
    brier: Finite
    ece: Finite
    adaptive: Finite
    top: Finite
    by_chance: Finite
    brier_interval: tuple[Finite, Finite] | None = None
    ece_interval: tuple[Finite, Finite] | None = None
    curve: dict[Name, tuple[tuple[Index, Finite, Finite, Finite, Finite], ...]] = Field(
        default_factory=dict
    )
    prior: str = ""
    cross_fitted: Flag = True
    doubt: str = ""


def _short(value: float) -> str:
    return f"{value:.3f}"


def _between(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f" (95 % interval {interval[0]:.3f} to {interval[1]:.3f})"
