"""Dose-responses, where the table has a column of doses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.phenotypes.responses import responses_of
from napari_channelmix.report.figures import dose_figures
from napari_channelmix.report.pictures import data_uri, svg_of
from napari_channelmix.report.sections.fractions import class_fractions, labelled_fractions

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["doses_section"]


def doses_section(findings: Findings) -> dict[str, Any] | None:
    """Dose-responses, where the data set's table has a column of doses."""
    fractions = class_fractions(findings, adjust=True)
    if fractions is None:
        return None
    responses = responses_of(findings.cells.conditions, *fractions, labelled_fractions(findings))
    if not responses:
        return None
    rows = []
    for response in responses:
        fit = response.dose_response.fit
        figures = (
            ("", "", "")
            if fit is None
            else (
                f"{fit.ec50:.3g}",
                f"{fit.interval[0]:.3g} to {fit.interval[1]:.3g}",
                f"{fit.slope:.2g}",
            )
        )
        rows.append((f"{response.name}, {response.column}", figures, response.words))
    return {
        "of": fractions[1],
        "rows": rows,
        "adjusted": fractions[0].is_adjusted,
        "charts": [data_uri("image/svg+xml", svg_of(figure)) for figure in dose_figures(responses)],
    }
