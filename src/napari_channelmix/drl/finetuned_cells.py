"""What fine-tuned weights remember of their cells, to hold others against.

Every picture is scaled by its own brightness before it is encoded, so brightness and bit depth say
nothing here; the size of what is seen does, and which channels are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_channelmix.data.crop_pixels import pixel_sizes

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.drl.channel_view import View
    from napari_channelmix.drl.disentangler import Disentangler

__all__ = ["differences_from_tuning", "remembering"]

# Sizes of a pixel that count as one.
ALIKE = 1.1


def remembering(of: Disentangler, cells: Cells, view: View) -> Disentangler:
    """The same fine-tuned weights, which know what cells they were tuned on."""
    tuned = of.about.get("finetuned")
    if not isinstance(tuned, Mapping) or "data" in tuned:
        return of
    data = {"crop": cells.crop, "pixel_size": _pixel_size(cells), "channels": list(view.channels)}
    return replace(of, about={**of.about, "finetuned": {**tuned, "data": data}})


def differences_from_tuning(of: Disentangler, cells: Cells, view: View) -> tuple[str, ...]:
    """How cells differ from those that weights were fine-tuned on, a line each."""
    tuned = of.about.get("finetuned")
    data: Any = tuned.get("data") if isinstance(tuned, Mapping) else None
    if not isinstance(data, Mapping):
        return ()
    lines = []
    size, then = _pixel_size(cells), data.get("pixel_size")
    if data.get("crop") != cells.crop:
        lines.append(
            f"the weights were fine-tuned on crops of {data.get('crop')} pixels, these are "
            f"{cells.crop}: sizes and shapes cannot be compared"
        )
    if size and isinstance(then, float) and not 1 / ALIKE <= size / then <= ALIKE:
        lines.append(
            f"the weights were fine-tuned on pixels of {then:g} µm, these are {size:g} µm: sizes "
            f"cannot be compared (pixel_size = {then:g} under [cells] resamples)"
        )
    channels = data.get("channels")
    if isinstance(channels, list) and channels != list(view.channels):
        lines.append(
            f"the weights were fine-tuned on {', '.join(map(str, channels))}, this is a view of "
            f"{', '.join(view.channels)}"
        )
    return tuple(lines)


def _pixel_size(cells: Cells) -> float | None:
    sizes = pixel_sizes(cells)
    return max(sizes, key=lambda size: sizes[size]) if sizes else None
