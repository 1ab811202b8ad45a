"""Fields of view of a planted multiplex tissue, drawn one at a time from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.fields import Field
from napari_channelmix.data.multiplex_panel import (
    AUTOFLUORESCENCE,
    AUTOFLUORESCENCE_COPY,
    MULTIPLEX_CLASSES,
    MULTIPLEX_RULES,
    RULE_MARKERS,
    Channel,
    type_of_markers,
)
from napari_channelmix.errors import DataError

__all__ = ["MULTIPLEX_CROP", "FieldPlan"]

FloatArray = npt.NDArray[np.float32]

# Part of each type among the cells, in the order of the classes; fewest cells of any type.
PARTS = (0.45, 0.08, 0.07, 0.09, 0.105, 0.005, 0.2)
FEWEST = 4
# Probability that a cell has a marker before the rules choose among cells; the same for all
# markers, so that for every marker of a rule there are cells that differ in it alone.
HAS_MARKER = 0.25
# Probability that a cell has one of the markers that are of no rule, whatever its type.
HAS_OTHER = 0.3
# Side of the crops, distance of neighbouring cells, distance of the first cell from the border and
# how far cells lie off their grid, in pixels.
MULTIPLEX_CROP, PITCH, MARGIN, OFF_GRID = 24, 16, 15, 2.0
PIXEL_SIZE = 0.5
# Share of a cell's light that falls on its neighbourhood, the width of the two means in turn that
# spread it, and sigma of the blur of the rest (pixels).
SPILL, SPILL_WIDTH, BLUR = 0.3, 13, 0.7
# Light without any cell, and of the blank channel; noise of the camera (counts).
DARK, READ_NOISE = 100.0, 6.0
# Share of pixels that are hot, and their values (counts).
HOT_SHARE, HOT_VALUES = 1e-4, (8_000, 20_000)
CELLS_PER_FIELD, FEWEST_FIELDS, MOST_PATIENTS = 100, 8, 20


class FieldPlan:
    """Which cells lie in which field of view, and of whom each field is.

    Parameters
    ----------
    cells : int
        40 to 1,000,000.
    seed : int

    Attributes
    ----------
    fields : int
        Number of fields of view; eight at least, of about 100 cells at most.

    Raises
    ------
    DataError
        Too few or too many cells.
    """

    def __init__(self, cells: int, seed: int) -> None:
        if not 40 <= cells <= 1_000_000:
            raise DataError(f"a planted multiplex set has 40 to 1,000,000 cells, not {cells:,}")
        self._seed = seed
        rng = np.random.default_rng([seed, 0])
        self.fields = max(FEWEST_FIELDS, -(-cells // CELLS_PER_FIELD))
        self._patients = min(self.fields, MOST_PATIENTS)
        counts = np.maximum(np.round(np.array(PARTS) * cells).astype(int), FEWEST)
        counts[0] += cells - counts.sum()
        codes = np.repeat(np.arange(len(counts)), counts)
        # Types are dealt in turn, so that all patients have about as many of each, rare ones too.
        turn = rng.permutation(self.fields)
        dealt = turn[np.arange(cells) % self.fields]
        order = np.argsort(dealt, kind="stable")
        bounds = np.searchsorted(dealt[order], np.arange(1, self.fields))
        self._codes = np.split(codes[order], bounds)

    def patient(self, index: int) -> str:
        """Of whom a field is."""
        return f"P{index % self._patients + 1:02d}"

    def field(
        self, index: int, channels: tuple[Channel, ...]
    ) -> tuple[npt.NDArray[np.int64], FloatArray, Field]:
        """Types (N,) and true levels (N, C) of the cells of a field, and the field itself."""
        rng = np.random.default_rng([self._seed, 1, index])
        codes = rng.permutation(self._codes[index])
        levels = _levels(rng, codes, channels)
        # A patient's tissue is stained alike in all of its fields, and unlike that of others.
        of_patient = np.random.default_rng([self._seed, 2, index % self._patients])
        stain = np.exp(of_patient.normal(0, 0.08, len(channels)))
        labels, masks = _outlines(rng, len(codes))
        planes = tuple(
            _light(rng, channel, level * gain, labels, masks)
            for channel, level, gain in zip(channels, levels.T, stain, strict=True)
        )
        name = f"{self.patient(index)}-field{index + 1:04d}"
        field = Field(name, planes, labels, (PIXEL_SIZE, PIXEL_SIZE), "µm")
        return codes, levels, _with_copy(rng, field, [channel.name for channel in channels])


def _levels(
    rng: np.random.Generator, codes: npt.NDArray[np.int64], channels: tuple[Channel, ...]
) -> FloatArray:
    """True levels (N, C): about 1 where a cell has the marker, at most a quarter where not."""
    has = rng.random((len(codes), len(channels))) < HAS_OTHER
    places = [[c.name for c in channels].index(name) for name in RULE_MARKERS]
    has[:, places] = _drawn_markers(rng, codes)
    for place, channel in enumerate(channels):
        if channel.name in ("DAPI", AUTOFLUORESCENCE, AUTOFLUORESCENCE_COPY):
            has[:, place] = True
    high = np.clip(np.exp(rng.normal(0, 0.2, has.shape)), 0.6, 1.7)
    low = np.clip(0.06 * np.exp(rng.normal(0, 0.5, has.shape)), 0, 0.25)
    return np.where(has, high, low).astype(np.float32)


def _drawn_markers(rng: np.random.Generator, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Markers of the rules (N, 8), drawn until they make the type that each cell has."""
    has = np.zeros((len(codes), len(RULE_MARKERS)), dtype=bool)
    for code in np.unique(codes):
        left = np.flatnonzero(codes == code)
        rule = MULTIPLEX_RULES.get(MULTIPLEX_CLASSES[code], {})
        while len(left):
            drawn = rng.random((len(left), len(RULE_MARKERS))) < HAS_MARKER
            for name, sign in rule.items():
                drawn[:, RULE_MARKERS.index(name)] = sign > 0
            fits = type_of_markers(drawn) == code
            has[left[fits]] = drawn[fits]
            left = left[~fits]
    return has


def _outlines(
    rng: np.random.Generator, count: int
) -> tuple[npt.NDArray[np.int32], dict[str, FloatArray]]:
    """A label image (Y, X), and for each place in a cell how much light each pixel has of it."""
    across = int(np.ceil(np.sqrt(count)))
    side = PITCH * (across - 1) + 2 * MARGIN
    spots = np.sort(rng.permutation(across**2)[:count])
    grid = MARGIN + PITCH * np.stack(np.divmod(spots, across), axis=1)
    centres = grid + rng.uniform(-OFF_GRID, OFF_GRID, (count, 2))
    radius, angle = rng.uniform(5.5, 6.8, count), rng.uniform(0, np.pi, count)
    stretch, nuclear = rng.uniform(0.85, 1.0, count), rng.uniform(0.5, 0.62, count)
    labels = np.zeros((side, side), np.int32)
    masks = {
        name: np.zeros((side, side), np.float32) for name in ("nucleus", "membrane", "cytoplasm")
    }
    for cell in range(count):
        y0, x0 = (np.maximum(np.floor(centres[cell] - 9), 0)).astype(int)
        window = np.s_[y0 : y0 + 19, x0 : x0 + 19]
        ys, xs = np.mgrid[y0 : min(y0 + 19, side), x0 : min(x0 + 19, side)]
        dy, dx = ys - centres[cell, 0], xs - centres[cell, 1]
        along = dy * np.sin(angle[cell]) + dx * np.cos(angle[cell])
        over = dy * np.cos(angle[cell]) - dx * np.sin(angle[cell])
        distance = np.hypot(along, over / stretch[cell]) / radius[cell]
        own = (distance < 1) & (labels[window] == 0)
        labels[window][own] = cell + 1
        for name, inside in (
            ("nucleus", distance < nuclear[cell]),
            ("membrane", distance > 0.72),
            ("cytoplasm", distance >= nuclear[cell]),
        ):
            masks[name][window][own & inside] = 1.0
    return labels, masks


def _light(
    rng: np.random.Generator,
    channel: Channel,
    level: FloatArray,
    labels: npt.NDArray[np.int32],
    masks: dict[str, FloatArray],
) -> npt.NDArray[np.uint16]:
    """A plane of a channel: the light of its cells, spilt over, with the noise of a camera."""
    from scipy.ndimage import gaussian_filter, uniform_filter

    if channel.place == "blank":
        return np.full(labels.shape, int(DARK), np.uint16)
    if channel.place == "tissue":
        texture = gaussian_filter(rng.standard_normal(labels.shape, np.float32), 6.0)
        light = channel.gain * np.abs(texture) / texture.std()
    else:
        of_cells = np.concatenate([np.zeros(1, np.float32), level.astype(np.float32)])
        light = channel.gain * of_cells[labels] * masks[channel.place]
        around = uniform_filter(uniform_filter(light, SPILL_WIDTH), SPILL_WIDTH)
        light = (1 - SPILL) * gaussian_filter(light, BLUR, truncate=3.0) + SPILL * around
    if channel.name == AUTOFLUORESCENCE:
        texture = gaussian_filter(rng.standard_normal(labels.shape, np.float32), 8.0)
        light = light + 0.3 * channel.gain * np.abs(texture) / texture.std()
    return _photographed(rng, light, channel.hot)


def _photographed(
    rng: np.random.Generator, light: FloatArray, hot: bool = False
) -> npt.NDArray[np.uint16]:
    noise = rng.standard_normal(light.shape, np.float32)
    counts = DARK + light + noise * np.sqrt(READ_NOISE**2 + light)
    if hot:
        spots = rng.random(light.shape, np.float32) < HOT_SHARE
        counts[spots] = rng.integers(*HOT_VALUES, spots.sum())
    return _counts(counts)


def _with_copy(rng: np.random.Generator, field: Field, names: Sequence[str]) -> Field:
    """The same field, its second autofluorescence the first one but for noise."""
    first = np.asarray(field.planes[names.index(AUTOFLUORESCENCE)], np.float32)
    again = first + READ_NOISE * rng.standard_normal(first.shape, np.float32)
    planes = list(field.planes)
    planes[names.index(AUTOFLUORESCENCE_COPY)] = _counts(again)
    return replace(field, planes=tuple(planes))


def _counts(light: FloatArray) -> npt.NDArray[np.uint16]:
    return np.clip(np.round(light), 0, 65535).astype(np.uint16)
