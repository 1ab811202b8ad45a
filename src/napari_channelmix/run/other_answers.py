"""Transplants, channels of the classifier and audit: each asked at once, and kept as files.

What cannot be asked of these cells, such as transplants where no other class has a donor, takes
nothing from the rest: why it is left out is said in a line.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.atomic_write import write_json, write_text
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, part
from napari_channelmix.whatif.audit import audit_job
from napari_channelmix.whatif.channel_means import channel_means_job
from napari_channelmix.whatif.channel_shapley import channel_shapley_job
from napari_channelmix.whatif.class_table import wants_matrix
from napari_channelmix.whatif.transplants import transplant_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.data import Cells
    from napari_channelmix.settings import ChannelSettings, TransplantSettings
    from napari_channelmix.settings.audit import AuditSettings
    from napari_channelmix.whatif.audit_result import Audit

__all__ = [
    "AUDIT",
    "CHANNELS",
    "EFFECTS",
    "MEANS",
    "TRANSPLANTS",
    "OtherAnswer",
    "audit_file_job",
    "channels_files_job",
    "players_of",
    "transplants_files_job",
]

#: Files in the folder of the answers.
TRANSPLANTS, CHANNELS, AUDIT = "transplants.json", "channels.json", "audit.json"
EFFECTS, MEANS = "channel_effects.csv", "means.json"


@dataclass(frozen=True)
class OtherAnswer:
    """What was written, or why nothing was.

    Attributes
    ----------
    files : tuple of path
    left_out : str
        The reason, in a line; empty where the files were written.
    lines : tuple of str
        What the answer says, for the terminal.
    """

    files: tuple[Path, ...] = ()
    left_out: str = ""
    lines: tuple[str, ...] = ()


def transplants_files_job(
    model: Classifier | ForeignClassifier, cells: Cells, out: Path, settings: TransplantSettings
) -> Job[OtherAnswer]:
    """``transplants.json`` and ``.csv`` in a folder, as a job."""
    try:
        result = yield from transplant_job(model, cells, settings=settings)
    except (ModelError, DataError) as error:
        return OtherAnswer(left_out=f"transplants are left out: {error}")
    return _written(out / TRANSPLANTS, result.as_dict(), result.matrix)


def channels_files_job(
    model: Classifier | ForeignClassifier, cells: Cells, out: Path, settings: ChannelSettings
) -> Job[OtherAnswer]:
    """``channels.json`` and ``.csv``, ``channel_effects.csv`` in a folder, as a job.

    With more than 2 classes or 8 channels ``means.json`` and ``.csv`` too: how bright each class
    is in each channel.
    """
    try:
        result = yield from part(channel_shapley_job(model, cells, settings=settings), 0, 75, 100)
    except (ModelError, DataError) as error:
        return OtherAnswer(left_out=f"channels of the classifier are left out: {error}")
    written = _written(out / CHANNELS, result.as_dict(), result.table)
    effects = write_text(out / EFFECTS, csv_text(result.effects(), index=True))
    files = (*written.files, effects)
    if not wants_matrix(len(result.channels), len(result.classes)):
        return OtherAnswer(files, lines=result.lines)
    try:
        measuring = channel_means_job(cells, model, only=settings.only, seed=settings.seed)
        means = yield from part(measuring, 75, 25, 100)
    except (ModelError, DataError):
        # No cell has a class; the channels of the classifier stand all the same.
        return OtherAnswer(files, lines=result.lines)
    files += _written(out / MEANS, means.as_dict(), means.to_frame()).files
    return OtherAnswer(files, lines=result.lines)


def players_of(folder: Path) -> dict[str, list[str]]:
    """Groups of channels that the channels in a folder were measured with; none without a file."""
    try:
        known = json.loads((folder / CHANNELS).read_text("utf-8"))
        groups = known["provenance"]["settings"].get("players", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return groups if isinstance(groups, dict) else {}


def audit_file_job(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    out: Path,
    settings: AuditSettings,
    mapped: Sequence[int] = (),
) -> Job[OtherAnswer]:
    """``audit.json`` in a folder, as a job; with the maps of some cells, by their positions."""
    try:
        card = yield from _audited_job(model, cells, settings, mapped)
    except (ModelError, DataError) as error:
        return OtherAnswer(left_out=f"the shortcut audit is left out: {error}")
    return OtherAnswer((write_json(out / AUDIT, card.as_dict()),))


def _audited_job(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    settings: AuditSettings,
    mapped: Sequence[int],
) -> Job[Audit]:
    if not mapped:
        return (yield from audit_job(model, cells, settings=settings))
    from napari_channelmix.pcim.explain import explain_job

    # One by one, as in a window.
    explaining = explain_job(model, cells, only=list(mapped), batch=1, compare=False, check=False)
    maps = (yield from part(explaining, 0, 40, 100)).maps
    auditing = audit_job(model, cells, maps=maps, mapped=list(mapped), settings=settings)
    return (yield from part(auditing, 40, 60, 100))


def _written(path: Path, content: dict[str, Any], table: Any) -> OtherAnswer:
    text = write_text(path.with_suffix(".csv"), csv_text(table))
    return OtherAnswer((write_json(path, content), text))
