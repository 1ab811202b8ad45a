"""What a classifier answered about cells that were changed on purpose. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.whatif.audit_result import Audit
    from napari_channelmix.whatif.channel_means_result import ChannelMeans
    from napari_channelmix.whatif.channel_shapley_result import ChannelShapley
    from napari_channelmix.whatif.result import WhatIf
    from napari_channelmix.whatif.transplants_result import Transplants

__all__ = ["WORDS", "WhatIfAnswers", "with_answer"]

#: What each answer is, in words.
WORDS = {
    "result": "what-if answers",
    "transplants": "transplants",
    "channels": "channels of the classifier",
    "means": "mean light of the classes",
    "audit": "shortcut audit",
}


@dataclass(frozen=True, eq=False)
class WhatIfAnswers:
    """The answers about the cells of a data set, and whose they are.

    Attributes
    ----------
    trained : Trained
        The classifier that gave them.
    result : WhatIf or None
        All cells edited along the axes.
    transplants : Transplants or None
    channels : ChannelShapley or None
        How important each channel is for the classifier.
    means : ChannelMeans or None
        How bright each class is in each channel, and how far that alone goes.
    audit : Audit or None
        Whether it decides by a shortcut.
    """

    trained: Trained
    result: WhatIf | None = field(default=None, repr=False)
    transplants: Transplants | None = field(default=None, repr=False)
    channels: ChannelShapley | None = field(default=None, repr=False)
    means: ChannelMeans | None = field(default=None, repr=False)
    audit: Audit | None = field(default=None, repr=False)

    @property
    def words(self) -> tuple[str, ...]:
        """What is known, in words."""
        return tuple(words for name, words in WORDS.items() if getattr(self, name) is not None)


def with_answer(answers: WhatIfAnswers | None, trained: Trained, **more: Any) -> WhatIfAnswers:
    """The answers with one more; those of another classifier are dropped."""
    if answers is None or answers.trained is not trained:
        return WhatIfAnswers(trained, **more)
    return replace(answers, **more)
