"""Arrays that a caller hands over: crops, names of channels, labels and groups, each checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.data.values import class_name, similar_warnings
from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted, listed, quoted

__all__ = [
    "category_names",
    "channel_names",
    "checked_crops",
    "codes_of",
    "group_names",
    "label_warnings",
    "positions_of",
    "rounding_warning",
]

IntArray = npt.NDArray[np.int64]

# Numbers as labels are positions among the classes; a larger one is an id, not a class.
MOST_CLASSES = 10_000
# Whole numbers up to it are exact as 32-bit floats.
EXACT = 2**24


def checked_crops(crops: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Crops as an (N, C, H, W) array of numbers, H = W.

    Raises
    ------
    DataError
        Another shape, no crops or pixels, texts, objects, complex numbers.
    """
    try:
        pixels = np.asarray(crops)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name}: crops must be an (N, C, H, W) array ({error})") from error
    if np.ma.is_masked(crops):
        raise DataError(f"{name}: crops have masked pixels; fill them in, or leave the cells out")
    if pixels.dtype.kind not in "biuf":
        raise DataError(f"{name}: crops must be whole numbers or floats, not {pixels.dtype}")
    if pixels.ndim != 4 or pixels.shape[2] != pixels.shape[3] or not pixels.size:
        raise DataError(
            f"{name}: crops must be (N, C, H, W) with H = W, none of them 0, not {pixels.shape}"
        )
    return pixels


def rounding_warning(pixels: npt.NDArray[Any], name: str) -> tuple[str, ...]:
    """A line where whole numbers are too large for 32-bit floats, which all computations use."""
    if pixels.dtype.kind not in "iu" or pixels.dtype.itemsize < 4:
        return ()
    least, most = int(pixels.min()), int(pixels.max())
    if max(most, -least) <= EXACT:
        return ()
    return (f"{name}: values reach from {least:,} to {most:,} and are rounded above {EXACT:,}",)


def channel_names(channels: Sequence[str], count: int, name: str) -> tuple[str, ...]:
    """Names without blanks around them, one for each channel and none twice.

    Raises
    ------
    DataError
        One text instead of several, another number of names, empty names, twins.
    """
    if isinstance(channels, str):
        raise DataError(f"{name}: channels must be a list of names, not the text {channels[:40]!r}")
    names = tuple(str(channel).strip() for channel in channels)
    if len(names) != count:
        raise DataError(f"{name}: {len(names)} channel names for {count} channels")
    if not all(names):
        raise DataError(f"{name}: channel {names.index('')} has an empty name")
    twice = next((channel for channel in names if names.count(channel) > 1), None)
    if twice is not None:
        raise DataError(f"{name}: two channels are called {twice!r}; their names must differ")
    return names


def group_names(groups: Sequence[Any] | None, count: int, name: str) -> list[str]:
    """A group for each cell; each is one of its own where none are given.

    Raises
    ------
    DataError
        Another number of groups, or missing ones.
    """
    if groups is None:
        return [str(i) for i in range(count)]
    if isinstance(groups, str) or len(groups) != count:
        what = "a text" if isinstance(groups, str) else f"{len(groups)} groups"
        raise DataError(f"{name}: {what} for {count} cells; groups must name one for each cell")
    names = [class_name(group) for group in groups]
    if None in names:
        raise DataError(f"{name}: cell {names.index(None)} has no group; name one for each cell")
    return [str(group) for group in names]


def codes_of(
    labels: npt.ArrayLike | None, classes: Sequence[str] | None, count: int, name: str
) -> tuple[IntArray, tuple[str, ...]]:
    """Classes of cells as positions (N,) among their names, -1 for none, and these names.

    Parameters
    ----------
    labels : (N,) array, optional
        Numbers are positions in ``classes``, -1 and NaN for none. Texts are names; those that
        stand for a missing value (see `values.class_name`) are none. Booleans are 0 and 1. Of a
        pandas Categorical the categories are names, and their order is that of the classes.
    classes : sequence of str, optional
        Default: the names among the labels, 2 before 10; of numbers, ``"0"`` up to the highest.
    count : int
        Cells.

    Raises
    ------
    DataError
        Another number of labels, numbers that are not whole or stand for no class, names that are
        not among the classes, classes that are empty or named twice.
    """
    if classes is None:
        # The order of a pandas Categorical is meant.
        classes = category_names(labels)
    names = _class_names(classes, name)
    if labels is None:
        return np.full(count, -1), names or ()
    values = _one_each(labels, count, name)
    if values.dtype.kind in "biuf":
        return _by_position(values, names, name)
    texts = [class_name(_text(value)) for value in values.tolist()]
    if names is None:
        names = tuple(sorted({text for text in texts if text is not None}, key=natural_key))
    places = {text: code for code, text in enumerate(names)}
    for cell, text in enumerate(texts):
        if text is not None and text not in places:
            raise DataError(
                f"{name}: label {quoted(text)} of cell {cell} is not among the classes "
                f"{listed(names)}"
            )
    return np.array([-1 if text is None else places[text] for text in texts]), names


def category_names(labels: Any) -> tuple[str, ...] | None:
    """Names of a pandas Categorical, or a Series of one, in their order; None for others."""
    categories = getattr(getattr(labels, "dtype", None), "categories", None)
    if categories is None:
        return None
    names = [class_name(category) for category in categories.tolist()]
    # Two numbers may have one name, as 1 and 1.0.
    return tuple(dict.fromkeys(name for name in names if name is not None))


def label_warnings(
    labels: npt.ArrayLike | None, codes: IntArray, classes: Sequence[str]
) -> tuple[str, ...]:
    """What is said of labels: names that may be one, and texts that were taken for no class.

    Parameters
    ----------
    labels : (N,) array, optional
        As they were given.
    codes : (N,) int64 array
    classes : sequence of str
        As of `codes_of`.
    """
    if labels is None or _one_each(labels, len(codes), "").dtype.kind in "biuf":
        return ()
    counts = Counter(classes[code] for code in codes.tolist() if code >= 0)
    lines = similar_warnings(counts, "classes", "cell")
    gaps = [
        str(_text(value))
        for value, code in zip(list(labels), codes.tolist(), strict=True)  # type: ignore[arg-type]
        if code < 0
    ]
    if not gaps:
        return lines
    kinds = [
        f"{count:,} {quoted(text) if text else 'empty'}"
        for text, count in Counter(gaps).most_common(6)
    ]
    have = "has" if len(gaps) == 1 else "have"
    return (
        f"{len(gaps):,} of {counted(len(codes), 'cell')} {have} no class ({', '.join(kinds)})",
        *lines,
    )


def positions_of(labels: npt.ArrayLike, classes: Sequence[str], count: int, name: str) -> IntArray:
    """Positions of classes (N,) int64, -1 for none, out of an array of numbers.

    Raises
    ------
    DataError
        As `codes_of`; texts too.
    """
    values = _one_each(labels, count, name)
    if values.dtype.kind not in "biuf":
        raise DataError(f"{name}: labels must be positions of classes, not {values.dtype}")
    return _by_position(values, tuple(classes), name)[0]


def _one_each(labels: npt.ArrayLike, count: int, name: str) -> npt.NDArray[Any]:
    """Labels as a 1-D array of numbers or of texts and other objects."""
    categorical = category_names(labels) is not None
    try:
        # Categories are names, whatever they look like: never positions.
        values = np.asarray(labels, dtype=object) if categorical else np.asarray(labels)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name}: labels must be one value for each cell ({error})") from error
    if values.ndim != 1 or len(values) != count:
        shape = f"{len(values)}" if values.ndim == 1 else f"an array {values.shape} of"
        raise DataError(f"{name}: {shape} labels for {count} cells; give one for each cell")
    if categorical:
        return np.array([class_name(value) for value in values.tolist()], dtype=object)
    if values.dtype.kind == "O":
        return _of_objects(values)
    if values.dtype.kind not in "biufUST":
        raise DataError(f"{name}: labels must be names or positions of classes, not {values.dtype}")
    return values


def _of_objects(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Objects as floats where all are numbers or missing, as tables hold them; else as they are."""
    missing = [value is None or class_name(value) is None for value in values.tolist()]
    numbers = [
        isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        for value in values.tolist()
    ]
    if any(numbers) and all(map(max, missing, numbers)):
        return np.array(
            [
                np.nan if gap else float(value)
                for gap, value in zip(missing, values.tolist(), strict=True)
            ]
        )
    return values


def _by_position(
    values: npt.NDArray[Any], names: tuple[str, ...] | None, name: str
) -> tuple[IntArray, tuple[str, ...]]:
    if values.dtype.kind == "b" and names is None:
        names = ("False", "True")
    known = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), bool)
    whole = np.where(known, values, -1)
    top = (MOST_CLASSES if names is None else len(names)) - 1
    with np.errstate(invalid="ignore"):
        wrong = (whole != np.floor(whole)) | (whole < -1) | (whole > top)
    if wrong.any():
        cell = int(np.argmax(wrong))
        value = values[cell]
        if value != np.floor(value) or not np.isfinite(value):
            raise DataError(
                f"{name}: label {value:g} of cell {cell} is not a whole number; labels are names "
                "of classes or their positions"
            )
        highest = f"between -1 and {top}"
        raise DataError(
            f"{name}: labels must lie {highest}, that of cell {cell} is {value:g}"
            + ("" if names is not None or value < 0 else "; give names of classes instead")
        )
    codes = whole.astype(np.int64)
    if names is None:
        names = tuple(str(k) for k in range(int(codes.max(initial=-1)) + 1))
    return codes, names


def _class_names(classes: Sequence[str] | None, name: str) -> tuple[str, ...] | None:
    if classes is None:
        return None
    if isinstance(classes, str):
        raise DataError(f"{name}: classes must be a list of names, not the text {classes[:40]!r}")
    names = tuple(class_name(label) for label in classes)
    if None in names:
        raise DataError(f"{name}: class {names.index(None)} has no name")
    known = tuple(str(label) for label in names)
    twice = next((label for label in known if known.count(label) > 1), None)
    if twice is not None:
        raise DataError(f"{name}: two classes are called {quoted(twice)}; their names must differ")
    return known


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
