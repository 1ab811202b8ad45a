"""A planted multiplex tissue: forty channels, seven cell types that are rules on eight markers.

Everything is made from a seed, a field of view at a time; nothing is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_json, write_text
from napari_channelmix.data.csv_text import csv_blocks
from napari_channelmix.data.fields import Field
from napari_channelmix.data.write_dataset import write_image, write_mask
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain

if TYPE_CHECKING:
    from napari_channelmix.progress_bar import ShowProgress

__all__ = [
    "LEVELS_FILE",
    "MULTIPLEX_CLASSES",
    "MULTIPLEX_CROP",
    "MULTIPLEX_RULES",
    "POSITIVE",
    "multiplex_channels",
    "multiplex_sample",
    "multiplex_sample_job",
    "type_of_markers",
]

FloatArray = npt.NDArray[np.float32]

# What makes a cell of a type: markers that it must have (1) and must not have (-1).
MULTIPLEX_RULES: dict[str, dict[str, int]] = {
    "Tumour": {"PANCK": 1, "CD45": -1},
    "B cell": {"CD20": 1, "CD3": -1},
    "Macrophage": {"CD68": 1, "CD45": 1},
    "Cytotoxic T": {"CD3": 1, "CD8": 1},
    "Helper T": {"CD3": 1, "CD4": 1, "CD8": -1, "FOXP3": -1},
    "Treg": {"CD3": 1, "CD4": 1, "CD8": -1, "FOXP3": 1},
}
# Cells that fit none of the rules.
OTHER = "Other"
MULTIPLEX_CLASSES = (*MULTIPLEX_RULES, OTHER)
# Part of each type among the cells, in the order of the classes; fewest cells of any type.
PARTS = (0.45, 0.08, 0.07, 0.09, 0.105, 0.005, 0.2)
FEWEST = 4
# Probability that a cell has a marker before the rules choose among cells; the same for all
# markers, so that for every marker of a rule there are cells that differ in it alone.
HAS_MARKER = 0.25
# Probability that a cell has one of the markers that are of no rule, whatever its type.
HAS_OTHER = 0.3
# Level in levels.csv from which a cell has the marker.
POSITIVE = 0.5
LEVELS_FILE = "levels.csv"
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
AUTOFLUORESCENCE, AUTOFLUORESCENCE_COPY, BLANK = "AF", "AF-2", "Blank"


@dataclass(frozen=True)
class _Channel:
    """How a channel is drawn.

    ``place`` is where in the cell its light is: ``nucleus``, ``membrane``, ``cytoplasm``; or
    ``tissue``, a texture that knows nothing of cells; ``gain`` is the light of a positive cell in
    counts.
    """

    name: str
    place: str
    gain: float = 600.0
    hot: bool = False


# Markers of the rules lie scattered among the others; dim ones have a small gain.
_CHANNELS = (
    _Channel("DAPI", "nucleus", 3000.0),
    _Channel(AUTOFLUORESCENCE, "cytoplasm", 250.0),
    _Channel(BLANK, "blank"),
    _Channel("CD31", "membrane", 500.0),
    _Channel("SMA", "tissue", 800.0),
    _Channel("CD45", "membrane", 900.0),
    _Channel("CD11c", "membrane", 300.0),
    _Channel("CD34", "membrane", 400.0),
    _Channel("FOXP3", "nucleus", 60.0),
    _Channel("CD44", "membrane", 1500.0),
    _Channel("CD57", "membrane", 200.0, hot=True),
    _Channel("CD8", "membrane", 700.0, hot=True),
    _Channel("CD38", "membrane", 500.0),
    _Channel("COL4", "tissue", 500.0),
    _Channel("CD68", "cytoplasm", 500.0),
    _Channel("CD163", "cytoplasm", 300.0),
    _Channel("HLA-DR", "membrane", 900.0),
    _Channel("CD3", "membrane", 600.0),
    _Channel("LAG3", "membrane", 50.0),
    _Channel("CD20", "membrane", 1200.0),
    _Channel("Ki67", "nucleus", 900.0),
    _Channel("PD1", "membrane", 120.0),
    _Channel("PANCK", "cytoplasm", 2500.0),
    _Channel("VIM", "cytoplasm", 1500.0),
    _Channel("CD4", "membrane", 90.0),
    _Channel("PDL1", "membrane", 100.0),
    _Channel(AUTOFLUORESCENCE_COPY, "cytoplasm", 250.0),
    _Channel("CD56", "membrane", 300.0),
    _Channel("GZMB", "cytoplasm", 400.0),
    _Channel("CD45RO", "membrane", 800.0),
    _Channel("CD45RA", "membrane", 800.0),
    _Channel("IDO1", "cytoplasm", 80.0),
    _Channel("TIM3", "membrane", 60.0),
    _Channel("CD206", "cytoplasm", 300.0),
    _Channel("ECAD", "membrane", 1000.0),
    _Channel("BCL2", "cytoplasm", 300.0),
    _Channel("MMP9", "cytoplasm", 250.0),
    _Channel("VISTA", "membrane", 100.0),
    _Channel("ICOS", "membrane", 80.0),
    _Channel("CD5", "membrane", 500.0),
)
_RULE_MARKERS = tuple(
    channel.name
    for channel in _CHANNELS
    if any(channel.name in rule for rule in MULTIPLEX_RULES.values())
)
_NEEDED = {"DAPI", AUTOFLUORESCENCE, AUTOFLUORESCENCE_COPY, BLANK, *_RULE_MARKERS}


def multiplex_channels(count: int = 40) -> tuple[str, ...]:
    """Names of the channels of a planted multiplex set, in their order.

    Raises
    ------
    DataError
        Fewer than 12: nuclear stain, the eight markers of the rules, autofluorescence, its copy
        and the blank are always there. More than 400.

    Examples
    --------
    >>> multiplex_channels(12)
    ('DAPI', 'AF', 'Blank', 'CD45', 'FOXP3', 'CD8', 'CD68', 'CD3', 'CD20', 'PANCK', 'CD4', 'AF-2')
    >>> multiplex_channels(42)[-3:]
    ('CD5', 'marker 41', 'marker 42')
    """
    return tuple(channel.name for channel in _channels(count))


def _channels(count: int) -> tuple[_Channel, ...]:
    if not len(_NEEDED) <= count <= 400:
        raise DataError(
            f"a planted multiplex set has {len(_NEEDED)} to 400 channels, not {count}: the rules "
            f"need {', '.join(_RULE_MARKERS)}"
        )
    others = [channel.name for channel in _CHANNELS if channel.name not in _NEEDED]
    kept = _NEEDED.union(others[: count - len(_NEEDED)])
    more = (_Channel(f"marker {n}", "membrane", 400.0) for n in range(len(_CHANNELS) + 1, 401))
    named = tuple(channel for channel in _CHANNELS if channel.name in kept)
    return (*named, *(next(more) for _ in range(count - len(named))))


def type_of_markers(has: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The type of cells by the markers they have.

    Parameters
    ----------
    has : (N, 8) bool array
        Whether a cell has a marker of the rules; in the order of `multiplex_channels`.

    Returns
    -------
    (N,) int array
        Position in `MULTIPLEX_CLASSES`; -1 for cells that fit two rules, which are not made.

    Examples
    --------
    >>> markers = [n for n in multiplex_channels(12) if n not in ("DAPI", "AF", "AF-2", "Blank")]
    >>> cells = [{"CD3", "CD4", "FOXP3"}, {"CD3", "CD4"}, {"CD4"}, {"CD68", "CD45", "CD20"}]
    >>> has = np.array([[name in cell for name in markers] for cell in cells])
    >>> [MULTIPLEX_CLASSES[code] if code >= 0 else None for code in type_of_markers(has)]
    ['Treg', 'Helper T', 'Other', None]
    """
    fits = np.ones((len(has), len(MULTIPLEX_RULES)), dtype=bool)
    for place, rule in enumerate(MULTIPLEX_RULES.values()):
        for name, sign in rule.items():
            fits[:, place] &= has[:, _RULE_MARKERS.index(name)] == (sign > 0)
    count = fits.sum(axis=1)
    code = np.where(count == 1, fits.argmax(axis=1), len(MULTIPLEX_RULES))
    return np.where(count > 1, -1, code).astype(np.int64)


def multiplex_sample(
    folder: str | Path,
    *,
    cells: int = 2500,
    seed: int = 0,
    channels: int = 40,
    progress: ShowProgress = None,
) -> Path:
    """Write a planted multiplex tissue as a data set, with the truth beside it.

    Seven types of cells are rules on eight markers, with markers that must be there and markers
    that must not (`MULTIPLEX_RULES`; what fits no rule is 'Other'); which other markers of the
    eight a cell has is a toss of a coin, and so is everything that the remaining channels show. One
    type is 45 % of the cells, one .5 % (four cells at least). The tissue has what real panels have:
    light that spills over to neighbouring cells, dim markers (FOXP3, CD4), hot pixels (CD8, CD57),
    textures that know no cells, a constant channel (``Blank``), autofluorescence and a copy of it
    (``AF``, ``AF-2``), patients that are stained more or less. Rules, parts and light are our
    definitions.

    Parameters
    ----------
    folder : path
        Made if it is missing. Images (OME-TIFF, uint16, names of channels), label images,
        ``labels.csv`` (a row per cell; the column ``patient`` is its group), ``dataset.toml``;
        ``levels.csv`` and ``truth.json``, which a classifier must not read: for each cell the true
        level of every marker (1 is usual for a cell that has it; it has it from .5 on), and the
        rules.
    cells : int
        40 to 1,000,000.
    seed : int
        The same seed gives the same pixels.
    channels : int
        12 to 400; see `multiplex_channels`.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.

    Returns
    -------
    Path
        The data-set file. Fields of view are written one by one: memory does not grow with the
        pixels.

    Raises
    ------
    DataError
        Too few or too many cells or channels.
    SaveError
        A folder that cannot be written.

    Examples
    --------
    >>> made = cm.open_dataset(cm.multiplex_sample(folder / "multiplex", cells=80, channels=12))
    >>> len(made), len(made.channels), made.classes[5], len(set(made.groups))
    (80, 12, 'Treg', 8)
    """
    job = multiplex_sample_job(folder, cells=cells, seed=seed, channels=channels)
    return drain(job, progress)


def multiplex_sample_job(
    folder: str | Path, *, cells: int = 2500, seed: int = 0, channels: int = 40
) -> Job[Path]:
    """`multiplex_sample` as a job: a step for each field of view.

    Deal the types over the fields; draw each field and write it; write tables, truth and, last,
    the data-set file.
    """
    import pandas as pd

    folder, drawn = Path(folder), _channels(channels)
    names = tuple(channel.name for channel in drawn)
    plan = _Plan(cells, seed)
    rows, levels = [], []
    for index in range(plan.fields):
        yield Progress(index, plan.fields, f"drawing field {index + 1} of {plan.fields}")
        codes, level, field = plan.field(index, drawn)
        stack = np.stack([np.asarray(plane) for plane in field.planes])
        image, mask = f"images/{field.name}.ome.tif", f"images/{field.name}_cells.tif"
        write_image(folder / image, stack, names, field)
        assert field.labels is not None
        write_mask(folder / mask, field.labels)
        rows.append(
            pd.DataFrame(
                {
                    "image_path": image,
                    "mask_path": mask,
                    "object": np.arange(1, len(codes) + 1),
                    "patient": plan.patient(index),
                    "label": [MULTIPLEX_CLASSES[code] for code in codes],
                }
            )
        )
        levels.append(pd.DataFrame(level.round(3), columns=names))
    yield Progress(plan.fields, plan.fields, "writing the tables")
    table = pd.concat(rows, ignore_index=True)
    truth = pd.concat([table, pd.concat(levels, ignore_index=True)], axis=1)
    truth = truth.drop(columns=[channel.name for channel in drawn if not _of_cells(channel)])
    write_text(folder / "labels.csv", "".join(csv_blocks(table)))
    write_text(folder / LEVELS_FILE, "".join(csv_blocks(truth)))
    write_json(folder / "truth.json", _truth(drawn))
    return write_text(folder / "dataset.toml", _dataset_file(cells, names))


def _of_cells(channel: _Channel) -> bool:
    return channel.place not in ("tissue", "blank")


def _truth(channels: tuple[_Channel, ...]) -> dict[str, object]:
    """What was planted, by the names of the channels."""
    return {
        "rules": MULTIPLEX_RULES,
        "positive from": POSITIVE,
        "dim": [channel.name for channel in channels if channel.gain < 100],
        "hot pixels": [channel.name for channel in channels if channel.hot],
        "constant": [BLANK],
        "copies": {AUTOFLUORESCENCE_COPY: AUTOFLUORESCENCE},
        "of tissue": [channel.name for channel in channels if channel.place == "tissue"],
    }


def _dataset_file(cells: int, names: tuple[str, ...]) -> str:
    lines = (
        f"name = {json.dumps(f'planted multiplex tissue, {cells:,} cells, {len(names)} channels')}",
        'table = "labels.csv"',
        'label = "label"',
        f"classes = {json.dumps(MULTIPLEX_CLASSES)}",
        'group = "patient"',
        "",
        "[image]",
        'column = "image_path"',
        "",
        "[cells]",
        'from = "mask"',
        'column = "mask_path"',
        'object = "object"',
        "min_area = 1",
        f"crop = {MULTIPLEX_CROP}",
        "",
    )
    return "\n".join(lines)


class _Plan:
    """Which cells lie in which field of view, and of whom each field is."""

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
        return f"P{index % self._patients + 1:02d}"

    def field(
        self, index: int, channels: tuple[_Channel, ...]
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
    rng: np.random.Generator, codes: npt.NDArray[np.int64], channels: tuple[_Channel, ...]
) -> FloatArray:
    """True levels (N, C): about 1 where a cell has the marker, at most a quarter where not."""
    has = rng.random((len(codes), len(channels))) < HAS_OTHER
    places = [[c.name for c in channels].index(name) for name in _RULE_MARKERS]
    has[:, places] = _drawn_markers(rng, codes)
    for place, channel in enumerate(channels):
        if channel.name in ("DAPI", AUTOFLUORESCENCE, AUTOFLUORESCENCE_COPY):
            has[:, place] = True
    high = np.clip(np.exp(rng.normal(0, 0.2, has.shape)), 0.6, 1.7)
    low = np.clip(0.06 * np.exp(rng.normal(0, 0.5, has.shape)), 0, 0.25)
    return np.where(has, high, low).astype(np.float32)


def _drawn_markers(rng: np.random.Generator, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Markers of the rules (N, 8), drawn until they make the type that each cell has."""
    has = np.zeros((len(codes), len(_RULE_MARKERS)), dtype=bool)
    for code in np.unique(codes):
        left = np.flatnonzero(codes == code)
        rule = MULTIPLEX_RULES.get(MULTIPLEX_CLASSES[code], {})
        while len(left):
            drawn = rng.random((len(left), len(_RULE_MARKERS))) < HAS_MARKER
            for name, sign in rule.items():
                drawn[:, _RULE_MARKERS.index(name)] = sign > 0
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
    channel: _Channel,
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
