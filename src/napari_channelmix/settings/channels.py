"""Settings of what is asked about the channels of a finished classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from napari_channelmix.bounds import Bounds, Flag, Forwards, Limit, Name, Seed
from napari_channelmix.settings.explain import Only
from napari_channelmix.settings.fields import About, settings
from napari_channelmix.wording import quoted

__all__ = ["ChannelMeansSettings", "ChannelSettings", "Players", "TransplantSettings"]


def _groups(value: Any) -> Any:
    """Groups of channels as pairs of a name and channels, from a mapping or such pairs."""
    if value is None:
        return ()
    if not isinstance(value, Mapping | list | tuple):
        raise ValueError(f"must map each group to its channels, not {quoted(value)}")
    pairs = value.items() if isinstance(value, Mapping) else value
    result: list[tuple[Any, tuple[Any, ...]]] = []
    group_of: dict[Any, Any] = {}
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"must map each group to its channels, not hold {quoted(pair)}")
        name, channels = pair
        if isinstance(name, str) and not name.strip():
            raise ValueError("has a group without a name")
        if isinstance(channels, str) or not isinstance(channels, list | tuple | set | frozenset):
            raise ValueError(f"must list the channels of group {quoted(name)}")
        members = sorted(channels) if isinstance(channels, set | frozenset) else list(channels)
        if not members:
            raise ValueError(f"gives group {quoted(name)} no channel")
        for channel in members:
            if channel in group_of:
                other = group_of[channel]
                place = (
                    f"group {quoted(name)} twice"
                    if other == name
                    else (f"two groups, {quoted(other)} and {quoted(name)}")
                )
                raise ValueError(f"has the channel {quoted(channel)} in {place}")
            group_of[channel] = name
        result.append((name, tuple(members)))
    return tuple(result)


#: Groups of channels that are exchanged together; given as a mapping of a group to its channels.
Players = Annotated[tuple[tuple[Name, tuple[Name, ...]], ...], BeforeValidator(_groups)]


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
    players : mapping of str to sequence of str
        Groups of channels that are exchanged together, such as a panel or a compartment; a channel
        without a group is a player by itself. Kept as pairs of a name and channels.

    Examples
    --------
    >>> ChannelSettings(forwards=5000).forwards
    5000
    >>> ChannelSettings(players={"membrane": ["CD4", "CD8"]}).players
    (('membrane', ('CD4', 'CD8')),)
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
    players: Players = ()


@settings
class ChannelMeansSettings:
    """How the mean light of classes is measured, and what a regression on it is tried on.

    Attributes
    ----------
    limit : int
        Most cells that are measured, of each class equally many or all it has.
    folds : int
        In how many parts whole groups are held out in turn, where no model says which cells it was
        trained on.
    only : {"held-out", "all"}
        As of `ChannelSettings`, where there is a model.
    seed : int
        Of cells and folds.

    Examples
    --------
    >>> ChannelMeansSettings(folds=3).limit
    20000
    """

    limit: Annotated[
        Limit, About("Cells", "most cells that are measured, of each class equally many")
    ] = 20_000
    folds: Annotated[
        int,
        Bounds(2, 100, label="the number of folds"),
        About("Folds", "parts of whole groups that are held out in turn", advanced=True),
    ] = 5
    only: Annotated[
        Only,
        About(
            "Cells",
            "the cells that the model was not trained on, where that is known and any is left, or "
            "all",
        ),
    ] = "held-out"
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
