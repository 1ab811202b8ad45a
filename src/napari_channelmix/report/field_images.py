"""The image files of a field of view, as tables of other programs name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.data.fields import Field

__all__ = ["channel_file", "image_name"]


def channel_file(field: Field, plane: int) -> Path | None:
    """File of one plane; None for arrays and layers.

    Parameters
    ----------
    field : Field
    plane : int
        Its position among the planes.
    """
    path = getattr(getattr(field.planes[plane], "file", None), "path", None)
    return None if path is None else Path(path)


def image_name(cells: Cells, index: int) -> str:
    """What the image of a field of view is called: its first file, else the field's short name.

    An image within an OME-Zarr plate has the short name too: its folder is called ``0``.

    Parameters
    ----------
    cells : Cells
    index : int
        Position of the field of view.
    """
    file = channel_file(cells.fields[index], 0)
    if file is None or (file.is_dir() and not file.suffix):
        return cells.field_names[index]
    return file.name
