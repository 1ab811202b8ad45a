"""What the data set holds: cells by class, in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.data.channel_notes import channel_notes
from napari_channelmix.report.pictures import cell_strip, data_uri
from napari_channelmix.report.text import data_in_words

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["data_section"]

# Cells of a class that are shown, and classes, at most.
STRIP, CLASSES = 8, 6


def data_section(findings: Findings) -> dict[str, Any]:
    """The cells by class, with some of each, and what the data set warns of."""
    cells = findings.cells
    strips: list[dict[str, Any]] = []
    for code, name in [*enumerate(cells.classes), (-1, "without a class")]:
        members = np.flatnonzero(cells.labels == code)
        if len(members) and len(strips) < CLASSES:
            some = members[np.unique(np.linspace(0, len(members) - 1, STRIP).astype(np.int64))]
            picture = data_uri("image/png", cell_strip(cells.read(some)))
            strips.append(
                {"name": name, "count": len(members), "shown": len(some), "picture": picture}
            )
    # What speaks against using some of the channels, too.
    warnings = (*cells.warnings, *channel_notes(cells).lines)
    return {"words": data_in_words(cells), "strips": strips, "warnings": warnings}
