"""Cells out of label images, points and arrays, and out of several data sets.

`kind` is the class that is made: `Cells`, whose class methods these are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.arrays import (
    channel_names,
    checked_crops,
    codes_of,
    group_names,
    label_warnings,
    rounding_warning,
)
from napari_channelmix.data.borders import filled_warning
from napari_channelmix.data.cell_boxes import BOX, CellBoxes
from napari_channelmix.data.conditions import conditions_together
from napari_channelmix.data.crop_pixels import differing_line, without_differing_line
from napari_channelmix.data.field_names import distinct_names
from napari_channelmix.data.fields import Field, check_field, outside, square_boxes
from napari_channelmix.data.label_images import as_label_image
from napari_channelmix.data.masks import covering_warning, pieces_warning, read_mask
from napari_channelmix.data.values import class_name, similar_warnings
from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.image_planes import Plane

__all__ = ["of_array", "of_labels", "of_points", "together", "with_own_keys"]

C = TypeVar("C", bound=CellBoxes)

IntArray = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

ALONE = "all cells come from one image: accuracy on held-out cells may not hold elsewhere"


def of_labels(
    kind: type[C],
    planes: Sequence[Plane],
    channels: Sequence[str],
    labels: npt.ArrayLike,
    crop: int,
    classes_of: dict[int, str] | None,
    name: str,
    labelled: bool,
    keys: pd.DataFrame | None = None,
) -> C:
    """See `Cells.from_labels`."""
    ids = as_label_image(labels, name)
    if ids.dtype.kind == "b":
        # What is only true or false names no cells.
        labelled = False
    field = Field(name, tuple(planes))
    check_field(field, channels, crop)
    if ids.shape != field.shape:
        raise DataError(f"{name}: labels are {ids.shape}, the channels {field.shape}")
    mask = read_mask(ids, labelled=labelled, where=name)
    if not len(mask.objects):
        raise DataError(f"{name}: the label image is empty; no cell is marked in it")
    notes: tuple[str, ...] = ()
    if mask.apart:
        notes += (f"{name}: {pieces_warning(mask.apart, mask.pieces)}",)
    if mask.covers:
        notes += (f"{name}: {covering_warning(mask.covers)}",)
    field = replace(field, labels=mask.labels)
    objects = mask.objects
    cells = _in_one_field(
        kind, field, channels, objects.centres, crop, objects.ids, notes, objects.extents
    )
    if keys is not None:
        cells = cells.with_keys(_keys_of_ids(cells, keys))
    return cells if classes_of is None else _named(cells, classes_of)


def _keys_of_ids(cells: CellBoxes, keys: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table of the user's whose index is the id of each cell, in their order."""
    ids = cells.table["object"].to_numpy(np.int64)
    if not hasattr(keys, "index") or not hasattr(keys, "columns"):
        raise DataError(f"{cells.name}: keys must be a DataFrame whose index holds the ids")
    if not keys.index.is_unique:
        raise DataError(f"{cells.name}: the index of keys has an id twice; an id is one cell")
    missing = ids[~np.isin(ids, keys.index.to_numpy())]
    if len(missing):
        raise DataError(
            f"{cells.name}: the index of keys has no row for {len(missing):,} of "
            f"{counted(len(ids), 'cell')} (first: {missing[0]})"
        )
    return keys.loc[ids]


def of_points(
    kind: type[C],
    planes: Sequence[Plane],
    channels: Sequence[str],
    points: npt.ArrayLike,
    crop: int,
    name: str,
    labels: npt.ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    groups: Sequence[Any] | None = None,
    keys: Any = None,
) -> C:
    """See `Cells.from_points`."""
    field = Field(name, tuple(planes))
    check_field(field, channels, crop)
    try:
        centres = np.atleast_2d(np.asarray(points, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: points must be numbers ({error})") from error
    if centres.ndim != 2 or centres.shape[1] != 2 or not len(centres):
        raise DataError(f"{name}: points must be an (N, 2) array of y, x")
    beyond = outside(centres, field.shape)
    if beyond.any():
        first = int(np.argmax(beyond))
        y, x = centres[first]
        raise DataError(
            f"{name}: point {first} at y={y:g}, x={x:g} lies outside the image of "
            f"{field.shape[0]} x {field.shape[1]} pixels"
        )
    cells = _in_one_field(kind, field, channels, centres, crop, np.zeros(len(centres), np.int64))
    codes, known = codes_of(labels, classes, len(cells), name)
    notes = label_warnings(labels, codes, known)
    cells = replace(cells.with_labels(codes, known), warnings=(*cells.warnings, *notes))
    if groups is not None:
        table = cells.table.assign(group=group_names(groups, len(cells), name))
        cells = replace(cells, table=table)
    return with_own_keys(cells, keys)


def of_array(
    kind: type[C],
    crops: npt.ArrayLike,
    channels: Sequence[str],
    labels: npt.ArrayLike | None,
    classes: Sequence[str] | None,
    groups: Sequence[str] | None,
    name: str,
    keys: Any = None,
) -> C:
    """See `Cells.from_array`."""
    import pandas as pd

    pixels = checked_crops(crops, name)
    count, depth, side, _ = pixels.shape
    names = channel_names(channels, depth, name)
    codes, known = codes_of(labels, classes, count, name)
    fields = tuple(Field(f"{name}[{i}]", tuple(crop)) for i, crop in enumerate(pixels))
    table = pd.DataFrame(
        {
            "field": np.arange(count),
            **dict(zip(BOX, (0, 0, side, side), strict=True)),
            "label": codes,
            "group": group_names(groups, count, name),
            "split": "",
            "object": 0,
        }
    )
    notes = (*rounding_warning(pixels, name), *label_warnings(labels, codes, known))
    return with_own_keys(kind(name, names, known, side, fields, table, warnings=notes), keys)


def with_own_keys(cells: C, keys: Any) -> C:
    """The cells with columns of the user's that name each, see `CellPlaces.with_keys`.

    Parameters
    ----------
    cells : Cells
    keys : pandas.DataFrame, mapping of str to sequences, sequence, or None
        Columns with a value for each cell; a sequence, an Index or a Series is one column, called
        by its own name, or ``id``.
    """
    if keys is None:
        return cells
    import pandas as pd

    if isinstance(keys, pd.DataFrame):
        frame = keys
    elif isinstance(keys, Mapping):
        frame = _key_frame(cells.name, dict(keys))
    else:
        own = getattr(keys, "name", None)
        frame = _key_frame(cells.name, {"id" if own is None else str(own): keys})
    return cells.with_keys(frame)


def _key_frame(name: str, columns: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    try:
        # As lists: the index of a Series does not count.
        return pd.DataFrame({str(key): list(values) for key, values in columns.items()})
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: keys must have a value for each cell ({error})") from None


def together(kind: type[C], parts: Sequence[C], name: str | None) -> C:
    """See `Cells.together`."""
    import pandas as pd

    if not parts:
        raise DataError("there are no data sets to put together")
    first = parts[0]
    for other in parts[1:]:
        if (other.channels, other.crop) != (first.channels, first.crop):
            raise DataError(
                f"{other.name} ({', '.join(other.channels)}; crop {other.crop}) does not fit "
                f"{first.name} ({', '.join(first.channels)}; crop {first.crop})"
            )
        if not other.scaling.same(first.scaling, first.channels):
            raise DataError(
                f"{other.name} and {first.name} do not fit: their pixels are scaled otherwise; "
                "scale them together"
            )
        if other.neighbours != first.neighbours:
            raise DataError(
                f"{other.name} and {first.name} do not fit: neighbours are hidden in the crops of "
                f"one and not of the other, or otherwise ({other.neighbours}; {first.neighbours}); "
                "prepare both alike"
            )
    classes = tuple(dict.fromkeys(item for part in parts for item in part.classes))
    tables: list[pd.DataFrame] = []
    fields: list[Field] = []
    for part in parts:
        codes = np.array([*map(classes.index, part.classes), -1])
        tables.append(
            part.table.assign(field=part.table["field"] + len(fields), label=codes[part.labels])
        )
        fields += [
            replace(item, planes=tuple(item.planes[c] for c in part.planes)) for item in part.fields
        ]
    fields = _told_apart(parts, fields)
    warnings = tuple(dict.fromkeys(line for part in parts for line in part.warnings))
    cells = kind(
        name or first.name,
        first.channels,
        classes,
        first.crop,
        tuple(fields),
        pd.concat(tables, ignore_index=True),
        warnings,
        conditions=conditions_together([part.conditions for part in parts]),
        neighbours=first.neighbours,
        group_of_channel={
            name: group for part in parts for name, group in part.group_of_channel.items()
        },
        scaling=first.scaling,
    )
    notes = (
        *similar_warnings(cells.class_counts, "classes", "cell"),
        *differing_line(cells),
    )
    warnings = tuple(without_differing_line(warnings))
    # One line for all parts.
    return replace(cells, warnings=tuple(dict.fromkeys((*warnings, *notes)))).with_cut_line()


def _told_apart(parts: Sequence[CellBoxes], fields: Sequence[Field]) -> list[Field]:
    """The fields of all parts in order; where parts have a short name in common, with theirs."""
    names = [part.field_names for part in parts]
    every = [name for some in names for name in set(some)]
    titles = distinct_names(part.name for part in parts)
    alike = len(set(every)) < len(every)
    shorts = [
        f"{title}_{name}" if alike else name
        for title, some in zip(titles, names, strict=True)
        for name in some
    ]
    return [replace(field, short=short) for field, short in zip(fields, shorts, strict=True)]


def _in_one_field(
    kind: type[C],
    field: Field,
    channels: Sequence[str],
    centres: Doubles,
    crop: int,
    ids: IntArray,
    notes: tuple[str, ...] = (),
    extents: npt.ArrayLike = np.nan,
) -> C:
    import pandas as pd

    table = pd.DataFrame(square_boxes(centres[:, 0], centres[:, 1], crop), columns=BOX)
    table.insert(0, "field", 0)
    table = table.assign(
        label=-1,
        group=[f"{field.name} {i}" for i in range(len(centres))],
        split="",
        object=ids,
        y=centres[:, 0],
        x=centres[:, 1],
        extent=np.broadcast_to(np.asarray(extents, np.float64), len(centres)),
    )
    cells = kind(field.name, tuple(channels), (), crop, (field,), table, (ALONE, *notes))
    filled = filled_warning(int(cells.at_border.sum()), len(cells))
    return replace(cells, warnings=(*cells.warnings, *filled)).with_cut_line()


def _named(cells: C, classes_of: Mapping[int, Any]) -> C:
    known = {label: class_name(value) for label, value in classes_of.items()}
    classes = tuple(dict.fromkeys(name for name in known.values() if name is not None))
    places = {name: code for code, name in enumerate(classes)}
    ids = cells.table["object"].tolist()
    codes = [
        places.get(str(known.get(label)), -1) if known.get(label) is not None else -1
        for label in ids
    ]
    strange = sorted(set(known) - set(ids))
    if strange and len(strange) == len(known):
        raise DataError(
            f"{cells.name}: none of the ids in classes_of is in the label image (first: "
            f"{strange[0]}; its ids are {min(ids)} to {max(ids)})"
        )
    named = cells.with_labels(codes, classes)
    notes = similar_warnings(named.class_counts, "classes", "cell")
    if strange:
        notes += (
            f"{cells.name}: {len(strange):,} of {counted(len(known), 'id')} that are given a class "
            f"{'is' if len(strange) == 1 else 'are'} of no cell (first: {strange[0]})",
        )
    return replace(named, warnings=(*named.warnings, *notes))
