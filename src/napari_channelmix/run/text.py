"""Results as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.dcmix import ChannelImportance

__all__ = ["importance_text"]

WIDTH = 30


def importance_text(importance: ChannelImportance) -> str:
    """Bars of the shares, largest first, with the Shapley values beside and the gate above."""
    accuracy = importance.accuracy
    lines = [
        f"balanced accuracy on held-out cells: mixed {accuracy['mixed']:.3f}, "
        f"plain {accuracy['plain']:.3f}",
        f"gate: {importance.gate}",
    ]
    longest = max(len(name) for name in importance.channels)
    lines.append(f"{'channel':<{longest}}  {'share':<{WIDTH}}  {'':13} Shapley")
    for i in importance.order:
        bar = "█" * round(WIDTH * importance.share[i])
        shapley = "" if importance.shapley is None else f"{importance.shapley[i]:+.3f}"
        lines.append(
            f"{importance.channels[i]:<{longest}}  {bar:<{WIDTH}}  "
            f"{importance.share[i]:.3f} ± {importance.share_sd[i]:.3f} {shapley}"
        )
    lines += [f"note: {line}" for line in importance.warnings]
    return "\n".join(lines)
