"""Open a data-set file, or a table and a description that are in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.data.cells import Cells
from napari_channelmix.data.channel_choice import chosen_channels
from napari_channelmix.data.description import Description, read_description
from napari_channelmix.data.measured_scaling import rescaled_job
from napari_channelmix.data.table_cells import cells_of_table_job
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, drain
from napari_channelmix.settings.scaling import EXAMPLE, ScalingSettings

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["open_dataset", "open_dataset_job", "open_table", "open_table_job"]


def open_dataset(
    path: str | Path,
    *,
    pixel_size: float | None = None,
    channels: Sequence[str] | None = None,
    scaling: ScalingSettings | str | None = None,
    progress: ShowProgress = None,
) -> Cells:
    """Open a data set.

    Parameters
    ----------
    path : path
        A data-set file (``dataset.toml``); the paths in it are relative to it.
    pixel_size : float, optional
        Resample the crops so that their pixels have this side in micrometres; default: the key
        ``pixel_size`` of the file, or the pixels as they are.
    channels : sequence of str, optional
        Names of the channels to use, in this order, among those that the file uses (keys ``use``,
        ``drop`` and ``panel``); default: all of these.
    scaling : ScalingSettings or str, optional
        How pixels of these channels are scaled, instead of as the file says: settings, or a text
        such as ``clip=99.9,arcsinh=5,low=1,high=99.8``; ``none``: not at all. See `Cells.scaled`.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.

    Returns
    -------
    Cells
        Everything but the pixels is read and checked; pixels are read crop by crop.

    Raises
    ------
    DataError
        One line that names the file, row and column that is wrong.
    ModelError
        A ``scaling`` that is none.

    Examples
    --------
    >>> file = cm.save_dataset(cells, folder / "opened")
    >>> cm.open_dataset(file).class_counts
    {'low': 20, 'high': 20}
    >>> cm.open_dataset(file, channels=["DNA"]).channels
    ('DNA',)
    >>> cm.open_dataset(file, scaling="low=0,high=100").read().max().round(3).tolist()
    1.0
    """
    return drain(
        open_dataset_job(path, pixel_size=pixel_size, channels=channels, scaling=scaling), progress
    )


def open_dataset_job(
    path: str | Path,
    *,
    pixel_size: float | None = None,
    channels: Sequence[str] | None = None,
    scaling: ScalingSettings | str | None = None,
) -> Job[Cells]:
    """`open_dataset` as a job: a step for every image.

    Read the description, then the table, column by column; open each image that its rows name; find
    the cells of all rows in them; put all cells into one table; measure how pixels are scaled.
    """
    from napari_channelmix.data.table import Table

    path = Path(path)
    chosen = ScalingSettings.from_text(scaling) if isinstance(scaling, str) else scaling
    if not (chosen is None or isinstance(chosen, ScalingSettings)):
        raise ModelError(
            f"scaling: give ScalingSettings or a text such as {EXAMPLE}, not a "
            f"{type(chosen).__name__}"
        )
    description = read_description(path)
    if chosen is not None:
        description = description.model_copy(update={"scaling": None})
    table = yield from Table.read_job(path, description)
    cells = yield from cells_of_table_job(Cells, table, str(path), pixel_size)
    if channels is not None:
        cells = cells.with_channels(chosen_channels(cells.channels, channels, who=str(path)))
    return cells if chosen is None else (yield from rescaled_job(cells, chosen))


def open_table(
    table: pd.DataFrame,
    description: Description,
    folder: str | Path,
    name: str,
    *,
    pixel_size: float | None = None,
) -> Cells:
    """Open a data set whose table and description are in memory; see `open_dataset`.

    Parameters
    ----------
    table : pandas.DataFrame
        A row per image, or per cell. Values are read as those of a CSV file are, see
        `data.frame_table.table_of_frame`.
    description : Description
        What a data-set file says; its key ``table`` is not used.
    folder : path
        What paths in the table are relative to.
    name : str
        What the table is called in messages. They name a row by its index, with the index's name
        before it where it has one ("labels.csv, line 3"), else "row".
    pixel_size : float, optional
        As of `open_dataset`.

    Raises
    ------
    DataError
        As `open_dataset`; a table that is no DataFrame.
    """
    return drain(open_table_job(table, description, Path(folder), name, pixel_size=pixel_size))


def open_table_job(
    table: pd.DataFrame,
    description: Description,
    folder: Path,
    name: str,
    *,
    pixel_size: float | None = None,
) -> Job[Cells]:
    """`open_table` as a job."""
    from napari_channelmix.data.table import Table

    checked = yield from Table.of_frame_job(table, description, folder, name)
    return (yield from cells_of_table_job(Cells, checked, name, pixel_size))
