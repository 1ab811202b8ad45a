"""Images in memory and image files, each with its planes and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.array_planes import ArrayPlane
from napari_channelmix.data.field_names import file_name
from napari_channelmix.data.image_formats import ImageFile, open_image
from napari_channelmix.data.image_planes import STACKED, Plane
from napari_channelmix.data.label_stacks import LabelStack
from napari_channelmix.data.mask_files import stack_of_mask
from napari_channelmix.data.stack_places import StackPlace, in_words
from napari_channelmix.errors import DataError
from napari_channelmix.wording import quoted

__all__ = [
    "OpenedImage",
    "is_array",
    "label_stack",
    "numpy_file",
    "one_each",
    "opened_array",
    "opened_file",
]

AXES = "TZCYX"


@dataclass(frozen=True, eq=False)
class OpenedImage:
    """An image whose planes can be read.

    Attributes
    ----------
    name : str
    lengths : dict of str to int
        The axes T and Z it has, in their order, and how long they are.
    channel_count : int
    channels : tuple of str
        As the file names them; empty where nothing does.
    pixel_size : tuple of float or None
        Size of a pixel (y, x) in ``unit``.
    unit : str or None
    """

    name: str
    lengths: dict[str, int]
    channel_count: int
    source: Any = field(repr=False)
    axes: str | None = None
    channels: tuple[str, ...] = ()
    pixel_size: tuple[float, float] | None = None
    unit: str | None = None
    # What was understood of its axes, to be said.
    note: str = ""

    def called(self, name: str, pixel_size: float | None = None) -> OpenedImage:
        """The same image by another name; ``pixel_size``, in micrometres, where it states none."""
        if pixel_size is None or self.pixel_size is not None:
            return replace(self, name=name)
        size = (float(pixel_size), float(pixel_size))
        return replace(self, name=name, pixel_size=size, unit="µm")

    def planes(self, place: StackPlace) -> tuple[Plane, ...]:
        """A plane of each channel."""
        positions = dict(place.positions)
        if isinstance(self.source, ImageFile):
            return self.source.planes(self.axes, positions)
        axes = str(self.axes)
        source = self.source
        if axes.index("X") < axes.index("Y"):
            order = [axes.index(axis) for axis in axes if axis not in "YX"]
            order += [axes.index("Y"), axes.index("X")]
            source, axes = source.transpose(order), "".join(axes[i] for i in order)
        index = {**positions, "Y": None, "X": None}
        return tuple(
            ArrayPlane(source, tuple({**index, "C": channel}[axis] for axis in axes))
            for channel in range(self.channel_count)
        )


def is_array(source: object) -> bool:
    """Whether something is an array of pixels: NumPy, dask, zarr."""
    return all(hasattr(source, name) for name in ("shape", "dtype", "__getitem__"))


def axes_of_channels(
    shape: Sequence[int], count: int | None, plane: Sequence[int] | None
) -> str | None:
    """Axes of an image with three, where the channels that are named tell; else None.

    Whoever names n channels says that an axis of n holds them: the first or the last, if only one
    of the three is so long, or if the others are the rows and columns of the label image. Our
    definition.

    Parameters
    ----------
    shape : sequence of int
    count : int or None
        Channels that are named.
    plane : (int, int), optional
        Rows and columns of its label image.

    Examples
    --------
    >>> axes_of_channels((3, 40, 50), 3, None), axes_of_channels((40, 50, 3), 3, None)
    ('CYX', 'YXC')
    >>> axes_of_channels((3, 40, 3), 3, None), axes_of_channels((3, 40, 3), 3, (40, 3))
    (None, 'CYX')
    """
    if count is None or len(shape) != 3:
        return None
    others = {"CYX": tuple(shape[1:]), "YXC": tuple(shape[:2]), "YCX": (shape[0], shape[2])}
    fitting = [axes for axes in others if shape[axes.index("C")] == count]
    if len(fitting) > 1 and plane is not None:
        fitting = [axes for axes in fitting if others[axes] == tuple(plane)]
    return fitting[0] if len(fitting) == 1 and fitting != ["YCX"] else None


def opened_array(
    array: Any,
    name: str,
    axes: str | None,
    count: int | None = None,
    plane: Sequence[int] | None = None,
) -> OpenedImage:
    """An array as an image.

    Parameters
    ----------
    array : array-like
        Sliced, never read whole.
    name : str
    axes : str, optional
        A letter of T, Z, C, Y, X for each axis. Without it an array with two is Y, X, and one
        with three what `axes_of_channels` tells of it.
    count, plane
        As of `axes_of_channels`.

    Raises
    ------
    DataError
        Axes that are not said or do not fit, pixels that are no numbers.
    """
    if hasattr(array, "detach"):
        # A tensor of PyTorch.
        array = array.detach().cpu().numpy()
    shape = tuple(int(length) for length in array.shape)
    try:
        kind = np.dtype(array.dtype).kind
    except TypeError:
        kind = "O"
    if kind not in "biuf":
        raise DataError(f"{name}: pixels must be whole numbers or floats, not {array.dtype}")
    note = ""
    if axes is None and len(shape) == 2:
        axes = "YX"
    if axes is None:
        axes = axes_of_channels(shape, count, plane)
        note = _as_read(axes, shape, count)
        if axes is None:
            raise DataError(
                f"{name}: which axis of {shape} is which is not known; say so, as axes="
                f'"{"CYX" if len(shape) == 3 else "NCYX" if len(shape) == 4 else "TZCYX"}"'
            )
    letters = axes.upper()
    fits = len(letters) == len(shape) and len(set(letters)) == len(letters)
    if not fits or set(letters) - set(AXES) or not {"Y", "X"} <= set(letters):
        raise DataError(
            f"{name}: axes={quoted(axes)} do not fit an array of {shape}: one letter for each "
            "axis, of T, Z, C, Y and X, with Y and X"
        )
    if not all(shape):
        raise DataError(f"{name}: has no pixels {shape}")
    sizes = dict(zip(letters, shape, strict=True))
    lengths = {axis: sizes[axis] for axis in letters if axis in STACKED}
    return OpenedImage(name, lengths, sizes.get("C", 1), array, letters, note=note)


def _as_read(axes: str | None, shape: Sequence[int], count: int | None) -> str:
    if axes is None:
        return ""
    return f"axes of {tuple(shape)} are read as {axes}, since {count} channels are named"


def opened_file(
    path: Path,
    axes: str | None,
    count: int | None = None,
    plane: Sequence[int] | None = None,
) -> OpenedImage:
    """An image file, or an array that NumPy wrote; ``count`` and ``plane`` as of `opened_array`.

    Raises
    ------
    DataError
        As `open_image` and `ImageFile.planes`.
    """
    if path.suffix.lower() == ".npy":
        return opened_array(numpy_file(path), file_name(str(path)), axes, count, plane)
    file, note = open_image(path), ""
    if axes is None and file.axes is None:
        axes = axes_of_channels(file.shape, count, plane)
        note = _as_read(axes, file.shape, count)
    lengths = file.stacked(axes)
    first = dict.fromkeys(lengths, 0)
    found = len(file.planes(axes, first))
    own = file.channels if file.channels and len(file.channels) == found else ()
    name = file_name(str(path))
    return OpenedImage(name, lengths, found, file, axes, own, file.pixel_size, file.unit, note=note)


def numpy_file(path: Path) -> Any:
    """An array of NumPy, read slice by slice; never a pickle."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:
        raise DataError(
            f"{path}: holds no plain array but a pickle, which is never loaded since it may run "
            "code; save its masks or pixels as TIFF or PNG (Cellpose: io.save_masks)"
        ) from None
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error


def label_stack(labels: Any, image: OpenedImage) -> LabelStack:
    """Label images of an image: an array or a file, a plane or a stack like it.

    Raises
    ------
    DataError
        Another number of axes, or other planes.
    """
    where = f"labels of {image.name}"
    if isinstance(labels, (str, Path)) and Path(labels).suffix.lower() == ".npy":
        labels = numpy_file(Path(labels))
    if isinstance(labels, (str, Path)):
        values, axes = stack_of_mask(open_image(Path(labels), mask=True), image.lengths)
        return LabelStack(values, axes, str(labels), Path(labels).name)
    values = _values(labels, where)
    extra = values.shape[:-2]
    axes = tuple(image.lengths) if extra else ()
    if values.ndim < 2 or extra not in ((), tuple(image.lengths.values())):
        raise DataError(
            f"{where}: must be a label image (Y, X), or one for each plane; these are "
            f"{values.shape}, the image has {in_words(image.lengths)}"
        )
    return LabelStack(values, axes, where, image.name)


def _values(labels: Any, where: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(labels)
    except (ValueError, TypeError) as error:
        raise DataError(f"{where}: must be an array of whole numbers ({error})") from error


def one_each(values: Any, names: Sequence[str], what: str) -> list[Any]:
    """A value for each image: of a list in their order, or of a mapping by their names.

    Raises
    ------
    DataError
        Another number of values, or names that no image has.
    """
    if values is None:
        return [None] * len(names)
    if isinstance(values, Mapping):
        missing = [name for name in names if name not in values]
        if missing:
            raise DataError(f"{what}: nothing is said of image {quoted(missing[0])}")
        unknown = [str(name) for name in values if name not in names]
        if unknown:
            raise DataError(f"{what}: there is no image {quoted(unknown[0])}")
        return [values[name] for name in names]
    if isinstance(values, (str, Path)) or not isinstance(values, Sequence) or is_array(values):
        raise DataError(f"{what}: give a list, with one for each of {len(names)} images")
    if len(values) != len(names):
        raise DataError(f"{what}: {len(values)} are given for {len(names)} images")
    return list(values)
