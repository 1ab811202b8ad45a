"""p-values of channels: more of the mix than a decoy, and linked to the labels by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.dcmix.label_link import link_job
from napari_channelmix.dcmix.negative_control import decoy_p_values, holm
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.classify.channel_features import CropNumbers
    from napari_channelmix.dcmix.label_link import LinkTest
    from napari_channelmix.dcmix.repeats import RepeatResult
    from napari_channelmix.dcmix.result import ChannelImportance
    from napari_channelmix.jobs import Job

__all__ = ["ENOUGH_REPEATS", "ChannelPValues", "both_tests", "p_values_job", "too_few_groups"]

FloatArray = npt.NDArray[np.float64]

# Fewer give no spread worth the name, and the p-values were calibrated with this many.
ENOUGH_REPEATS = 4
# No p-value is given where none could be smaller.
LEVEL = 0.05


@dataclass(frozen=True)
class ChannelPValues:
    """p-values of the channels, or why there are none.

    Attributes
    ----------
    p_value : tuple of float or None
        (C,) the larger of the two that follow, after Holm's correction for all channels.
    p_decoy, p_alone : tuple of float or None
        (C,) of the share against its decoy (`decoy_p_values`), and of the channel by itself
        against permuted labels (`link_job`); without correction.
    reason : str
        Why there are none; empty where there are.
    """

    p_value: tuple[float, ...] | None
    p_decoy: tuple[float, ...] | None
    p_alone: tuple[float, ...] | None
    reason: str = ""

    @classmethod
    def missing(cls, reason: str) -> ChannelPValues:
        """None, for this reason."""
        return cls(None, None, None, reason)


def both_tests(p_decoy: FloatArray, p_alone: FloatArray) -> FloatArray:
    """p-value (C,) of each channel in both tests, before correction: the larger one.

    A share above its decoy's is no link to the class: a channel that only shows where the cell is
    helps a blend too, and its decoy shows another place. Accuracy alone is no share. So a channel
    has to pass both, and the larger p is a valid one wherever either is (intersection-union test;
    Berger 1982, Technometrics 24, 295). It misses a channel that tells the classes only together
    with another one.
    """
    return np.maximum(p_decoy, p_alone)


def too_few_groups(link: LinkTest, channels: int, grouped: bool) -> str:
    """Why no p-value can be small with so few groups; empty where it can."""
    if link.unavailable_reason:
        return link.unavailable_reason
    if link.n_groups < 2:
        return "all cells are in one group"
    least = link.least * channels
    if least < LEVEL:
        return ""
    what = counted(link.n_groups, "group" if grouped else "cell")
    return (
        f"{what} can be labelled in {link.ways:.0f} ways that differ: p, corrected for "
        f"{counted(channels, 'channel')}, cannot fall below {min(least, 1.0):.2g}"
    )


def p_values_job(
    importance: ChannelImportance,
    repeats: Sequence[RepeatResult],
    numbers: CropNumbers,
    labels: npt.NDArray[np.int64],
    groups: npt.NDArray[np.str_],
    *,
    uncalibrated: str,
) -> Job[ChannelPValues]:
    """p-values for a result, as a job; ``uncalibrated`` says why none may be shown, if so."""
    reason = _withheld(importance, repeats, uncalibrated)
    if reason:
        return ChannelPValues.missing(reason)
    link = yield from link_job(numbers, labels, groups, seed=repeats[0].seed)
    channels = len(importance.channels)
    reason = too_few_groups(link, channels, len(set(groups.tolist())) < len(groups))
    if reason:
        return ChannelPValues.missing(reason)
    shares = np.array([repeat.decoy_share for repeat in repeats], dtype=np.float64)
    decoys = np.array([repeat.decoys for repeat in repeats], dtype=np.float64)
    of_decoys, alone = decoy_p_values(shares, decoys), np.array(link.p_value)
    return ChannelPValues(
        tuple(holm(both_tests(of_decoys, alone)).tolist()), tuple(of_decoys.tolist()), link.p_value
    )


def _withheld(
    importance: ChannelImportance, repeats: Sequence[RepeatResult], uncalibrated: str
) -> str:
    """Why the p-values are not even computed."""
    if any(repeat.decoys is None or repeat.decoy_share is None for repeat in repeats):
        return "no negative control was asked for"
    if uncalibrated:
        return uncalibrated
    if len(repeats) < ENOUGH_REPEATS:
        return f"fewer than {ENOUGH_REPEATS} repeats"
    if not importance.shares_readable:
        verdict = importance.verdict
        return f"the shares must not be read ({verdict[0].lower()}{verdict[1:]})"
    return ""
