"""Settings of what is asked of the channels of a finished classifier."""

from __future__ import annotations

from typing import Annotated, Any

from napari_channelmix.bounds import Forwards, Seed
from napari_channelmix.settings.explain import Only
from napari_channelmix.settings.fields import About, settings

__all__ = ["ChannelSettings"]


@settings
class ChannelSettings:
    """How the importance of channels for a finished classifier is measured.

    Attributes
    ----------
    forwards : int
        About how many crops the classifier is asked about, for Shapley values and exchanges each.
    only : {"held-out", "all"}
        Whether cells that the classifier was trained on, and others of their groups, are left out;
        where none is held out, or it is not known, all are taken, and that is said.
    prior : str, mapping of str to float, or Prior, optional
        With which prior cells are called, as for `Classifier.predict_proba`; the default is that
        of accuracies.
    seed : int
        Of cells and donors.
    """

    forwards: Annotated[
        Forwards,
        About(
            "Crops",
            "crops that the classifier is asked about, for Shapley values and exchanges each",
            advanced=True,
        ),
    ] = 20_000
    only: Annotated[
        Only,
        About(
            "Cells",
            "the cells that the model was not trained on, where that is known and any is left, or "
            "all",
        ),
    ] = "held-out"
    prior: Any = "balanced"
    seed: Annotated[Seed, About("Random seed", "the same seed gives the same figures")] = 0
