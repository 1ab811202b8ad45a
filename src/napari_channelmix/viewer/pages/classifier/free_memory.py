"""Give memory back: what can be made or read again is let go of."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from napari_channelmix.data.decoded_chunks import decoded_chunks
from napari_channelmix.data.reused_memory import reused_memory

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["free_memory", "in_words"]


def free_memory(session: Session) -> int:
    """Let go of what is kept of maps, crops and pictures; gives the bytes that were freed, about.

    Whoever follows ``session.freeing`` adds the bytes it let go of to the list it is given.
    """
    freed: list[int] = []
    session.freeing.emit(freed)
    freed += [decoded_chunks().clear(), reused_memory().clear()]
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
