"""Settings of the evaluation of a classifier."""

from __future__ import annotations

from typing import Annotated, Any

from napari_channelmix.bounds import Seed
from napari_channelmix.settings.explain import Only
from napari_channelmix.settings.fields import About, settings

__all__ = ["EvaluationSettings"]


@settings
class EvaluationSettings:
    """How a classifier is measured on cells whose classes are known.

    Attributes
    ----------
    seed : int
        Of the intervals.
    prior : str, mapping of str to float, or Prior, optional
        With which prior probabilities are shown, as for `Classifier.predict_proba`. Accuracy,
        recall and confusion are of predictions with the balanced prior, whatever it is.
    only : {"held-out", "all"}
        Whether cells that the classifier was trained on, and others of their groups, are left out
        of the figures; where none is held out, or it is not known, they are of all.

    Examples
    --------
    >>> EvaluationSettings(only="all").only
    'all'
    """

    seed: Annotated[Seed, About("Random seed", "the same seed gives the same intervals")] = 0
    prior: Any = None
    only: Annotated[
        Only,
        About(
            "Cells",
            "measure the cells that the model was not trained on, where that is known "
            "and any is left, or all",
        ),
    ] = "held-out"
