"""What the results of cells show of themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_channelmix.result_display import Summary
from napari_channelmix.wording import counted

__all__ = ["cell_results_summary"]

ROWS = 8


def cell_results_summary(results: Any) -> Summary:
    """Of `CellResults`: what is known, and the first rows."""
    parts = {
        "predictions": results.probabilities is not None,
        "latents": results.latents is not None,
        "channel importance": results.importance is not None,
    }
    groups = np.unique(results.cells.groups[results.positions])
    facts = (
        results.cells.name,
        counted(len(results), "cell"),
        counted(len(groups), "group"),
        f"known: {', '.join(name for name, there in parts.items() if there) or 'places only'}",
    )
    some = results.subset(results.positions[:ROWS])
    lines = (f"the first {ROWS} cells are shown",) if len(results) > ROWS else ()
    return Summary("Results of cells", facts, results.cells.warnings, lines, None, some.to_frame())
