"""Differences from the training data in words, with the numbers of both sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_profile import PERCENTILES, CropProfile

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.classify.training_data import TrainingData
    from napari_channelmix.classify.training_distance import Likeness

__all__ = ["calls_line", "differences"]

Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SHOWN = 5
LEVELS = ("low", "middle", "high", "mean", "sd", "top")
# A fit of the percentiles that leaves less than this share of their range is taken for the reason.
FITS = 0.12
# Factors between the depths of common cameras and files.
DEPTHS = (4, 16, 64, 256, 257, 4096)
# Channels whose neighbouring pixels correlate less than this hold noise.
NOISE, STRUCTURE = 0.25, 0.4
# Share of pixels at the highest value.
SATURATED = 0.005
# Sizes of a pixel that count as one.
ALIKE = 1.1


def differences(
    channels: Sequence[str],
    comparison: Likeness,
    profile: CropProfile,
    data: TrainingData | None,
    dtypes: Sequence[str],
    sizes: Mapping[float, int],
    numbers: IntArray,
    name_of: Callable[[int], str] = str,
) -> list[str]:
    """A line for each kind of difference.

    Parameters
    ----------
    channels : sequence of str
    comparison : Likeness
    profile : CropProfile
        Of the cells.
    data : TrainingData or None
        None for models of earlier versions.
    dtypes : sequence of str
        Of the files; empty where that is not known.
    sizes : dict of float to int
        Sizes of the pixels in micrometres, and how many cells have each.
    numbers : (N,) int array
        Of the cells.
    name_of : callable of int
        What a cell is called, by its number.
    """
    if data is None:
        return _plain(channels, comparison, profile)
    lines = []
    if comparison.exchanged:
        lines.append(_exchanged(channels, comparison.exchanged, profile, data))
    reported = set(comparison.exchanged)
    empty = {
        index
        for index in range(len(channels))
        if index not in reported and _empty(profile, data, index)
    }
    lines += _constant(channels, empty, profile, data)
    reported |= empty
    lines += _noise(channels, comparison, profile, data, reported)
    lines += _levels(channels, comparison, profile, data, reported)
    if comparison.parted and not lines:
        lines.append(_parted(channels, comparison.parted, profile, data))
    lines += _saturated(channels, profile, data)
    lines += _types(dtypes, data)
    lines += _pixel_sizes(sizes, data)
    lines += _strange(comparison, numbers, name_of)
    return lines


def calls_line(
    shares: Mapping[str, float],
    training: Mapping[str, float],
    confidence: float | None,
    estimate: AccuracyEstimate | None,
    held_out: Mapping[str, Any],
) -> str:
    """What became of the calls: shares of the classes, confidence, accuracy."""
    parts = [
        f"{name} {share:.0%}" + (f" (training {training[name]:.0%})" if name in training else "")
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
    ]
    line = f"predicted now: {', '.join(parts[:SHOWN])}{', ...' if len(parts) > SHOWN else ''}"
    then = held_out.get("confidence")
    if confidence is not None:
        line += f"; mean confidence {confidence:.3f}" + _beside(then)
    if estimate is not None:
        line += f"; balanced accuracy {estimate.balanced:.3f} ({estimate.interval_text})"
        line += _beside(held_out.get("balanced_accuracy"))
    return line


def _beside(then: object) -> str:
    return f" ({then:.3f} on held-out cells at training)" if isinstance(then, float) else ""


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _many(names: Sequence[str]) -> str:
    """Names for a list in a sentence."""
    more = len(names) - SHOWN
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:SHOWN])} and {more} more"


def _plain(channels: Sequence[str], comparison: Likeness, profile: CropProfile) -> list[str]:
    far = [index for index in range(len(channels)) if comparison.differs(index)]
    if not far:
        return []
    parts = [
        f"{channels[index]} (mean {_number(profile.mean[index])}, standard deviation "
        f"{_number(profile.sd[index])})"
        for index in far
    ]
    return [f"brightness is far from that of training in {_many(parts)}"]


def _empty(profile: CropProfile, data: TrainingData, index: int) -> bool:
    """Whether a channel is constant in more crops than in training by a tenth of them."""
    then = float(data.constant[index])
    chance = 3 * np.sqrt(then * (1 - then) / len(profile))
    return bool(profile.constant[:, index].mean() > then + 0.1 + chance)


def _constant(
    channels: Sequence[str], empty: set[int], profile: CropProfile, data: TrainingData
) -> list[str]:
    parts = []
    for index in sorted(empty):
        flat = profile.constant[:, index]
        value = _number(float(profile.of("top")[flat, index].mean()))
        parts.append(
            f"{channels[index]} (value {value}) in {int(flat.sum())} of {len(flat)} cells, "
            f"in training in {data.constant[index]:.1%}"
        )
    return [f"nothing is to be seen, one value all over the crop: {_many(parts)}"] if parts else []


def _exchanged(
    channels: Sequence[str],
    exchanged: Mapping[int, int],
    profile: CropProfile,
    data: TrainingData,
) -> str:
    parts = [
        f"{channels[index]} looks like {channels[to]} of training (mean "
        f"{_number(profile.mean[index])}; "
        f"in training {channels[to]} {_number(data.mean[to])}, {channels[index]} "
        f"{_number(data.mean[index])})"
        for index, to in exchanged.items()
    ]
    return f"channel names seem to be exchanged: {_many(parts)}"


def _parted(
    channels: Sequence[str],
    parted: Sequence[tuple[int, int]],
    profile: CropProfile,
    data: TrainingData,
) -> str:
    parts = [
        f"{channels[first]} less {channels[other]} "
        f"{_number(profile.mean[first] - profile.mean[other])}"
        f" (training {_number(data.mean[first] - data.mean[other])})"
        for first, other in parted
    ]
    return f"channels stand in another relation to each other; mean of {_many(parts)}"


def _noise(
    channels: Sequence[str],
    comparison: Likeness,
    profile: CropProfile,
    data: TrainingData,
    reported: set[int],
) -> list[str]:
    """Channels without spatial structure, or with far more or less of it."""
    noise: list[str] = []
    other: list[str] = []
    for index, name in enumerate(channels):
        now = float(profile.of("smoothness")[:, index].mean())
        then = float(data.centre[-1, index])
        if index in reported or not comparison.differs(index, ("smoothness",)):
            continue
        words = f"{name} {now:.2f} (training {then:.2f})"
        (noise if now < NOISE and then > STRUCTURE else other).append(words)
    lines = []
    if noise:
        lines.append(
            f"no spatial structure, as in noise; correlation of neighbouring pixels: {_many(noise)}"
        )
    if other:
        lines.append(
            "finer or coarser detail, such as from another focus, camera or size of "
            f"pixels; correlation of neighbouring pixels: {_many(other)}"
        )
    return lines


def _levels(
    channels: Sequence[str],
    comparison: Likeness,
    profile: CropProfile,
    data: TrainingData,
    reported: set[int],
) -> list[str]:
    """Brightness, by what explains it best; channels with the same reason share a line."""
    far = [
        index
        for index in range(len(channels))
        if index not in reported and comparison.differs(index, LEVELS)
    ]
    by_reason: dict[str, list[str]] = {}
    for index in far:
        reason, words = _reason(profile.percentiles[:, index], data.percentiles[:, index])
        numbers = (
            f"mean {_number(profile.mean[index])} (training {_number(data.mean[index])}), standard "
            f"deviation {_number(profile.sd[index])} ({_number(data.sd[index])}), 5th percentile "
            f"{_number(profile.percentiles[1, index])} ({_number(data.percentiles[1, index])})"
        )
        by_reason.setdefault(reason, []).append(f"{channels[index]}{words}: {numbers}")
    return [
        f"{reason}: {'; '.join(parts[:SHOWN])}"
        + (f"; and {len(parts) - SHOWN} more" if len(parts) > SHOWN else "")
        for reason, parts in by_reason.items()
    ]


def _reason(now: Doubles, then: Doubles) -> tuple[str, str]:
    """Why the percentiles of a channel differ, and by how much, in words."""
    # The highest percentile is that of a few pixels only.
    now, then, places = now[:-1], then[:-1], np.array(PERCENTILES)
    reach = max(float(np.ptp(now)), 1e-3 * float(np.ptp(then)), 1e-12)

    def left(guess: Doubles) -> float:
        return float(np.sqrt(np.mean((now - guess) ** 2))) / reach

    offset = float(np.median(now - then))
    gain = float(now @ then / max(float(then @ then), 1e-12))
    slope, rise = _line(then, now)
    # The same percentiles of pixels that are turned upside down.
    inverted = np.interp(100 - places[:-1], places[:-1], then)
    down, base = _line(inverted, now)
    straight = left(slope * then + rise)
    if down < 0 and left(down * inverted + base) < min(FITS, straight / 2):
        return "contrast seems to be inverted", ""
    if left(then + offset) < FITS and left(then + offset) <= left(gain * then):
        if offset > 0:
            why, how = "is background subtracted in training only?", "higher"
        else:
            why, how = "is background subtracted here only?", "lower"
        return f"values are shifted ({why})", f" {how} by about {_number(abs(offset))}"
    if gain > 0 and left(gain * then) < FITS:
        factor = max(gain, 1 / gain)
        depth = any(abs(factor / ratio - 1) < 0.1 for ratio in DEPTHS)
        why = "another bit depth?" if depth else "another exposure, gain or scaling?"
        return f"brightness is scaled ({why})", f" times {_number(gain)}"
    if slope > 0 and straight < FITS:
        sign = "+" if rise >= 0 else "-"
        words = f" times {_number(slope)} {sign} {_number(abs(rise))}"
        return "brightness is scaled and shifted", words
    return "brightness is distributed differently", ""


def _line(x: Doubles, y: Doubles) -> tuple[float, float]:
    """Slope and intercept of the line through points."""
    apart = x - x.mean()
    squares = float(apart @ apart)
    slope = float(apart @ y) / squares if squares > 0 else 0.0
    return slope, float(y.mean()) - slope * float(x.mean())


def _saturated(channels: Sequence[str], profile: CropProfile, data: TrainingData) -> list[str]:
    parts = []
    for index, name in enumerate(channels):
        now, then = float(profile.saturated[index]), float(data.saturated[index])
        if (
            now > 5 * then + SATURATED * (1 + 4 / len(profile))
            and not profile.constant[:, index].all()
        ):
            top = _number(float(profile.of("top")[:, index].max()))
            parts.append(f"{name} {now:.1%} of its pixels at {top} (training {then:.2%})")
    return [f"saturated, many pixels at the highest value: {_many(parts)}"] if parts else []


def _types(dtypes: Sequence[str], data: TrainingData) -> list[str]:
    """Whole numbers of another kind; floats may hold whatever was read before."""
    both = (*dtypes, *data.dtypes)
    if not dtypes or not data.dtypes or any(np.dtype(dtype).kind not in "iu" for dtype in both):
        return []
    other = sorted(set(dtypes) - set(data.dtypes))
    if not other:
        return []
    return [f"pixels are {' and '.join(dtypes)}, those of training {' and '.join(data.dtypes)}"]


def _pixel_sizes(sizes: Mapping[float, int], data: TrainingData) -> list[str]:
    if not sizes or data.pixel_size is None:
        return []
    other = {
        size: count
        for size, count in sizes.items()
        if not 1 / ALIKE <= size / data.pixel_size <= ALIKE
    }
    if not other:
        return []
    parts = [f"{_number(size)} µm in {count} cells" for size, count in other.items()]
    return [
        f"pixels have another size: {_many(parts)}, in training {_number(data.pixel_size)} µm; "
        f"bring them to one size with pixel_size = {_number(data.pixel_size)} under [cells]"
    ]


def _strange(comparison: Likeness, numbers: IntArray, name_of: Callable[[int], str]) -> list[str]:
    which = numbers[comparison.strange].tolist()
    if not len(which):
        return []
    if len(numbers) == 1:
        # Whoever asks of one cell knows which, maybe by another number than ours.
        return ["the cell lies far outside what was trained on"]
    if len(which) > len(numbers) / 2:
        return [f"{len(which)} of {len(numbers)} cells lie far outside what was trained on"]
    if len(which) == 1:
        return [f"cell {name_of(which[0])} lies far outside what was trained on"]
    more = len(which) - SHOWN
    listed = ", ".join(name_of(number) for number in which[: SHOWN if more > 0 else None])
    rest = f", ... and {more} more" if more > 0 else ""
    return [f"cells {listed}{rest} lie far outside what was trained on"]
