"""Does a slider move what its name says, and nothing else? Measured on drawings of held-out cells.

1. Draw some cells as they are, and with each axis moved by a step to either side.
2. Measure features on the drawings: area for Scale, light for Intensity, and so on.
3. A change is told in units of how much the feature varies among the cells (robust standard
   deviation), so that changes of different features can be held against each other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.drawing_features import FEATURES, OF_FACTOR, drawing_features
from napari_channelmix.drl.latent_code import title_of
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.drl.residual_drawing import ResidualDrawing

__all__ = ["MOST_OTHER", "STEP", "SliderEffect", "slider_check_job"]

FloatArray = npt.NDArray[np.float64]

# How far a slider is moved; values of a factor lie on -1.5 .. 1.5.
STEP = 0.8
# Cells that are drawn at most.
CELLS = 48
# What another feature may change, as a share of what the slider's own changes.
MOST_OTHER = 1 / 3
# A slider that moves its feature by less, in robust standard deviations, does not move it.
LEAST_OWN = 0.15
# Features told as a factor: their logarithms are measured.
FACTORS = ("area", "light")
# Features that go up on one part of their axis and down on another.
UNSIGNED = ("colour", "outline")


@dataclass(frozen=True)
class SliderEffect:
    """What one slider does to drawings; medians over cells.

    Attributes
    ----------
    axis : str
    feature : str
        The feature that the axis is to move.
    own : float
        Change of it from ``-STEP`` to ``+STEP``, per step of .8, in robust standard deviations.
    other : str
        The other feature that changes most.
    ratio : float
        That change as a share of ``own``.
    area, light : float
        Factor of the area and of the mean light for a step of +.8.
    n : int
        Cells.
    """

    axis: str
    feature: str
    own: float
    other: str
    ratio: float
    area: float
    light: float
    n: int

    @property
    def moves(self) -> bool:
        """Whether the slider moves its feature at all."""
        return abs(self.own) >= LEAST_OWN

    @property
    def holds(self) -> bool:
        """Whether it moves its feature, and any other by at most a third of that."""
        return self.moves and self.ratio <= MOST_OTHER

    @property
    def doubt(self) -> str:
        """In what the slider does not do what its name says; empty where it does."""
        if not self.moves:
            return f"{title_of(self.axis)} does not move {self.feature}"
        if not self.holds:
            return (
                f"{title_of(self.axis)} moves {self.other} as well "
                f"(x {self.ratio:.2f} of its own change)"
            )
        return ""

    @property
    def text(self) -> str:
        """One line for people."""
        line = f"{title_of(self.axis)} + {STEP:g}: area x {self.area:.2f}, light x {self.light:.2f}"
        if self.feature not in FACTORS:
            line += f", {self.feature} {self.own:+.2f} robust SD"
        return f"{line}; {self.doubt}" if self.doubt else line

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "moves": self.moves, "holds": self.holds, "text": self.text}


def slider_check_job(
    of: ResidualDrawing,
    pictures: npt.NDArray[np.uint8],
    values: npt.NDArray[np.float32],
    axes: tuple[str, ...],
) -> Job[tuple[SliderEffect, ...]]:
    """Measure what each slider moves in drawings of cells, as a job.

    Parameters
    ----------
    of : ResidualDrawing
    pictures : (N, C, H, W) uint8 array
        Cells that the drawing was not learnt from; 48 of them are used, spread evenly.
    values : (N, Z) float32 array
        Their named latents.
    axes : tuple of str
    """
    chosen = np.unique(np.linspace(0, len(pictures) - 1, min(CELLS, len(pictures))).astype(int))
    seen, named = pictures[chosen], values[chosen]
    codes = of.encode(seen, named)
    plain = _features(of.decode(named, codes))
    spread = _robust(plain)
    effects = []
    for done, axis in enumerate(axes):
        yield Progress(done, len(axes), f"measuring the slider {title_of(axis)}")
        low, high = (
            _features(of.decode(_moved(of, named, axis, step), codes)) for step in (-STEP, STEP)
        )
        effects.append(_effect(axis, plain, low, high, spread))
    return tuple(effects)


def _moved(
    of: ResidualDrawing, named: npt.NDArray[np.float32], axis: str, step: float
) -> npt.NDArray[np.float32]:
    columns = list(of.source.columns(axis))
    moved = named.copy()
    if len(columns) == 1:
        moved[:, columns[0]] += step
        return moved
    # Around the circle, by an angle whose arc has about the same length.
    radius = np.hypot(named[:, columns[0]], named[:, columns[1]])
    angle = np.arctan2(named[:, columns[1]], named[:, columns[0]]) + step
    moved[:, columns[0]], moved[:, columns[1]] = radius * np.cos(angle), radius * np.sin(angle)
    return moved


def _features(drawn: npt.NDArray[np.float32]) -> FloatArray:
    return np.stack([drawing_features(picture) for picture in drawn])


def _robust(features: FloatArray) -> FloatArray:
    """Robust standard deviation (F,) of each feature over cells."""
    middle = np.nanmedian(features, axis=0)
    spread: FloatArray = 1.4826 * np.nanmedian(np.abs(features - middle), axis=0)
    # An angle is spread over half a turn; a feature the same in all cells has no unit of its own.
    spread[FEATURES.index("orientation")] = np.pi / np.sqrt(12)
    least = dict.fromkeys(FEATURES, 0.01) | {
        "place x": 2.0,
        "place y": 2.0,
        "area": 0.05,
        "light": 0.05,
    }
    return np.maximum(spread, [least[name] for name in FEATURES])


def _effect(
    axis: str, plain: FloatArray, low: FloatArray, high: FloatArray, spread: FloatArray
) -> SliderEffect:
    known = np.isfinite(plain).all(axis=1) & np.isfinite(low).all(axis=1)
    known &= np.isfinite(high).all(axis=1)
    change = (high - low)[known] / 2
    turn = FEATURES.index("orientation")
    # The long axis of a roundish cell has no angle, and a half turn is none.
    change[:, turn] = (2 * change[:, turn] + np.pi / 2) % np.pi / 2 - np.pi / 4
    feature = OF_FACTOR[axis]
    own = FEATURES.index(feature)
    middle = np.median(change, axis=0) if len(change) else np.zeros(len(FEATURES))
    scaled = middle / spread
    if feature in UNSIGNED:
        scaled[own] = np.median(np.abs(change[:, own])) / spread[own] if len(change) else 0.0
    others = np.abs(scaled)
    others[own] = 0.0
    if feature != "orientation":
        # Where an outline changes, so does the angle of its long axis.
        others[turn] = 0.0
    most = int(np.argmax(others))
    upward = np.median((high - plain)[known], axis=0) if known.any() else np.zeros(len(FEATURES))
    return SliderEffect(
        axis=axis,
        feature=feature,
        own=float(scaled[own]),
        other=FEATURES[most],
        ratio=float(others[most] / max(abs(scaled[own]), 1e-9)),
        area=float(np.exp(upward[FEATURES.index("area")])),
        light=float(np.exp(upward[FEATURES.index("light")])),
        n=int(known.sum()),
    )
