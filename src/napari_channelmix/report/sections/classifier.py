"""The classifier: accuracy by class, confusion, learning curve, and its probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.report.figures import learning_figure, reliability_figure, worst_calibrated
from napari_channelmix.report.pictures import data_uri, svg_of
from napari_channelmix.report.text import accuracy_doubts, accuracy_in_words, training_in_words

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import ClassRecall
    from napari_channelmix.report.findings import Findings

__all__ = ["classifier_section", "own_classifier_section"]


def own_classifier_section(findings: Findings) -> dict[str, Any] | None:
    """The classifier of a data set that was classified with another one's."""
    if findings.own_classifier is None:
        return None
    own = replace(
        findings, classifier=findings.own_classifier, classifier_of="", prior=None, training=None
    )
    return classifier_section(own)


def classifier_section(findings: Findings) -> dict[str, Any] | None:
    """Accuracy, confusion and training, where there is a classifier."""
    facts = findings.classifier
    if facts is None:
        return None
    if findings.classifier_of:
        # Its figures stand with the data set that it was trained on.
        lines = [] if findings.prior is None else [f"Shown with the {findings.prior.text()}."]
        return {
            "of": findings.classifier_of,
            "source": facts.source,
            "network": facts.network,
            "channels": facts.channels,
            "classes": facts.classes,
            "words": "",
            "doubts": (),
            "recall": [],
            "matrix": None,
            "curves": "",
            "warnings": facts.warnings,
            "training": training_in_words(findings.training),
            "probabilities": {"lines": lines, "chart": "", "drawn": 0},
        }
    held_out = facts.held_out
    recall = [] if facts.accuracy is None else [_recall(row) for row in facts.accuracy.per_class]
    matrix = None
    if held_out.get("confusion"):
        counts = np.asarray(held_out["confusion"], dtype=np.int64)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        matrix = [
            (name, [(int(n), round(float(share), 3)) for n, share in zip(row, of, strict=True)])
            for name, row, of in zip(facts.classes, counts, shares, strict=True)
        ]
    curves = ""
    if len(facts.history) > 1:
        curves = data_uri("image/svg+xml", svg_of(learning_figure(facts.history)))
    return {
        "of": "",
        "source": facts.source,
        "network": facts.network,
        "channels": facts.channels,
        "classes": facts.classes,
        "words": accuracy_in_words(facts),
        "doubts": accuracy_doubts(facts),
        "recall": recall,
        "matrix": matrix,
        "curves": curves,
        "warnings": facts.warnings,
        "training": training_in_words(findings.training),
        "probabilities": _probabilities(findings),
    }


def _recall(row: ClassRecall) -> tuple[str, tuple[str, ...]]:
    """Of a class: recall, interval, groups, cells."""
    if row.recall is None:
        return row.name, ("–", "–", "0", "0")
    between = f"{row.low:.2f} to {row.high:.2f}"
    return row.name, (f"{row.recall:.3f}", between, f"{row.n_groups:,}", f"{row.n_cells:,}")


def _probabilities(findings: Findings) -> dict[str, Any]:
    """Which prior they have, and whether they mean what they say."""
    facts = findings.classifier
    assert facts is not None
    calibration, chart = facts.calibration, ""
    if calibration is not None and calibration.curve:
        chart = data_uri("image/svg+xml", svg_of(reliability_figure(calibration.curve)))
    lines = [] if findings.prior is None else [f"Shown with the {findings.prior.text()}."]
    if facts.calibrated:
        lines.append(f"The classifier is {facts.calibrated}.")
    if calibration is not None:
        lines.append(
            f"On held-out cells, with the {calibration.prior or 'prior at that time'}: "
            f"{calibration.text()}."
        )
    drawn = 0 if calibration is None else len(worst_calibrated(calibration.curve))
    return {"lines": lines, "chart": chart, "drawn": drawn}
