"""The commands that ask a classifier about cells that were changed on purpose.

Rooms that import torch are imported where they are used, so that --help is quick.
"""

from __future__ import annotations

import argparse

from napari_channelmix.errors import ModelError
from napari_channelmix.run.arguments import model_on_device, named_prior, say
from napari_channelmix.run.options import settings_from
from napari_channelmix.settings import WhatIfSettings
from napari_channelmix.settings.audit import AuditSettings

__all__ = ["audit", "what_if"]


def what_if(args: argparse.Namespace) -> None:
    """Edit real cells along named axes, and ask the classifier again."""
    from napari_channelmix.run.open_cells import open_cells
    from napari_channelmix.run.progress import run_job
    from napari_channelmix.run.text import saved_text
    from napari_channelmix.run.what_if_dataset import what_if_cells_job, what_if_text

    model = model_on_device(args)
    axes = None if args.axes is None else tuple(args.axes)
    settings = settings_from(args, WhatIfSettings, prior=named_prior(args), axes=axes)
    players = None if args.players is None else _players(args, model.channels)
    cells = open_cells(args)
    job = what_if_cells_job(
        model,
        cells,
        args.out,
        settings,
        transplants=args.transplants,
        channels=args.channels or players is not None,
        players=players,
    )
    result = run_job(job, title="what if", quiet=args.quiet)
    notes = [f"note: {row}" for row in result.left_out]
    say(args, "\n".join([what_if_text(result.result), *result.lines, *notes]))
    if result.worked:
        say(args, saved_text(result.files, args.out))
    else:
        say(args, f"nothing left to do: {args.out} holds the answers already")


def _players(args: argparse.Namespace, channels: tuple[str, ...]) -> dict[str, list[str]]:
    """Groups of a panel table, each with its channels as the classifier names them.

    Raises
    ------
    DataError
        A table that cannot be read.
    ModelError
        A table without groups, or with channels that the classifier does not have.
    """
    from napari_channelmix.data.panel_table import read_panel_table
    from napari_channelmix.whatif.channel_players import named_players

    groups: dict[str, list[str]] = {}
    for row in read_panel_table(args.players).rows:
        if row.use and row.group:
            name = row.marker if row.marker in channels else row.channel
            groups.setdefault(row.group, []).append(name)
    if not groups:
        raise ModelError(
            f"--players {args.players}: no channel has a group; fill in the column 'group'"
        )
    named_players(tuple(groups.items()), channels)
    return groups


def audit(args: argparse.Namespace) -> None:
    """Ask whether a classifier decides by the cell, or by a shortcut."""
    from napari_channelmix.atomic_write import write_json
    from napari_channelmix.run.audit_dataset import audit_dataset_job
    from napari_channelmix.run.open_cells import open_cells
    from napari_channelmix.run.progress import run_job

    if args.out.is_dir():
        raise ModelError(f"--out {args.out}: is a folder; name a file, such as audit.json")
    model = model_on_device(args)
    settings = settings_from(args, AuditSettings)
    cells = open_cells(args)
    job = audit_dataset_job(model, cells, maps=args.maps, settings=settings)
    card = run_job(job, title="audit", quiet=args.quiet)
    write_json(args.out, card.as_dict())
    lines = (*card.lines, *(f"note: {line}" for line in card.warnings))
    say(args, "\n".join(lines))
    say(args, f"saved {args.out}")
