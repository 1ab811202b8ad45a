"""Results beside the images of an OME-Zarr plate or image: label images and a feature table.

In the folder of each field of view:

| where | what |
|---|---|
| ``labels/NAME`` | the objects: value is the id, its class and colour in ``image-label`` |
| ``labels/NAME-classes`` | the class of each object's pixels: 1 for the first class |
| ``tables/NAME`` | a feature table: a row per object, what is known of it |

What is there stays as it is: a name that is taken is refused. Where the plate cannot be written, or
should not be, another path gets a copy of it.
"""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.identifier_columns import names_of_keys
from napari_channelmix.data.label_images import Ranked, only
from napari_channelmix.data.zarr_metadata import group_attributes, is_zarr
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.locks import in_use
from napari_channelmix.report.cell_columns import Column, columns_of
from napari_channelmix.report.class_colors import class_color
from napari_channelmix.report.label_zarr import (
    ImageGroup,
    add_to_list,
    listed_in,
    write_label_group,
    write_table_group,
)
from napari_channelmix.report.table_results import write_columns_job
from napari_channelmix.wording import counted, path_shown, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_channelmix.data.fields import Field
    from napari_channelmix.report.results_by_cell import ResultsByCell

__all__ = ["LABEL_NAME", "write_zarr_job"]

#: What the label images and the table are called.
LABEL_NAME = "channelmix"


def write_zarr_job(results: ResultsByCell, path: Path, name: str = LABEL_NAME) -> Job[Path]:
    """Write results beside the images that cells lie in; a job.

    Parameters
    ----------
    results : ResultsByCell
        Cells with outlines. Those that lie in other files are left out.
    path : path
        The plate or image that they lie in; or one that does not exist yet, which becomes a copy of
        theirs, with the results.
    name : str
        Of the label images and the table.

    Returns
    -------
    path

    Raises
    ------
    DataError
        Cells without outlines, or in no OME-Zarr; planes of a stack; a name that is taken.
    SaveError
        Disk full, folder read-only and the like; nothing is added then.
    """
    path = Path(path)
    if not name or name.startswith(".") or any(sign in name for sign in '/\\:*?"<>|\0'):
        raise DataError(f"{quoted(name)} cannot be the name of a label image; use letters, digits")
    groups = _groups_of(results)
    if not groups:
        raise DataError(
            f"{results.cells.name}: its images are no OME-Zarr, so there is nothing to write beside"
        )
    if path.exists():
        here = {
            field: group
            for field, group in groups.items()
            if group.resolve().is_relative_to(path.resolve())
        }
        if not here:
            raise DataError(
                f"{path_shown(path)}: the cells do not lie in it but in "
                f"{path_shown(_root_of(next(iter(groups.values()))))}; name that, or a path that "
                "does not exist yet for a copy"
            )
        with in_use(path):
            yield from _beside_job(results, here, name)
        return path
    roots = dict.fromkeys(_root_of(group) for group in groups.values())
    if len(roots) > 1:
        raise DataError(
            f"{path_shown(path)}: the cells lie in {counted(len(roots), 'OME-Zarr file')}, of "
            "which one can be copied; write beside each of them, such as "
            f"{path_shown(next(iter(roots)))}"
        )
    root = next(iter(roots))
    _refuse_beside(results, groups, name)
    with _new_folder(path) as copy:
        yield from part(_copied_job(root, copy), 0, 50, 100)
        there = {field: copy / group.relative_to(root) for field, group in groups.items()}
        yield from part(_beside_job(results, there, name), 50, 50, 100)
    return path


def _groups_of(results: ResultsByCell) -> dict[int, Path]:
    """Folder of the image of each field of view that holds chosen cells, where it is OME-Zarr."""
    fields = results.cells.table["field"].to_numpy(np.int64)[results.positions]
    groups = {}
    for field in np.unique(fields).tolist():
        group = _group_of(results.cells.fields[field])
        if group is not None:
            groups[field] = group
    return groups


def _group_of(field: Field) -> Path | None:
    file = getattr(field.planes[0], "file", None)
    if file is None or not file.path.is_dir() or not is_zarr(file.path):
        return None
    # A series within the file has a folder of its own, above that of its array.
    path, array = Path(file.path), Path(str(file.part))
    for folder in (*array.parents, path):
        if folder.is_relative_to(path) and group_attributes(folder).get("multiscales"):
            return folder
    return None


def _root_of(group: Path) -> Path:
    """The plate that an image lies in, else the image."""
    for folder in group.parents[:3]:
        if is_zarr(folder) and "plate" in group_attributes(folder):
            return folder
    return group


def _refuse_beside(results: ResultsByCell, groups: dict[int, Path], name: str) -> None:
    """Refuse what could not be written, before anything is."""
    cells, rows = results.cells, results.positions
    fields = cells.table["field"].to_numpy(np.int64)[rows]
    ids = cells.table["object"].to_numpy(np.int64)[rows]
    for field, group in groups.items():
        image = ImageGroup.of(group)
        if cells.fields[field].labels is None or (ids[fields == field] <= 0).any():
            raise DataError(
                f"{cells.fields[field].name}: its cells have no outlines, so there is no label "
                "image to write; write a table instead (.parquet, .h5ad)"
            )
        shape = _stack(group)
        if any(length > 1 for length in shape):
            raise DataError(
                f"{path_shown(group)}: is a stack; label images are written beside images of one "
                "plane"
            )
        for kind, names in _names(results, name).items():
            taken = {*listed_in(image, kind)}
            for own in names:
                if own in taken or (group / kind / own).exists():
                    raise DataError(
                        f"{path_shown(group)}: has {quoted(f'{kind}/{own}')} already, which stays; "
                        "choose another --name"
                    )


def _stack(group: Path) -> list[int]:
    """Lengths of the axes other than channel, y and x."""
    import zarr

    multiscale = group_attributes(group)["multiscales"][0]
    names = [axis["name"] if isinstance(axis, dict) else axis for axis in multiscale["axes"]]
    array = zarr.open_array(group / multiscale["datasets"][0]["path"], mode="r")
    return [n for name, n in zip(names, array.shape, strict=True) if name not in ("c", "y", "x")]


def _names(results: ResultsByCell, name: str) -> dict[str, list[str]]:
    """Names of what is written, by the folder that it is written to."""
    return {"labels": [name, *[f"{name}-classes"] * bool(results.class_codes[1])], "tables": [name]}


def _beside_job(results: ResultsByCell, groups: dict[int, Path], name: str) -> Job[None]:
    _refuse_beside(results, groups, name)
    made: list[tuple[Path, Path]] = []
    fields = results.cells.table["field"].to_numpy(np.int64)
    positions = results.positions
    token = uuid.uuid4().hex[:8]
    try:
        for done, (field, group) in enumerate(groups.items()):
            yield Progress(done, len(groups), "writing label images and tables")
            image = ImageGroup.of(group)
            for kind in ("labels", "tables"):
                _clear(group / kind, name)
                if not os.access(group / kind if (group / kind).is_dir() else group, os.W_OK):
                    raise SaveError(
                        f"{path_shown(group)}: cannot be written; name a path that does not exist "
                        "yet for a copy"
                    )
            part_name = f".{name}-{token}"
            rows = positions[fields[positions] == field]
            own = results.subset(rows)
            kinds = _names(results, name)
            for kind, names in kinds.items():
                for entry in names:
                    place = group / kind / f"{part_name}-{len(made)}.part"
                    made.append((place, group / kind / entry))
            places = [place for place, _ in made[-sum(map(len, kinds.values())) :]]
            try:
                _write_labels(own, image, field, places[:-1], name)
                table = write_table_group(image, places[-1], name)
            except OSError as error:
                raise SaveError(
                    f"could not save in {path_shown(group)}: {error.strerror or error}"
                ) from error
            yield from part(
                write_columns_job(_table_columns(own, rows), table, formulas=True),
                done,
                1,
                len(groups),
            )
        # From here on it takes no time, and nothing that is large can fail.
        for place, final in made:
            place.rename(final)
        for group in groups.values():
            for kind, names in _names(results, name).items():
                add_to_list(ImageGroup.of(group), kind, names)
    except OSError as error:
        if isinstance(error, SaveError):
            raise
        raise SaveError(f"could not save beside the images: {error.strerror or error}") from error
    finally:
        for place, _ in made:
            shutil.rmtree(place, ignore_errors=True)


def _write_labels(
    results: ResultsByCell, image: ImageGroup, field: int, places: list[Path], name: str
) -> None:
    cells, rows = results.cells, results.positions
    ids = cells.table["object"].to_numpy(np.int64)[rows]
    codes, classes = results.class_codes
    codes = codes[rows]
    labels = only(np.asarray(cells.fields[field].labels), ids)
    large = int(labels.max(initial=0)) >= 2**32
    objects = labels.astype(np.uint64 if large else np.uint32)
    write_label_group(
        image,
        places[0],
        name,
        objects,
        {
            identity: (*class_color(code), 255)
            for identity, code in zip(ids.tolist(), codes.tolist(), strict=True)
        },
        [
            {"label-value": identity, "class": classes[code]}
            for identity, code in zip(ids.tolist(), codes.tolist(), strict=True)
            if code >= 0
        ],
    )
    if len(places) < 2:
        return
    ranked = Ranked.of(labels)
    value_of = np.zeros(ranked.top + 1, np.uint16)
    value_of[ranked.positions(ids)] = codes + 1
    value_of[0] = 0
    write_label_group(
        image,
        places[1],
        f"{name}-classes",
        value_of[ranked.image],
        {code + 1: (*class_color(code), 255) for code in range(len(classes))},
        [{"label-value": code + 1, "class": entry} for code, entry in enumerate(classes)],
    )


def _table_columns(results: ResultsByCell, positions: npt.NDArray[np.int64]) -> list[Column]:
    """The table of cells by the ids of its objects, with their positions in the data set."""
    own = {"object": "label", "label": "class"}
    left_out = ("field", "field_name")
    columns = [
        Column("cell", positions)
        if column.name == "cell"
        else Column(own.get(column.name, column.name), column.values, column.categories)
        for column in columns_of(results)
        if column.name not in left_out
    ]
    # The id comes first, and no column is called like another.
    columns.sort(key=lambda column: column.name != "label")
    named: dict[str, Column] = {}
    for column in columns:
        # Ours come first.
        name = names_of_keys([column.name], named)[column.name]
        named[name] = Column(name, column.values, column.categories)
    return list(named.values())


def _clear(folder: Path, name: str) -> None:
    """Delete what a run that was killed had half written."""
    if folder.is_dir():
        for left in folder.glob(f".{name}-*.part"):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """A folder beside a path, which takes its place at the end of the block, or is deleted."""
    neighbour = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}.part")
    try:
        neighbour.mkdir(parents=True)
        yield neighbour
        neighbour.rename(path)
    except SaveError:
        raise
    except OSError as error:
        raise SaveError(f"could not save {path_shown(path)}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(neighbour, ignore_errors=True)


def _copied_job(root: Path, copy: Path) -> Job[None]:
    """Copy a folder, file by file.

    Raises
    ------
    DataError
        Links to folders in it: what they lead to would be missing.
    """
    sizes = {}
    for folder, inside, names in os.walk(root):
        links = [name for name in inside if Path(folder, name).is_symlink()]
        if links:
            raise DataError(
                f"{path_shown(root)}: has a link to a folder in it "
                f"({quoted(str(Path(folder, links[0]).relative_to(root)))}), which a copy would "
                "lose; write beside the images instead"
            )
        for file_name in names:
            file = Path(folder) / file_name
            sizes[file] = file.stat().st_size
        yield Progress(0, 1, "counting the files to copy")
    total, done = sum(sizes.values()), 0
    if total > shutil.disk_usage(copy).free:
        raise SaveError(
            f"could not save {path_shown(copy.parent)}: a copy takes {total / 2**30:.1f} GiB, more "
            "than the disk has left"
        )
    for file, size in sizes.items():
        target = copy / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        done += size
        yield Progress(done, max(total, 1), "copying the images")
