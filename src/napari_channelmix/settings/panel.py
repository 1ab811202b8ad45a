"""Settings of the panel designer."""

from __future__ import annotations

from typing import Annotated

from napari_channelmix.bounds import BOUNDS, Bounds, Flag
from napari_channelmix.settings.fields import About, settings
from napari_channelmix.settings.training import NetworkSettings

__all__ = ["PanelSettings"]


@settings
class PanelSettings(NetworkSettings):
    """How the smallest set of channels is sought, and checked by networks trained anew.

    Attributes
    ----------
    folds : int
        Parts of the groups, each of which is held out once.
    margin : float
        How much less accurate than all channels the set may be.
    retrain : bool
        Also train a network with all channels and one with a set that was chosen without the cells
        on which both are compared.

    Examples
    --------
    >>> PanelSettings(retrain=False).folds
    5
    """

    folds: Annotated[
        int, BOUNDS["folds"], About("Folds", "parts of the groups, each of which is held out once")
    ] = 5
    margin: Annotated[
        float,
        Bounds(0, 1, whole=False, label="the margin"),
        About("Margin", "how much less accurate than all channels the set may be"),
    ] = 0.02
    retrain: Annotated[
        Flag,
        About(
            "Check with networks",
            "train a network with all channels and one with a set; compare them on cells that "
            "did not choose it",
            off="do not train networks",
        ),
    ] = True
