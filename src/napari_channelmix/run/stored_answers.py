"""What ``whatif`` and ``audit`` wrote, read for a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.errors import DataError
from napari_channelmix.run.other_answers import CHANNELS, MEANS, TRANSPLANTS
from napari_channelmix.stored_files import parsed_json, read_text
from napari_channelmix.whatif.audit_result import Audit
from napari_channelmix.whatif.channel_means_result import ChannelMeans
from napari_channelmix.whatif.channel_shapley_result import ChannelShapley
from napari_channelmix.whatif.result import WhatIf
from napari_channelmix.whatif.transplants_result import Transplants
from napari_channelmix.wording import path_shown, shown_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_channelmix.report import Findings

__all__ = ["of_others", "with_interventions"]

ADVICE = "run the command again that wrote it"


def with_interventions(
    findings: Findings, folder: Path | None, audit: Path | None, fingerprint: str = ""
) -> tuple[Findings, tuple[str, ...]]:
    """Findings with what a folder of ``whatif`` and a file of ``audit`` hold, and what to mind.

    ``fingerprint``: of the cells with the channels of the classifier of the findings.

    Raises
    ------
    DataError
        A file that is missing, or damaged; other files of the folder may be absent.
    """
    notes: list[str] = []
    if folder is not None:
        findings = replace(
            findings,
            transplants=_read(folder / TRANSPLANTS, Transplants.from_dict),
            channel_shapley=_read(folder / CHANNELS, ChannelShapley.from_dict),
            channel_means=_read(folder / MEANS, ChannelMeans.from_dict),
        )
        beside = findings.transplants or findings.channel_shapley
        path = folder / "whatif.json"
        # A config may ask for those alone; else it is missing, and that is said.
        if beside is None or path.is_file():
            findings = replace(findings, what_if=WhatIf.read(path))
        answers = findings.what_if or beside
        assert answers is not None
        notes += of_others("the answers of what-if", answers.provenance, findings, fingerprint)
    if audit is not None:
        if not audit.is_file():
            raise DataError(f"{path_shown(audit)}: no such file; {ADVICE}")
        card: Audit = _read(audit, Audit.from_dict)
        findings = replace(findings, audit=card)
        about = {**card.provenance, "data": card.provenance.get("cells")}
        notes += of_others("the answers about shortcuts", about, findings, fingerprint)
    return findings, tuple(notes)


def of_others(
    what: str, about: Mapping[str, Any], findings: Findings, fingerprint: str
) -> tuple[str, ...]:
    """Whether answers are of another classifier than that of the findings, or of other cells."""
    lines = []
    classifier = findings.classifier
    if classifier is not None and about.get("model") not in (None, "", classifier.sha256):
        lines.append(f"{what} are of another classifier")
    # Without the classifier the channels of the cells are not known to be its own.
    elif fingerprint and about.get("data") not in (None, fingerprint):
        lines.append(
            f"{what} are of other cells, or of these before they changed or were scaled otherwise"
        )
    return tuple(lines)


def _read(path: Path, made: Callable[[Any], Any]) -> Any:
    """What a file of ours holds; None where there is none."""
    if not path.is_file():
        return None
    text = read_text(path)
    try:
        return made(parsed_json(text))
    except DataError as error:
        raise DataError(f"{path_shown(path)}: {error}; {ADVICE}") from error
    # Not JSON, or other fields than ours.
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path_shown(path)}: not what the command writes ({shown_error(error)}); {ADVICE}"
        ) from error
