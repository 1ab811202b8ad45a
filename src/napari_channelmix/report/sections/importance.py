"""Channel importance: the table, the chart, and what may be read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.report.pictures import data_uri, svg_of
from napari_channelmix.report.text import importance_in_words
from napari_channelmix.wording import sampled_line, sentences

if TYPE_CHECKING:
    from napari_channelmix.dcmix.single_channels import ChannelSet
    from napari_channelmix.report.findings import Findings

__all__ = ["importance_section"]


def importance_section(findings: Findings) -> dict[str, Any] | None:
    """The table and the chart, where importance was worked out."""
    importance = findings.importance
    if importance is None:
        return None
    columns = [("share", importance.share, importance.share_sd)]
    if importance.shapley is not None:
        columns.append(("Shapley value", importance.shapley, importance.shapley_sd or ()))
    if importance.decoy is not None:
        columns.append(("control", importance.decoy, ()))
    if importance.p_value is not None:
        columns.append(("p", importance.p_value, ()))
    alone: list[tuple[str, tuple[ChannelSet, ...]]] = []
    if importance.alone is not None:
        alone = [
            ("accuracy alone", importance.alone.alone),
            ("without it", importance.alone.without),
        ]
    no_p_values = (
        [f"no p-values of the channels: {importance.p_value_reason}"]
        if importance.p_value_reason
        else []
    )
    above = importance.above_control or (True,) * len(importance.channels)
    rows = []
    for index in importance.order:
        figures = []
        for title, values, spread in columns:
            text = "< 0.001" if title == "p" and values[index] < 0.001 else f"{values[index]:.3f}"
            figures.append(f"{text} ± {spread[index]:.3f}" if spread else text)
        figures += [sets[index].accuracy.short_text for _, sets in alone]
        rows.append((importance.channels[index], figures, above[index]))
    own = importance.sentences[1:] if importance.asks else importance.sentences
    sampled = sampled_line(importance.sampling_error)
    return {
        "sentences": [
            *sentences(importance.effect_sentences),
            *own,
            *([f"{sampled}."] if sampled else []),
        ],
        "kind": "bad"
        if not importance.shares_readable
        else "mind"
        if importance.caveat
        else "good",
        "words": importance_in_words(importance),
        "gate": importance.gate,
        "chart": data_uri("image/svg+xml", svg_of(importance.figure())),
        "head": [*(title for title, _, _ in columns), *(title for title, _ in alone)],
        "rows": rows,
        "low": not all(above),
        "accuracy": importance.accuracy_lines,
        "alone": "" if importance.alone is None else importance.alone.measured_on,
        "alone_unreadable": importance.alone_unreadable,
        "seeds": importance.seeds,
        "n_train": importance.n_train,
        "n_test": importance.n_test,
        "warnings": [*importance.warnings, *no_p_values],
    }
