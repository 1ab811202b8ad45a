"""The data-set file: what ``dataset.toml`` may say, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from napari_channelmix.data.pixel_scaling import PixelScaling
from napari_channelmix.data.values import class_name
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.settings.fields import fields_of
from napari_channelmix.settings.scaling import ScalingSettings
from napari_channelmix.settings.segmentation import SegmentationSettings
from napari_channelmix.stored_files import read_toml
from napari_channelmix.wording import path_shown, problem, quoted

__all__ = [
    "CellsEntry",
    "Description",
    "ImageEntry",
    "PlanesEntry",
    "ScalingEntry",
    "read_description",
]


# Bytes of a data-set file.
LARGEST = 4 * 2**20


# One picture of files that have several: its position from 0, or its name.
def _scene(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if (whole and value >= 0) or (isinstance(value, str) and value):
        return value
    raise ValueError("must be a position from 0, or a name: scene = 0")


Scene = Annotated[int | str, BeforeValidator(_scene)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_flag_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where numbers stand: they would count as 1 and 0."""
        several = value if isinstance(value, list) else [value]
        flag = next((each for each in several if isinstance(each, bool)), None)
        allowed = cls.model_fields[str(info.field_name)].annotation
        if flag is None or "bool" in str(allowed):
            return value
        raise ValueError(f"must not be {str(flag).lower()}")


class ImageEntry(_Entry):
    """``[image]``: one file with a channel axis."""

    column: str
    axes: Annotated[str, Field(pattern=r"^[A-Za-z]+$")] | None = None
    channels: list[str] | None = None
    scene: Scene | None = None


# Keys under [cells], beside those of every kind of cell.
_SEGMENTATION = tuple(
    field.name for field in fields_of(SegmentationSettings) if field.name != "min_area"
)


class CellsEntry(_Entry):
    """``[cells]``: what one sample is.

    ``segmentation`` holds the keys of `SegmentationSettings`; None where none stands in the file,
    which then means the nuclei of `find_nuclei`, as it always did.
    """

    origin: Literal["segment", "mask", "point", "box", "tile", "image"] = Field(
        default="image", alias="from"
    )
    channel: str | None = None
    column: str | None = None
    object: str | None = None
    columns: list[str] | None = None
    size: Annotated[int, Field(ge=4, le=8192)] | None = None
    crop: Annotated[int, Field(ge=4, le=4096)] = 64
    min_area: Annotated[int, Field(ge=1, le=10**9)] = 40
    labelled: bool | None = None
    border: Literal["fill", "leave_out"] = "fill"
    pixel_size: Annotated[float, Field(gt=0, le=1e4)] | None = None
    neighbours: Literal["keep", "hide", "alone"] = "keep"
    margin: Annotated[int, Field(ge=0, le=1000)] | None = None
    tracks: bool = False
    segmentation: SegmentationSettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _gather_segmentation(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        given = {name: value[name] for name in _SEGMENTATION if name in value}
        if isinstance(value.get("segmentation"), dict):
            raise ValueError("its settings of segmentation stand under [cells] themselves")
        if not given:
            return value
        if value.get("from") != "segment":
            raise ValueError(f'{next(iter(given))} is for from = "segment"')
        body = given.get("body_channel")
        if isinstance(body, str):
            given["body_channel"] = body.strip()
        try:
            chosen = SegmentationSettings(**given, min_area=value.get("min_area"))
        except ModelError as error:
            raise ValueError(str(error)) from error
        rest = {name: each for name, each in value.items() if name not in given}
        return {**rest, "segmentation": chosen}

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are segmented: that of the objects, and that of their bodies."""
        body = None if self.segmentation is None else self.segmentation.body_channel
        return tuple(name for name in (self.channel, body) if name)

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
        if self.tracks and self.origin != "mask":
            raise ValueError('tracks is for from = "mask": an id is one object in every plane')
        if self.tracks and self.labelled is False:
            raise ValueError(
                "tracks = true names objects by their ids, labelled = false says that ids mean "
                "nothing; give one of the two"
            )
        if self.labelled is not None and self.origin != "mask":
            raise ValueError('labelled is for from = "mask": whether each id in it is one cell')
        if self.object and self.labelled is False:
            raise ValueError(
                'object = "..." names cells by their ids, labelled = false says that ids mean '
                "nothing; give one of the two"
            )
        if self.pixel_size is not None and self.origin not in ("segment", "mask", "point"):
            raise ValueError(
                "pixel_size is for cells cut out with a fixed side (segment, mask, point); "
                f'from = "{self.origin}" is resized to crop already'
            )
        if self.margin is not None and self.neighbours != "alone":
            raise ValueError('margin is for neighbours = "alone": pixels around the outline')
        if self.neighbours != "keep" and self.origin not in ("segment", "mask"):
            raise ValueError(
                f'neighbours = "{self.neighbours}" is for cells with outlines (segment, mask); '
                f'from = "{self.origin}" has none'
            )
        if self.origin in needed and len(self.columns or ()) != needed[self.origin]:
            raise ValueError(
                f'from = "{self.origin}" needs columns = [{needed[self.origin]} names]'
            )
        if self.origin == "tile" and not self.size:
            raise ValueError('from = "tile" needs size = ..., the side of a tile in pixels')
        return self


# What is done with the planes of a stack.
def _planes(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if (whole and value >= 0) or value in ("each", "maximum"):
        return value
    raise ValueError('must be "each", "maximum", or the number of a plane')


PlaneChoice = Annotated[Literal["each", "maximum"] | int, BeforeValidator(_planes)]


class PlanesEntry(_Entry):
    """``[planes]``: which planes of stacks are fields of view.

    Attributes
    ----------
    z, t : str, int or None
        Along Z and along T: ``each`` plane is a field of view, the ``maximum`` over all of them
        is one, or the one of this number: its position from 0 in a file with that axis, its
        value in ``z_column`` or ``t_column`` where planes have files of their own.
    z_column, t_column : str or None
        Columns with the plane of a row: of its file, or in its file.
    stack : list of str or None
        Columns that tell stacks of files apart. Default: all but those of files and planes.
    """

    z: PlaneChoice | None = None
    t: PlaneChoice | None = None
    z_column: str | None = None
    t_column: str | None = None
    stack: Annotated[list[str], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> PlanesEntry:
        for axis in "zt":
            if getattr(self, f"{axis}_column") and getattr(self, axis) is None:
                raise ValueError(f'{axis}_column needs {axis} = "each", "maximum" or a number')
        if self.z is None and self.t is None:
            raise ValueError('needs z or t: "each", "maximum" or the number of a plane')
        if self.stack and not self.columns:
            raise ValueError("stack is for planes in files of their own: name z_column or t_column")
        return self

    @property
    def choices(self) -> dict[str, str | int]:
        """What is done along T and Z, where it is said."""
        both = {"T": self.t, "Z": self.z}
        return {axis: choice for axis, choice in both.items() if choice is not None}

    @property
    def columns(self) -> dict[str, str]:
        """The column with the plane of a row, for T and Z, where there is one."""
        both = {"T": self.t_column, "Z": self.z_column}
        return {axis: column for axis, column in both.items() if column is not None}


class ScalingEntry(_Entry):
    """``[scaling]``: what is done to pixels; see `Cells.scaled`.

    Attributes
    ----------
    clip, arcsinh, percentiles : float, float, pair of float, or None
    channels : list of str or None
        Those that are scaled, as the panel table calls them; None: all.
    values : dict of str to dict of str to float
        The values of each channel, where they were measured already: ``clip``, ``cofactor``,
        ``zero``, ``unit``, ``clipped``; nothing is measured then.
    text : str
        What the values do, in words.
    """

    clip: float | None = None
    arcsinh: float | None = None
    percentiles: tuple[float, float] | None = None
    channels: Annotated[list[str], Field(min_length=1)] | None = None
    values: dict[str, dict[str, float]] | None = None
    text: Annotated[str, Field(max_length=300)] = ""

    @field_validator("clip", "arcsinh", "percentiles", mode="before")
    @classmethod
    def _numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Say what to write instead of true, which says that a step is wanted, not how."""
        several = value if isinstance(value, (list, tuple)) else [value]
        if not any(isinstance(each, bool) for each in several):
            return value
        examples = {"clip": "99.9", "arcsinh": "5", "percentiles": "[1, 99.8]"}
        name = str(info.field_name)
        raise ValueError(
            f"must be a number, not true or false: {name} = {examples[name]}, or no such line"
        )

    @field_validator("values", mode="before")
    @classmethod
    def _numbers_of_channels(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for name, steps in value.items():
                if isinstance(steps, dict) and any(isinstance(v, bool) for v in steps.values()):
                    raise ValueError(
                        f"of channel {quoted(name)} must be numbers, not true or false"
                    )
        return value

    @property
    def settings(self) -> ScalingSettings:
        """As settings, which check their bounds."""
        low, high = (None, None) if self.percentiles is None else self.percentiles
        return ScalingSettings(clip=self.clip, arcsinh=self.arcsinh, low=low, high=high)

    @property
    def given(self) -> PixelScaling | None:
        """The values that stand in the file; None where they are to be measured."""
        if self.values is None:
            return None
        text = self.text or self.settings.text or "by the values of the data-set file"
        content = {"channels": self.values, "text": text}
        return PixelScaling.from_dict(content)

    @model_validator(mode="after")
    def _complete(self) -> ScalingEntry:
        try:
            text, _ = self.settings.text, self.given
        except (DataError, ModelError) as error:
            raise ValueError(str(error)) from error
        if not text and not self.values:
            raise ValueError("needs clip, arcsinh or percentiles")
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
        All classes in their order, those without rows too; by default those of the column. A name
        that would mean 'no class' elsewhere, such as ``none``, is a class where it stands here.
    unlabelled : bool
        Whether rows may have no class; their cells then have none.
    keep : dict of str to list of str
        Rows kept: column and its allowed values.
    channels : dict of str to str
        Channel name and its file column, or empty where ``image`` is given.
    image : ImageEntry or None
    scene : int, str or None
        Which picture of files that have several; ``[image]`` may say it too.
    image_pixel_size : float or None
        Micrometres: side of a pixel of images that do not state it.
    planes : PlanesEntry or None
        Which planes of stacks are fields of view; None: files hold one each.
    panel : str or None
        File of the panel table, see `data.panel_table`: names, choice and groups of channels.
    use, drop : list of str or None
        Channels that are used, in their order, or that are not; as the panel table calls them.
    scaling : ScalingEntry or None
        What is done to pixels; None: nothing.
    cells : CellsEntry
    """

    name: str
    table: str
    label: str | None = None
    group: str | None = None
    split: str | None = None
    classes: list[str] | None = None
    unlabelled: bool = False
    keep: dict[str, list[bool | str | int | float]] = {}
    channels: dict[str, str] = {}
    image: ImageEntry | None = None
    scene: Scene | None = None
    image_pixel_size: Annotated[float, Field(gt=0, le=1e4)] | None = None
    planes: PlanesEntry | None = None
    panel: Annotated[str, Field(min_length=1)] | None = None
    use: Annotated[list[str], Field(min_length=1)] | None = None
    drop: list[str] | None = None
    scaling: ScalingEntry | None = None
    cells: CellsEntry = CellsEntry()

    @field_validator("classes", mode="before")
    @classmethod
    def _class_names(cls, value: Any) -> Any:
        """The names as the rows of the table will have them: ``1``, ``"1"``, ``1.0`` are one."""
        if not isinstance(value, list):
            return value
        names = [
            class_name(each) or str(each).strip()
            for each in value
            if isinstance(each, (str, int, float))
        ]
        if len(names) < len(value):
            return value
        if "" in names:
            raise ValueError("holds an empty name; rows without a class need none")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"names {quoted(twice)} twice")
        return names

    @field_validator("channels", "keep", mode="before")
    @classmethod
    def _keys_differ(cls, value: Any) -> Any:
        if isinstance(value, dict) and len({str(key).strip() for key in value}) < len(value):
            raise ValueError("has two keys that differ only in blanks")
        return value

    @property
    def chosen_scene(self) -> int | str | None:
        """The scene to read, wherever it is named."""
        return self.image.scene if self.image and self.image.scene is not None else self.scene

    @model_validator(mode="after")
    def _fitting_together(self) -> Description:
        if bool(self.channels) == (self.image is not None):
            raise ValueError("give either [channels] (a file column each) or [image] (one file)")
        if self.use is not None and self.drop is not None:
            raise ValueError("give either use = [...] or drop = [...], not both")
        if self.cells.tracks and self.planes is None:
            raise ValueError('tracks = true is for planes of stacks: say t = "each" under [planes]')
        if self.cells.tracks and self.group:
            raise ValueError(
                "tracks = true makes each object a group, and a group column says otherwise; give "
                "one of the two (a group that holds whole images keeps tracks together as well)"
            )
        for name in self.cells.channels:
            if self.image is None and name not in self.channels:
                raise ValueError(
                    f"[cells] channel {name!r} is not among the channels {', '.join(self.channels)}"
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
        path, most=LARGEST, name="the data-set file (dataset.toml)", what="a data-set file (TOML)"
    )
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        says = problem(error, "the data-set file", sections=True)
        raise DataError(f"{path_shown(path)}: {says}") from error
