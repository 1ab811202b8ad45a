"""Cells out of a DataFrame with a row per cell or per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from napari_channelmix.data.cell_boxes import CellBoxes
from napari_channelmix.data.description import Description
from napari_channelmix.data.table_cells import cells_of_table_job
from napari_channelmix.errors import DataError
from napari_channelmix.wording import problem

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.jobs import Job

__all__ = ["cells_of_frame_job", "description_of_columns"]

C = TypeVar("C", bound=CellBoxes)


def cells_of_frame_job(
    kind: type[C], frame: pd.DataFrame, description: Description, folder: Path, name: str
) -> Job[C]:
    """See `Cells.from_frame`; ``kind`` is `Cells`."""
    from napari_channelmix.data.table import Table

    table = yield from Table.of_frame_job(frame, description, folder, name, keep_index=True)
    return (yield from cells_of_table_job(kind, table, name, None))


def description_of_columns(
    name: str,
    *,
    image: str | None,
    channels: Mapping[str, str] | Sequence[str] | None,
    axes: str | None = None,
    x: str | None = None,
    y: str | None = None,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    object: str | None = None,
    mask: str | None = None,
    classes: Sequence[str] | None = None,
    labelled: bool | None = None,
    crop: int = 64,
    pixel_size: float | None = None,
    planes: Mapping[str, Any] | None = None,
    tracks: bool = False,
) -> Description:
    """What a data-set file would say of these columns; see `Cells.from_frame`.

    Raises
    ------
    DataError
        Columns that do not go together.
    """
    content: dict[str, Any] = {"name": name, "table": name, "unlabelled": True}
    content |= {"label": label, "group": group, "split": split}
    content["classes"] = None if classes is None else list(classes)
    if isinstance(channels, Mapping) and image is None:
        if axes is not None:
            raise DataError(f"{name}: axes are for image=..., files with a channel axis")
        content["channels"] = dict(channels)
    elif image is None:
        raise DataError(
            f'{name}: say where the images are: image="path" for files with all channels, or '
            'channels={"DNA": "dna_path", ...} for a column of files each'
        )
    elif isinstance(channels, (Mapping, str)):
        raise DataError(
            f"{name}: with image={image!r} channels are the names of its channels, a list; leave "
            "image out where each channel has a column of files"
        )
    else:
        names = None if channels is None else list(channels)
        content["image"] = {"column": image, "axes": axes, "channels": names}
    content["cells"] = _cells(name, x, y, object, mask, labelled, crop, pixel_size)
    content["cells"] |= {"tracks": tracks}
    content["planes"] = None if planes is None else dict(planes)
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        raise DataError(f"{name}: {problem(error, 'from_frame')}") from error


def _cells(
    name: str,
    x: str | None,
    y: str | None,
    object: str | None,
    mask: str | None,
    labelled: bool | None,
    crop: int,
    pixel_size: float | None,
) -> dict[str, Any]:
    """What one sample is."""
    if (x is None) != (y is None):
        raise DataError(f"{name}: x and y are two columns; give both, or none")
    if object is not None and mask is None:
        raise DataError(
            f"{name}: object={object!r} is the id of a cell in its label image; give mask=..., the "
            "column of these images. A column of ids alone goes with the cells without it"
        )
    content: dict[str, Any] = {"crop": crop, "pixel_size": pixel_size}
    if mask is not None:
        content |= {"from": "mask", "column": mask, "object": object, "labelled": labelled}
    elif x is not None and y is not None:
        content |= {"from": "point", "columns": [y, x]}
    return content
