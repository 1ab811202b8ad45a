"""All axes in one table; a function of a user, with a name and a range, is one more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError
from napari_channelmix.whatif import channel_edits, measures, surroundings
from napari_channelmix.whatif.amount_of_level import difference, doublings
from napari_channelmix.whatif.axes import Axis, Family
from napari_channelmix.whatif.crops import CellCrops
from napari_channelmix.whatif.fixed_axes import ACQUISITION, NEIGHBOURS, RESAMPLING, SHAMS, SHAPE
from napari_channelmix.whatif.user_axes import check_axis, register, registered, unregister

__all__ = [
    "RESAMPLING",
    "axes_of",
    "channel_axes",
    "check_axis",
    "register",
    "registered",
    "unregister",
]

FloatArray = npt.NDArray[np.float32]

# Largest raw value that an amount in raw units may have: no sensor reaches it.
_RAW = 1e6


def axes_of(
    cells: CellCrops | Sequence[str],
    *,
    families: Sequence[Family] | None = None,
    channels: Sequence[str] | None = None,
) -> tuple[Axis, ...]:
    """All axes that apply to some cells, those of `register` among them.

    Parameters
    ----------
    cells : CellCrops or sequence of str
        Crops, or the names of their channels. ``nucleus against cytoplasm`` is left out where
        crops have no known nuclei.
    families : sequence of {"channel", "shape", "surroundings", "acquisition", "sham"}, optional
        Default: all.
    channels : sequence of str, optional
        Channels to edit; default: all.

    Raises
    ------
    ModelError
        A channel that is missing.

    Examples
    --------
    >>> [axis.name for axis in axes_of(["DNA"], families=["shape", "sham"])]
    ['size', 'elongation', 'roundness', 'turn', 'shift', 'resampling']
    >>> [axis.name for axis in axes_of(["DNA"], families=["channel"])][:3]
    ['DNA brightness', 'DNA level', 'DNA rim']
    """
    names = cells.channels if isinstance(cells, CellCrops) else tuple(cells)
    nuclei = cells.nuclei is not None if isinstance(cells, CellCrops) else True
    sides = cells.two_sided if isinstance(cells, CellCrops) else None
    for name in channels or ():
        if name not in names:
            raise ModelError(
                f"axes of channel {name!r}: the cells have no such channel; they have "
                f"{', '.join(names)}"
            )
    axes: list[Axis] = []
    for index, name in enumerate(names):
        if channels is None or name in channels:
            axes += channel_axes(
                name, index, nuclei=nuclei, two_sided=sides is not None and bool(sides[index])
            )
    axes += SHAPE
    axes += [NEIGHBOURS]
    for index, name in enumerate(names):
        if channels is None or name in channels:
            axes += [_background(name, index)]
    axes += [*ACQUISITION, *SHAMS]
    axes += [a for a in registered() if a.channel is None or a.channel in names]
    given = [axis.name for axis in axes]
    for own in registered():
        if given.count(own.name) > 1:
            raise ModelError(
                f"your axis {own.name!r} has the name of another one; register it by another name"
            )
    return tuple(axis for axis in axes if families is None or axis.family in families)


def channel_axes(
    name: str, index: int, *, nuclei: bool = True, two_sided: bool = False
) -> list[Axis]:
    """Axes of one channel, by its name and its index."""

    def axis(kind: str, unit: str, low: float, high: float, **others: object) -> Axis:
        edit = getattr(channel_edits, kind.replace(" ", "_"))
        return Axis(
            f"{name} {kind}",
            "channel",
            unit,
            partial(_of_channel, edit, index),
            low,
            high,
            feature=f"{name} {kind}",
            measure=partial(_measured, getattr(measures, kind.replace(" ", "_")), index),
            channel=name,
            kind=kind,
            **others,  # type: ignore[arg-type]
        )

    axes = [
        axis("brightness", "doublings", -4, 4, to_level=doublings, moves_too=("level", "exposure")),
        axis(
            "level",
            "raw units",
            -_RAW,
            _RAW,
            to_level=difference,
            moves_too=("brightness", "exposure"),
        ),
        axis("rim", "strength", -1, 1, moves_too=("nucleus against cytoplasm", "sharpness")),
    ]
    if nuclei:
        axes.append(
            axis(
                "nucleus against cytoplasm",
                "doublings of the ratio",
                -4,
                4,
                to_level=difference,
                moves_too=("rim", "sharpness"),
            )
        )
    # What is darker and brighter lies further from the background the more detail it has.
    strength = ("sharpness", "brightness") if two_sided else ("sharpness",)
    axes.append(axis("detail", "doublings", -3, 3, moves_too=strength))
    return axes


# ---------------------------------------------------------------- parts


def _of_channel(
    edit: Callable[..., CellCrops], index: int, crops: CellCrops, amounts: FloatArray
) -> CellCrops:
    return edit(crops, amounts, index)


def _measured(measure: Callable[..., FloatArray], index: int, crops: CellCrops) -> FloatArray:
    return measure(crops, index)


def _background(name: str, index: int) -> Axis:
    return Axis(
        f"{name} background",
        "surroundings",
        "raw units",
        partial(_of_channel, surroundings.background_level, index),
        -_RAW,
        _RAW,
        feature=f"{name} background",
        measure=partial(_measured, measures.background, index),
        to_level=difference,
        channel=name,
        kind="background",
        moves_too=(
            "brightness",
            "exposure",
            "offset",
            "sharpness",
            "rim",
            "nucleus against cytoplasm",
            "detail",
        ),
    )
