"""The data set that a command was given, and its crop store where one was asked for."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.errors import ModelError
from napari_channelmix.settings import ClusterSettings
from napari_channelmix.settings.scaling import NONE, ScalingSettings

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = [
    "add_channel_options",
    "add_store_options",
    "open_cells",
    "say_channel_notes",
    "use_of_channels",
]


def add_channel_options(command: argparse.ArgumentParser, *, taken: bool = False) -> None:
    """Options that choose channels of the data set.

    ``taken``: the command has a ``--channels`` of another meaning, and only ``--use-channels``
    chooses.
    """
    group = command.add_argument_group("channels of the data set")
    group.add_argument(
        "--use-channels",
        *(() if taken else ("--channels",)),
        nargs="+",
        metavar="NAME",
        dest="use_channels",
        help="use only these, in this order (default: those that the data-set file uses)",
    )
    group.add_argument(
        "--drop-channels", nargs="+", metavar="NAME", help="use all channels but these"
    )
    group.add_argument(
        "--scaling",
        type=_scaling,
        metavar="STEPS",
        help="scale pixels of these channels like this, instead of as the data-set file says: "
        "clip=99.9,arcsinh=5,low=1,high=99.8 (percentile that hot pixels are clipped at, cofactor, "
        "percentiles that become 0 and 1; each may be left out), or none",
    )


def _scaling(text: str) -> ScalingSettings:
    """``--scaling``, as `argparse` takes it."""
    try:
        return ScalingSettings.from_text(text)
    except ModelError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("scaling: ")) from None


def say_channel_notes(args: argparse.Namespace, cells: Cells) -> None:
    """Print what speaks against channels of the cells, and how to leave them out; unless quiet."""
    from napari_channelmix.data.channel_notes import channel_notes_job
    from napari_channelmix.run.progress import run_job

    if args.quiet:
        return
    notes = run_job(channel_notes_job(cells), title="channels", quiet=args.quiet)
    for line in notes.lines:
        print(f"note: {line}", flush=True)
    noted = notes.noted("constant", "copy")
    if noted:
        names = " ".join(map(shlex.quote, noted))
        print(f"  leave out what is constant or a copy with: --drop-channels {names}", flush=True)


def use_of_channels(cells: Cells, args: argparse.Namespace) -> Cells:
    """The cells with the channels that the options choose.

    Raises
    ------
    DataError
        Names that are not there, none left, both options.
    """
    from napari_channelmix.data.channel_choice import chosen_channels

    use, drop = getattr(args, "use_channels", None), getattr(args, "drop_channels", None)
    if use is None and drop is None:
        return cells
    if use is not None and drop is not None:
        raise ModelError("give either --channels or --drop-channels, not both")
    return cells.with_channels(chosen_channels(cells.channels, use, drop, who=str(args.dataset)))


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

    A store is of all channels that the data-set file uses, with the pixels of the files; the
    options choose among them, and scale them.

    Raises
    ------
    DataError
        As `open_dataset` and `Cells.store`.
    ModelError
        A store to be written again that was not named.
    """
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.data.measured_scaling import rescaled_job
    from napari_channelmix.run.progress import run_job

    scaling = getattr(args, "scaling", None)
    store = getattr(args, "store", None)
    rebuild = bool(getattr(args, "rebuild_store", False))
    if rebuild and store is None:
        raise ModelError("--rebuild-store: name the crop store with --store PATH")
    # Where another scaling is chosen, that of the file is not measured.
    opening = open_dataset_job(args.dataset, scaling=None if scaling is None else NONE)
    cells = run_job(opening, title="opening", quiet=args.quiet)
    # Names are refused before a store is written.
    chosen = use_of_channels(cells, args)
    if store is not None:
        cluster = ClusterSettings(
            workers=getattr(args, "workers", 0), scheduler=getattr(args, "scheduler", "")
        )
        job = cells.store_job(store, rebuild=rebuild, cluster=cluster)
        chosen = use_of_channels(run_job(job, title="crop store", quiet=args.quiet), args)
    if scaling is None:
        return chosen
    return run_job(rescaled_job(chosen, scaling), title="scaling", quiet=args.quiet)
