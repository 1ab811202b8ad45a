"""Colours of channels: of all of a data set, and of the few that are shown together."""

from __future__ import annotations

from collections.abc import Mapping

from napari_channelmix.data.nuclear_channel import nuclear_channel

__all__ = ["channel_colors", "colors_together", "is_photo"]

# Additive: they stay apart when they overlap on black.
CHANNELS = (
    "#00E000",
    "#FF2BD6",
    "#FF9500",
    "#00D5FF",
    "#FF3B30",
    "#FFE600",
    "#9B6BFF",
    "#B8FF6B",
    "#FF8FA3",
    "#FFFFFF",
    "#00A88F",
    "#C08A5A",
)
NUCLEAR = "#4A78FF"
# Of channels shown together, beside the blue of nuclei. Red-green blind people tell each pair
# apart: in their sight and in that of others no two are closer than 36 units of CIELAB.
TOGETHER = ("#FFE600", "#D55E00", "#00A88F", "#56B4E9", "#FFFFFF")
PHOTO = ("#FF0000", "#00FF00", "#0000FF")
PHOTO_NAMES = (("r", "red"), ("g", "green"), ("b", "blue"))
NUCLEAR_NAMES = ("dapi", "dna", "hoechst", "draq", "nuclei", "nucleus", "hematoxylin")


def is_photo(names: tuple[str, ...]) -> bool:
    """Whether channels are red, green and blue of one colour picture, as `drl.View` takes them."""
    return len(names) == 3 and all(
        name.lower() in accepted for name, accepted in zip(names, PHOTO_NAMES, strict=True)
    )


def channel_colors(names: tuple[str, ...]) -> tuple[str, ...]:
    """A colour for each channel: blue for the first nuclear stain, the others in turn.

    Red, green and blue of one picture are what they are called.
    """
    if is_photo(names):
        return PHOTO
    nuclear = next(
        (
            index
            for index, name in enumerate(names)
            if any(k in name.lower() for k in NUCLEAR_NAMES)
        ),
        None,
    )
    others = [index for index in range(len(names)) if index != nuclear]
    colors = {index: CHANNELS[place % len(CHANNELS)] for place, index in enumerate(others)}
    if nuclear is not None:
        colors[nuclear] = NUCLEAR
    return tuple(colors[index] for index in range(len(names)))


def colors_together(
    names: tuple[str, ...], before: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Colours of at most six channels that are shown together.

    Blue for nuclei; the others are given in turn. A channel keeps the colour that it has.

    Parameters
    ----------
    names : tuple of str
        Six at most.
    before : mapping of str to str, optional
        Colours of channels that were shown before.

    Examples
    --------
    >>> colors_together(("DAPI", "CD3", "CD4"))
    ('#4A78FF', '#FFE600', '#D55E00')
    >>> colors_together(("DAPI", "CD4", "CD8"), {"CD4": "#D55E00"})
    ('#4A78FF', '#D55E00', '#FFE600')
    """
    kept = {name: color for name, color in (before or {}).items() if name in names}
    nuclear = nuclear_channel(names)
    if nuclear is not None and NUCLEAR not in kept.values():
        kept.setdefault(nuclear, NUCLEAR)
    free = [color for color in (*TOGETHER, NUCLEAR) if color not in kept.values()]
    return tuple(kept[name] if name in kept else free.pop(0) for name in names)
