"""A planted multiplex tissue: forty channels, seven cell types that are rules on eight markers.

Everything is made from a seed, a field of view at a time; nothing is downloaded.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.atomic_write import write_json, write_text
from napari_channelmix.data.cells import Cells
from napari_channelmix.data.csv_text import csv_blocks
from napari_channelmix.data.multiplex_drawing import MULTIPLEX_CROP, FieldPlan
from napari_channelmix.data.multiplex_panel import (
    AUTOFLUORESCENCE,
    AUTOFLUORESCENCE_COPY,
    BLANK,
    MULTIPLEX_CLASSES,
    MULTIPLEX_RULES,
    RULE_MARKERS,
    Channel,
    drawn_channels,
    multiplex_channels,
    type_of_markers,
)
from napari_channelmix.data.samples import Sample
from napari_channelmix.data.write_dataset import write_image, write_mask
from napari_channelmix.jobs import Job, Progress, drain

if TYPE_CHECKING:
    from napari_channelmix.progress_bar import ShowProgress

__all__ = [
    "BLANK",
    "LEVELS_FILE",
    "MULTIPLEX_CLASSES",
    "MULTIPLEX_CROP",
    "MULTIPLEX_RULES",
    "POSITIVE",
    "multiplex_channels",
    "multiplex_sample",
    "multiplex_sample_job",
    "multiplex_tissue",
    "multiplex_tissue_job",
    "type_of_markers",
]

# Level in levels.csv from which a cell has the marker.
POSITIVE = 0.5
LEVELS_FILE = "levels.csv"


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

    folder, drawn = Path(folder), drawn_channels(channels)
    names = tuple(channel.name for channel in drawn)
    plan = FieldPlan(cells, seed)
    rows, levels = [], []
    for index in range(plan.fields):
        yield Progress(index, plan.fields, f"drawing field {index + 1} of {plan.fields}")
        codes, level, field = plan.field(index, drawn)
        stack = np.stack([np.asarray(plane) for plane in field.planes])
        image, mask = f"images/{field.name}.ome.tif", f"images/{field.name}_cells.tif"
        # Noise is hardly smaller at the higher levels, which take a third of the whole time.
        write_image(folder / image, stack, names, field, level=1)
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


def multiplex_tissue(seed: int = 0, *, cells: int = 1000, channels: int = 40) -> Sample:
    """The cells of `multiplex_sample` without files, all in memory.

    Raises
    ------
    DataError
        Too few or too many cells or channels.

    Examples
    --------
    >>> sample = multiplex_tissue(cells=40, channels=12)
    >>> len(sample.cells), [name for name, of in sample.relevance.items() if not of]
    (40, ['DAPI', 'AF', 'Blank', 'AF-2'])
    """
    return drain(multiplex_tissue_job(seed, cells=cells, channels=channels))


def multiplex_tissue_job(seed: int = 0, *, cells: int = 1000, channels: int = 40) -> Job[Sample]:
    """`multiplex_tissue` as a job: a step for each field of view."""
    drawn = drawn_channels(channels)
    names = tuple(channel.name for channel in drawn)
    plan = FieldPlan(cells, seed)
    parts, codes = [], []
    for index in range(plan.fields):
        yield Progress(index, plan.fields, f"drawing field {index + 1} of {plan.fields}")
        of_field, _, field = plan.field(index, drawn)
        assert field.labels is not None
        own = Cells.from_labels(
            field.planes, names, field.labels, crop=MULTIPLEX_CROP, name=field.name
        )
        table = own.table.assign(group=plan.patient(index))
        parts.append(replace(own, fields=(field,), table=table, warnings=()))
        codes.append(of_field)
    whole = Cells.together(parts, f"planted multiplex tissue, {channels} channels")
    whole = whole.with_labels(np.concatenate(codes), MULTIPLEX_CLASSES)
    signs = {1: "+", -1: "-"}
    rules = (
        f"{name}: {', '.join(f'{marker} {signs[sign]}' for marker, sign in rule.items())}"
        for name, rule in MULTIPLEX_RULES.items()
    )
    story = f"Types of cells are rules on eight markers. {'; '.join(rules)}"
    relevance = {name: float(name in RULE_MARKERS) for name in names}
    return Sample(whole, relevance, story)


def _of_cells(channel: Channel) -> bool:
    return channel.place not in ("tissue", "blank")


def _truth(channels: tuple[Channel, ...]) -> dict[str, object]:
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
