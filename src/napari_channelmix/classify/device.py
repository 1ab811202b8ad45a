"""Which device computes, and with how many threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch

from napari_channelmix.computing import GIB, computing
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress

__all__ = [
    "DeviceName",
    "choose_device",
    "choose_threads",
    "denormals_as_zero",
    "unavailable_reason",
]

DeviceName = Literal["auto", "cpu", "cuda", "mps"]

# Just below the largest threshold of glibc.
KEPT_BLOCK = 32 * 2**20 - 2**16

# Whether a cap on CUDA's memory is in force.
_capped = False


def unavailable_reason(name: str) -> str | None:
    """Why a device cannot be used, in words, or None where it can."""
    if name == "cuda":
        if torch.cuda.is_available():
            return None
        if torch.version.cuda is None:
            return "this PyTorch was built without CUDA"
        return "no NVIDIA GPU, or its driver does not fit this PyTorch"
    if name == "mps":
        if torch.backends.mps.is_available():
            return None
        return "only on Apple silicon" if not torch.backends.mps.is_built() else "needs macOS 12.3"
    return None


def choose_device(name: str = "auto") -> torch.device:
    """The device asked for; ``auto`` takes what is preferred, else CUDA, Apple's MPS, or the CPU.

    Raises
    ------
    ModelError
        An unknown name, or a device this machine does not have, with the reason.
    """
    if name not in get_args(DeviceName):
        raise ModelError(f"device {name!r} is unknown; use {', '.join(get_args(DeviceName))}")
    if name == "auto":
        name = computing().device
    if name == "auto":
        name = next(
            (candidate for candidate in ("cuda", "mps") if unavailable_reason(candidate) is None),
            "cpu",
        )
    reason = unavailable_reason(name)
    if reason:
        raise ModelError(f"device {name!r} cannot be used: {reason}; choose auto or cpu")
    if name == "cuda":
        _cap_cuda()
    elif name == "cpu":
        _keep_freed_memory()
    return torch.device(name)


def _keep_freed_memory() -> None:
    """Let the C library keep freed memory, up to 64 MiB, for the tensors of the next step.

    Blocks above a threshold are otherwise taken from the system anew, and every page of them is
    cleared, which costs a training step a quarter of its time and more on a busy machine. glibc
    raises the threshold to the size of a block that is freed, up to 32 MiB, and keeps twice as
    much. The block is never written, so it takes no memory.
    """
    torch.empty(KEPT_BLOCK, dtype=torch.uint8)


def _cap_cuda() -> None:
    """Keep PyTorch within the memory that is preferred."""
    global _capped
    cap = computing().memory
    if cap <= 0 and not _capped:
        return
    total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    torch.cuda.set_per_process_memory_fraction(min(cap * GIB / total, 1.0) if cap > 0 else 1.0)
    _capped = cap > 0


def choose_threads(step: Callable[[], object], limit: int | None = None) -> Job[int]:
    """Time a step with one thread and with several, keep the faster, and say how many; a job.

    On a busy machine two spinning threads can be ten times slower than one, so the number of cores
    says little. The number that is preferred, or ``OMP_NUM_THREADS``, where it is set, is the
    user's word and is kept.

    Parameters
    ----------
    step : callable
        One typical step of the work, without lasting effect.
    limit : int, optional
        Most threads to try; default: all cores this process may use.
    """
    if computing().threads:
        torch.set_num_threads(computing().threads)
        return computing().threads
    if os.environ.get("OMP_NUM_THREADS"):
        return torch.get_num_threads()
    cores = limit or len(_cores())
    candidates = sorted({1, max(1, cores // 2), max(1, cores - 1), cores})
    best, best_time = 1, float("inf")
    for index, threads in enumerate(candidates):
        torch.set_num_threads(threads)
        times = []
        # The first step of each warms up.
        for _ in range(4):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
            yield Progress(index, len(candidates), "choosing the number of threads")
        # More threads must pay clearly: what is idle now may be busy in a minute.
        if min(times[1:]) < 0.8 * best_time:
            best, best_time = threads, min(times[1:])
    torch.set_num_threads(best)
    return best


@contextmanager
def denormals_as_zero() -> Iterator[None]:
    """Let this thread take numbers below 1e-38 for zero meanwhile, where the CPU can.

    Sure logits give many of them, and CPUs work far slower on them.
    """
    before = float(torch.tensor([1e-38]) * 0.01) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))
