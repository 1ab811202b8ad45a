"""That the classifier in use is not better than chance, where its answers are about to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.viewer.notice import Notice

if TYPE_CHECKING:
    from napari_channelmix.viewer.session import Trained

__all__ = ["ChanceNote", "chance_line"]


class ChanceNote(Notice):
    """A line; hidden where there is no classifier, or one that is better than chance."""

    def show_trained(self, trained: Trained | None) -> None:
        """Judge another classifier."""
        self.say(chance_line(trained), "warning")


def chance_line(trained: Trained | None) -> str:
    """What held-out cells say against a classifier as a whole; empty where they do not."""
    found = None if trained is None else trained.estimate
    if found is None or not found.chance_text:
        return ""
    # PyTorch is there where there is a classifier.
    from napari_channelmix.classify.intervals import FEW_GROUPS

    # Of few groups a high accuracy says no more than a guess does.
    few = found.n_groups < FEW_GROUPS
    what = "Hold out more groups to know." if few else (
        "What it needs or shows may say nothing of the classes."
    )
    return f"The classifier is {found.chance_text}: {found.text()}. {what}"
