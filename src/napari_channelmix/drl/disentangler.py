"""A trained disentangler: pictures to named latents and back, and its use on real cells."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_channelmix.drl.autoencoder import NamedAutoencoder
from napari_channelmix.drl.channel_view import View, default_view
from napari_channelmix.drl.finetune import finetune_job
from napari_channelmix.drl.preparation import prepare_job, some_pictures_job
from napari_channelmix.jobs import drain
from napari_channelmix.settings import FinetuneSettings, takes_settings

__all__ = ["Disentangler"]


@dataclass(frozen=True, eq=False)
class Disentangler(NamedAutoencoder):
    """An encoder and a decoder whose latents have names. `NamedAutoencoder` has its attributes.

    Load one with `load_disentangler`; `finetune` gives another one and leaves this one alone.

    Examples
    --------
    >>> encoder = cm.load_disentangler("texture-sprites")
    >>> picture = np.zeros((1, *encoder.shape), np.float32)
    >>> encoder.encode(picture).shape == (1, len(encoder.names))
    True
    """

    @takes_settings(FinetuneSettings)
    def finetune(
        self,
        cells: Any,
        *,
        view: Any = None,
        settings: FinetuneSettings | None = None,
        device: str = "auto",
        checkpoint: Path | None = None,
        **options: Any,
    ) -> Disentangler:
        """A copy that is used to a data set.

        Parameters
        ----------
        cells : Cells, or (N, C, H, W) array
            Cells are cut out first; an array is taken as it is.
        view : View or str, optional
            What of the cells' channels is looked at.
        settings, device, checkpoint
            As for `finetune_job`.
        **options
            Single settings, such as ``epochs=5``; see `FinetuneSettings`.

        Returns
        -------
        Disentangler
            This one itself where fine-tuning made nothing better; a `UserWarning` says so.
        """
        pictures = cells
        if not isinstance(cells, np.ndarray):
            chosen = view if isinstance(view, View) else default_view(self, cells, view)
            pictures = drain(some_pictures_job(drain(prepare_job(cells, chosen))))
        job = finetune_job(
            self, pictures, settings=settings, device=device, checkpoint=checkpoint, **options
        )
        finetuned = drain(job)
        if finetuned.source_note:
            warnings.warn(finetuned.source_note, UserWarning, stacklevel=2)
        return finetuned.disentangler
