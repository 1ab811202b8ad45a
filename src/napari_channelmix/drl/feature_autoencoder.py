"""The variational autoencoder of features: a vector to the posterior of its latents, and back.

The widths n, 2n, 3n and the slope .2 are those of the method's authors for features (Dapueto et
al. 2025). Features are standardised with constants of the sprites, one mean and one spread each,
where the authors have one lowest and one highest value for all; these lie in the weights.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.drl.network import Posterior
from napari_channelmix.drl.sprites import SIDE
from napari_channelmix.errors import ModelError

__all__ = ["EXACT", "FeatureAutoencoder", "FeatureSettings"]

_SLOPE = 0.2
# Units that stand for the light.
LIGHT_UNITS = 32
# Standardised features further away are cut: some are the same in nearly all sprites, not in cells.
LARGEST = 5.0
# Least spread of a feature, as a share of the median over all.
LEAST_SPREAD = 0.1
# Of the posterior of unnamed latents, to begin with: variance .14.
UNNAMED_LOG_VARIANCE = -2.0
# Cells for each unnamed latent that its start needs.
LEAST_FOR_UNNAMED = 4
#: Buffers that are stored as they are; all other weights are rounded to half precision.
EXACT = ("centre", "scale", "probe")


@dataclass(frozen=True)
class FeatureSettings:
    """What the network of features is made of.

    Attributes
    ----------
    width : int
        Features of a picture.
    channels, side : int
        Of the pictures that the features are of.
    latents : int
    hidden : int
        Units n of the smallest layer; the others have 2n and 3n.
    drop : float
        Share of the features that is left out at each step of training.
    """

    width: int
    channels: int = 3
    latents: int = 10
    hidden: int = 128
    drop: float = 0.1
    side: int = SIDE

    def __post_init__(self) -> None:
        if min(self.width, self.channels, self.latents, self.hidden) < 1:
            raise ModelError("width, channels, latents and hidden must be 1 or more")
        if not 0 <= self.drop < 1:
            raise ModelError(f"drop must be 0 or more and below 1, not {self.drop}")

    @property
    def light(self) -> int:
        """Numbers of the picture's light behind its features; see `feature_network.light`."""
        return 2 * self.channels

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class FeatureAutoencoder(nn.Module):
    """Encoder and decoder of features.

    Parameters
    ----------
    settings : FeatureSettings
    """

    centre: Tensor
    scale: Tensor
    probe: Tensor

    def __init__(self, settings: FeatureSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width + settings.light
        self.centre, self.scale = nn.Buffer(torch.zeros(width)), nn.Buffer(torch.ones(width))
        self.probe = nn.Buffer(torch.zeros(6, settings.width))
        sizes = (settings.width, settings.hidden, 2 * settings.hidden, 3 * settings.hidden)
        self.drop = nn.Dropout(settings.drop)
        self.body = _layers(sizes)
        # Of light and colour; weights in files have this name.
        self.brief = _layers((settings.light, LIGHT_UNITS))
        self.mean = nn.Linear(sizes[-1] + LIGHT_UNITS, settings.latents)
        self.log_variance = nn.Linear(sizes[-1] + LIGHT_UNITS, settings.latents)
        back = (settings.latents, *sizes[:0:-1])
        self.decoder = nn.Sequential(*_layers(back), nn.Linear(sizes[1], width))

    def calibrate(self, features: npt.NDArray[np.float32], probe: npt.NDArray[np.float32]) -> None:
        """Take the constants of standardisation from (n, F + 2 C), and the network's mark."""
        spread = features.std(axis=0)
        used = spread[spread > 0]
        least = LEAST_SPREAD * float(np.median(used)) if len(used) else 1.0
        self.centre.copy_(torch.from_numpy(features.mean(axis=0)))
        self.scale.copy_(torch.from_numpy(np.maximum(spread, least)))
        self.probe.copy_(torch.from_numpy(probe))

    def standardised(self, features: Tensor) -> Tensor:
        """Features and light (n, F + 2 C) with mean 0 and spread 1 over the sprites, cut at 5."""
        return ((features - self.centre) / self.scale).clamp(-LARGEST, LARGEST)

    def forward(self, features: Tensor) -> Posterior:
        """Posterior of the latents of what `FeatureNetwork.seen` gives, (n, F + 2 C)."""
        seen = self.hidden(features)
        return Posterior(self.mean(seen), self.log_variance(seen).clamp(-20, 10))

    def hidden(self, features: Tensor) -> Tensor:
        """What the posterior is read from, (n, 3 hidden + 32)."""
        scaled, width = self.standardised(features), self.settings.width
        body, light = self.body(self.drop(scaled[:, :width])), self.brief(scaled[:, width:])
        return torch.cat([body, light], dim=1)

    def start_unnamed(self, features: Tensor, unnamed: Tensor) -> None:
        """Make unnamed latents principal components of what named ones leave out; our definition.

        An unnamed latent that stands for nothing gets no gradient from the decoder, so it would
        stay so for many epochs. Each gets mean 0 and variance 1 over the features (n, F + 2 C); the
        decoder is to learn of it, and decodes as before until then. With fewer than four cells
        for each unnamed latent all are left as they are.

        Parameters
        ----------
        features : (n, F + 2 C) tensor
        unnamed : (Z,) bool tensor
        """
        columns = torch.nonzero(unnamed).flatten()
        if not len(columns) or len(features) < LEAST_FOR_UNNAMED * len(columns):
            return
        training = self.training
        self.eval()
        with torch.no_grad():
            hidden = self.hidden(features).double()
            centre = hidden.mean(dim=0)
            named = self.mean.weight[~unnamed].double()
            apart = hidden - centre
            read = apart @ named.T
            # What named latents tell of the hidden units, linearly.
            explained = torch.linalg.lstsq(read, apart).solution
            left = apart - read @ explained
            _, scale, axes = torch.linalg.svd(left, full_matrices=False)
            scale = scale / len(features) ** 0.5
            # Components that hold nothing but rounding are no latents.
            columns = columns[: int((scale > 1e-6 * scale[0]).sum())]
            axes = axes[: len(columns)] / scale[: len(columns), None]
            weights = axes - (axes @ explained.T) @ named
            self.mean.weight[columns] = weights.float()
            self.mean.bias[columns] = -(weights @ centre).float()
            self.log_variance.weight[columns] = 0
            self.log_variance.bias[columns] = UNNAMED_LOG_VARIANCE
            first = self.decoder[0]
            assert isinstance(first, nn.Linear)
            first.weight[:, columns] = 0
        self.train(training)


def _layers(sizes: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        linear = nn.Linear(before, after)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.constant_(linear.bias, 0.01)
        layers += [linear, nn.LeakyReLU(_SLOPE)]
    return nn.Sequential(*layers)
