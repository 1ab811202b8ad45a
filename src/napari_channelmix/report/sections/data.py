"""What the data set holds: cells by class, in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.data.channel_notes import channel_notes
from napari_channelmix.report.display import display_of
from napari_channelmix.report.pictures import cell_strip, data_uri
from napari_channelmix.report.text import data_in_words

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["data_section"]

# Cells of a class that are shown, and classes, at most; the others are named.
STRIP, CLASSES = 8, 24


def data_section(findings: Findings) -> dict[str, Any]:
    """The cells by class, with some of each, and what the data set warns of."""
    cells, display = findings.cells, display_of(findings)
    strips: list[dict[str, Any]] = []
    named = [*enumerate(cells.classes), (-1, "without a class")]
    members = {name: np.flatnonzero(cells.labels == code) for code, name in named}
    present = [name for name in members if len(members[name])]
    for name in present[:CLASSES]:
        rows = members[name]
        some = rows[np.unique(np.linspace(0, len(rows) - 1, STRIP).astype(np.int64))]
        picture = data_uri("image/png", cell_strip(display.pictures(cells, some)))
        strips.append({"name": name, "count": len(rows), "shown": len(some), "picture": picture})
    return {
        "words": data_in_words(cells),
        "strips": strips,
        "more": [f"{name} ({len(members[name]):,})" for name in present[CLASSES:]],
        "display": list(zip(display.channels, display.colors, strict=True)),
        "channels": len(cells.channels),
        # What speaks against using some of the channels, too.
        "warnings": (*cells.warnings, *channel_notes(cells).lines),
    }
