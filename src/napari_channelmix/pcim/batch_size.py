"""How many cells fit into memory at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from napari_channelmix.computing import within_cap
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.pcim.model_adapter import Subject

__all__ = ["cells_at_once", "too_large"]

# On a CPU, batches beyond the caches are slower per cell.
CPU_BYTES = 32 * 2**20
GPU_SHARE = 0.25
MOST = 64
# What a black box may need for its cells, all together; see `blackbox.room`.
BLACKBOX_BYTES = 2**30
# A step works on the kept and the dropped version of each cell.
VERSIONS = 2


def cells_at_once(subject: Subject, cell: Tensor, mode: str, room: int = 0) -> int:
    """Cells that are best worked on together: 1 to 64. Our definition.

    With gradients, a forward pass of one cell is watched for what it keeps for them. A black box
    keeps nothing for gradients; its own matrices for all cells must fit into 1 GiB.

    Parameters
    ----------
    subject : Subject
    cell : (1, C, H, W) tensor
    mode : {"autograd", "blackbox"}
    room : int
        Bytes a black box needs for each cell.
    """
    if mode == "blackbox" or subject.network is None:
        return max(1, min(MOST, within_cap(BLACKBOX_BYTES) // max(room, 1)))
    saved_bytes = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal saved_bytes
        saved_bytes += tensor.numel() * tensor.element_size()
        return tensor

    weights = sum(w.numel() * w.element_size() for w in subject.network.parameters())
    with subject.differentiated(), torch.autograd.graph.saved_tensors_hooks(count, lambda t: t):
        subject.scores(cell.detach().requires_grad_(True))
    # Convolutions keep their weights too, whatever the number of cells.
    each = VERSIONS * max(saved_bytes - weights, 4 * cell.numel())
    room = CPU_BYTES
    if cell.device.type == "cuda":
        room = int(GPU_SHARE * torch.cuda.mem_get_info(cell.device)[0])
    return max(1, min(MOST, within_cap(room) // each))


def too_large(crop: tuple[int, ...]) -> ModelError:
    """What is raised where not even one crop of this size (H, W) fits into memory."""
    height, width = crop
    return ModelError(
        f"memory ran out even with one cell of {height} x {width} pixels at once; free some, or "
        "compute on another device"
    )
