"""Class probabilities of the cells of a session. It knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.phenotypes import Adjusted
    from napari_channelmix.viewer.session.trained import Trained

__all__ = ["Predictions"]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Class probabilities (N, K) of the session's cells, in the order of ``classes``.

    They have the ``prior``; ``balanced`` are the same with the balanced one, so that another can
    be applied. ``adjusted`` are the fractions of the classes in the groups of the cells, adjusted
    for the classifier's confusion; None where that is not known.
    """

    classes: tuple[str, ...]
    probabilities: npt.NDArray[np.float32] = field(repr=False)
    source: str = ""
    #: How the cells differ from those the classifier was trained on, a line each.
    warnings: tuple[str, ...] = ()
    prior: Prior | None = None
    balanced: npt.NDArray[np.float32] | None = field(default=None, repr=False)
    adjusted: Adjusted | None = field(default=None, repr=False)
    #: Whether the classifier was trained on each cell (N,); see `phenotypes.held_out`.
    training: tuple[str, ...] | None = field(default=None, repr=False)
    #: The classifier that gave them.
    trained: Trained | None = field(default=None, repr=False)

    def is_by(self, trained: Trained | None) -> bool:
        """Whether a classifier gave them, as far as that is known."""
        return self.trained is None or self.trained is trained

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Most probable class of each cell (N,)."""
        codes: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return codes
