"""What a classifier remembers of the cells it was trained on, to hold others against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_pixels import pixel_sizes
from napari_channelmix.data.crop_profile import FEATURES, PERCENTILES, CropProfile
from napari_channelmix.errors import DataError
from napari_channelmix.wording import shown_error

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["PAIRED", "QUANTILES", "TrainingData", "channel_pairs", "dtypes_of"]

Doubles = npt.NDArray[np.float64]

#: Percentiles of the figures of single crops.
QUANTILES = (0.0, 0.5, 5.0, 50.0, 95.0, 99.5, 100.0)

#: Figures that are compared between the channels of a crop.
PAIRED = ("middle", "high", "mean", "sd")
# With more channels there would be too many pairs.
MOST_PAIRED = 12

# Groups of a set vary by this much of the spread of single cells until the data say otherwise,
# with the weight of so many groups. Our definition.
PRIOR_SHARE, PRIOR_GROUPS = 0.25, 4
# Changes below these never count: of the pixels' standard deviation, and of a correlation.
LEAST_LEVEL, LEAST_SMOOTHNESS = 0.05, 0.01
# Cells of a class from which its own spread can be taken.
FEW = 5


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Statistics of the training cells, in raw units.

    Attributes
    ----------
    channels : tuple of str
    n, groups : int
        Cells, and groups such as wells.
    class_shares : dict of str to float
    dtypes : tuple of str
        Of the files, such as ``uint16``.
    crop : int
        Side of the crops in pixels.
    pixel_size : float or None
        Of the crops, in micrometres (the most frequent one).
    mean, sd, minimum, maximum, saturated : (C,) float64 arrays
        Of all pixels; ``saturated`` is the share that has the highest value.
    percentiles : (8, C) float64 array
        Of all pixels; see `data.crop_profile.PERCENTILES`.
    correlation : (C, C) float64 array
        Of the channels' pixels.
    constant : (C,) float64 array
        Share of the crops in which a channel is constant, in the class where it is largest.
    quantiles : (7, F, C) float64 array
        Of the figures of single crops (`data.crop_profile.FEATURES`); see `QUANTILES`.
    centre, within, between, apart, error : (F, C) float64 arrays
        Of these figures: mean over the crops; spread of single crops; spread of the means of
        groups; how far the mean of a class lies from ``centre`` at most; standard error of that.
    pair_centre, pair_within, pair_between, pair_apart, pair_error : (4, P) float64 arrays
        The same of the differences between two channels of a crop, of the figures in `PAIRED`; P
        pairs as `channel_pairs` has them.
    """

    channels: tuple[str, ...]
    n: int
    groups: int
    class_shares: dict[str, float]
    dtypes: tuple[str, ...]
    crop: int
    pixel_size: float | None
    mean: Doubles = field(repr=False)
    sd: Doubles = field(repr=False)
    minimum: Doubles = field(repr=False)
    maximum: Doubles = field(repr=False)
    saturated: Doubles = field(repr=False)
    percentiles: Doubles = field(repr=False)
    correlation: Doubles = field(repr=False)
    constant: Doubles = field(repr=False)
    quantiles: Doubles = field(repr=False)
    centre: Doubles = field(repr=False)
    within: Doubles = field(repr=False)
    between: Doubles = field(repr=False)
    apart: Doubles = field(repr=False)
    error: Doubles = field(repr=False)
    pair_centre: Doubles = field(repr=False)
    pair_within: Doubles = field(repr=False)
    pair_between: Doubles = field(repr=False)
    pair_apart: Doubles = field(repr=False)
    pair_error: Doubles = field(repr=False)

    @classmethod
    def of(cls, cells: Cells, profile: CropProfile) -> TrainingData:
        """Of training cells, all of which have a class, and what their crops look like."""
        counts, sizes = cells.class_counts, pixel_sizes(cells)
        labels, groups, values = cells.labels, cells.groups, profile.features.astype(np.float64)
        least = np.tile(LEAST_LEVEL * profile.sd, (len(FEATURES), 1))
        least[FEATURES.index("smoothness")] = LEAST_SMOOTHNESS
        first, other = channel_pairs(len(cells.channels))
        rows = [FEATURES.index(name) for name in PAIRED]
        apart = values[:, rows][:, :, first] - values[:, rows][:, :, other]
        paired = LEAST_LEVEL * np.maximum(profile.sd[first], profile.sd[other])
        pairs = _spreads(apart, labels, groups, np.tile(paired, (len(rows), 1)))
        made = cls(
            channels=cells.channels,
            n=len(cells),
            groups=len(np.unique(cells.groups)),
            class_shares={name: count / len(cells) for name, count in counts.items()},
            dtypes=dtypes_of(cells),
            crop=cells.crop,
            pixel_size=max(sizes, key=lambda size: sizes[size]) if sizes else None,
            mean=profile.mean,
            sd=profile.sd,
            minimum=profile.minimum.astype(np.float64),
            maximum=profile.of("top").max(axis=0).astype(np.float64),
            saturated=profile.saturated,
            percentiles=profile.percentiles,
            correlation=profile.correlation,
            constant=_largest_share(profile.constant, labels),
            quantiles=np.percentile(profile.features, QUANTILES, axis=0),
            **_spreads(values, labels, groups, least),
            **{f"pair_{name}": value for name, value in pairs.items()},
        )
        # As a bundle has them: a model that was just trained and the same one from its file say
        # the same of other cells.
        arrays: dict[str, Any] = {
            attribute.name: np.asarray(_short(getattr(made, attribute.name)), dtype=np.float64)
            for attribute in fields(made)
            if isinstance(getattr(made, attribute.name), np.ndarray)
        }
        return replace(made, **arrays)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        values = {attribute.name: getattr(self, attribute.name) for attribute in fields(self)}
        return {
            name: _short(value) if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], channels: tuple[str, ...]) -> TrainingData:
        """From JSON.

        Raises
        ------
        DataError
            Content that is missing, of another kind, or does not fit the channels.
        """
        try:
            return cls._of_content(content, channels)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            why = shown_error(error)
            if type(error) is not ValueError:
                why = f"{type(error).__name__} ({why})"
            raise DataError(f"data: {why}") from None

    @classmethod
    def _of_content(cls, content: Mapping[str, Any], channels: tuple[str, ...]) -> TrainingData:
        count, depth = len(channels), len(FEATURES)
        row, table, pairs = (count,), (depth, count), (len(PAIRED), len(channel_pairs(count)[0]))
        spreads = ("centre", "within", "between", "apart", "error")
        shapes = {
            **dict.fromkeys(("mean", "sd", "minimum", "maximum", "saturated", "constant"), row),
            **dict.fromkeys(spreads, table),
            **dict.fromkeys((f"pair_{name}" for name in spreads), pairs),
            "percentiles": (len(PERCENTILES), count),
            "correlation": (count, count),
            "quantiles": (len(QUANTILES), *table),
        }
        arrays = {}
        for name, shape in shapes.items():
            arrays[name] = np.asarray(content[name], dtype=np.float64)
            if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} must be {shape} finite numbers")
        if tuple(content["channels"]) != channels:
            raise ValueError("the channels are not those of the model")
        size = content["pixel_size"]
        return cls(
            channels=channels,
            n=int(content["n"]),
            groups=int(content["groups"]),
            class_shares={str(name): float(of) for name, of in content["class_shares"].items()},
            dtypes=tuple(str(name) for name in content["dtypes"]),
            crop=int(content["crop"]),
            pixel_size=None if size is None else float(size),
            **arrays,
        )


def channel_pairs(channels: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first and the second channel of every pair; none where there are more than 12."""
    if channels > MOST_PAIRED:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first, other = np.triu_indices(channels, 1)
    return first.astype(np.int64), other.astype(np.int64)


def dtypes_of(cells: Cells) -> tuple[str, ...]:
    """Types of the pixels in the files, such as ``uint16``, in the order of the alphabet."""
    if cells.scaling:
        # Values of the files' type say nothing of pixels that are scaled.
        return ("float32",)
    used = np.unique(cells.table["field"].to_numpy(np.int64))
    return tuple(
        sorted(
            {
                str(cells.fields[index].planes[plane].dtype)
                for index in used
                for plane in cells.planes
            }
        )
    )


def _short(values: Doubles) -> Any:
    """Numbers with seven digits, which is all that float32 pixels have."""
    return (
        [float(f"{value:.7g}") for value in values] if values.ndim == 1 else [*map(_short, values)]
    )


def _largest_share(constant: npt.NDArray[np.bool_], labels: npt.NDArray[np.int64]) -> Doubles:
    """Share of crops (N, C) that are constant, in the class that has most of them."""
    shares = [constant.mean(axis=0)]
    for code in np.unique(labels):
        if (labels == code).sum() >= FEW:
            shares.append(constant[labels == code].mean(axis=0))
    return np.asarray(np.max(shares, axis=0), dtype=np.float64)


def _spreads(
    values: Doubles, labels: npt.NDArray[np.int64], groups: npt.NDArray[Any], least: Doubles
) -> dict[str, Doubles]:
    """How figures of crops (N, F, C) vary: from cell to cell, class to class, group to group.

    The spread between groups is what is left of the variance of their means, class by class, when
    that of a mean of so many cells is taken off; it is pulled towards a share of the spread of
    single cells, which stands for it where every cell is a group of its own. Our definition.
    """
    centre, total = values.mean(axis=0), values.std(axis=0)
    rest, widest, apart, error = values.copy(), total, np.zeros_like(centre), np.zeros_like(centre)
    present = np.unique(labels)
    for code in present:
        members = labels == code
        mean = values[members].mean(axis=0)
        rest[members] -= mean
        if members.sum() >= FEW:
            widest = np.maximum(widest, values[members].std(axis=0))
        apart = np.maximum(apart, np.abs(mean - centre))
        error = np.maximum(error, total / np.sqrt(members.sum()))
    within = rest.var(axis=0)
    names, of = np.unique(groups, return_inverse=True)
    free, between = 0, np.zeros_like(centre)
    if len(present) < len(names) <= len(values) / 2:
        counts = np.bincount(of)
        means = np.zeros((len(names), *centre.shape))
        np.add.at(means, of, rest)
        means /= counts[:, None, None]
        free = len(names) - len(present)
        alone = np.maximum(within - means.var(axis=0), 0)
        between = (means**2).sum(axis=0) / free - alone * np.mean(1 / counts)
    prior = PRIOR_GROUPS * PRIOR_SHARE**2 * within
    variance = (prior + free * np.maximum(between, 0)) / (PRIOR_GROUPS + free)
    return {
        "centre": centre,
        "within": widest,
        "between": np.maximum(np.sqrt(variance), least),
        "apart": apart,
        "error": error,
    }
