"""What is in hand, in words: the cells and the model. It knows no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.wording import chance_shown

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.session.trained import Trained

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
        return "Model of unknown accuracy on these cells", True
    if estimate is None:
        return f"Accuracy {trained.accuracy:.2f} on {trained.n_test:,} held-out cells", True
    counted, of = (
        (estimate.n_cells, "cell")
        if estimate.n_groups == estimate.n_cells
        else (estimate.n_groups, "group")
    )
    where = f"{counted:,} held-out {of}{'' if counted == 1 else 's'}"
    figure = f"{estimate.balanced:.2f} ({estimate.low:.2f}–{estimate.high:.2f}), {where}"
    if estimate.warning:
        return f"Uncertain: accuracy {figure}", False
    if estimate.at_chance:
        return f"At chance: accuracy {figure}", False
    return f"Accuracy {figure}", True


def model_tip(trained: Trained | None) -> str:
    """All that is known of the model, in lines."""
    if trained is None:
        return "Train a classifier, or open a model, on the page 'Classifier'"
    lines = [trained.source]
    if trained.estimate is not None:
        lines.append(trained.estimate.text())
        lines.append(f"chance {chance_shown(trained.estimate.chance)}")
    return "\n".join(lines)
