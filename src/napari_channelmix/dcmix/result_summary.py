"""What channel importance shows of itself."""

from __future__ import annotations

from typing import Any

from napari_channelmix.result_display import Bar, Bars, Summary

__all__ = ["importance_summary"]


def importance_summary(result: Any) -> Summary:
    """Of a `ChannelImportance`: the answer that is reliable, or the shares in grey."""
    by_shapley = result.answer == "shapley"
    values = result.shapley if by_shapley else result.share
    spreads = result.shapley_sd if by_shapley else result.share_sd
    above = result.above_control or (True,) * len(result.channels)
    bars = Bars(
        [
            Bar(
                result.channels[index],
                values[index],
                values[index] - spreads[index],
                values[index] + spreads[index],
                None if by_shapley or result.decoy is None else result.decoy[index],
                _note(result, index),
                result.answer != "none" and above[index],
            )
            for index in result.order
        ],
        "Shapley value (balanced accuracy)" if by_shapley else "share of the blended image",
        f"± standard deviation over {len(result.seeds)} repeats; "
        + ("grey: must not be read" if result.answer == "none" else "grey: not above its control"),
        "" if by_shapley or result.decoy is None else "negative control",
    )
    warnings = []
    if not result.shares_readable:
        warnings.append(f"{result.verdict or 'Not reliable'}: {result.gate}")
        warnings += filter(None, [result.not_computed])
    elif result.caveat:
        warnings.append(result.caveat)
    facts = [f"n = {result.n_test:,} held-out cells", f"{result.n_train:,} training cells"]
    if "plain" in result.estimates:
        facts.append(f"{result.estimates['plain'].n_groups:,} groups")
    facts.append(f"{len(result.seeds)} repeats")
    lines = [*result.accuracy_lines, *result.effect_sentences, *result.sentences]
    warnings += [line for line in result.warnings if line not in warnings]
    return Summary("Channel importance", facts, warnings, lines, bars)


def _note(result: Any, index: int) -> str:
    notes = []
    if result.p_value is not None:
        value = result.p_value[index]
        notes.append(f"p = {value:.2g}" if value >= 0.001 else "p < 0.001")
    if result.answer == "shapley" and result.sampling_error is not None:
        notes.append(f"sampled, sampling error {result.sampling_error[index]:.3f}")
    return "; ".join(notes)
