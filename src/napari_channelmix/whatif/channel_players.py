"""Groups of channels that are exchanged together: a panel, a compartment."""

from __future__ import annotations

from collections.abc import Sequence

from napari_channelmix.errors import ModelError
from napari_channelmix.wording import listed, quoted

__all__ = ["named_players"]


def named_players(
    groups: Sequence[tuple[str, Sequence[str]]], channels: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Channels of each player: the groups, and each channel without a group by itself.

    Parameters
    ----------
    groups : sequence of (str, sequence of str)
        As of `ChannelSettings.players`.
    channels : sequence of str
        Of the classifier, in its order.

    Returns
    -------
    dict of str to tuple of str
        In the order of their first channels.

    Raises
    ------
    ModelError
        A channel that the classifier does not have; a group with the name of a channel that is not
        in it; all channels in one group.

    Examples
    --------
    >>> named_players([("membrane", ["CD4", "CD8"])], ["DAPI", "CD4", "CD8"])
    {'DAPI': ('DAPI',), 'membrane': ('CD4', 'CD8')}
    """
    group_of = {channel: name for name, members in groups for channel in members}
    unknown = [channel for channel in group_of if channel not in channels]
    if unknown:
        name = group_of[unknown[0]]
        raise ModelError(
            f"players: group {quoted(name)} names the channel {quoted(unknown[0])}, which the "
            f"classifier does not have; it has {listed(channels)}"
        )
    players: dict[str, tuple[str, ...]] = {}
    for channel in channels:
        name = group_of.get(channel, channel)
        if channel not in group_of and channel in group_of.values():
            raise ModelError(
                f"players: group {quoted(channel)} has the name of a channel that is not in it; "
                "give the group another name"
            )
        players[name] = (*players.get(name, ()), channel)
    if len(players) < 2:
        raise ModelError(
            f"players: all {len(channels)} channels are in the group "
            f"{quoted(next(iter(players)))}, so there is nothing to compare it with; leave some out"
        )
    return players
