"""The encoder that a run starts from: of pixels or of features, loaded or learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.drl.channel_view import View, default_view, view_of_cells
from napari_channelmix.drl.feature_training import feature_disentangler_job
from napari_channelmix.drl.sprites import sprite_set
from napari_channelmix.drl.store import load_disentangler, shipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.data import Cells
    from napari_channelmix.drl.disentangler import Disentangler
    from napari_channelmix.jobs import Job

__all__ = ["early_view", "source_job"]


def early_view(
    model: Disentangler | str, cells: Cells, view: View | str | Sequence[str] | None
) -> View | str | Sequence[str] | None:
    """The view of cells, before the encoder is there; what cannot be is refused at once.

    Parameters
    ----------
    model : Disentangler or str
        The encoder, or its name or file. Of a file the channels are not known before it is read: a
        view that is not made yet is then given back as it is.
    cells : Cells
    view : View, str, sequence of str, or None
        As of `latents`.

    Raises
    ------
    DataError
        As `view_of_cells`.
    """
    if not isinstance(model, str):
        return default_view(model, cells, view)
    if model not in shipped():
        return view.checked() if isinstance(view, View) else view
    return view_of_cells(model, sprite_set(model).channels, cells, view)


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
