"""Names, normalisation and size around a model: what `wrap` and `load_model` share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.outputs import Output, output_named
from napari_channelmix.data.values import class_name
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.classify.model_function import ModelFunction
    from napari_channelmix.classify.output_selection import Select

__all__ = ["Sides", "named_classifier", "names_of", "sides_of"]

# Side of crops in pixels, or height and width; None for any.
Sides = int | tuple[int, int] | None
LARGEST = 100_000


def named_classifier(
    function: ModelFunction,
    source: str,
    *,
    channels: Any,
    classes: Any,
    mean: npt.ArrayLike,
    std: npt.ArrayLike,
    output: Output,
    select: Select,
    size: Sides,
    resize: bool,
) -> ForeignClassifier:
    """A model with the names that were given, or that it has itself.

    Parameters
    ----------
    function : ModelFunction
    source : str
        Where it came from, for messages and provenance.
    channels, classes, mean, std, output, select, size, resize
        As for `wrap`.

    Raises
    ------
    ModelError
        Names, numbers or a size that are missing, twice there, or not as many as they must be.
    """
    channels, classes = names_of(channels), names_of(classes)
    estimator = function.estimator
    notes: tuple[str, ...] = ()
    if not channels:
        raise ModelError(f"{source}: name the channels and the classes; only bundles carry them")
    if estimator is not None:
        classes = _same_classes(classes, estimator.classes, source)
        notes = tuple(f"{source}: {line}" for line in estimator.notes(len(channels)))
        output = estimator.output if output == "auto" else output  # type: ignore[assignment]
    if not classes:
        raise ModelError(f"{source}: name the classes")
    if len(classes) < 2:
        raise ModelError(
            f"{source}: {classes[0]} is the only class, and a classifier tells two or more apart; "
            "where the model gives one number for each cell, name the class without it first"
        )
    for what, names in (("channels", channels), ("classes", classes)):
        if len(set(names)) < len(names):
            raise ModelError(f"{source}: two {what} have one name: {', '.join(names)}")
    sides = sides_of(size)
    if resize:
        if sides is None and None in function.size:
            raise ModelError(f"{source}: resize needs the size of crops that the model takes")
        height, width = sides or function.size
        notes += (f"{source}: crops are resized to {height} x {width} pixels for it",)
    return ForeignClassifier(
        function,
        channels,
        classes,
        _for_each(mean, channels, "mean"),
        _for_each(std, channels, "std"),
        output_named(output),  # type: ignore[arg-type]
        source,
        select,
        notes,
        sides,
        bool(resize),
    )


def names_of(names: Any) -> tuple[str, ...]:
    """Names as text, from a list, an array, or a categorical, which gives its categories.

    Raises
    ------
    ModelError
        A name that is missing, such as NaN.
    """
    if names is None:
        return ()
    # One name is a name, not as many as it has letters.
    if isinstance(names, str):
        return (names,)
    # Of pandas: a Categorical has them itself, an index or a column of it in its dtype.
    categories = getattr(names, "categories", None)
    if categories is None:
        categories = getattr(getattr(names, "dtype", None), "categories", None)
    values: Iterable[Any] = names if categories is None else categories
    texts = [str(value) if isinstance(value, str) else class_name(value) for value in values]
    missing = [index for index, text in enumerate(texts) if not text]
    if missing:
        raise ModelError(f"name {missing[0] + 1} of {len(texts)} is empty; give each a name")
    return tuple(text for text in texts if text)


def sides_of(size: Sides) -> tuple[int, int] | None:
    """Height and width of crops, from one side or both.

    Raises
    ------
    ModelError
        What is no whole number above 0.
    """
    if size is None:
        return None
    sides = tuple(np.atleast_1d(np.asarray(size, dtype=object)).tolist())
    sides = sides * 2 if len(sides) == 1 else sides
    if len(sides) != 2 or not all(
        isinstance(side, int | np.integer) and not isinstance(side, bool) and 0 < side <= LARGEST
        for side in sides
    ):
        raise ModelError(f"size {size!r}: give a side in pixels, such as 224, or (height, width)")
    return int(sides[0]), int(sides[1])


def _same_classes(
    named: tuple[str, ...], own: tuple[str, ...] | None, text: str
) -> tuple[str, ...]:
    """The classes of an estimator, in its order; those that were named must be as many."""
    if not named or own is None:
        return named or own or ()
    if set(named) == set(own) and named != own:
        raise ModelError(
            f"{text}: its classes are in the order {', '.join(own)}, and named as "
            f"{', '.join(named)}; name them in its order"
        )
    return named


def _for_each(
    value: npt.ArrayLike, channels: tuple[str, ...], what: str
) -> npt.NDArray[np.float64]:
    """One number for each channel, from one for all or one for each."""
    try:
        numbers = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"{what} must be a number, or one for each channel") from None
    if numbers.shape not in ((), (1,), (len(channels),)):
        raise ModelError(f"{what} has {numbers.size} numbers for {len(channels)} channels")
    if not np.isfinite(numbers).all() or (what == "std" and (numbers <= 0).any()):
        raise ModelError(f"{what} must be finite{', above 0' if what == 'std' else ''}: {numbers}")
    return np.broadcast_to(numbers, (len(channels),))
