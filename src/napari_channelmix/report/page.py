"""One page of HTML that says all and needs nothing else: no script, no other file.

1. Put each part of the findings into plain words, figures and pictures; see `sections`.
2. Fill the template with them; everything is escaped there, whatever it says.
3. Write the page whole, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.atomic_write import write_text
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.provenance import package_version
from napari_channelmix.report.sections.channel_matrix import channel_matrix_section
from napari_channelmix.report.sections.classifier import classifier_section, own_classifier_section
from napari_channelmix.report.sections.data import data_section
from napari_channelmix.report.sections.doses import doses_section
from napari_channelmix.report.sections.explanations import explanations_section
from napari_channelmix.report.sections.groups import groups_section
from napari_channelmix.report.sections.importance import importance_section
from napari_channelmix.report.sections.latents import latents_section
from napari_channelmix.report.sections.plates import plates_section
from napari_channelmix.report.sections.provenance import provenance_section
from napari_channelmix.report.sections.shortcuts import shortcuts_section
from napari_channelmix.report.sections.what_if import (
    model_channels_section,
    transplants_section,
    what_if_section,
)
from napari_channelmix.report.text import (
    listed,
)

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["page_job", "page_of", "report_job"]


def page_of(findings: Findings) -> str:
    """The page as HTML."""
    return drain(page_job(findings))


def report_job(findings: Findings, path: str | Path) -> Job[Path]:
    """Write the page to a file; a job.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    DataError
        Pixels that cannot be read.
    """
    page = yield from page_job(findings)
    return write_text(path, page)


def page_job(findings: Findings) -> Job[str]:
    """`page_of` as a job: a step for each part."""
    sets = findings.data_sets
    contexts: list[dict[str, Any]] = []
    for place, data_set in enumerate(sets):
        context: dict[str, Any] = {
            "name": data_set.title,
            "source": data_set.source,
            "remarks": data_set.notes,
        }
        for step, (name, made) in enumerate(PARTS):
            yield Progress(place * len(PARTS) + step, len(sets) * len(PARTS) + 1, f"report: {name}")
            context[name] = made(data_set)
        # Of one data set, links are what they always were.
        contexts.append({**context, "suffix": f"-{place + 1}" if len(sets) > 1 else ""})
    yield Progress(len(sets) * len(PARTS), len(sets) * len(PARTS) + 1, "report: writing the page")
    page: str = _template().render(
        title=listed([data_set.title for data_set in sets]),
        sets=contexts,
        remarks=findings.notes,
        provenance=provenance_section(findings),
        made=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        version=package_version("napari-channelmix") or "unknown",
    )
    return page.lstrip()


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Escaping is not left to the template: names of users may hold anything.
    environment = Environment(
        loader=PackageLoader("napari_channelmix.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


# Parts of the page that each data set has, in order.
PARTS: tuple[tuple[str, Callable[[Findings], Any]], ...] = (
    ("data", data_section),
    ("importance", importance_section),
    ("own_classifier", own_classifier_section),
    ("classifier", classifier_section),
    ("channel_matrix", channel_matrix_section),
    ("model_channels", model_channels_section),
    ("shortcuts", shortcuts_section),
    ("explanations", explanations_section),
    ("what_if", what_if_section),
    ("transplants", transplants_section),
    ("latents", latents_section),
    ("groups", groups_section),
    ("doses", doses_section),
    ("plates", plates_section),
)
