"""What the columns of a table say, by their names and what stands in them; only what is sure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_channelmix.data.column_values import different
from napari_channelmix.data.identifier_columns import key_columns
from napari_channelmix.data.values import class_name, number, whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.scan.layout import SPLITS
from napari_channelmix.scan.parsed_table import is_given
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.vocabulary import dose_like
from napari_channelmix.scan.wells import well_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Columns",
    "channel_of_column",
    "columns_of",
    "image_columns",
    "is_known",
    "place_columns",
    "place_names",
    "plain",
]

IMAGE_SUFFIX = re.compile(
    r"\.(tiff?|btf|png|jpe?g|stk|lsm|zarr|svs|czi|nd2|lif|vsi|oib|oif|ndpi|qptiff|mrxs|scn|bmp|flex)"
    r"([ _-].*)?$",
    re.IGNORECASE,
)
_PLATE_FIELD = re.compile(r"\.zarr/[^.]+$", re.IGNORECASE)
_MASK_NAME = re.compile(r"mask|label|seg(?!ment of)|objects|outline", re.IGNORECASE)
# Names as people write them, without blanks, signs and what CellProfiler puts in front.
_NAMES: dict[Role, tuple[str, ...]] = {
    Role.PLATE: ("plate", "platename", "plateid", "platebarcode", "barcode", "assayplatebarcode"),
    Role.WELL: ("well", "wellid", "wellname", "wellposition", "welllabel", "wellkey"),
    Role.WELL_ROW: ("wellrow", "row", "rowname", "platerow"),
    Role.WELL_COLUMN: ("wellcolumn", "wellcol", "column", "col", "columnname", "platecolumn"),
    Role.FIELD: ("field", "site", "fov", "fieldid", "fieldindex", "fieldofview", "siteid"),
    Role.TIME: ("time", "timepoint", "frame", "timeindex"),
    Role.PLANE: ("plane", "zplane", "zindex", "zslice", "slice"),
    Role.DOSE: ("dose", "concentration", "conc", "doseum", "dosenm", "concentrationum"),
    Role.GROUP: ("group", "donor", "patient", "patientid", "donorid", "animal", "mouse", "slide"),
    Role.SPLIT: ("split", "set", "subset", "partition"),
    Role.CHANNEL: ("channel", "channelname", "wavelength", "stain", "marker", "dye"),
}
# The surest first.
_CLASSES = (
    "label", "class", "classification", "classname", "labelname", "phenotype", "celltype",
    "cellclass", "category", "annotation", "condition", "treatment", "compound", "genotype",
)  # fmt: skip
_OBJECTS = (
    "objectnumber", "numberobjectnumber", "nucleinumberobjectnumber", "cellsnumberobjectnumber",
    "object", "objectid", "objectlabel", "cellid", "cellnumber", "nucleusid", "labelid", "maskid",
    "instanceid", "cell",
)  # fmt: skip
# Names of x and of y; the surest first.
_PLACES = (
    ("x", "y"), ("xpx", "ypx"), ("xpixel", "ypixel"), ("xpixels", "ypixels"),
    ("centroid1", "centroid0"), ("centroidx", "centroidy"), ("xcentroid", "ycentroid"),
    ("centroidxpx", "centroidypx"), ("locationcenterx", "locationcentery"),
    ("areashapecenterx", "areashapecentery"), ("centerx", "centery"), ("xcenter", "ycenter"),
    ("centrex", "centrey"), ("posx", "posy"), ("xpos", "ypos"), ("positionx", "positiony"),
    ("xposition", "yposition"), ("xcoord", "ycoord"), ("coordx", "coordy"),
    ("xcoordinate", "ycoordinate"), ("cx", "cy"), ("nucleusx", "nucleusy"), ("cellx", "celly"),
    ("axis1", "axis0"),
)  # fmt: skip
# What stands behind such a name where places are micrometres.
_MICROMETRES = ("um", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres")
# A class has some rows each.
MOST_CLASSES, FEW_ROWS = 200, 12
LOOKED_AT = 5_000


@dataclass(frozen=True, eq=False)
class Columns:
    """What the columns of a table say.

    Attributes
    ----------
    roles : mapping of str to Role
        Of the columns that are kept.
    classes : tuple of str
        Columns that may be the class, the surest first; more than one has to be asked.
    measurements : int
        Columns that hold measurements, and are left out.
    """

    roles: Mapping[str, Role]
    classes: tuple[str, ...]
    measurements: int


def plain(name: str) -> str:
    """A name of a column as it is compared: small letters and digits only."""
    text = re.sub(r"^(image_)?metadata_|^image_", "", name.strip(), flags=re.IGNORECASE)
    # The sign for micro is one of two characters.
    text = unicodedata.normalize("NFKC", text).casefold().replace("\u03bc", "u")
    return re.sub(r"[^a-z0-9]", "", text)


def is_known(name: str) -> bool:
    """Whether scans understand a column of this name."""
    known = {*_CLASSES, *_OBJECTS, "label", "id", "imagenumber", "tablenumber", "image"}
    known |= {one for names in _NAMES.values() for one in names}
    known |= {one for pair in _PLACES for one in pair}
    words = plain(name)
    return (
        words in known
        or words.endswith(("centerx", "centery"))
        or re.search(r"file_?name|path|file$|metadata|classify_|centroid", name, re.I) is not None
    )


def columns_of(frame: pd.DataFrame, given: Mapping[str, Role]) -> Columns:
    """What the columns of a table say.

    A column gets a role where both its name and what stands in it fit: a well column holds wells,
    a class some rows of each, an id whole numbers. All else that names a cell is kept to join
    results with; measurements are left out. Our definition.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of texts.
    given : mapping of str to Role
        What is known already, such as columns of files.

    Returns
    -------
    Columns
    """
    roles = dict(given)
    taken = set(roles.values())
    rest = [str(name) for name in frame.columns if str(name) not in roles]
    files = [name for name, role in roles.items() if role is Role.IMAGE]
    _give_object(frame, rest, roles, files)
    if not {Role.X, Role.Y} & taken:
        x, y = place_columns(frame, rest)
        if x and y:
            roles |= {x: Role.X, y: Role.Y}
    for role, names in _NAMES.items():
        if role in taken or (role is Role.CHANNEL and len(files) != 1):
            continue
        fit = [
            column
            for wanted in names
            for column in rest
            if column not in roles and plain(column) == wanted and _fits(frame[column], role)
        ]
        if fit:
            roles[fit[0]] = role
    _refuse_half_wells(roles)
    classes = [
        column
        for wanted in _CLASSES
        for column in rest
        if column not in roles and plain(column) == wanted and _is_class(frame[column])
    ]
    if Role.CLASS in taken:
        classes = []
    kept = [name for name in rest if name not in roles]
    keys = key_columns(frame[[*kept]], ()) if kept else []
    keys += [name for name in kept if plain(name) == "imagenumber" and name not in keys]
    ordered = {
        str(name): roles.get(str(name), Role.KEY)
        for name in frame.columns
        if str(name) in roles or str(name) in keys or str(name) in classes
    }
    return Columns(ordered, tuple(classes), len(frame.columns) - len(ordered))


def image_columns(frame: pd.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns that hold image files, and columns that hold label images."""
    images: list[str] = []
    masks: list[str] = []
    for name in map(str, frame.columns):
        texts = [text for text in _some(frame[name]) if text]
        if not texts or not all(
            IMAGE_SUFFIX.search(text) or _PLATE_FIELD.search(text) for text in texts
        ):
            continue
        (masks if _MASK_NAME.search(name) else images).append(name)
    return tuple(images), tuple(masks)


def channel_of_column(column: str) -> str:
    """The channel that a column of files is named after.

    Examples
    --------
    >>> channel_of_column("gfp_path"), channel_of_column("FileName_DNA"), channel_of_column("DAPI")
    ('gfp', 'DNA', 'DAPI')
    """
    words = re.split(r"[ _.-]+", column)
    kept = [
        word
        for word in words
        if not re.fullmatch(r"(path|file|files|filename|filepath|image|img|url)", word, re.I)
    ]
    return "_".join(kept) or column


def place_columns(
    frame: pd.DataFrame, columns: Collection[str], *, micrometres: bool = False
) -> tuple[str | None, str | None]:
    """Columns of x and y in pixels, or in micrometres by their names; or None for both."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain(column), column)
    units = _MICROMETRES if micrometres else ("",)
    for x, y in ((f"{x}{unit}", f"{y}{unit}") for x, y in _PLACES for unit in units):
        pair = by_name.get(x), by_name.get(y)
        if pair[0] and pair[1] and _are_pixels(frame, [str(name) for name in pair]):
            return pair
    return None, None


def place_names(columns: Collection[str]) -> tuple[str, str] | None:
    """Columns that are called like x and y, whatever they hold."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain(column), column)
    pairs = ((by_name.get(x), by_name.get(y)) for x, y in _PLACES)
    return next(((x, y) for x, y in pairs if x and y), None)


def _give_object(
    frame: pd.DataFrame, rest: Sequence[str], roles: dict[str, Role], files: Sequence[str]
) -> None:
    """An id of a cell: whole numbers, each once in an image. 'label' is one in scikit-image."""
    if Role.OBJECT in roles.values():
        return
    for wanted in (*_OBJECTS, "label", "id"):
        for column in rest:
            if plain(column) != wanted or column in roles or not _whole(frame[column]):
                continue
            # A class of whole numbers has many rows of one image.
            alone = not files and wanted == "label"
            # 0 is the ground of label images, never the id of a cell.
            alone = alone or (wanted == "label" and _has_zero(frame[column]))
            if not alone and _once_in_each(frame, column, files):
                roles[column] = Role.OBJECT
                return


def _has_zero(column: pd.Series[str]) -> bool:
    kinds = dict.fromkeys(column.to_numpy(dtype=object))
    return any("0" in text and re.fullmatch(r"\s*0+(\.0*)?\s*", text) for text in kinds)


def _once_in_each(frame: pd.DataFrame, column: str, files: Sequence[str]) -> bool:
    several = len(frame) > (frame[list(files)].drop_duplicates().shape[0] if files else 1)
    return several and not frame.duplicated([*files, column]).any()


def _refuse_half_wells(roles: dict[str, Role]) -> None:
    """Row and column make a well together, and only where none is named."""
    by_role = {role: name for name, role in roles.items()}
    halves = [role for role in (Role.WELL_ROW, Role.WELL_COLUMN) if role in by_role]
    if Role.WELL in by_role or len(halves) == 1:
        for role in halves:
            del roles[by_role[role]]


def _some(column: pd.Series[str]) -> list[str]:
    return [str(text).strip() for text in different(column.to_numpy(dtype=object), LOOKED_AT)]


def _are_pixels(frame: pd.DataFrame, names: Sequence[str]) -> bool:
    """Numbers, not all of them fractions of the image from 0 to 1."""
    if not all(_numbers(frame[name]) for name in names):
        return False
    values = [number(text, decimal_comma=True) for name in names for text in _given(frame[name])]
    return len(values) <= len(names) or max(values) > 1 or min(values) < 0


def _given(column: pd.Series[str]) -> list[str]:
    return _some(column[is_given(column)])


def _numbers(column: pd.Series[str]) -> bool:
    texts = _given(column)
    try:
        for text in texts:
            number(text, decimal_comma=True)
    except DataError:
        return False
    return bool(texts)


def _whole(column: pd.Series[str]) -> bool:
    texts = [text for text in _some(column) if text]
    try:
        return bool(texts) and all(whole_number(text) is not None for text in texts)
    except DataError:
        return False


def _is_class(column: pd.Series[str]) -> bool:
    rows_of = column.value_counts()
    names = {text: class_name(text) for text in rows_of.index}
    count = int(sum(rows for text, rows in rows_of.items() if names[text] is not None))
    kinds = len({name for name in names.values() if name is not None})
    # Of a few images each may be of a class of its own; of many cells it would be a name.
    few = kinds <= min(MOST_CLASSES, max(FEW_ROWS, count // 2))
    return bool(count) and few and not (_numbers(column) and not _whole(column))


def _fits(column: pd.Series[str], role: Role) -> bool:
    texts = [text for text in _some(column) if text]
    if not texts:
        return False
    if role is Role.WELL:
        return all(well_name(text) for text in texts)
    if role is Role.WELL_ROW:
        return all(re.fullmatch(r"[A-Za-z]|[Aa][A-Fa-f]|0?[1-9]|[12]\d|3[0-2]", t) for t in texts)
    if role is Role.WELL_COLUMN:
        return all(re.fullmatch(r"0?[1-9]|[1-3]\d|4[0-8]", text) for text in texts)
    if role in (Role.TIME, Role.PLANE):
        return _whole(column)
    if role is Role.DOSE:
        return _numbers(column) or all(map(dose_like, texts))
    if role is Role.SPLIT:
        return all(text.casefold() in SPLITS for text in texts)
    return True
