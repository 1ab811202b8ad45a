"""Settings of exports: which cells of a data set go into which kind of file."""

from __future__ import annotations

from typing import Annotated, Literal

from napari_channelmix.bounds import Name
from napari_channelmix.settings.explain import Only
from napari_channelmix.settings.fields import About, settings

__all__ = ["CellFormat", "ExportSettings"]

CellFormat = Literal[
    "auto",
    "csv",
    "parquet",
    "anndata",
    "crops",
    "ome-zarr",
    "qupath",
    "geojson",
    "cellprofiler",
]


@settings
class ExportSettings:
    """What is written of the cells of a data set.

    Attributes
    ----------
    format : str
        ``auto``: as the ending of the file tells; see `report.cell_results.write_cells`.
    only : {"held-out", "all"}
        Leave out the cells that the model was trained on, and others of their groups, where any
        is left.
    name : str
        What label images and tables beside OME-Zarr images are called.

    Examples
    --------
    >>> ExportSettings(format="qupath").only
    'all'
    """

    format: Annotated[
        CellFormat,
        About("Format", "kind of file, where its ending does not tell (auto)"),
    ] = "auto"
    only: Annotated[
        Only,
        About(
            "Cells",
            "write the cells that the model was not trained on, where that is known and any is "
            "left, or all",
        ),
    ] = "all"
    name: Annotated[
        Name,
        About(
            "Name",
            "of the label images and the table beside OME-Zarr images",
            metavar="NAME",
            advanced=True,
        ),
    ] = "channelmix"
