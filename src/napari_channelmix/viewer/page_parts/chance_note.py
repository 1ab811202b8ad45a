"""That the classifier in use is not better than chance, where its answers are about to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.viewer.widgets.notice import Kind, Notice

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.trained import Trained

__all__ = ["ChanceNote", "chance_line"]


class ChanceNote(Notice):
    """A line; hidden where there is no classifier, or one that is better than chance."""

    def show_trained(self, trained: Trained | None) -> None:
        """Judge another classifier."""
        self.say(*chance_line(trained))


def chance_line(trained: Trained | None) -> tuple[str, Kind]:
    """What held-out cells say against a classifier as a whole; empty where they do not.

    Of few groups even a high accuracy says no more than a guess: that is no warning.
    """
    estimate = None if trained is None else trained.estimate
    if estimate is None or not estimate.chance_text:
        return "", "info"
    # PyTorch is there where there is a classifier.
    from napari_channelmix.classify.intervals import FEW_GROUPS

    if estimate.at_chance and estimate.n_groups < FEW_GROUPS:
        return (
            f"It is not known whether the classifier is better than chance: {estimate.text()}. "
            f"Hold "
            "out "
            "more groups to know.",
            "info",
        )
    return (
        f"The classifier is {estimate.chance_text}: {estimate.text()}. Channels and maps may say "
        "nothing about the classes.",
        "warning",
    )
