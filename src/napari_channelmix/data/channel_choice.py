"""Which channels are used: those that are named, or all but those that are named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed, quoted

__all__ = ["chosen_channels", "nearest_names", "refuse_twice", "refuse_unknown"]

# How alike a name must be to be proposed, and how many are.
ALIKE, PROPOSED = 0.5, 3


def nearest_names(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names most like one that is not there, the nearest first; capitals do not count.

    Examples
    --------
    >>> nearest_names("foxp-3", ["DAPI", "FOXP3", "CD3", "FOXJ1"])
    ('FOXP3', 'FOXJ1')
    """
    plain: dict[str, str] = {}
    for own in names:
        plain.setdefault(own.casefold(), own)
    near = get_close_matches(name.casefold(), list(plain), PROPOSED, ALIKE)
    return tuple(plain[key] for key in near)


def refuse_unknown(requested: Iterable[str], channels: Sequence[str], who: str) -> None:
    """Refuse names that no channel has, all of them in one line, with the nearest names.

    Parameters
    ----------
    requested : iterable of str
    channels : sequence of str
        Those that there are.
    who : str
        Where they are named, for the message.

    Raises
    ------
    DataError
    """
    known = set(channels)
    missing = [name for name in dict.fromkeys(requested) if name not in known]
    if not missing:
        return
    near = dict.fromkeys(each for name in missing[:6] for each in nearest_names(name, channels))
    if len(channels) <= 12 or not near:
        hint = f"; it has {listed(channels)}"
    else:
        hint = f"; is {' or '.join(map(quoted, list(near)[:6]))} meant? It has {len(channels)}"
    several = "channels" if len(missing) > 1 else "channel"
    raise DataError(f"{who} has no {several} {listed(map(quoted, missing), 6)}{hint}")


def refuse_twice(names: Sequence[str], who: str) -> None:
    """Refuse a name that is there twice.

    Raises
    ------
    DataError
    """
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise DataError(f"{who}: two channels are called {quoted(twice)}; name each once")


def chosen_channels(
    channels: Sequence[str],
    use: Sequence[str] | None = None,
    drop: Sequence[str] | None = None,
    *,
    who: str,
) -> tuple[str, ...]:
    """The channels that are used.

    Parameters
    ----------
    channels : sequence of str
        Those that there are.
    use : sequence of str, optional
        Those that are used, in this order. Default: all.
    drop : sequence of str, optional
        Those that are not; the others stay in their order.
    who : str
        What is named in messages.

    Raises
    ------
    DataError
        Names that are not there, a name twice, none that is left, both ``use`` and ``drop``.

    Examples
    --------
    >>> chosen_channels(["DAPI", "CD8", "AF"], drop=["AF"], who="set")
    ('DAPI', 'CD8')
    >>> chosen_channels(["DAPI", "CD8", "AF"], use=["CD8", "DAPI"], who="set")
    ('CD8', 'DAPI')
    """
    if use is not None and drop is not None:
        raise DataError(f"{who}: name the channels to use or those to drop, not both")
    named = use if use is not None else drop
    if named is None:
        return tuple(channels)
    if isinstance(named, str):
        raise DataError(f"{who}: channels must be a list of names, not the text {quoted(named)}")
    named = [str(name).strip() for name in named]
    refuse_unknown(named, channels, who)
    if use is not None:
        refuse_twice(named, who)
        chosen = tuple(named)
    else:
        left_out = set(named)
        chosen = tuple(name for name in channels if name not in left_out)
    if not chosen:
        raise DataError(f"{who}: no channel is left; use at least one of {listed(channels)}")
    return chosen
