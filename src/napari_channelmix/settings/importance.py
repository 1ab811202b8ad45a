"""Settings of channel importance."""

from __future__ import annotations

from typing import Annotated

from napari_channelmix.bounds import Flag, Mixes, Name, Seed, Seeds
from napari_channelmix.settings.cluster import ClusterSettings
from napari_channelmix.settings.fields import About, settings
from napari_channelmix.settings.training import NetworkSettings

__all__ = ["ImportanceSettings"]


@settings
class ImportanceSettings(ClusterSettings, NetworkSettings):
    """What is done to find which channels a classifier needs.

    Attributes
    ----------
    seeds : int
        Number of repeats, each a training of its own; their spread is the error bar. 4 or more,
        or a warning is given. ``seed`` is that of the first training; each repeat has the next.
    shapley : bool
        Also the exact Shapley values of the all-channel network's channels, as a second answer.
    decoys : bool
        Also a mix with decoy channels, which shows the share of a channel that carries nothing.
    mixes : int
        Number of blended images; more may close the gap to the all-channel network.
    split_seed : int or None
        Of the division into folds; None: ``seed``.
    one_split : bool
        Hold out the same cells in every repeat: the error bars are then of the training alone.
    scaled_per : str
        ``group``, or a column of the table that is the same throughout every group, such as the
        plate: each channel is scaled per group of these, see `Cells.normalised_by_group`. Empty:
        the cells are taken as they are.
    workers, scheduler, retries
        Where the repeats are computed; see `ClusterSettings`.

    Examples
    --------
    >>> ImportanceSettings(seeds=8, shapley=False).seeds
    8
    """

    seeds: Annotated[
        Seeds, About("Repeats", "repeats, each on other groups; their spread is the error bar")
    ] = 4
    shapley: Annotated[
        Flag,
        About(
            "Shapley values",
            "what each channel adds to the accuracy of the all-channel network",
            off="leave out Shapley values",
        ),
    ] = True
    decoys: Annotated[
        Flag,
        About(
            "Negative control",
            "also the share of a channel that carries nothing",
            off="leave out the negative control",
        ),
    ] = True
    mixes: Annotated[
        Mixes,
        About(
            "Blended channels",
            "number of blended channels; more may cost less accuracy",
            advanced=True,
        ),
    ] = 1
    split_seed: Annotated[
        Seed | None,
        About("Split seed", "seed of the folds (default: random seed)", metavar="N", advanced=True),
    ] = None
    one_split: Annotated[
        Flag,
        About(
            "Same cells in every repeat", "hold out the same cells in every repeat", advanced=True
        ),
    ] = False
    scaled_per: Annotated[
        Name,
        About(
            "Scale channels",
            "scale each channel per 'group', or per a column such as the plate",
            metavar="COLUMN",
            advanced=True,
        ),
    ] = ""
