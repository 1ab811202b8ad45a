"""Open whatever there is as cells: a data-set file, a folder, a plate, a table, images, arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.data.image_formats import TIFF_SUFFIXES
from napari_channelmix.data.image_planes import PICTURE_SUFFIXES
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, drain
from napari_channelmix.wording import listed, path_shown, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.cells import Cells
    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.scan.pattern import Pattern
    from napari_channelmix.scan.scan import Scan

__all__ = ["open", "open_job"]

TABLES = (".csv", ".tsv", ".txt", ".gz", ".geojson", ".json", ".h5ad")
IMAGES = (*TIFF_SUFFIXES, *PICTURE_SUFFIXES)
# Micrometres.
LARGEST_PIXEL = 1e4
# What may be said of each kind of source; a data-set file says the rest itself.
OF_DATASET = ("pixel_size",)
OF_ALL = ("channels", "crop", "pixel_size", "image_pixel_size", "choices")
OF_TABLE = (*OF_ALL, "wells")
OF_FOLDER = (*OF_TABLE, "pattern")
OF_CROPS = ("channels", "axes", "classes", "groups", "name")
OF_IMAGES = (*OF_CROPS, *OF_ALL, "labels", "points")


def open(
    source: Any,
    *,
    channels: Sequence[str] | Mapping[str, str] | None = None,
    axes: str | None = None,
    labels: Any = None,
    points: Any = None,
    classes: Any = None,
    groups: Any = None,
    crop: int | None = None,
    pixel_size: float | None = None,
    image_pixel_size: float | None = None,
    pattern: str | Pattern | None = None,
    choices: Mapping[str, Any] | None = None,
    wells: str | Path | None = None,
    name: str | None = None,
    progress: ShowProgress = None,
) -> Cells:
    """Open whatever there is as cells.

    Parameters
    ----------
    source : path, DataFrame, array, or sequence or mapping of arrays or paths
        - a data-set file (``dataset.toml``), or the folder that it lies in;
        - a folder of images or a plate, read as `scan_folder` does;
        - a table of images or cells, a path or a DataFrame, read as `scan_table` does;
        - an image file or several, with ``labels`` or ``points`` (without, as `scan_folder`);
        - an array, or several as a list or by name, with ``labels`` or ``points``;
        - crops that are cut out already: an array with ``axes="NCYX"``.
    channels : sequence or mapping of str, optional
        Names of the channels of images and crops, in their order. Of folders and tables a
        mapping: a channel as files have it, and what it is to be called.
    axes : str, optional
        What each axis of the arrays or files is: a letter of N (cells), T, Z, C, Y, X. Needed
        for arrays with more than two, unless the channels that are named tell: n names are of
        the first or the last of three axes, where no other is n long.
    labels : array or path, optional
        Label image: each id is a cell. Of a stack one plane, which counts for all, or as many.
    points : (N, 2) array or DataFrame, optional
        y and x of cells in pixels; in a stack t, z, y, x, as far as it has these axes. Other
        columns of a DataFrame go with the cells, see `Cells.keys`.
    classes : mapping or sequence, optional
        Class of each id of the label image, of each point, or of each crop; or the column of a
        DataFrame of points.
    groups : str or sequence of str, optional
        Group of an image, or of each crop. Default: of several images each is one. ``"track"``:
        ids of label images continue through a stack, and each is one.
    crop : int, optional
        Side of the crops in pixels, after resampling. Default: proposed from the outlines, with a
        warning that says so; points need it.
    pixel_size : float, optional
        Micrometres; crops are resampled to pixels of this side.
    image_pixel_size : float, optional
        Micrometres: the side of a pixel of images that do not state it.
    pattern : str or Pattern, optional
        How file names of a folder are read; see `scan_folder`.
    choices : mapping of str to str, optional
        Answers to questions, by their names: those of the scan; for images ``planes`` (along Z)
        and ``times`` (along T): ``"each"``, ``"maximum"``, or the number of one from 0.
    wells : path, optional
        A table with the classes of wells, of a folder, plate or table; see `ScanSettings`.
    name : str, optional
        What images and crops are called.

    Labels, points, classes and groups of several images are lists with one for each, or mappings
    by the names of the images.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.

    Returns
    -------
    Cells

    Raises
    ------
    DataError
        One line: what cannot be read, or which question is open and how to answer it.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.zeros((64, 80), int)
    >>> labels[10:20, 12:24], labels[40:52, 50:60] = 3, 8
    >>> image = np.zeros((2, 64, 80))
    >>> cells = open(image, axes="CYX", channels=["DNA", "GFP"], labels=labels,
    ...     classes={3: "live", 8: "dead"})
    >>> cells.shape, cells.classes
    ((2, 2, 16, 16), ('live', 'dead'))
    >>> open(image, labels=labels)
    Traceback (most recent call last):
    napari_channelmix.errors.DataError: image: which axis of (2, 64, 80) is which is not known; \
say so, as axes="CYX"
    """
    return drain(
        open_job(
            source,
            channels=channels,
            axes=axes,
            labels=labels,
            points=points,
            classes=classes,
            groups=groups,
            crop=crop,
            pixel_size=pixel_size,
            image_pixel_size=image_pixel_size,
            pattern=pattern,
            choices=choices,
            wells=wells,
            name=name,
        ),
        progress,
    )


def open_job(source: Any, **options: Any) -> Job[Cells]:
    """`open` as a job; ``options`` are its keyword arguments."""
    import pandas as pd

    given = {key: value for key, value in options.items() if value is not None}
    _refuse_wrong_types(given)
    if isinstance(source, pd.DataFrame):
        _refuse_others(given, OF_TABLE, "a table")
        return (yield from _table_job(source, given))
    if isinstance(source, str) and not source.strip():
        raise DataError('open: an empty path; "." is the folder Python works in')
    if isinstance(source, (str, Path)):
        return (yield from _path_job(Path(source), given))
    return (yield from _arrays_job(source, given))


def _refuse_wrong_types(given: Mapping[str, Any]) -> None:
    for key, kind, what in (
        ("choices", Mapping, 'a mapping, such as {"planes": "maximum"}'),
        ("axes", str, 'a text, such as "CYX"'),
        ("name", str, "a text"),
    ):
        if key in given and not isinstance(given[key], kind):
            raise DataError(f"open: {key} must be {what}, not {quoted(given[key])}")
    for key in ("pixel_size", "image_pixel_size"):
        value = given.get(key, 1.0)
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or not 0 < value <= LARGEST_PIXEL:
            raise DataError(f"open: {key} must be micrometres, more than 0, not {quoted(value)}")


def _refuse_others(given: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    other = next((key for key in given if key not in known), None)
    if other is not None:
        hint = "; use Cells.from_frame to name its columns" if what == "a table" else ""
        raise DataError(f"open: {other}=... is not for {what}, which takes {listed(known)}{hint}")


def _path_job(path: Path, given: dict[str, Any]) -> Job[Cells]:
    """A file or a folder, by its kind."""
    from napari_channelmix.data.dataset import open_dataset_job
    from napari_channelmix.data.zarr_metadata import is_zarr
    from napari_channelmix.scan.plate import is_plate
    from napari_channelmix.scan.tables import EVERY_OUTLINE

    suffix = path.suffix.lower()
    if path.name == EVERY_OUTLINE:
        _refuse_others(given, OF_TABLE, "a table")
        return (yield from _table_job(path, given))
    if not path.exists():
        raise DataError(f"{path_shown(path)}: no such file or folder")
    plain = path.is_dir() and not {"pattern", "choices"} & set(given)
    if suffix == ".toml" or (plain and (path / "dataset.toml").is_file()):
        _refuse_others(given, OF_DATASET, "a data-set file")
        file = path if suffix == ".toml" else path / "dataset.toml"
        return (yield from open_dataset_job(file, pixel_size=given.get("pixel_size")))
    if suffix == ".npy":
        from napari_channelmix.scan.opened_images import numpy_file

        return (yield from _arrays_job(numpy_file(path), {"name": path.stem, **given}))
    marked = "labels" in given or "points" in given
    image = suffix in IMAGES or (path.is_dir() and is_zarr(path) and not is_plate(path))
    if path.is_dir() and not image:
        return (yield from _folder_job(path, None, given))
    if suffix in TABLES:
        _refuse_others(given, OF_TABLE, "a table")
        return (yield from _table_job(path, given))
    if marked or not image:
        return (yield from _arrays_job(path, given))
    path = path.absolute()
    return (yield from _folder_job(path.parent, [path.name], given))


def _folder_job(folder: Path, files: Sequence[str] | None, given: dict[str, Any]) -> Job[Cells]:
    from napari_channelmix.scan.folder import scan_folder_job

    _refuse_others(given, OF_FOLDER, "a folder" if files is None else "images without labels")
    options = {key: value for key, value in given.items() if key != "pattern"}
    scan = yield from scan_folder_job(
        folder, given.get("pattern"), files=files, **_of_scan(options)
    )
    return (yield from _scanned_job(scan))


def _table_job(source: Path | pd.DataFrame, given: dict[str, Any]) -> Job[Cells]:
    from napari_channelmix.scan.tables import scan_table_job
    from napari_channelmix.settings.scan import ScanSettings

    scan = yield from scan_table_job(source, ScanSettings(**_of_scan(given)))
    return (yield from _scanned_job(scan))


def _of_scan(given: dict[str, Any]) -> dict[str, Any]:
    names = given.get("channels")
    if names is not None and not isinstance(names, Mapping):
        raise DataError(
            'open: channels of a folder or table are renamed by channels={"w1": "DNA"}; a list is '
            "for arrays and image files"
        )
    answers = {key: str(answer) for key, answer in given.get("choices", {}).items()}
    for key in ("planes", "times"):
        # As for arrays, where it is one word.
        if answers.get(key, "").strip().casefold() == "each":
            answers[key] = "every"
    return {**given, **({"choices": answers} if answers else {})}


def _scanned_job(scan: Scan) -> Job[Cells]:
    """The cells of a scan; an open question is refused with the words that answer it."""
    asked = [choice for choice in scan.choices if choice.chosen is None]
    if asked:
        answers = ", ".join(f"{quoted(one.name)}: {quoted(one.options[0])}" for one in asked)
        questions = " ".join(
            f"{one.text.rstrip('?.')}? ({one.name}: {listed(map(quoted, one.options), 6)})"
            for one in asked
        )
        raise DataError(
            f"{path_shown(scan.source)}: {questions} Answer as in choices={{{answers}}}"
        )
    return (yield from scan.cells_job())


def _arrays_job(source: Any, given: dict[str, Any]) -> Job[Cells]:
    """Arrays, crops, and image files one by one."""
    from napari_channelmix.scan.open_images import images_job

    if "N" in str(given.get("axes", "")).upper():
        _refuse_others(given, OF_CROPS, "crops")
    _refuse_others(given, OF_IMAGES, "images")
    several = isinstance(source, Sequence) and len(source) > 0
    files = several and all(isinstance(one, (str, Path)) for one in source)
    if files and not {"labels", "points"} & set(given):
        return (yield from _files_job([Path(one) for one in source], given))
    return (yield from images_job(source, given))


def _files_job(paths: Sequence[Path], given: dict[str, Any]) -> Job[Cells]:
    """Image files without a word of where their cells are: what their names say."""
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise DataError(f"{path_shown(missing)}: no such file or folder")
    folder = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    files = [path.absolute().relative_to(folder).as_posix() for path in paths]
    return (yield from _folder_job(folder, files, given))
