"""Channel importance: the table, the chart, and what may be read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.report.pictures import data_uri, svg_of
from napari_channelmix.report.text import importance_in_words

if TYPE_CHECKING:
    from napari_channelmix.dcmix.single_channels import ChannelSet
    from napari_channelmix.report.findings import Findings

__all__ = ["importance_section"]


def importance_section(findings: Findings) -> dict[str, Any] | None:
    """The table and the chart, where importance was worked out."""
    found = findings.importance
    if found is None:
        return None
    columns = [("share", found.share, found.share_sd)]
    if found.shapley is not None:
        columns.append(("Shapley value", found.shapley, found.shapley_sd or ()))
    if found.decoy is not None:
        columns.append(("control", found.decoy, ()))
    if found.p_value is not None:
        columns.append(("p", found.p_value, ()))
    alone: list[tuple[str, tuple[ChannelSet, ...]]] = []
    if found.alone is not None:
        alone = [("accuracy alone", found.alone.alone), ("without it", found.alone.without)]
    no_p_values = (
        [f"no p-values of the channels: {found.p_value_reason}"] if found.p_value_reason else []
    )
    above = found.above_control or (True,) * len(found.channels)
    rows = []
    for at in found.order:
        figures = []
        for title, values, spread in columns:
            said = "< 0.001" if title == "p" and values[at] < 0.001 else f"{values[at]:.3f}"
            figures.append(f"{said} ± {spread[at]:.3f}" if spread else said)
        figures += [sets[at].accuracy.short_text for _, sets in alone]
        rows.append((found.channels[at], figures, above[at]))
    return {
        "sentences": found.sentences[1:] if found.asks else found.sentences,
        "kind": "bad" if not found.shares_readable else "mind" if found.caveat else "good",
        "words": importance_in_words(found),
        "gate": found.gate,
        "chart": data_uri("image/svg+xml", svg_of(found.figure())),
        "head": [*(title for title, _, _ in columns), *(title for title, _ in alone)],
        "rows": rows,
        "low": not all(above),
        "accuracy": found.accuracy_lines,
        "alone": "" if found.alone is None else found.alone.measured_on,
        "alone_unreadable": found.alone_unreadable,
        "seeds": found.seeds,
        "n_train": found.n_train,
        "n_test": found.n_test,
        "warnings": [*found.warnings, *no_p_values],
    }
