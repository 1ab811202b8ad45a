"""The data-set file: what ``dataset.toml`` may say, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_channelmix.errors import DataError
from napari_channelmix.readers import read_toml
from napari_channelmix.wording import path_shown, problem

__all__ = ["CellsEntry", "Description", "ImageEntry", "read_description"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImageEntry(_Entry):
    """``[image]``: one file with a channel axis."""

    column: str
    axes: Annotated[str, Field(pattern=r"^[A-Za-z]+$")] | None = None
    channels: list[str] | None = None


class CellsEntry(_Entry):
    """``[cells]``: what one sample is."""

    origin: Literal["segment", "mask", "point", "box", "tile", "image"] = Field(
        default="image", alias="from"
    )
    channel: str | None = None
    column: str | None = None
    object: str | None = None
    columns: list[str] | None = None
    size: Annotated[int, Field(ge=4)] | None = None
    crop: Annotated[int, Field(ge=4, le=4096)] = 64
    min_area: Annotated[int, Field(ge=1)] = 40

    @model_validator(mode="after")
    def _complete(self) -> CellsEntry:
        needed = {"point": 2, "tile": 2, "box": 4}
        if self.origin == "segment" and not self.channel:
            raise ValueError('from = "segment" needs channel = "...", the one to find nuclei in')
        if self.origin == "mask" and not self.column:
            raise ValueError('from = "mask" needs column = "...", the one with the mask files')
        if self.object and self.origin != "mask":
            raise ValueError(
                'object = "..." is for from = "mask": the value of a row\'s cell in it'
            )
        if self.origin in needed and len(self.columns or ()) != needed[self.origin]:
            raise ValueError(
                f'from = "{self.origin}" needs columns = [{needed[self.origin]} names]'
            )
        if self.origin == "tile" and not self.size:
            raise ValueError('from = "tile" needs size = ..., the side of a tile in pixels')
        return self


class Description(_Entry):
    """A data-set file.

    Attributes
    ----------
    name, table : str
        What the set is called, and the file of its table.
    label, group, split : str or None
        Columns of the table.
    classes : list of str or None
        All classes in their order, those without rows too; by default those of the column.
    unlabelled : bool
        Whether rows may have no class; their cells then have none.
    keep : dict of str to list of str
        Rows kept: column and its allowed values.
    channels : dict of str to str
        Channel name and its file column, or empty where ``image`` is given.
    image : ImageEntry or None
    cells : CellsEntry
    """

    name: str
    table: str
    label: str | None = None
    group: str | None = None
    split: str | None = None
    classes: list[str] | None = None
    unlabelled: bool = False
    keep: dict[str, list[str | int | float]] = {}
    channels: dict[str, str] = {}
    image: ImageEntry | None = None
    cells: CellsEntry = CellsEntry()

    @model_validator(mode="after")
    def _one_kind_of_image(self) -> Description:
        if bool(self.channels) == (self.image is not None):
            raise ValueError("give either [channels] (a file column each) or [image] (one file)")
        if self.image is None and self.cells.channel and self.cells.channel not in self.channels:
            raise ValueError(
                f"[cells] channel {self.cells.channel!r} is not among the channels "
                f"{', '.join(self.channels)}"
            )
        return self


def read_description(path: str | Path) -> Description:
    """Read and check a data-set file.

    Raises
    ------
    DataError
        One line that names the file, the key and what was wrong with it.
    """
    content = read_toml(
        path, name="the data-set file (dataset.toml)", what="a data-set file (TOML)"
    )
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        says = problem(error, "the data-set file", sections=True)
        raise DataError(f"{path_shown(path)}: {says}") from error
