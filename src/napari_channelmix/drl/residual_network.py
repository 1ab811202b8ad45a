"""The network of the residual drawing: an encoder of what the names leave out, and a decoder.

1. An encoder of its own gives the *residual latents* of a picture, a few maps of 8 x 8 places.
2. The decoder draws from the named latents and the residual ones.
3. Latents whose effect is an operation (see `known_operations`) are held at the cell's own values
   in the decoder, and act on what it has drawn.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from napari_channelmix.drl.network import REACH, Posterior
from napari_channelmix.errors import ModelError

__all__ = ["ResidualNetwork", "ResidualSettings"]

_SLOPE = 0.02
# Places of the residual maps along each side.
GRID = 8


@dataclass(frozen=True)
class ResidualSettings:
    """What the network is made of.

    Attributes
    ----------
    channels, named : int
        Channels of the pictures, and number of named latents.
    maps : int
        Residual latents at each of the 8 x 8 places.
    filters : int
        Maps of the widest layer, a multiple of 4.
    hidden : int
        Units between the named latents and the decoder.
    expansion : int
        Bumps along each named latent that the decoder sees beside its value.
    """

    channels: int = 1
    named: int = 11
    maps: int = 8
    filters: int = 48
    hidden: int = 96
    expansion: int = 7

    def __post_init__(self) -> None:
        if min(self.channels, self.named, self.maps, self.hidden, self.expansion) < 1:
            raise ModelError("the sizes of a residual drawing must be 1 or more")
        if self.filters < 4 or self.filters % 4:
            raise ModelError(f"filters must be a multiple of 4, not {self.filters}")

    @property
    def residuals(self) -> int:
        """Residual latents of a picture."""
        return self.maps * GRID * GRID

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class ResidualNetwork(nn.Module):
    """Encoder of the residual latents, and decoder.

    Parameters
    ----------
    settings : ResidualSettings
    """

    def __init__(self, settings: ResidualSettings) -> None:
        super().__init__()
        self.settings = of = settings
        thin, middle, wide = of.filters // 4, of.filters // 2, of.filters
        self.encoder = nn.Sequential(
            nn.Conv2d(of.channels, thin, 4, stride=2, padding=1),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(thin, middle, 4, stride=2, padding=1),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(middle, wide, 4, stride=2, padding=1),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(wide, 2 * of.maps, 1),
        )
        self.centres = nn.Buffer(torch.linspace(-REACH, REACH, of.expansion), persistent=False)
        self.width = 0.6 * 2 * REACH / max(of.expansion - 1, 1)
        self.named = nn.Sequential(
            nn.Linear(of.named * (1 + of.expansion), of.hidden), nn.LeakyReLU(_SLOPE)
        )
        self.places = nn.Linear(of.hidden, of.maps * GRID * GRID)
        depths = (wide, wide, middle)
        films = [nn.Linear(of.hidden, 2 * depth) for depth in depths]
        self.films = nn.ModuleList(films)
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(2 * of.maps, wide, 3, padding=1),
                nn.ConvTranspose2d(wide, wide, 4, stride=2, padding=1),
                nn.ConvTranspose2d(wide, middle, 4, stride=2, padding=1),
            ]
        )
        self.last = nn.ConvTranspose2d(middle, of.channels, 4, stride=2, padding=1)
        for layer in (*self.layers, self.last):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="leaky_relu")
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            # Begins with nearly black pictures: most of a frame is.
            self.last.weight.mul_(0.1)
        for film in films:
            nn.init.normal_(film.weight, std=0.02)
            nn.init.zeros_(film.bias)

    def residual(self, pictures: Tensor) -> Posterior:
        """Posterior of the residual latents (n, maps, 8, 8) of pictures (n, C, 64, 64)."""
        # Roots, so that dim cells differ as much as bright ones.
        mean, log_variance = self.encoder(pictures.clamp(min=0).sqrt()).chunk(2, dim=1)
        return Posterior(mean, log_variance.clamp(-12, 6))

    def unclipped(self, named: Tensor, residual: Tensor) -> Tensor:
        """Pictures (n, C, 64, 64) of latents (n, Z) and (n, maps, 8, 8), not yet cut to [0, 1]."""
        away = (named[:, :, None] - self.centres) / self.width
        bumps = torch.exp(-0.5 * away**2).flatten(1)
        wide = self.named(torch.cat([named, bumps], dim=1))
        places = self.places(wide).unflatten(1, (-1, GRID, GRID))
        drawn = torch.cat([residual, places], dim=1)
        for layer, film in zip(self.layers, self.films, strict=True):
            gain, offset = film(wide)[:, :, None, None].chunk(2, dim=1)
            drawn = nn.functional.leaky_relu(layer(drawn) * (1 + gain) + offset, _SLOPE)
        picture: Tensor = self.last(drawn)
        return picture

    def picture(self, named: Tensor, residual: Tensor) -> Tensor:
        """Pictures (n, C, 64, 64) in [0, 1]."""
        return self.unclipped(named, residual).clamp(0, 1)
