"""Give memory back: what can be made or read again is let go of."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from napari_channelmix.data.image_planes import FilePlane

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["free_memory", "in_words"]


def free_memory(session: Session) -> int:
    """Let go of what is kept of maps, crops and pictures; gives the bytes that were freed, about.

    Whoever follows ``session.freeing`` adds the bytes it let go of to the list it is given.
    """
    freed: list[int] = []
    session.freeing.emit(freed)
    # Of all data sets that are open: those not in use can be read again too.
    fields = [item for state in session.data_sets for item in state.cells.fields]
    planes = (plane for item in fields for plane in item.planes)
    decoded = {id(plane.decoded): plane.decoded for plane in planes if isinstance(plane, FilePlane)}
    freed += [item.clear() for item in decoded.values()]
    gc.collect()
    return sum(freed) + _free_cuda()


def _free_cuda() -> int:
    """What PyTorch has set aside on a graphics card and does not use."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    before = torch.cuda.memory_reserved()
    torch.cuda.empty_cache()
    return int(before - torch.cuda.memory_reserved())


def in_words(count: int) -> str:
    """Bytes for people."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
