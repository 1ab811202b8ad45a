"""What latents show of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.result_display import Bar, Bars, Summary
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["latent_ranges", "latents_summary"]


def latents_summary(result: Any) -> Summary:
    """Of `Latents`: how far the name of each latent can be trusted."""
    bars = Bars(
        [
            Bar(
                entry.name,
                entry.value,
                None,
                None,
                None,
                f"{entry.badge}: {entry.words}",
                entry.badge in ("verified", "plausible"),
            )
            for entry in result.trust
        ],
        "trust in the name, 0 to 1; grey: not to be relied on",
    )
    facts = [
        f"n = {counted(len(result.values), 'cell')}",
        f"{len(result.names)} latents of {result.disentangler.name}",
    ]
    warnings, lines = list(result.warnings), []
    separation = result.separation
    if separation is None:
        lines.append(f"what separates the classes: {result.unseparated or 'not computed'}")
    else:
        for name, tested in separation.best.items():
            lines.append(
                f"balanced accuracy of {name}: {tested.accuracy:.3f} ({tested.low:.2f} to "
                f"{tested.high:.2f}; {separation.cells:,} cells, "
                f"{counted(separation.groups, 'group')})"
            )
        warnings += [line for line in separation.warnings if line not in warnings]
    return Summary("Latents", facts, warnings, lines, bars)


def latent_ranges(result: Any) -> tuple[list[str], dict[str, npt.NDArray[np.float64]]]:
    """Active latents, and of each class their quartiles (R, 3), in units of the spread.

    Of cells without classes: those of all.
    """
    active = np.flatnonzero(result.active)
    values = result.values[:, active].astype(np.float64)
    middle, spread = np.median(values, axis=0), np.maximum(values.std(axis=0), 1e-9)
    scaled = (values - middle) / spread
    labels = result.cells.labels
    kinds = {
        f"{name} (n = {int((labels == code).sum())})": labels == code
        for code, name in enumerate(result.cells.classes)
        if (labels == code).any()
    } or {f"all cells (n = {len(labels)})": np.ones(len(labels), bool)}
    ranges = {
        kind: np.quantile(scaled[members], [0.25, 0.5, 0.75], axis=0).T
        for kind, members in kinds.items()
    }
    return [result.names[index] for index in active.tolist()], ranges
