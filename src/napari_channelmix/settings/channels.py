"""Settings of what is asked about the channels of a finished classifier."""

from __future__ import annotations

from typing import Annotated, Any

from napari_channelmix.bounds import Bounds, Flag, Forwards, Limit, Seed
from napari_channelmix.settings.explain import Only
from napari_channelmix.settings.fields import About, settings

__all__ = ["ChannelSettings", "TransplantSettings"]


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

    Examples
    --------
    >>> ChannelSettings(forwards=5000).forwards
    5000
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


@settings
class TransplantSettings:
    """How channels are taken from cells of other classes.

    Attributes
    ----------
    limit : int
        Cells of each class that get a channel.
    donors : int
        Cells of the other class of which the best match is taken, in eight flips and turns.
    overlap : float
        Least overlap of outlines (intersection over union), 0 to 1; cells without such a donor
        are left out.
    compartments : bool
        Also exchange nucleus, ring and background of each channel alone.
    warp : bool
        Stretch the donor's channel so that the outline of its cell becomes that of the cell.
    only, prior, seed
        As of `ChannelSettings`.

    Examples
    --------
    >>> TransplantSettings(limit=30).donors
    25
    """

    limit: Annotated[
        Limit, About("Cells of each class", "cells of each class that get another cell's channel")
    ] = 60
    donors: Annotated[
        Limit,
        About("Donors", "cells of the other class of which the best match is taken", advanced=True),
    ] = 25
    overlap: Annotated[
        float,
        Bounds(0, 1, whole=False, label="the overlap of outlines"),
        About("Least overlap", "least overlap of both outlines, 0 to 1", advanced=True),
    ] = 0.6
    compartments: Annotated[
        Flag,
        About(
            "Compartments",
            "also exchange nucleus, ring and background of each channel alone",
            off="exchange whole channels only",
        ),
    ] = True
    warp: Annotated[
        Flag,
        About("Warp", "stretch the donor's channel to the outline of the cell", advanced=True),
    ] = False
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
