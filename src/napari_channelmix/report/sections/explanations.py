"""Cells with the pixels that speak for their class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.grey_cells import brightest, grey_words
from napari_channelmix.evidence_colors import evidence_legend
from napari_channelmix.report.display import display_of
from napari_channelmix.report.pictures import cell_picture, data_uri, map_picture
from napari_channelmix.report.text import readable_in_words, trained_in_words
from napari_channelmix.wording import sentence

if TYPE_CHECKING:
    from napari_channelmix.report.findings import Findings

__all__ = ["explanations_section"]

# Explained cells at most.
EXAMPLES = 12


def explanations_section(findings: Findings) -> dict[str, Any] | None:
    """Explained cells with their maps, where there are any."""
    if not findings.examples:
        return None
    cards, display = [], display_of(findings)
    known = findings.classifier
    channels = findings.cells.channels if known is None else known.channels
    shared = _shared_sentences(findings)
    for example in findings.examples[:EXAMPLES]:
        grey = brightest(example.crops, channels, display)
        magnitude = None
        if example.magnitude is not None:
            magnitude = map_picture(grey, example.magnitude, "magnitude")
        sure = sorted(example.probabilities.items(), key=lambda item: -item[1])
        cards.append(
            {
                "cell": cell_name(findings.cells, example.cell),
                "label": example.label,
                "group": example.group,
                "target": example.target,
                "training": trained_in_words(example.training),
                "sure": [(name, f"{value:.2f}") for name, value in sure[:3]],
                "words": [line for line in example.words if line not in shared],
                "method": example.method,
                "scores": [
                    (name.upper() if name == "srg" else name, f"{value:.2f}")
                    for name, value in example.scores.items()
                ],
                "alone": data_uri("image/png", cell_picture(grey)),
                "over": data_uri("image/png", map_picture(grey, example.map, "signed")),
                "magnitude": "" if magnitude is None else data_uri("image/png", magnitude),
                "shares": [line for line in example.shares if line],
            }
        )
    about = findings.explained
    tested = about.get("reliability")
    scores = sorted(about.get("scores", {}).items(), key=lambda item: -item[1]["srg"])
    return {
        "cards": cards,
        "grey": grey_words(channels, display).removeprefix("in grey: "),
        "legend": [*evidence_legend("signed"), *evidence_legend("magnitude")],
        "n": about.get("n", len(findings.examples)),
        "shares": (about.get("evidence_shares") or {}).get("line", ""),
        "tested": "" if tested is None else sentence(readable_in_words(tested)),
        "warnings": about.get("warnings", ()),
        "scores": [
            (name, [f"{example[key]:.3f}" for key in ("srg", "insertion", "deletion")])
            for name, example in scores
        ],
    }


def _shared_sentences(findings: Findings) -> set[str]:
    """Sentences that every cell has, and that stand below all of them anyway."""
    examples = findings.examples[:EXAMPLES]
    of_all = set.intersection(*(set(example.words) for example in examples))
    below = {sentence(line) for line in findings.explained.get("warnings", ())}
    return {line for line in of_all if len(examples) > 1 and sentence(line) in below}
