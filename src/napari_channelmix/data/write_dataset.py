"""Write cells as a data set: images, outlines, table and data-set file, to be opened again."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_text, write_whole
from napari_channelmix.data.annotations import field_names
from napari_channelmix.data.conditions import conditions_for
from napari_channelmix.data.csv_text import csv_blocks, csv_text
from napari_channelmix.data.fields import middles, square_boxes
from napari_channelmix.data.identifier_columns import named_keys
from napari_channelmix.data.label_images import Objects, Regions, only
from napari_channelmix.data.neighbours import ALONE, KEEP, margin_of
from napari_channelmix.data.values import class_name
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.locks import in_use
from napari_channelmix.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from napari_channelmix.data.cell_boxes import CellBoxes
    from napari_channelmix.data.fields import Field
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["save_dataset", "save_dataset_job", "write_image", "write_mask"]

# What is being done, in words.
WRITING = "writing the table"
# The panel table, where channels have groups.
PANEL = "panel.csv"
# Units as OME names them.
OME_UNITS = {
    "micrometer": "µm",
    "micrometre": "µm",
    "um": "µm",
    "nanometer": "nm",
    "millimeter": "mm",
    "meter": "m",
}


def save_dataset(cells: CellBoxes, folder: str | Path, *, progress: ShowProgress = None) -> Path:
    """Write cells as a data set that `open_dataset` reads back to the same cells.

    Parameters
    ----------
    cells : Cells
        Of files, layers or arrays; with their classes (or none), groups and splits.
    folder : path
        Made if it is missing. Images, masks, ``labels.csv`` and ``dataset.toml`` are written.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.

    Returns
    -------
    Path
        The data-set file.

    Raises
    ------
    DataError
        No cells, pixels that cannot be read, or cells of which only some belong to a split.
    SaveError
        A folder that cannot be written. Each file is written whole or not at all, the data-set
        file last.

    Examples
    --------
    >>> file = cm.save_dataset(cells, folder / "saved")
    >>> file.name, sorted(path.name for path in file.parent.iterdir())
    ('dataset.toml', ['dataset.toml', 'images', 'labels.csv'])
    """
    return drain(save_dataset_job(cells, folder), progress)


def save_dataset_job(cells: CellBoxes, folder: str | Path) -> Job[Path]:
    """`save_dataset` as a job: a step for every channel of every image."""
    if not len(cells):
        raise DataError(f"{cells.name}: there are no cells to save")
    with in_use(folder):
        return (yield from _written_job(cells, Path(folder)))


def _written_job(cells: CellBoxes, folder: Path) -> Job[Path]:
    classes = _names_in_table(cells)
    fields = cells.table["field"].to_numpy(np.int64)
    used = np.unique(fields).tolist()
    order = np.argsort(fields, kind="stable")
    rows_of = dict(
        zip(used, np.split(order, np.searchsorted(fields[order], used[1:])), strict=True)
    )
    named = field_names(cells)
    stems = _stems([named[index] for index in used])
    outlined = all(_outlined(cells, index, rows) for index, rows in rows_of.items())
    if cells.neighbours != KEEP and not outlined:
        raise DataError(
            f"{cells.name}: neighbours are hidden, and the crops do not lie around the outlines as "
            "a data-set file would cut them out (they are resampled or moved); save them with "
            "their neighbours"
        )
    steps = len(used) * (len(cells.planes) + 1)
    for place, (index, stem) in enumerate(zip(used, stems, strict=True)):
        field = cells.fields[index]
        planes: list[npt.NDArray[Any]] = []
        for channel in cells.planes:
            stage = f"writing image {place + 1} of {len(used)}"
            yield Progress(place * (len(cells.planes) + 1) + len(planes), steps, stage)
            planes.append(
                _storable(np.asarray(field.planes[channel][0 : field.shape[0], 0 : field.shape[1]]))
            )
        write_image(folder / f"images/{stem}.ome.tif", np.stack(planes), cells.channels, field)
        if outlined:
            yield Progress((place + 1) * (len(cells.planes) + 1) - 1, steps, stage)
            values = cells.table["object"].to_numpy(np.int64)[rows_of[index]]
            assert field.labels is not None
            # Objects that are no cells of the set are neighbours all the same.
            kept = field.labels if cells.neighbours != KEEP else only(field.labels, values)
            write_mask(folder / f"images/{stem}_cells.tif", kept)
    of_fields = np.full(len(cells.fields), "", dtype=object)
    of_fields[used] = stems
    about = _table_job(cells, of_fields[fields], classes, outlined=outlined)
    table, lines = yield from part(about, steps, 0, steps)
    pieces = []
    for piece in csv_blocks(table):
        yield Progress(steps, steps, WRITING)
        pieces.append(piece)
    write_text(folder / "labels.csv", "".join(pieces))
    if cells.channel_groups:
        write_text(folder / PANEL, _panel_text(cells))
    return write_text(folder / "dataset.toml", "\n".join(lines) + "\n")


def write_image(
    path: Path,
    stack: npt.NDArray[Any],
    channels: Sequence[str],
    field: Field,
    *,
    level: int = 6,
) -> Path:
    """Write the channels (C, Y, X) of a field of view as OME-TIFF, with names and pixel size.

    ``level`` of the compression, 1 (fast) to 9 (small).
    """
    import tifffile

    about: dict[str, Any] = {"axes": "CYX", "Channel": {"Name": list(channels)}}
    unit = OME_UNITS.get(str(field.unit), field.unit)
    sizes = () if unit == "pixel" and field.pixel_size == (1.0, 1.0) else field.pixel_size or ()
    for axis, size in zip("YX", sizes, strict=False):
        about |= {f"PhysicalSize{axis}": size}
        about |= {f"PhysicalSize{axis}Unit": unit} if unit else {}

    def image(neighbour: Path) -> None:
        tifffile.imwrite(
            neighbour,
            stack,
            ome=True,
            metadata=about,
            compression="zlib",
            compressionargs={"level": level},
            photometric="minisblack",
        )

    return write_whole(path, image)


def write_mask(path: Path, labels: npt.NDArray[Any]) -> Path:
    """Write a label image (Y, X) as TIFF, in the smallest type that holds its ids."""
    import tifffile

    top = int(labels.max(initial=0))
    # Pixels of 64 bits are read by few programs, but they are the ids.
    dtype = next(
        candidate
        for candidate in (np.uint16, np.uint32, np.uint64)
        if top <= np.iinfo(candidate).max
    )

    def mask(neighbour: Path) -> None:
        tifffile.imwrite(
            neighbour, labels.astype(dtype), compression="zlib", metadata={"axes": "YX"}
        )

    return write_whole(path, mask)


def _storable(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A plane in a type that OME-TIFF knows, of the same values as the crops have them."""
    kind, size = plane.dtype.kind, plane.dtype.itemsize
    if kind == "b":
        return plane.astype(np.uint8)
    # Crops are read as float32 whatever the file holds.
    if (kind in "iu" and size > 4) or kind not in "iuf" or (kind == "f" and size not in (4, 8)):
        return plane.astype(np.float32)
    return plane


def _outlined(cells: CellBoxes, index: int, in_field: npt.NDArray[np.int64]) -> bool:
    """Whether the cells of a field of view, in these rows, can be found from its label image."""
    labels = cells.fields[index].labels
    if labels is None:
        return False
    ids = cells.table["object"].to_numpy(np.int64)[in_field]
    if not (ids > 0).all() or len(np.unique(ids)) < len(ids):
        return False
    objects: Objects = Regions.of(np.asarray(labels)).objects()
    rows = np.minimum(np.searchsorted(objects.ids, ids), max(0, len(objects) - 1))
    if not len(objects) or not np.array_equal(objects.ids[rows], ids):
        return False
    centres = objects.centres[rows]
    again = square_boxes(centres[:, 0], centres[:, 1], cells.crop)
    boxes = cells.boxes[in_field]
    return np.array_equal(again, boxes) and np.array_equal(centres, cells.centres[in_field])


def _stems(names: Sequence[str]) -> list[str]:
    """File names without suffix for the fields of view: readable, and each of its own."""
    stems: list[str] = []
    taken: set[str] = set()
    next_of: dict[str, int] = {}
    for name in names:
        plain = re.sub(r"\.(ome\.)?[A-Za-z]{2,4}(?=$|, )", "", PurePosixPath(name).name)
        stem = re.sub(r"[^\w.-]+", "_", plain, flags=re.ASCII).strip("._")[:80] or "image"
        # File systems may not tell capitals from small letters.
        count, own = next_of.get(stem.lower(), 2), stem
        while own.lower() in taken:
            own, count = f"{stem}-{count}", count + 1
        next_of[stem.lower()] = count
        taken.add(own.lower())
        stems.append(own)
    return stems


def _table_job(
    cells: CellBoxes, stems: npt.NDArray[np.object_], names: Sequence[str], *, outlined: bool
) -> Job[tuple[pd.DataFrame, list[str]]]:
    """The table, a row per cell, and the lines of the data-set file that say how to read it."""
    import pandas as pd

    columns: dict[str, Any] = {"image_path": "images/" + stems + ".ome.tif"}
    boxes = cells.boxes
    centres = _centres(cells)
    if outlined:
        columns["mask_path"] = "images/" + stems + "_cells.tif"
        columns["object"] = cells.table["object"].tolist()
        how = ['from = "mask"', 'column = "mask_path"', 'object = "object"', "min_area = 1"]
    elif (boxes[:, 2:] - boxes[:, :2] == cells.crop).all():
        columns |= {"y": centres[:, 0], "x": centres[:, 1]}
        how = ['from = "point"', 'columns = ["y", "x"]']
    else:
        edges = ("ymin", "xmin", "ymax", "xmax")
        # A square around the centre, which lies between pixels where the cell's own box was longer
        # in one direction than in the other.
        half = (boxes[:, 2:] - boxes[:, :2]) / 2
        square = np.hstack([centres + 0.5 - half, centres + 0.5 + half])
        columns |= {name: square[:, place] for place, name in enumerate(edges)}
        how = ['from = "box"', f"columns = {_quoted(edges)}"]
    lines = [f"name = {_text(cells.name)}", 'table = "labels.csv"']
    if cells.classes:
        columns["label"] = np.array([*names, ""], dtype=object)[cells.labels]
        lines += ['label = "label"', f"classes = {_quoted(names)}"]
        lines += ["unlabelled = true"] if (cells.labels < 0).any() else []
    yield Progress(0, 1, WRITING)
    groups = cells.table["group"].astype(str).to_numpy(dtype=object)
    kinds, of_kinds = pd.factorize(groups)
    unnamed = np.array([class_name(name) is None for name in of_kinds], dtype=bool)
    columns["group"] = named = groups.copy()
    # What would be read as no group gets brackets; each cell without any is one of its own.
    for index in np.flatnonzero(unnamed[kinds]).tolist():
        named[index] = f"({groups[index].strip() or index})"
    lines.append('group = "group"')
    splits = cells.table["split"].tolist()
    if any(splits):
        if not all(splits):
            raise DataError(
                f"{cells.name}: {splits.count('')} of {len(cells)} cells belong to no part of the "
                "split, the others do; a data-set file cannot say so"
            )
        columns["split"] = splits
        lines.append('split = "split"')
    yield Progress(0, 1, WRITING)
    if cells.conditions is not None:
        # What was said of whole groups is said of each of its cells.
        of_cells = conditions_for(cells.conditions, groups.tolist()).fillna("")
        columns = {**{str(name): of_cells[name].tolist() for name in of_cells}, **columns}
    # The user's own columns last: none of ours is overwritten.
    keys, same = cells.keys, []
    for name in keys:
        yield Progress(0, 1, WRITING)
        if name in columns and keys[name].tolist() == list(map(str, columns[name])):
            same.append(name)
    columns = {**named_keys(keys.drop(columns=same), columns), **columns}
    lines += [f'panel = "{PANEL}"'] if cells.channel_groups else []
    lines += ["", "[image]", 'column = "image_path"', f"channels = {_quoted(cells.channels)}"]
    lines += _scaling_lines(cells)
    lines += ["", "[cells]", *how, f"crop = {cells.crop}"]
    margin = margin_of(cells.neighbours)
    if margin is not None:
        lines += [f'neighbours = "{ALONE}"', f"margin = {margin}"]
    elif cells.neighbours != KEEP:
        lines += ['neighbours = "hide"']
    return pd.DataFrame(columns), lines


def _scaling_lines(cells: CellBoxes) -> list[str]:
    """The scaling of pixels, with the values that were measured; images hold raw pixels."""
    scaling = cells.scaling.of_channels(cells.channels)
    if not scaling:
        return []
    lines = ["", "[scaling]", f"text = {_text(scaling.text)}", "", "[scaling.values]"]
    for name, each in scaling.channels.items():
        known = [f"{key} = {value!r}" for key, value in asdict(each).items() if value is not None]
        lines.append(f"{_text(name)} = {{{', '.join(known)}}}")
    return lines


def _panel_text(cells: CellBoxes) -> str:
    """The panel table of the channels, which keeps their groups."""
    import pandas as pd

    groups = [cells.group_of_channel.get(name, "") for name in cells.channels]
    return csv_text(pd.DataFrame({"channel": cells.channels, "group": groups}))


def _names_in_table(cells: CellBoxes) -> list[str]:
    """The classes as a table names them, where blanks around a name are none.

    Raises
    ------
    DataError
        An empty name, or two that a table cannot tell apart.
    """
    names = [class_name(name) or name.strip() for name in cells.classes]
    for place, name in enumerate(names):
        if not name:
            raise DataError(f"{cells.name}: class {place + 1} has no name; a table cannot hold it")
        if name in names[:place]:
            twins = quoted(cells.classes[names.index(name)]), quoted(cells.classes[place])
            raise DataError(
                f"{cells.name}: a table cannot tell the classes {' and '.join(twins)} apart; "
                "rename one of them"
            )
    return names


def _centres(cells: CellBoxes) -> npt.NDArray[np.float64]:
    """Centres (N, 2) that give the boxes of all cells again: their own, wherever these do."""
    boxes = cells.boxes
    sides = boxes[:, 2:] - boxes[:, :2]
    own = cells.centres
    same = (np.ceil(own - sides / 2) == boxes[:, :2]).all(axis=1)
    return np.where(same[:, None], own, middles(boxes))


def _text(text: str) -> str:
    """A string of TOML; JSON's are such, but for characters that TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _quoted(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"
