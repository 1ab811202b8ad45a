"""What the results of editing, transplanting and leaving out channels show of themselves."""

from __future__ import annotations

from typing import Any

from napari_channelmix.result_display import Bar, Bars, Summary
from napari_channelmix.whatif.class_table import SAMPLED
from napari_channelmix.wording import counted, listed

__all__ = [
    "audit_summary",
    "channel_means_summary",
    "channel_shapley_summary",
    "panel_summary",
    "transplants_summary",
    "what_if_summary",
]

OVER_GROUPS = "95 % interval over groups"
# Rows of flips that are shown, and classes that are named.
FLIPS, CLASSES = 16, 8


def channel_shapley_summary(result: Any) -> Summary:
    """Of a `ChannelShapley`: the Shapley value of each channel for all classes."""
    rows = sorted(result.of_class(), key=lambda row: -row.value)
    kind = "exact" if result.exact else SAMPLED
    bars = Bars(
        [
            Bar(row.channel, row.value, row.low, row.high, None, _sampled(row), row.low > 0)
            for row in rows
        ],
        "Shapley value in units of recall",
        f"{OVER_GROUPS}; grey: not above 0",
    )
    facts = (
        *((_n(rows[0]),) if rows else ()),
        f"balanced accuracy {result.whole:.3f} with all channels, {result.nothing:.3f} with none",
        kind,
    )
    return Summary("Channels of a classifier", facts, result.warnings, result.lines, bars)


def channel_means_summary(result: Any) -> Summary:
    """Of `ChannelMeans`: what a regression on the means reaches, and the means."""
    facts = [
        f"{counted(len(result.channels), 'channel')}, classes: {listed(result.classes, CLASSES)}"
    ]
    for name, estimate in (("regression on means", result.linear), ("network", result.network)):
        if estimate is not None:
            facts.append(f"{name}: balanced accuracy {estimate.short_text}")
    if result.linear is not None:
        facts.append(result.linear.measured_on())
    return Summary(
        "Means of the channels",
        tuple(facts),
        result.warnings,
        result.lines,
        frame=result.matrix().round(2),
    )


def transplants_summary(result: Any) -> Summary:
    """Of `Transplants`: the share of cells that change, by part, beside the sham."""
    rows = sorted(result.by_part.itertuples(index=False), key=lambda row: -row.share)
    bars = Bars(
        [
            Bar(row.part, row.share, row.low, row.high, row.sham, _n(row), bool(row.above_sham))
            for row in rows
        ],
        "share of the cells that are predicted otherwise",
        f"{OVER_GROUPS}; grey: not above the sham",
        "sham: a donor of the same class",
    )
    facts = (
        f"n = {max((row.n for row in rows), default=0):,} cells at most",
        f"{max((row.n_groups for row in rows), default=0):,} groups",
        f"classes: {listed(result.classes, CLASSES)}",
    )
    return Summary("Transplants", facts, result.warnings, result.lines, bars)


def panel_summary(result: Any) -> Summary:
    """Of a `Panel`: the set, what nested validation gives, what each channel costs."""
    bars = Bars(
        [
            Bar(
                row.channel,
                row.cost,
                row.low,
                row.high,
                None,
                f"{'in the set' if row.chosen else 'left out'}; alone {row.alone:.2f}; "
                f"chosen in {row.chosen_share:.0%} of the folds",
                row.chosen,
            )
            for row in result.rows
        ],
        "balanced accuracy lost without the channel",
        f"{OVER_GROUPS}; grey: not in the set",
    )
    facts = (
        f"channels: {', '.join(result.channels)} of {len(result.every)}",
        f"nested balanced accuracy {_measured(result.nested)}",
        f"with all channels {_measured(result.whole)}",
        f"{result.nested['n_cells']:,} cells, {counted(result.nested['n_groups'], 'group')}",
    )
    return Summary("Panel", facts, result.warnings, result.lines, bars)


def audit_summary(result: Any) -> Summary:
    """Of an `Audit`: its word, a line for each check, the figures that decided."""
    bars = Bars(
        [
            Bar(
                check.key,
                check.figure,
                check.low,
                check.high,
                check.reference,
                f"{check.answer}; {check.what}, n = {check.n:,}, {counted(check.groups, 'group')}",
                check.answer in ("red", "amber"),
            )
            for check in result.checks
            if check.figure is not None
        ],
        "figure of each check",
        f"{OVER_GROUPS}; grey: nothing amiss",
        "where nothing is amiss",
    )
    estimate = result.accuracy
    facts = (
        result.answer,
        f"balanced accuracy {estimate.balanced:.3f} ({estimate.interval_text})",
        f"{estimate.n_cells:,} cells, {counted(estimate.n_groups, 'group')}",
    )
    of = [line for line in result.warnings if line not in result.doubts]
    return Summary("Shortcut audit", facts, result.doubts, (*result.lines[1:], *of), bars)


def what_if_summary(result: Any) -> Summary:
    """Of a `WhatIf`: what flips predictions most, beside the shams."""
    own = result.flips[result.flips["scope"] == result.scope]
    order = own.sort_values(["above_sham", "difference"], ascending=False, kind="stable")
    bars = Bars(
        [
            Bar(
                f"{row.axis}, {row.from_class}",
                row.share,
                row.low,
                row.high,
                row.sham,
                f"n = {row.n}",
                bool(row.above_sham),
            )
            for row in order.head(FLIPS).itertuples(index=False)
        ],
        "share of the cells whose prediction flips within the data's own range",
        f"{OVER_GROUPS}; grey: not above the sham",
        "sham",
    )
    facts = (
        f"n = {result.n:,} cells",
        f"{result.groups:,} {result.group_kind}s",
        f"edited: {result.scope}",
        f"classes: {listed(result.classes, CLASSES)}",
    )
    return Summary("What if", facts, result.warnings, result.lines, bars)


def _n(row: Any) -> str:
    return f"n = {row.n:,} cells, {counted(row.n_groups, 'group')}"


def _sampled(row: Any) -> str:
    error = f"; sampling error {row.sampling_error:.3f}" if row.sampling_error > 0 else ""
    return f"{_n(row)}{error}"


def _measured(figures: dict[str, Any]) -> str:
    return f"{figures['balanced']:.3f} ({figures['low']:.2f} to {figures['high']:.2f})"
