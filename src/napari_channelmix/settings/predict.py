"""Settings of the predictions of a data set: of which cells, with which prior, computed where."""

from __future__ import annotations

from typing import Annotated, Any

from napari_channelmix.settings.cluster import ClusterSettings
from napari_channelmix.settings.explain import Only
from napari_channelmix.settings.fields import About, settings

__all__ = ["PredictSettings"]


@settings
class PredictSettings(ClusterSettings):
    """Which cells of a data set are classified, and where that is computed.

    Attributes
    ----------
    only : {"held-out", "all"}
        Which cells the results are of: those that the model was not trained on, where that is
        known and any is left (see `classify.training_cells`), or all.
    prior : str, mapping of str to float, or Prior, optional
        As for `Classifier.predict_proba`.

    Examples
    --------
    >>> PredictSettings(only="held-out", workers=2).workers
    2
    """

    only: Annotated[
        Only,
        About(
            "Cells",
            "results of the cells that the model was not trained on, where that is known and any "
            "is left, or of all",
        ),
    ] = "all"
    prior: Any = None
