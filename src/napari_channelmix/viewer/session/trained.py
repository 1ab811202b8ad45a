"""A classifier in use, with its measured accuracy. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.classify.accuracy import AccuracyEstimate

__all__ = ["Trained"]


@dataclass(frozen=True)
class Trained:
    """A classifier in use, and how well it did on held-out cells.

    ``accuracy``, ``chance``, ``recall`` and ``estimate`` (with intervals) are None where that is
    not known, as of models made elsewhere.
    """

    classifier: Classifier | ForeignClassifier
    source: str
    accuracy: float | None = None
    chance: float | None = None
    recall: dict[str, float] | None = None
    n_train: int = 0
    n_test: int = 0
    estimate: AccuracyEstimate | None = None
