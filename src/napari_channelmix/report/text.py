"""Findings in plain words: the data, the verdict on channel importance, the classifier."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from napari_channelmix.phenotypes.held_out import SAME_GROUP, UNKNOWN, YES
from napari_channelmix.wording import chance_shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.report.findings import ClassifierFacts

__all__ = [
    "accuracy_doubts",
    "accuracy_in_words",
    "data_in_words",
    "importance_in_words",
    "listed",
    "number",
    "readable_in_words",
    "trained_in_words",
    "training_in_words",
]


def data_in_words(cells: Cells) -> tuple[str, ...]:
    """What the data set is, a sentence each."""
    groups = Counter(cells.groups.tolist())
    images = len(set(cells.table["field"].tolist()))
    size = f"{number(len(cells), 'cell')} in {number(images, 'image')}"
    if 1 < len(groups) < len(cells):
        size += f", in {number(len(groups), 'group')} (such as wells)"
    side = f"{cells.crop} × {cells.crop} pixels"
    measured = (
        field for field in cells.fields if field.pixel_size and field.unit not in (None, "pixel")
    )
    known = next(measured, None)
    if known is not None and known.pixel_size is not None:
        side += f" of {known.pixel_size[0]:.4g} × {known.pixel_size[1]:.4g} {known.unit}"
    lines = [
        f"{size}. Each cell is seen in a square of {side}.",
        f"{number(len(cells.channels), 'channel')}: {listed(cells.channels)}.",
    ]
    counts = cells.class_counts
    if counts:
        class_text = listed([f"{name} ({count})" for name, count in counts.items()])
        without = int((cells.labels < 0).sum())
        without_words = f"; {number(without, 'cell')} without a class" if without else ""
        lines.append(f"{number(len(counts), 'class', 'classes')}: {class_text}{without_words}.")
    return tuple(lines)


def importance_in_words(importance: ChannelImportance) -> str:
    """What the bars say, under their gate."""
    if not importance.shares_readable:
        if importance.verdict:
            missing = f" {importance.not_computed}." if importance.not_computed else ""
            return f"{_under_gate(importance)}{missing}"
        return f"The shares must not be read alone: {importance.gate}."
    first = [importance.channels[index] for index in importance.order[:2]]
    top = importance.share[importance.order[0]]
    before = ""
    if importance.caveat:
        before = f"{importance.question} " if importance.asks else f"{_under_gate(importance)} "
    line = f"{before}{first[0]} has the largest share of the blended image ({100 * top:.0f} %)"
    if importance.shapley is not None:
        best = max(range(len(importance.channels)), key=lambda index: importance.shapley[index])  # type: ignore[index]
        same = importance.channels[best] == first[0]
        comparison = (
            "it comes first as well" if same else f"{importance.channels[best]} comes first"
        )
        line += f"; by Shapley values {comparison}"
    return f"{line}."


def _under_gate(importance: ChannelImportance) -> str:
    """Verdict and reason, a sentence each."""
    return f"{importance.verdict}. {importance.gate[:1].upper()}{importance.gate[1:]}."


def accuracy_in_words(facts: ClassifierFacts) -> str:
    """How good the classifier is on held-out cells, with its interval; empty if not known."""
    held_out = facts.held_out
    if "balanced_accuracy" not in held_out:
        return ""
    estimate = facts.accuracy
    line = f"Balanced accuracy {held_out['balanced_accuracy']:.3f}"
    if estimate is not None:
        line += f" ({estimate.interval_text})"
    if held_out.get("n_test"):
        line += f" on {number(held_out['n_test'], 'held-out cell')}"
        if estimate is not None and estimate.n_groups < estimate.n_cells:
            line += f", of {number(estimate.n_groups, 'group')}"
    chance = f"chance is {chance_shown(held_out['chance'])}" if held_out.get("chance") else ""
    trained = f"trained on {number(held_out['n_train'], 'cell')}" if held_out.get("n_train") else ""
    aside = "; ".join(text for text in (chance, trained) if text)
    return f"{line} ({aside})." if aside else f"{line}."


def training_in_words(training: Sequence[str] | None) -> str:
    """How many of the cells the classifier was trained on; empty where nothing was asked."""
    if not training:
        return ""
    seen, near = (sum(mark == kind for mark in training) for kind in (YES, SAME_GROUP))
    if all(mark == UNKNOWN for mark in training):
        return "It is not known which of these cells the classifier was trained on."
    if not seen:
        return "The classifier was trained on none of these cells."
    also = f", and {near:,} more are of the same groups" if near else ""
    return (
        f"The classifier was trained on {seen:,} of these {number(len(training), 'cell')}{also}; "
        "its predictions of those are too good."
    )


def trained_in_words(mark: str) -> str:
    """Whether the classifier was trained on one cell, in a word or two; empty where not."""
    return {YES: "trained on", SAME_GROUP: "of a group that was trained on"}.get(mark, "")


def accuracy_doubts(facts: ClassifierFacts) -> tuple[str, ...]:
    """Why the accuracy says little of other cells, a sentence each."""
    estimate = facts.accuracy
    if estimate is None:
        return ()
    chance = f"It is {estimate.chance_text}" if estimate.chance_text else ""
    warning = estimate.warning[:1].upper() + estimate.warning[1:]
    return tuple(f"{line}." for line in (chance, warning) if line)


def readable_in_words(tested: Mapping[str, Any]) -> str:
    """How many maps may be read, of the ``reliability`` of an ``explain.json``."""
    interval = f"{tested['share_readable_low']:.2f} to {tested['share_readable_high']:.2f}"
    return (
        f"{tested['readable_maps']} of {tested['n']} maps may be read "
        f"({tested['share_readable']:.2f}, 95 % Wilson interval over cells {interval})"
    )


def number(count: int, noun: str, many: str = "") -> str:
    """A number and its noun."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def listed(names: object) -> str:
    """Names with commas, and 'and' before the last."""
    all_names = [str(name) for name in names]  # type: ignore[attr-defined]
    if len(all_names) < 2:
        return "".join(all_names)
    return f"{', '.join(all_names[:-1])} and {all_names[-1]}"
