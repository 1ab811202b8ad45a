"""The data set that a command was given, and its crop store where one was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.errors import ModelError
from napari_channelmix.settings import ClusterSettings

if TYPE_CHECKING:
    import argparse

    from napari_channelmix.data import Cells

__all__ = ["add_store_options", "open_cells"]


def add_store_options(command: argparse.ArgumentParser) -> None:
    """Options of a command that reads crops."""
    group = command.add_argument_group("crops, written once and read from there")
    group.add_argument(
        "--store",
        type=Path,
        metavar="PATH",
        help="folder of the crop store of this data set: made where it is missing, gone on with "
        "where it is not finished, used where it is valid",
    )
    group.add_argument(
        "--rebuild-store",
        action="store_true",
        help="write the crop store again, as after the images were changed",
    )


def open_cells(args: argparse.Namespace) -> Cells:
    """Open ``args.dataset``, and write or use its crop store where ``args.store`` names one.

    Raises
    ------
    DataError
        As `open_dataset` and `Cells.store`.
    ModelError
        A store to be written again that was not named.
    """
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.run.progress import run_job

    store = getattr(args, "store", None)
    rebuild = bool(getattr(args, "rebuild_store", False))
    if rebuild and store is None:
        raise ModelError("--rebuild-store: name the crop store with --store PATH")
    cells = run_job(open_dataset_job(args.dataset), title="opening", quiet=args.quiet)
    if store is None:
        return cells
    cluster = ClusterSettings(
        workers=getattr(args, "workers", 0), scheduler=getattr(args, "scheduler", "")
    )
    job = cells.store_job(store, rebuild=rebuild, cluster=cluster)
    return run_job(job, title="crop store", quiet=args.quiet)
