"""Cells with latents for the tests of the dock: a disentangler of a few random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.data import Cells

if TYPE_CHECKING:
    from napari_channelmix.drl import Disentangler, Latents

SIDE, CROP, COLUMNS, ROWS = 160, 24, 4, 3
COUNT = COLUMNS * ROWS
CLASSES = ("dim", "bright")
ODD = {
    "scale": (0.5, 0.25),
    "translate": (10.0, -20.0),
    "rotate": 20.0,
    "affine": np.array([[1.0, 0.1, 5.0], [-0.1, 1.0, -3.0], [0.0, 0.0, 1.0]]),
    "units": ("um", "um"),
    "axis_labels": ("rows", "columns"),
}


def blobs() -> Any:
    """Twelve cells of different sizes, numbered from 1."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    y, x = np.ogrid[:SIDE, :SIDE]
    for number in range(COUNT):
        row, column = divmod(number, COLUMNS)
        away = np.hypot(y - (28 + 50 * row), (x - (22 + 38 * column)) * (1 + 0.05 * number))
        labels[away <= 7 + 0.4 * number] = number + 1
    return labels


def planes(channels: int = 2) -> list[Any]:
    """Noise, brighter in the cells."""
    rng = np.random.default_rng(0)
    inside = blobs() > 0
    return [
        (0.1 * rng.random((SIDE, SIDE)) + inside * (0.4 + 0.4 * rng.random((SIDE, SIDE)))).astype(
            np.float32
        )
        for _ in range(channels)
    ]


def cells(channels: int = 2) -> Cells:
    """The cells; the first half is dim, the others are bright."""
    names = ("DNA", "GFP", *(f"channel {at}" for at in range(2, channels)))[:channels]
    found = Cells.from_labels(planes(channels), names, blobs(), crop=CROP)
    return found.with_labels([0] * (COUNT // 2) + [1] * (COUNT - COUNT // 2), CLASSES)


def tiny(channels: int = 3, seed: int = 0) -> Disentangler:
    """Untrained, but it encodes and decodes."""
    import torch

    from napari_channelmix.drl.disentangler import Disentangler
    from napari_channelmix.drl.latent_code import Code
    from napari_channelmix.drl.network import NetworkSettings, VariationalAutoencoder
    from napari_channelmix.drl.sprites import CELLS, TEXTURED

    torch.manual_seed(seed)
    of = TEXTURED if channels == 3 else CELLS
    network = VariationalAutoencoder(NetworkSettings(filters=4, hidden=16, channels=channels))
    with torch.no_grad():
        # Random weights say nearly the same of all cells and draw nearly the same of all latents.
        network.encoder.mean.weight *= 20
        network.decoder.body[-1].weight *= 20
    card = {"card": {"association": {factor.name: 0.95 for factor in of.factors}}}
    return Disentangler(network.eval(), Code(of, 10), card)


def latents(
    of_cells: Cells | None = None, channels: int = 3, inactive: tuple[str, ...] = ("PosX",)
) -> Latents:
    """Latents with values that are known: cell ``i`` of ``N`` has ``Scale`` 2 i / N - 1."""
    from napari_channelmix.drl import Latents, View
    from napari_channelmix.drl.preparation import prepare_job
    from napari_channelmix.drl.separation import Separation, Tested
    from napari_channelmix.drl.trust import Trust
    from napari_channelmix.jobs import drain

    chosen, of = cells() if of_cells is None else of_cells, tiny(channels)
    view = View.colors(chosen.channels) if channels == 3 else View.one(chosen.channels[0])
    prepared = drain(prepare_job(chosen, view))
    count = len(chosen)
    values = np.random.default_rng(1).normal(0, 0.5, (count, 10)).astype(np.float32)
    values[:, of.names.index("Scale")] = 2 * np.arange(count) / count - 1
    badges = ("verified", "plausible", "not verified")
    judged = []
    for at, name in enumerate(of.names):
        badge: Any = badges[at % 3]
        if name in inactive:
            badge, values[:, at] = "inactive", 0.25
        elif name.startswith("Spare"):
            badge = "spare"
        judged.append(
            Trust(name, badge, 0.95, 0.9, float(values[:, at].std()), 1.0, "area", 0.6, 0.2)
        )
    separation = None
    if len(set(chosen.labels.tolist()) - {-1}) > 1:
        tested = {
            "latents": {"trees": Tested(0.81, 0.7, 0.9), "network": Tested(0.75, 0.6, 0.85)},
            "hand-crafted": {"trees": Tested(0.84, 0.75, 0.92), "network": Tested(0.9, 0.8, 0.95)},
        }
        axes = [name for name in of.axes() if name not in inactive]
        importance = {name: (0.05 * at, 0.01) for at, name in enumerate(axes)}
        ahead = {"hand-crafted": Tested(-0.09, -0.15, -0.02)}
        best = {
            "latents": tested["latents"]["trees"],
            "hand-crafted": tested["hand-crafted"]["network"],
        }
        folds = {"latents": {"trees": 3, "network": 0}, "hand-crafted": {"trees": 0, "network": 3}}
        separation = Separation(
            chosen.classes, tested, best, folds, ahead, importance, 3, count, count
        )
    return Latents(
        chosen, values, np.full_like(values, 0.3), of, prepared, tuple(judged), separation
    )


def tiny_of_features(seed: int = 0) -> Disentangler:
    """Untrained, of four features of each picture; nothing can be drawn."""
    import torch

    from napari_channelmix.drl.feature_autoencoder import FeatureAutoencoder, FeatureSettings
    from napari_channelmix.drl.feature_disentangler import FeatureDisentangler
    from napari_channelmix.drl.feature_network import FeatureNetwork

    def quarters(pictures: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(pictures.mean(dim=1, keepdim=True), 32).flatten(1)

    torch.manual_seed(seed)
    pixels, network = tiny(), FeatureAutoencoder(FeatureSettings(4, latents=10, hidden=8))
    features = FeatureNetwork("quarters", quarters)
    return FeatureDisentangler(network.eval(), pixels.code, pixels.about, features=features)


def latents_of_features() -> Latents:
    """The same values as those of `latents`, of an encoder of features."""
    import dataclasses

    return dataclasses.replace(latents(), disentangler=tiny_of_features())


def learnt_to_draw(found: Latents) -> Latents:
    """The same latents with drawings of a network that learnt nothing."""
    import dataclasses

    from napari_channelmix.drl.learnt_drawing import LearntDrawing
    from napari_channelmix.drl.residual_drawing import ResidualDrawing
    from napari_channelmix.drl.residual_network import ResidualNetwork, ResidualSettings

    sizes = ResidualSettings(found.disentangler.shape[0], len(found.names), maps=2)
    drawing = ResidualDrawing(found.disentangler, ResidualNetwork(sizes).eval())
    count = len(found.values)
    learnt = LearntDrawing(drawing, np.zeros(count, bool), np.ones(count), None)
    return dataclasses.replace(found, drawing=learnt)
