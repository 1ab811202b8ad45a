"""What is in hand, in words: the cells and the model. It knows no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.viewer.session import Session, Trained

__all__ = ["accuracy_text", "cells_text", "model_tip"]


def cells_text(session: Session) -> str:
    """The cell set: its name, how many cells, how many channels."""
    cells = session.cells
    if cells is None:
        return "No cells yet"
    channels = len(cells.channels)
    plural = "" if channels == 1 else "s"
    return f"{len(cells):,} cells · {channels} channel{plural} · {cells.name}"


def accuracy_text(trained: Trained | None) -> tuple[str, bool]:
    """Balanced accuracy with its interval and held-out groups; and whether it can be relied on."""
    if trained is None:
        return "No model yet", True
    estimate = trained.estimate
    if trained.accuracy is None:
        return "Model · accuracy not known here", True
    if estimate is None:
        return f"Model · accuracy {trained.accuracy:.2f} · {trained.n_test:,} held-out cells", True
    held_out = (
        f"{estimate.n_cells:,} held-out cells"
        if estimate.n_groups == estimate.n_cells
        else f"{estimate.n_groups} held-out groups"
    )
    figure = f"{estimate.balanced:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"
    if estimate.at_chance:
        return f"Model · no better than chance: {figure} · {held_out}", False
    return f"Model · accuracy {figure} · {held_out}", not estimate.warning


def model_tip(trained: Trained | None) -> str:
    """All that is known of the model, in lines."""
    if trained is None:
        return "Train a classifier, or open a model, on the page 'Classifier'"
    lines = [trained.source]
    if trained.estimate is not None:
        lines.append(trained.estimate.text())
        lines.append(f"chance {trained.estimate.chance:.2f}")
    return "\n".join(lines)
