"""Fractions of the classes in each group: of the predictions, or else of the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.phenotypes.fractions import Fractions, fractions_of, grouping_of
from napari_channelmix.phenotypes.responses import LABELS, PREDICTED

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["class_fractions", "labelled_fractions"]


def class_fractions(findings: Findings, *, adjust: bool = False) -> tuple[Fractions, str] | None:
    """Fractions of the predicted classes, or else of the labels, and which of both."""
    cells, facts = findings.cells, findings.classifier
    if findings.probabilities is not None and facts is not None:
        codes, balanced = findings.probabilities.argmax(axis=1), None
        if adjust and findings.balanced is not None:
            balanced = findings.balanced.argmax(axis=1)
        held_out = facts.held_out_calls if adjust else None
        fractions = fractions_of(
            grouping_of(cells),
            codes,
            facts.classes,
            balanced=balanced,
            held_out=held_out,
            training=findings.training,
        )
        return fractions, PREDICTED
    labelled = labelled_fractions(findings)
    return None if labelled is None else (labelled, LABELS)


def labelled_fractions(findings: Findings) -> Fractions | None:
    """Fractions of the labels; None where the cells have no classes."""
    cells = findings.cells
    if not cells.classes:
        return None
    return fractions_of(grouping_of(cells), cells.labels, cells.classes)
