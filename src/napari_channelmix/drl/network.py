"""The variational autoencoder: a picture to the posterior of its latents, and latents to a picture.

The network of the method's authors is the preset ``paper``. The other presets add what it takes to
learn named latents within minutes; each addition is an option of its own in `NetworkSettings`.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_channelmix.errors import ModelError

__all__ = ["PRESETS", "NetworkSettings", "Posterior", "VariationalAutoencoder"]

# Range of the latents' targets: values of a factor lie evenly on [-REACH, REACH].
REACH = 1.5
_SLOPE = 0.02


class Posterior(NamedTuple):
    """Gaussian posterior of the latents, mean and log variance (n, Z) each."""

    mean: Tensor
    log_variance: Tensor

    def part(self, start: int, stop: int) -> Posterior:
        """That of some pictures."""
        return Posterior(self.mean[start:stop], self.log_variance[start:stop])

    def sample(self) -> Tensor:
        """One draw (n, Z), differentiable in mean and variance."""
        return self.mean + torch.randn_like(self.mean) * (0.5 * self.log_variance).exp()

    def kl(self) -> Tensor:
        """Divergence (n, Z) from the standard normal, in nats."""
        return -0.5 * (1 + self.log_variance - self.mean**2 - self.log_variance.exp())


@dataclass(frozen=True)
class NetworkSettings:
    """What the network is made of.

    Attributes
    ----------
    side : int
        Of the pictures in pixels, a multiple of 8.
    channels, filters, latents : int
    hidden : int
        Units of a layer between the convolutions and the latents, on both sides; 0 for none, as
        in the paper. Without it, shape, rotation and size cannot be told apart.
    expansion : int
        Bumps along each latent that the decoder sees beside its value; 0 for none.
    summary : bool
        Whether the encoder also sees the picture's overall colour, or brightness, which the
        normalisation of the convolutions hides, and the decoder has a short way to colour.
    logits : bool
        Whether the last layer gives logits; else (tanh + 1) / 2 of a rectified layer, as in the
        paper, which learns a black background slowly.
    """

    side: int = 64
    channels: int = 3
    filters: int = 64
    latents: int = 10
    hidden: int = 128
    expansion: int = 7
    summary: bool = True
    logits: bool = True

    def __post_init__(self) -> None:
        if self.side % 8 or self.side < 8:
            raise ModelError(f"side must be a multiple of 8, not {self.side}")
        if self.filters % 4 or self.filters < 4:
            raise ModelError(f"filters must be a multiple of 4, not {self.filters}")
        if min(self.channels, self.latents) < 1 or min(self.hidden, self.expansion) < 0:
            raise ModelError(
                "channels and latents must be 1 or more, hidden and expansion 0 or more"
            )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


#: Sizes to choose from; ``paper`` is the authors' network at 64 pixels.
PRESETS = {
    "small": NetworkSettings(filters=32, hidden=64),
    "medium": NetworkSettings(),
    "large": NetworkSettings(filters=128, hidden=256),
    "paper": NetworkSettings(filters=128, hidden=0, expansion=0, summary=False, logits=False),
}


class VariationalAutoencoder(nn.Module):
    """Encoder and decoder.

    Parameters
    ----------
    settings : NetworkSettings
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = Encoder(settings)
        self.decoder = Decoder(settings)

    def forward(self, pictures: Tensor) -> Posterior:
        """Posterior of the latents of pictures (n, C, side, side) in [0, 1]."""
        posterior: Posterior = self.encoder(pictures)
        return posterior

    def picture(self, latents: Tensor) -> Tensor:
        """Pictures (n, C, side, side) in [0, 1] of latents (n, Z)."""
        drawn = self.decoder(latents)
        return torch.sigmoid(drawn) if self.settings.logits else (torch.tanh(drawn) + 1) / 2


class Encoder(nn.Module):
    """Three strided convolutions, a summary beside them, and two heads."""

    def __init__(self, of: NetworkSettings) -> None:
        super().__init__()
        depths = (of.channels, of.filters // 4, of.filters // 2, of.filters)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(depths):
            layers += [
                nn.Conv2d(before, after, 4, stride=2, padding=1),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(_SLOPE),
            ]
        volume = of.filters * (of.side // 8) ** 2
        layers += [nn.Flatten(), nn.LayerNorm(volume)]
        if of.hidden:
            layers += [nn.Linear(volume, of.hidden), nn.LeakyReLU(_SLOPE)]
        self.body = nn.Sequential(*layers)
        _initialise(self.body)
        width = of.hidden or volume
        self.summary = Summary(of.channels) if of.summary else None
        width += Summary.WIDTH if of.summary else 0
        self.mean = nn.Linear(width, of.latents)
        self.log_variance = nn.Linear(width, of.latents)

    def forward(self, pictures: Tensor) -> Posterior:
        seen = _through(self.body, pictures)
        if self.summary is not None:
            seen = torch.cat([seen, self.summary(pictures)], dim=1)
        return Posterior(self.mean(seen), self.log_variance(seen).clamp(-20, 10))


def _through(layers: nn.Sequential, pictures: Tensor) -> Tensor:
    """What layers give; a normalisation by fixed statistics is done by the convolution before it.

    That is one pass less over the pictures, and the same result but for rounding.
    """
    seen, waiting = pictures, list(layers)
    while waiting:
        layer = waiting.pop(0)
        if waiting and isinstance(waiting[0], nn.BatchNorm2d) and not waiting[0].training:
            seen = _normalised(layer, waiting.pop(0), seen)
        else:
            seen = layer(seen)
    return seen


def _normalised(convolution: Any, normalisation: Any, pictures: Tensor) -> Tensor:
    deviation = (normalisation.running_var + normalisation.eps).sqrt()
    gain = normalisation.weight / deviation
    return F.conv2d(
        pictures,
        convolution.weight * gain[:, None, None, None],
        (convolution.bias - normalisation.running_mean) * gain + normalisation.bias,
        convolution.stride,
        convolution.padding,
    )


class Summary(nn.Module):
    """Overall colour of a picture, or its brightness where there is one channel."""

    WIDTH = 64

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(max(channels, 2), self.WIDTH), nn.LeakyReLU(_SLOPE))

    def forward(self, pictures: Tensor) -> Tensor:
        mean = pictures.mean(dim=(2, 3))
        if mean.shape[1] > 1:
            # Share of each channel, free of brightness.
            shares = 3 * (mean / mean.mean(dim=1, keepdim=True).clamp(min=1e-4) - 1)
        else:
            # Light in all, and the brightness where the light is: the second is free of size.
            where_lit = (pictures**2).mean(dim=(2, 3)) / mean.clamp(min=1e-6)
            shares = torch.cat([mean, where_lit], dim=1).clamp(min=1e-4).log()
        light: Tensor = self.layer(shares)
        return light


class Decoder(nn.Module):
    """Latents, widened by bumps along each, through three strided deconvolutions."""

    def __init__(self, of: NetworkSettings) -> None:
        super().__init__()
        self.start = (of.filters, of.side // 8, of.side // 8)
        volume = of.filters * (of.side // 8) ** 2
        self.centres = nn.Buffer(torch.linspace(-REACH, REACH, of.expansion), persistent=False)
        self.width = 0.6 * 2 * REACH / max(of.expansion - 1, 1)
        wide = of.latents * (1 + of.expansion)
        self.hidden = (
            nn.Sequential(nn.Linear(wide, of.hidden), nn.LeakyReLU(_SLOPE))
            if of.hidden
            else nn.Identity()
        )
        width = of.hidden or wide
        depths = (of.filters, of.filters // 2, of.filters // 4, of.channels)
        layers: list[nn.Module] = [
            nn.Linear(width, volume),
            nn.LeakyReLU(_SLOPE),
            nn.Unflatten(1, self.start),
        ]
        for before, after in itertools.pairwise(depths):
            layers += [
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1),
                nn.LeakyReLU(_SLOPE),
            ]
        if of.logits:
            layers.pop()
        self.body = nn.Sequential(*layers)
        _initialise(self.hidden)
        _initialise(self.body)
        self.color = nn.Linear(width, of.channels) if of.summary else None

    def forward(self, latents: Tensor) -> Tensor:
        away = (latents[:, :, None] - self.centres) / self.width
        bumps = torch.exp(-0.5 * away**2).flatten(1)
        wide = self.hidden(torch.cat([latents, bumps], dim=1))
        drawn: Tensor = self.body(wide)
        if self.color is not None:
            drawn = drawn + self.color(wide)[:, :, None, None]
        return drawn


def _initialise(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 0.01)
