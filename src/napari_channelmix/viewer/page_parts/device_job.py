"""Which devices can compute, as a job; PyTorch is imported where it begins."""

from __future__ import annotations

from napari_channelmix.jobs import Job, Progress

__all__ = ["devices_job"]


def devices_job() -> Job[dict[str, str | None]]:
    """Why each device cannot be used, or None where it can."""
    yield Progress(0, 1, "loading PyTorch")
    from napari_channelmix.classify.device import unavailable_reason

    return {name: unavailable_reason(name) for name in ("cpu", "cuda", "mps")}
