"""The loss: weak pairs, reconstruction, divergence, and the supervised alignment that is optional.

Sources: Locatello et al. 2020 (Ada-GVAE) for pairs; Dapueto et al. 2025 for the labels mode. The
alignment of latents with known factors, the weight of the object and that of spare latents are our
additions: with them the names are learnt within minutes, and they are *supervised* by the factors
that the sprites were drawn with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_channelmix.drl.network import Posterior, VariationalAutoencoder
from napari_channelmix.errors import ModelError

__all__ = ["PAPER_OBJECTIVE", "Objective", "aggregated", "changed_latents", "reconstruction"]


@dataclass(frozen=True)
class Objective:
    """What is minimised.

    Attributes
    ----------
    pairs : {"labels", "adaptive"}
        Whether a pair's changed factor is told, or found from the posteriors.
    changes : int
        A pair differs in 1 or in this many factors.
    beta : float
        Weight of the divergence; it grows from 0 over the share ``ramp`` of the training.
    ramp : float
    alignment : tuple of float
        Weight of the squared distance of the latents to the values of the sprite's factors, at
        the start and at the end; (0, 0) leaves weak pairs alone to do the work.
    inside : float
        Additional weight of the reconstruction inside the sprite.
    spare : float
        Factor of the divergence of latents that stand for no factor, so that they hold nothing.
    """

    pairs: Literal["labels", "adaptive"] = "labels"
    changes: int = 1
    beta: float = 1.0
    ramp: float = 0.1
    alignment: tuple[float, float] = (150.0, 50.0)
    inside: float = 1.0
    spare: float = 20.0

    def __post_init__(self) -> None:
        if self.pairs not in ("labels", "adaptive"):
            raise ModelError(f"pairs must be 'labels' or 'adaptive', not {self.pairs!r}")
        if self.pairs == "labels" and self.changes != 1:
            raise ModelError("in labels mode a pair differs in one factor; choose pairs='adaptive'")
        if self.changes < 1 or not 0 <= self.ramp <= 1 or self.beta < 0:
            raise ModelError("changes must be 1 or more, ramp 0 to 1, beta 0 or more")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Objective:
        """From `as_dict`, also after a round trip through JSON."""
        return cls(**{**record, "alignment": tuple(record["alignment"])})

    def beta_at(self, progress: float) -> float:
        """Weight of the divergence when this share of the training is done."""
        return self.beta * min(progress / self.ramp, 1.0) if self.ramp else self.beta

    def alignment_at(self, progress: float) -> float:
        """Weight of the alignment when this share of the training is done."""
        start, end = self.alignment
        return start + (end - start) * progress


#: The authors' own: one changed factor a pair, told; nothing else is supervised.
PAPER_OBJECTIVE = Objective(ramp=0.125, alignment=(0.0, 0.0), inside=0.0, spare=1.0)


def changed_latents(first: Posterior, second: Posterior) -> Tensor:
    """Which latents (n, Z) differ within each pair: the adaptive rule of Ada-GVAE.

    The symmetric divergence of the two posteriors of each latent is compared with the middle
    between the smallest and the greatest of its pair (Locatello et al. 2020, section 4).
    """
    apart = (first.mean - second.mean).detach() ** 2
    variance, other = first.log_variance.detach().exp(), second.log_variance.detach().exp()
    divergence = 0.5 * ((variance + apart) / other + (other + apart) / variance) - 1
    low, high = divergence.amin(dim=1, keepdim=True), divergence.amax(dim=1, keepdim=True)
    return divergence >= (low + high) / 2


def aggregated(first: Posterior, second: Posterior, changed: Tensor) -> tuple[Posterior, Posterior]:
    """The posteriors of pairs with the latents that did not change shared between the two.

    Parameters
    ----------
    first, second : Posterior
        Of the two pictures, (n, Z).
    changed : (n, Z) bool tensor
        Latents that keep what is their own; the others get the mean of both means and the mean
        of both variances.
    """
    mean = (first.mean + second.mean) / 2
    log_variance = torch.logaddexp(first.log_variance, second.log_variance) - torch.log(
        torch.tensor(2.0)
    )

    def shared(own: Posterior) -> Posterior:
        return Posterior(
            torch.where(changed, own.mean, mean),
            torch.where(changed, own.log_variance, log_variance),
        )

    return shared(first), shared(second)


def reconstruction(
    network: VariationalAutoencoder, latents: Tensor, pictures: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Cross-entropy of drawn and true pictures (n, C, H, W): summed over pixels, mean over n."""
    drawn = network.decoder(latents)
    if network.settings.logits:
        loss = F.binary_cross_entropy_with_logits(drawn, pictures, weight, reduction="sum")
    else:
        seen = ((torch.tanh(drawn) + 1) / 2).clamp(1e-6, 1 - 1e-6).float()
        loss = -(pictures * seen.log() + (1 - pictures) * (1 - seen).log())
        loss = (loss if weight is None else loss * weight).sum()
    return loss / len(pictures)
