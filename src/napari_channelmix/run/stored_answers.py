"""What ``whatif`` and ``audit`` wrote, read for a report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.errors import DataError
from napari_channelmix.whatif.audit_result import Audit
from napari_channelmix.whatif.channel_shapley_result import ChannelShapley
from napari_channelmix.whatif.result import WhatIf
from napari_channelmix.whatif.transplants_result import Transplants
from napari_channelmix.wording import path_shown, shown_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.report import Findings

__all__ = ["with_interventions"]

ADVICE = "run the command again that wrote it"


def with_interventions(
    findings: Findings, folder: Path | None, audit: Path | None
) -> tuple[Findings, tuple[str, ...]]:
    """Findings with what a folder of ``whatif`` and a file of ``audit`` hold, and what to mind.

    Raises
    ------
    DataError
        A file that is missing, or damaged; other files of the folder may be absent.
    """
    notes: list[str] = []
    if folder is not None:
        answers = WhatIf.read(folder / "whatif.json")
        findings = replace(
            findings,
            what_if=answers,
            transplants=_read(folder / "transplants.json", Transplants.from_dict),
            channel_shapley=_read(folder / "channels.json", ChannelShapley.from_dict),
        )
        model = answers.provenance.get("model")
        classifier = findings.classifier
        if classifier is not None and model not in (None, classifier.sha256):
            notes.append("the answers of what-if are of another classifier")
    if audit is not None:
        if not audit.is_file():
            raise DataError(f"{path_shown(audit)}: no such file; {ADVICE}")
        findings = replace(findings, audit=_read(audit, Audit.from_dict))
    return findings, tuple(notes)


def _read(path: Path, made: Callable[[Any], Any]) -> Any:
    """What a file of ours holds; None where there is none."""
    if not path.is_file():
        return None
    try:
        return made(json.loads(path.read_text(encoding="utf-8")))
    except DataError:
        raise
    # Not JSON, or other fields than ours.
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise DataError(
            f"{path_shown(path)}: not what the command writes ({shown_error(error)}); {ADVICE}"
        ) from error
