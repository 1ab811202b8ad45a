"""Plates in OME-Zarr (high-content screening, versions 0.4 and 0.5): a row per well and field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_channelmix.data.file_limits import guarded
from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.data.zarr_metadata import (
    WRITTEN_BY,
    group_attributes,
    is_zarr,
    place_inside,
)
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.scan.looked_at import LookedAt, look_at_job
from napari_channelmix.scan.pictures import Pictures, look_job
from napari_channelmix.scan.questions import Choice, LeftOut
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.scan import Scan
from napari_channelmix.scan.table_cells import checked_rows_of_masks
from napari_channelmix.scan.well_classes import with_well_classes
from napari_channelmix.scan.wells import well_of
from napari_channelmix.settings.scan import ScanSettings
from napari_channelmix.wording import counted, listed, path_shown, quoted

__all__ = ["is_plate", "scan_plate", "scan_plate_job"]

# Wells of the largest plate, and fields of view in all.
MOST_WELLS, MOST_FIELDS = 1_536, 200_000
NO_LABELS = "none of them"


def is_plate(path: Path) -> bool:
    """Whether a folder is a plate in OME-Zarr."""
    if not path.is_dir() or not is_zarr(path):
        return False
    try:
        return isinstance(group_attributes(path).get("plate"), dict)
    except DataError:
        return False


def scan_plate(path: str | Path, settings: ScanSettings | None = None) -> Scan:
    """Understand a plate in OME-Zarr.

    Parameters
    ----------
    path : path
        The folder of the plate.
    settings : ScanSettings, optional

    Returns
    -------
    Scan
        A row for each field of view of each well. Where fields have label images, the question
        ``label image`` tells which are the cells.

    Raises
    ------
    DataError
        No plate, or one without any image.
    """
    return drain(scan_plate_job(path, settings))


def scan_plate_job(path: str | Path, settings: ScanSettings | None = None) -> Job[Scan]:
    """`scan_plate` as a job: a step for every well."""
    path = Path(path)
    if not path.name:
        # Files are named relative to the folder above, and "." has none.
        path = path.resolve()
    if settings is not None and settings.pattern is not None:
        raise DataError(
            f"{path_shown(path)}: a plate in OME-Zarr says itself what its images are; leave out "
            "the pattern"
        )
    attributes = guarded(path, lambda: group_attributes(path))
    plate = attributes.get("plate")
    if not isinstance(plate, dict):
        raise DataError(f"{path_shown(path)}: is no plate in OME-Zarr (no 'plate' in its metadata)")
    wells = plate.get("wells")
    if not isinstance(wells, list) or not wells:
        raise DataError(f"{path_shown(path)}: its metadata list no wells")
    if len(wells) > MOST_WELLS:
        raise DataError(f"{path_shown(path)}: {len(wells):,} wells are too many for a plate")
    name = plate.get("name")
    found = _Fields(path, name if isinstance(name, str) and name else path.stem)
    for count, well in enumerate(wells):
        yield Progress(count, 2 * len(wells), "reading the wells")
        found.add_well(well)
        if len(found.rows) > MOST_FIELDS:
            raise DataError(f"{path_shown(path)}: has more than {MOST_FIELDS:,} fields of view")
    if not found.rows:
        first = f" (first: {found.left_out[0].path}: {found.left_out[0].reason})"
        raise DataError(
            f"{path_shown(path)}: none of the images of its {counted(len(wells), 'well')} is "
            f"there{first if found.left_out else ''}; copy the plate with all its folders"
        )
    found.say_acquisitions()
    source, settings = _Source(path, found), settings or ScanSettings()
    scan = yield from part(source.scan_job(settings), 0.5, 0.5, 1)
    return with_well_classes(scan, settings.wells, path.parent)


@dataclass(eq=False)
class _Fields:
    """The fields of view that are there, and what is not."""

    plate: Path
    name: str
    rows: list[dict[str, str]] = field(default_factory=list)
    labels: list[frozenset[str]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # Label images that exports of earlier results have put there.
    results: set[str] = field(default_factory=set)

    def add_well(self, well: Any) -> None:
        """The fields of view of one well, as the plate's metadata list it."""
        place = well.get("path") if isinstance(well, dict) else None
        shown = str(place)[:80]
        try:
            folder = place_inside(self.plate, self.plate, place)
            if not folder.is_dir():
                raise DataError("the metadata of the plate list it, and it is not there")
            content = group_attributes(folder).get("well")
            images = content.get("images") if isinstance(content, dict) else None
            if not isinstance(images, list) or not images:
                raise DataError("its metadata list no images")
        except DataError as error:
            self.left_out.append(LeftOut(shown, _reason(error, self.plate)))
            return
        for image in images:
            self._add_field(shown, folder, image)

    def _add_field(self, well: str, folder: Path, image: Any) -> None:
        name = image.get("path") if isinstance(image, dict) else None
        try:
            place = place_inside(self.plate, folder, name)
            problem = _why_no_image(self.plate, place)
            if problem:
                raise DataError(problem)
            labels = frozenset(_labels(self.plate, place))
            written = {name for name in labels if _is_result(place / "labels" / name)}
        except DataError as error:
            reason = _reason(error, self.plate)
            self.left_out.append(LeftOut(f"{well}/{str(name)[:40]}", reason))
            return
        row, _, column = well.replace("\\", "/").partition("/")
        self.rows.append(
            {
                "image": f"{self.plate.name}/{well}/{name}",
                "plate": self.name,
                "well": well_of(row, column) or well.replace("/", ""),
                "field": str(name),
                "acquisition": str(image.get("acquisition", "")),
            }
        )
        self.results |= written
        self.labels.append(labels - written)

    def say_acquisitions(self) -> None:
        """Several acquisitions of one well are fields of view of it."""
        if len({row["acquisition"] for row in self.rows}) < 2:
            for row in self.rows:
                del row["acquisition"]
            return
        counts = Counter(row["acquisition"] for row in self.rows)
        self.notes.append(
            f"{len(counts)} acquisitions are fields of view of the same wells "
            "(column 'acquisition' tells them apart)"
        )

    @property
    def label_names(self) -> list[str]:
        """Names of label images that some field has."""
        return sorted({name for names in self.labels for name in names}, key=natural_key)


@dataclass(eq=False)
class _Source:
    """A plate that is laid out again when its question is answered."""

    path: Path
    fields: _Fields
    looked: LookedAt = field(default_factory=LookedAt)
    pictures: Pictures | None = None

    def again(self, settings: ScanSettings) -> Scan:
        """The scan with other settings."""
        return drain(self.scan_job(settings))

    def scan_job(self, settings: ScanSettings) -> Job[Scan]:
        """The scan of the fields of view."""
        import pandas as pd

        fields, folder = self.fields, self.path.parent
        roles = {"image": Role.IMAGE, "plate": Role.PLATE, "well": Role.WELL, "field": Role.FIELD}
        entries = pd.DataFrame(fields.rows, dtype=object)
        left_out = [*fields.left_out]
        problems: list[str] = []
        keys: dict[str, Any] = {}
        choice = _label_choice(fields.label_names, settings)
        if choice is not None and choice.chosen not in (None, NO_LABELS):
            name = str(choice.chosen)
            there = [name in names for names in fields.labels]
            left_out += [
                LeftOut(str(row["image"]), f"has no label image {quoted(name)}")
                for row, has in zip(fields.rows, there, strict=True)
                if not has
            ]
            entries = entries[there].reset_index(drop=True)
            entries["label image"] = entries["image"] + f"/labels/{name}"
            roles["label image"] = Role.MASK
            yield from part(
                look_at_job(self.looked, folder, entries["image"], entries["label image"]),
                0,
                0.9,
                1,
            )
            checked = checked_rows_of_masks(
                entries,
                self.looked,
                "image",
                "label image",
                None,
                None,
                self.looked.scales(entries["image"], settings),
            )
            problems += checked.problems
            # Every value of a label image of OME-Zarr is an object, by its specification.
            keys = {"labelled": True, "min_area": 1}
            keys |= {} if checked.crop is None else {"crop": checked.crop}
        if self.pictures is None:
            files = {"image": list(entries["image"])}
            self.pictures = yield from part(look_job(folder, files), 0.9, 0.1, 1)
        results = listed(sorted(fields.results))
        version = "0.5" if (self.path / "zarr.json").exists() else "0.4"
        return Scan.of(
            self.path,
            f"OME-Zarr plate ({version})",
            entries,
            folder,
            roles,
            settings,
            choices=() if choice is None else (choice,),
            left_out=tuple(left_out),
            notes=(
                *fields.notes,
                *[f"label images of earlier results are not used: {results}"] * bool(results),
            ),
            problems=tuple(problems),
            pictures=self.pictures,
            reread=self.again,
            cell_keys=keys,
        )


def _label_choice(names: list[str], settings: ScanSettings) -> Choice | None:
    if not names:
        return None
    proposed = names[0] if len(names) == 1 else None
    choice = Choice(
        "label image", "Which label images hold the cells?", (*names, NO_LABELS), proposed
    )
    answer = (settings.choices or {}).get("label image")
    return choice if answer is None else replace(choice, chosen=choice.option(answer))


def _why_no_image(plate: Path, place: Path) -> str | None:
    """Why a folder holds no image; its pixels are looked at when it is opened."""
    if not place.is_dir():
        return "the metadata of its well list it, and it is not there"
    images = group_attributes(place).get("multiscales")
    first = images[0] if isinstance(images, list) and images else None
    datasets = first.get("datasets") if isinstance(first, dict) else None
    level = datasets[0] if isinstance(datasets, list) and datasets else None
    if not isinstance(level, dict):
        return "is no image (no 'multiscales' in its metadata)"
    array = place_inside(plate, place, level.get("path"))
    return None if array.is_dir() else f"its array {array.name!r:.60} is not there"


def _labels(plate: Path, image: Path) -> Iterator[str]:
    """Names of the label images of an image that are there."""
    folder = image / "labels"
    if not folder.is_dir() or not is_zarr(folder):
        return
    names = group_attributes(folder).get("labels")
    for name in names if isinstance(names, list) else ():
        if isinstance(name, str) and place_inside(plate, folder, name).is_dir():
            yield name


def _is_result(labels: Path) -> bool:
    """Whether a label image was written by `report.zarr_results`."""
    try:
        method = group_attributes(labels)["multiscales"][0]["metadata"]["method"]
    except (DataError, KeyError, IndexError, TypeError):
        return False
    return bool(method == WRITTEN_BY)


def _reason(error: DataError, plate: Path) -> str:
    """The message of an error without the path of the plate, which is told already."""
    return str(error).removeprefix(f"{plate}: ")
