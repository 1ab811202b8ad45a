"""The card of the shortcut audit: a row for each question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.wording import sentence

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["shortcuts_section"]


def shortcuts_section(findings: Findings) -> dict[str, Any] | None:
    """Whether the classifier decides by the cell, where that was asked."""
    card = findings.audit
    if card is None:
        return None
    rows = [
        (
            check.question,
            check.answer,
            " ".join(sentence(line) for line in (check.line, check.warning) if line),
            str(check.n) if check.n else "-",
        )
        for check in card.checks
    ]
    return {
        "lines": (sentence(card.accuracy.text(held_out=False)),),
        "rows": rows,
        "warnings": card.warnings,
    }
