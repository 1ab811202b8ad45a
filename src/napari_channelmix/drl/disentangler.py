"""A trained disentangler: pictures to named latents and back, and its use on real cells."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_channelmix.drl.autoencoder import NamedAutoencoder
from napari_channelmix.drl.channel_view import View, default_view
from napari_channelmix.drl.finetune import finetune_job
from napari_channelmix.drl.preparation import prepare_job
from napari_channelmix.jobs import drain

__all__ = ["Disentangler"]


@dataclass(frozen=True, eq=False)
class Disentangler(NamedAutoencoder):
    """An encoder and a decoder whose latents have names. `NamedAutoencoder` has its attributes.

    Load one with `load_disentangler`; `finetune` gives another one and leaves this one alone.
    """

    def finetune(
        self, cells: Any, *, view: Any = None, epochs: int = 20, **settings: Any
    ) -> Disentangler:
        """A copy that is used to a data set; see `finetune_job` for the settings.

        Parameters
        ----------
        cells : Cells, or (N, C, H, W) array
            Cells are cut out first; an array is taken as it is.
        view : View or str, optional
            What of the cells' channels is looked at.
        epochs : int

        Returns
        -------
        Disentangler
            This one itself where fine-tuning made nothing better; a `UserWarning` says so.
        """
        pictures = cells
        if not isinstance(cells, np.ndarray):
            chosen = view if isinstance(view, View) else default_view(self, cells, view)
            pictures = drain(prepare_job(cells, chosen)).pictures
        found = drain(finetune_job(self, pictures, epochs=epochs, **settings))
        if found.kept_source:
            warnings.warn(found.kept_source, UserWarning, stacklevel=2)
        return found.disentangler
