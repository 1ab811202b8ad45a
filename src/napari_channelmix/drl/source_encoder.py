"""The encoder that a run starts from: of pixels or of features, loaded or learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.drl.feature_training import feature_disentangler_job
from napari_channelmix.drl.store import load_disentangler, shipped

if TYPE_CHECKING:
    from napari_channelmix.drl.disentangler import Disentangler
    from napari_channelmix.jobs import Job

__all__ = ["source_job"]


def source_job(
    model: str, features: Any = None, *, seed: int = 0, device: str = "auto"
) -> Job[Disentangler]:
    """The encoder of this name or file; that of features is learnt where it never was, as a job.

    Raises
    ------
    ModelError, BundleError
        As `load_disentangler` and `feature_disentangler_job`.
    """
    if features is None or model not in shipped():
        return load_disentangler(model, features)
    return (yield from feature_disentangler_job(model, features, seed=seed, device=device))
