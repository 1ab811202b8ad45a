"""Scan a folder: which images lie there, and what their names and folders say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.data.crop_size import crop_for_outlines, limit
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.scan.described import CROP
from napari_channelmix.scan.label_files import LabelPairs, pair_label_files
from napari_channelmix.scan.listing import Listing, is_plate, list_job
from napari_channelmix.scan.looked_at import LookedAt, look_at_job
from napari_channelmix.scan.pattern import Pattern
from napari_channelmix.scan.pictures import Pictures, look_job
from napari_channelmix.scan.presets import PRESETS, pattern_of
from napari_channelmix.scan.questions import Choice, LeftOut
from napari_channelmix.scan.readings import Reading, read_by_parts, read_by_pattern
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.scan import Scan
from napari_channelmix.settings.fields import merged, takes_settings
from napari_channelmix.settings.scan import ScanSettings
from napari_channelmix.wording import counted, listed, path_shown, quoted

if TYPE_CHECKING:
    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.scan.pattern import Parts

__all__ = ["scan_folder", "scan_folder_job"]

# Share of the names that a preset fits, so that it is taken without a question; and the least
# share that makes a question. Our definitions.
WELL_FITTING, WORTH_ASKING = 0.9, 0.1
# Names that every preset is tried on first.
TRIED = 400
# Tables that may be asked about.
READ_TABLES, MOST_TABLES = (".csv", ".tsv", ".csv.gz", ".geojson", ".h5ad"), 20
# What scan_table takes for all GeoJSON files of a folder, one for each image.
EVERY_OUTLINE = "*.geojson"
# Label images of each kind that are opened, for the crop.
MASKS_LOOKED_AT = 12
# What a scan saved here earlier.
SAVED = ("dataset.toml", "dataset.csv")
OF_PARTS = "by the parts of their names"
THE_IMAGES = "the image files"


@takes_settings(ScanSettings, leave_out=("pattern",))
def scan_folder(
    folder: str | Path,
    pattern: str | Pattern | None = None,
    *,
    files: Sequence[str | Path] | None = None,
    settings: ScanSettings | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> Scan:
    """Understand what lies in a folder of images: channels, wells, fields of view, classes.

    Parameters
    ----------
    folder : path
        Listed with the folders below it, up to 8 deep and 200,000 files; few files are opened.
    pattern : str or Pattern, optional
        How names are read: the name of a preset, a template such as
        ``"{well}_s{field}_w{channel}.tif"``, or a regular expression with named groups. Default:
        the preset that fits, or what the parts of the names say by themselves.
    files : sequence of path, optional
        Only these files of the folder.
    settings : ScanSettings, optional
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, which win; see `ScanSettings`.

    Returns
    -------
    Scan
        Nothing is decided that only the user can know: ``problems`` says what has to be answered.

    Raises
    ------
    DataError
        No folder, a folder without images, a pattern that fits no name, or an answer to a
        question that is not asked.

    Examples
    --------
    Of a folder with ``A01_z1_ch1.tif``, ``A01_z1_ch5.tif``, ``A01_z2_ch1.tif`` and so on:

    >>> scan = scan_folder(folder, channels={"ch5": "DNA"})
    >>> [choice.name for choice in scan.choices if choice.chosen is None]
    ['planes']
    >>> scan.with_choice("planes", "2").table()["DNA file"].tolist()
    ['A01_z2_ch5.tif', 'B02_z2_ch5.tif']
    """
    return drain(
        scan_folder_job(folder, pattern, files=files, settings=settings, **options), progress
    )


@takes_settings(ScanSettings, leave_out=("pattern",))
def scan_folder_job(
    folder: str | Path,
    pattern: str | Pattern | None = None,
    *,
    files: Sequence[str | Path] | None = None,
    settings: ScanSettings | None = None,
    **options: Any,
) -> Job[Scan]:
    """`scan_folder` as a job.

    List the folder; set label images aside; read the names by the preset that fits, or by their
    parts; open a few images; ask what is left open.
    """
    if not isinstance(folder, (str, Path)):
        raise DataError(f"scan_folder takes the path of a folder, not {type(folder).__name__}")
    text = pattern.text if isinstance(pattern, Pattern) else pattern
    given = {**options, **({} if text is None else {"pattern": text})}
    settings = merged(ScanSettings, settings, given)
    own = pattern if isinstance(pattern, Pattern) else None
    if own is None and settings.pattern is not None:
        own = pattern_of(settings.pattern)
    if is_plate(folder):
        path = Path(folder)
        only = Listing(path.parent, plates=(path.name,))
        return (yield from _scan_plate_job(only, settings))
    listing = yield from list_job(folder)
    if files is not None:
        listing = _only(listing, files)
    answers: Mapping[str, str] = settings.choices or {}
    other = yield from _not_images_job(listing, settings, answers)
    if isinstance(other, Scan):
        return other
    # A plate beside images, which are read: it is not lost without a word.
    plates = tuple(
        LeftOut(name, "is an OME-Zarr plate beside images; scan it by itself")
        for name in listing.plates
    )
    listing = replace(listing, left_out=(*plates, *listing.left_out))
    masks = pair_label_files([*listing.images, *(one.path for one in listing.left_out)])
    told = {one.path for one in masks.left_out}
    listing = replace(
        listing, left_out=tuple(one for one in listing.left_out if one.path not in told)
    )
    source = _Source(listing, masks, own, other)
    reading = yield from source.reading_job(settings)
    pictures = yield from look_job(listing.folder, _by_channel(reading))
    looked = yield from look_at_job(LookedAt(), listing.folder, (), _some_of(masks))
    source = replace(source, pictures=pictures, looked=looked)
    scan = source.scan(reading, settings, strict=True)
    if not masks.kinds:
        nuclei = yield from _nuclei_job(scan)
        source = replace(source, nuclei=tuple(nuclei))
        scan = replace(scan, cell_keys=source.cell_keys(settings), reread=source.again)
    return _with_classes(scan, settings)


def _nuclei_job(scan: Scan) -> Job[list[float]]:
    # Here, since scans of tables and label images need no segmentation.
    from napari_channelmix.scan.nuclei_size import nuclei_extents_job

    return (yield from nuclei_extents_job(scan.folder, scan.pictures, scan.channels, scan.settings))


def _only(listing: Listing, files: Sequence[str | Path]) -> Listing:
    """The listing of some of its files."""
    names = set()
    for file in files:
        path = Path(file)
        if path.is_absolute():
            try:
                path = path.relative_to(listing.folder.absolute())
            except ValueError:
                raise DataError(
                    f"{path_shown(file)}: is not in the folder {path_shown(listing.folder)}"
                ) from None
        names.add(path.as_posix())
    return replace(
        listing,
        images=tuple(name for name in listing.images if name in names),
        tables=tuple(name for name in listing.tables if name in names),
        plates=tuple(name for name in listing.plates if name in names),
        left_out=tuple(one for one in listing.left_out if one.path in names),
    )


def _not_images_job(
    listing: Listing, settings: ScanSettings, answers: Mapping[str, str]
) -> Job[Scan | tuple[Choice, ...]]:
    """The scan of a plate or a table, where the folder holds that; else questions about it."""
    yield Progress(0, 1, "looking for tables")
    tables = [
        name for name in listing.tables if "/" not in name and name.casefold().endswith(READ_TABLES)
    ][:MOST_TABLES]
    # Tables of data sets that were saved here, and those of wells, are no question.
    tables = [name for name in tables if not (listing.folder / name).with_suffix(".toml").is_file()]
    tables = [name for name in tables if not _is_layout(listing.folder / name)]
    outlines = [name for name in tables if name.casefold().endswith(".geojson")]
    if len(outlines) > 1:
        tables = [*(name for name in tables if name not in outlines), EVERY_OUTLINE]
    if listing.plates and not listing.images:
        return (yield from _scan_plate_job(listing, settings))
    if not listing.images:
        if len(tables) == 1:
            return (yield from _scan_table_job(listing.folder / tables[0], settings))
        raise DataError(f"{path_shown(listing.folder)}: {_nothing_usable(listing)}")
    options = (THE_IMAGES, *(f"the table {name}" for name in tables))
    if len(options) == 1 or (listing.folder / "dataset.toml").is_file():
        return ()
    question = Choice("source", "A table lies beside the images: which is read?", options)
    answer = answers.get("source")
    chosen = None if answer is None else question.option(answer)
    if chosen is not None and chosen != THE_IMAGES:
        table = listing.folder / chosen.removeprefix("the table ")
        rest = {name: text for name, text in answers.items() if name != "source"}
        return (yield from _scan_table_job(table, replace(settings, choices=rest)))
    return (replace(question, chosen=chosen),)


def _nothing_usable(listing: Listing) -> str:
    if listing.tables:
        names = listed(listing.tables, 4)
        return f"no image files, and more than one table or none that is read ({names})"
    if listing.left_out:
        first = listing.left_out[0]
        return (
            "no image files are in it or in folders below; "
            f"{counted(len(listing.left_out), 'other')} left out (first: "
            f"{quoted(first.path, 100)}, {first.reason})"
        )
    return "is empty: no image files are in it or in folders below"


def _scan_plate_job(listing: Listing, settings: ScanSettings) -> Job[Scan]:
    from napari_channelmix.scan.plate import scan_plate_job

    if len(listing.plates) > 1:
        raise DataError(
            f"{path_shown(listing.folder)}: holds {len(listing.plates)} OME-Zarr plates "
            f"({listed(listing.plates, 4)}); scan one of them"
        )
    return (yield from scan_plate_job(listing.folder / listing.plates[0], settings))


def _scan_table_job(path: Path, settings: ScanSettings) -> Job[Scan]:
    from napari_channelmix.scan.tables import scan_table_job

    return (yield from scan_table_job(path, settings))


def _is_layout(path: Path) -> bool:
    from napari_channelmix.scan.plate_layout import is_layout

    return is_layout(path)


def _with_classes(scan: Scan, settings: ScanSettings) -> Scan:
    """The scan with the classes of wells that a table gives, named or beside the images."""
    from napari_channelmix.scan.well_classes import with_well_classes

    return with_well_classes(scan, settings.wells, scan.source)


def _by_channel(reading: Reading) -> dict[str, list[str]]:
    column = next((name for name, role in reading.roles.items() if role is Role.CHANNEL), None)
    if column is None:
        return {"": list(reading.paths)}
    files: dict[str, list[str]] = {}
    for path, channel in zip(reading.paths, reading.columns[column], strict=True):
        files.setdefault(channel, []).append(path)
    return files


@dataclass(frozen=True, eq=False)
class _Source:
    """The files of a folder, kept so that they can be read again in another way."""

    listing: Listing
    masks: LabelPairs
    pattern: Pattern | None
    questions: tuple[Choice, ...] = ()
    pictures: Pictures = field(default_factory=Pictures)
    # Some label images of each kind.
    looked: LookedAt = field(default_factory=LookedAt)
    # Longer sides of the nuclei of one image, in pixels.
    nuclei: tuple[float, ...] = ()

    @property
    def paths(self) -> list[str]:
        return [path for path in self.listing.images if path not in self.masks.label_files]

    def again(self, settings: ScanSettings) -> Scan:
        """The scan with a question of its own answered."""
        answers: Mapping[str, str] = settings.choices or {}
        other = drain(_not_images_job(self.listing, settings, answers))
        if isinstance(other, Scan):
            return other
        source = replace(self, questions=other)
        reading = drain(source.reading_job(settings))
        return _with_classes(source.scan(reading, settings, strict=False), settings)

    def reading_job(self, settings: ScanSettings) -> Job[Reading]:
        """Read the names by the pattern that was given, the preset that fits, or their parts."""
        paths = self.paths
        if not paths:
            raise DataError(f"{path_shown(self.listing.folder)}: holds label images and no images")
        if self.pattern is not None:
            matches = yield from self.pattern.matches_job(paths)
            if not any(match is not None for match in matches):
                raise DataError(
                    f"{path_shown(self.listing.folder)}: the pattern "
                    f"{quoted(self.pattern.text, 100)} fits none of {counted(len(paths), 'image')} "
                    f"(first: {quoted(paths[0], 100)})"
                )
            return read_by_pattern(self.pattern, paths, matches)
        return (yield from _fitting_job(paths, settings.choices or {}))

    def scan(self, reading: Reading, settings: ScanSettings, *, strict: bool) -> Scan:
        """The scan of a reading."""
        import pandas as pd

        # Folders of one name with two forms of an accent are one; the paths stay as they are.
        columns: dict[str, Any] = {"file": list(reading.paths), **reading.columns}
        roles = {"file": Role.IMAGE, **reading.roles}
        questions = [*self.questions]
        cell_keys = self.cell_keys(settings)
        kinds = self.masks.kinds
        if kinds:
            chosen = next(iter(kinds)) if len(kinds) == 1 else None
            if chosen is None:
                text = "Several kinds of label images lie beside the images: which are the cells?"
                question = Choice("masks", text, tuple(kinds))
                answer = (settings.choices or {}).get("masks")
                chosen = None if answer is None else question.option(answer)
                questions.append(replace(question, chosen=chosen))
            of_image = kinds[next(iter(kinds)) if chosen is None else chosen]
            columns["label image"] = [of_image.get(path, "") for path in reading.paths]
            roles["label image"] = Role.MASK
            crop = self._crop_of(of_image, settings)
            cell_keys |= {} if crop is None else {"crop": crop}
        looked_at = [name for name in self.listing.tables if "/" not in name][:MOST_TABLES]
        layouts = {name for name in looked_at if _is_layout(self.listing.folder / name)}
        tables = (
            LeftOut(name, "a table, no image")
            for name in self.listing.tables
            if name not in layouts
        )
        left_out = (*reading.left_out, *self.masks.left_out, *self.listing.left_out, *tables)
        notes = [*self.listing.notes]
        if (self.listing.folder / "dataset.toml").is_file():
            left_out = tuple(one for one in left_out if one.path not in SAVED)
            notes.append("dataset.toml is there already: it can be opened as it is")
        notes += _of_whole_names(reading)
        return Scan.of(
            self.listing.folder,
            reading.style,
            pd.DataFrame(columns, dtype=object),
            self.listing.folder,
            roles,
            settings,
            choices=(*questions, *reading.choices),
            left_out=left_out,
            notes=tuple(notes),
            pictures=self.pictures,
            reread=self.again,
            cell_keys=cell_keys,
            strict=strict,
        )

    def cell_keys(self, settings: ScanSettings) -> dict[str, Any]:
        """The usual crop, which shows what is around a nucleus, or more for larger nuclei."""
        first = self.pictures.first
        if not self.nuclei or first is None:
            return {}
        scale = self.pictures.scale(first.path, settings)
        extents = [extent * scale for extent in self.nuclei]
        most = min(
            limit(picture.sides, self.pictures.scale(picture.path, settings))
            for picture in self.pictures.opened
            if picture.sides
        )
        return {"crop": min(most, max(CROP, crop_for_outlines(extents, most).side))}

    def _crop_of(self, masks: Mapping[str, str], settings: ScanSettings) -> int | None:
        """The crop that holds the cells of the label images that were looked at."""
        looked = self.looked
        image_of = {mask: image for image, mask in masks.items() if mask in looked.extents}
        scales = {mask: self.pictures.scale(image, settings) for mask, image in image_of.items()}
        extents = [extent * scales[mask] for mask in scales for extent in looked.extents[mask]]
        if not extents:
            return None
        most = min(limit(looked.shapes[mask], scale) for mask, scale in scales.items())
        return crop_for_outlines(extents, most).side


def _some_of(masks: LabelPairs) -> list[str]:
    """Some label images of each kind, spread over all of them."""
    some: list[str] = []
    for of_image in masks.kinds.values():
        paths = list(dict.fromkeys(of_image.values()))
        some += paths[:: max(1, -(-len(paths) // MASKS_LOOKED_AT))]
    return some


def _fitting_job(paths: Sequence[str], answers: Mapping[str, str]) -> Job[Reading]:
    """The reading by the preset that fits, or by parts; a question where several styles do."""
    step = max(1, len(paths) // TRIED)
    sample = paths[::step]
    fitting: list[tuple[Pattern, list[Parts | None], int]] = []
    for place, preset in enumerate(PRESETS):
        yield Progress(place, len(PRESETS), "comparing names with presets")
        if any(match is not None for match in preset.pattern.matches(sample)):
            matches = yield from preset.pattern.matches_job(paths)
            count = sum(match is not None for match in matches)
            if count > WORTH_ASKING * len(paths):
                fitting.append((preset.pattern, matches, count))
    fitting.sort(key=lambda fit: -fit[2])
    yield Progress(1, 1, "reading names")
    if not fitting:
        return read_by_parts(paths)
    best, matches, count = fitting[0]
    if count >= WELL_FITTING * len(paths):
        reading = read_by_pattern(best, paths, matches)
        if not _repeats(reading):
            return reading
        by_parts = read_by_parts(paths)
        return reading if _repeats(by_parts) else by_parts
    names = [f"{pattern.name}, {counted(of, 'file')}" for pattern, _, of in fitting]
    rest = len(paths) - count
    question = Choice(
        "pattern",
        f"{counted(rest, 'file')} of {len(paths):,} have names of another style: which are read?",
        (*names, OF_PARTS),
    )
    answer = answers.get("pattern")
    chosen = None if answer is None else question.option(answer)
    if chosen == OF_PARTS:
        reading = read_by_parts(paths)
    else:
        pattern, matches, _ = fitting[0 if chosen is None else names.index(chosen)]
        reading = read_by_pattern(pattern, paths, matches)
    return replace(reading, choices=(replace(question, chosen=chosen), *reading.choices))


def _repeats(reading: Reading) -> bool:
    """Whether two files of a reading say the same of themselves."""
    columns = [
        reading.columns[name] for name, role in reading.roles.items() if role is not Role.IGNORE
    ]
    rows = list(zip(*columns, strict=True)) if columns else []
    return len(set(rows)) < len(reading.paths)


def _of_whole_names(reading: Reading) -> list[str]:
    """A word where nothing of the names was understood, which is no proof that nothing is there."""
    told = {role for role in reading.roles.values() if role is not Role.IGNORE}
    fields = next((reading.columns[n] for n, r in reading.roles.items() if r is Role.FIELD), ())
    if told != {Role.FIELD} or all(text.isdigit() for text in fields):
        return []
    count = len(reading.paths)
    files = "the file is" if count == 1 else f"each of {counted(count, 'file')} is"
    return [
        f"{files} taken for a field of view of its own: "
        f"nothing else was read from names such as {quoted(reading.paths[0], 60)}; where they hold "
        "wells or channels, mark the parts of a name or give a pattern"
    ]
