"""A classifier in words: its figures, what limits them, and its channels and classes."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from napari_channelmix.viewer.widgets.notice import breakable
from napari_channelmix.wording import chance_shown, listed

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["doubts_of", "every_name", "in_words"]

# Channels, and classes, that are named in sight; the tooltip names all.
NAMED = 8


def doubts_of(trained: Trained | None) -> str:
    """Why the accuracy says little, and what the choice of its cells leaves in doubt; lines."""
    if trained is None:
        return ""
    estimate = trained.estimate
    lines = [] if estimate is None else [estimate.chance_text, estimate.warning]
    lines += getattr(trained.classifier, "record", {}).get("warnings", ())
    return "\n".join(f"{line[:1].upper()}{line[1:]}" for line in lines if line)


def every_name(trained: Trained | None) -> str:
    """All channels and classes, where there are more than are in sight."""
    if trained is None:
        return ""
    classifier = trained.classifier
    named = (("channels", classifier.channels), ("classes", classifier.classes))
    lines = [f"{what}: {', '.join(names)}" for what, names in named if len(names) > NAMED]
    return "\n".join(lines)


def in_words(trained: Trained | None, share: str = "") -> str:
    """A classifier and its figures, for the label; ``share``: see `held_out_line`."""
    if trained is None:
        return "None yet: train one, or open a model."
    classifier = trained.classifier
    source, channels, classes = (
        html.escape(breakable(text))
        for text in (
            trained.source,
            listed(classifier.channels, NAMED),
            listed(classifier.classes, NAMED),
        )
    )
    lines = [f"<b>{source}</b>", f"channels: {channels}", f"classes: {classes}"]
    if hasattr(classifier, "reading"):
        # Known once it was asked about cells.
        detected = "to be detected" if classifier.output == "auto" else classifier.output
        lines.append(f"output: {classifier.reading or detected}")
    if trained.accuracy is not None:
        estimate, figure = trained.estimate, f"balanced accuracy <b>{trained.accuracy:.3f}</b>"
        aside = f"chance {chance_shown(trained.chance or 0)}; trained on {trained.n_train:,}"
        if estimate is None:
            figure += f" on {trained.n_test:,} held-out cells ({aside})"
        else:
            figure += f" ({estimate.interval_text})<br>{estimate.measured_on()} ({aside})"
        lines.insert(1, figure)
    if share:
        lines.insert(2, html.escape(share))
    return "<br>".join(lines)
