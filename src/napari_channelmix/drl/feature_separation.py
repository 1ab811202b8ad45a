"""What stands beside latents of features where classes are told apart, and what to know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.latent_code import title_of
from napari_channelmix.drl.metrics import ACTIVE
from napari_channelmix.drl.trust import PLACE_AND_TURN, SURE_S

if TYPE_CHECKING:
    from napari_channelmix.drl.cell_drawing import DrawnPictures
    from napari_channelmix.drl.channel_view import View
    from napari_channelmix.drl.feature_disentangler import FeatureDisentangler
    from napari_channelmix.jobs import Job

__all__ = ["COMPONENTS", "beside_latents_job", "lines_on_features"]

FloatArray = npt.NDArray[np.float64]

#: Principal components that stand for the features: classifiers of thousands of columns take hours.
COMPONENTS = 32


def beside_latents_job(
    of: FeatureDisentangler,
    pictures: npt.NDArray[np.uint8] | DrawnPictures,
    values: npt.NDArray[np.float32],
    active: npt.NDArray[np.bool_],
) -> Job[dict[str, FloatArray]]:
    """Columns that are held against the named latents, as a job.

    Parameters
    ----------
    of : FeatureDisentangler
    pictures : (N, C, H, W) uint8 array, or DrawnPictures
    values : (N, Z) float32 array
        Latents of the cells.
    active : (Z,) bool array
        Named latents that vary among them.

    Returns
    -------
    dict of str to (N, D) float64 array
        ``deep features``: the first 32 principal components of the standardised features, without
        the picture's light, of all cells (no class is looked at). ``with unnamed``, where weights
        were fine-tuned: the named latents and those that stand for no factor.
    """
    from sklearn.decomposition import PCA

    features = yield from of.features_job(pictures)
    width = of.network.settings.width
    plain = features[:, :width].astype(np.float64)
    spread = plain.std(axis=0)
    plain = (plain - plain.mean(axis=0)) / np.where(spread > 0, spread, 1)
    kept = min(COMPONENTS, *plain.shape)
    columns = {"deep features": PCA(kept, random_state=0).fit_transform(plain)}
    unnamed = of.code.spare.numpy() & (values.std(axis=0) >= ACTIVE)
    if "finetuned" in of.about and unnamed.any():
        columns["with unnamed"] = values[:, active | unnamed].astype(np.float64)
    return columns


def lines_on_features(of: FeatureDisentangler, view: View, source: dict[str, float]) -> list[str]:
    """What is to be known of latents of features, a line each.

    ``source`` is S of each factor on sprites; see `quality.associations_job`.
    """
    lines = [
        f"latents of the features of {of.features.name}, which have no picture: traversals are "
        "shown by the nearest real cells"
    ]
    lost = [factor for factor in PLACE_AND_TURN if source.get(factor, 1.0) < SURE_S]
    if lost:
        lines.append(
            "place and turn are hardly read from these features, so these names cannot be verified "
            f"(use the encoder of pixels for them): {', '.join(title_of(one) for one in lost)}"
        )
    repeated = of.features.takes(view.depth)
    return [*lines, repeated] if repeated else lines
