"""An encoder and a decoder whose latents have names: pictures to named latents and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.drl.network import REACH, Posterior, VariationalAutoencoder
from napari_channelmix.errors import DataError, ModelError

if TYPE_CHECKING:
    from napari_channelmix.drl.latent_code import Code

__all__ = ["NamedAutoencoder", "as_floats"]

FloatArray = npt.NDArray[np.float32]
# How far outside [0, 1] resampling may leave a pixel.
_ROUNDING = 1e-3


def as_floats(pictures: npt.NDArray[Any], first: int = 0) -> FloatArray:
    """Pictures (n, C, H, W) as float32 in [0, 1]: floats as they are, uint8 divided by 255.

    Raises
    ------
    DataError
        NaN or infinite pixels, or others outside [0, 1]; ``first`` is the number of the first
        picture, for the message.
    """
    floats = np.ascontiguousarray(pictures, dtype=np.float32)
    if pictures.dtype == np.uint8:
        return floats / np.float32(255)
    if not np.isfinite(floats).all():
        index = first + int(np.argmin(np.isfinite(floats).all(axis=(1, 2, 3))))
        raise DataError(f"image {index} has NaN or infinite pixels; leave the cell out")
    low, high = float(floats.min(initial=0)), float(floats.max(initial=0))
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise DataError(
            f"pixels must lie between 0 and 1, or be uint8; these go from {low:g} to {high:g}"
        )
    return floats


@dataclass(frozen=True, eq=False)
class NamedAutoencoder:
    """An encoder and a decoder whose latents have names; see `Disentangler`.

    Attributes
    ----------
    network : VariationalAutoencoder
        In evaluation mode, on the CPU.
    code : Code
        Which latent stands for which factor.
    about : dict
        How it was made: ``recipe``, ``seed``, ``curves``, ``provenance``, and its ``card``: the
        figures measured on sprites.
    """

    network: VariationalAutoencoder = field(repr=False)
    code: Code
    about: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Name of the sprites it was trained on."""
        return self.code.of.name

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each latent (Z); see `Code.names`."""
        return self.code.names

    @property
    def draws(self) -> bool:
        """Whether latents can be decoded into pictures; those of features cannot."""
        return True

    @property
    def title(self) -> str:
        """What it is called in results."""
        return self.name

    #: A job that makes what fine-tuning needs to know, where that is not `finetune.CellLearner`.
    cell_learner_job: ClassVar[Callable[..., Any] | None] = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (C, H, W) of the pictures."""
        settings = self.network.settings
        return settings.channels, settings.side, settings.side

    # ---------------------------------------------------------------- there and back

    def encode(self, pictures: npt.NDArray[Any]) -> FloatArray:
        """Latents of pictures.

        Parameters
        ----------
        pictures : (n, C, H, W) array
            Floats in [0, 1], or uint8; black outside the cell; of `shape`. `prepare_job` makes
            them of cells.

        Returns
        -------
        (n, Z) float32 array
            Mean of the posterior of each latent; values of a factor lie on -1.5 .. 1.5.

        Raises
        ------
        DataError
            Another shape, NaN, or floats outside [0, 1].
        """
        return self.posterior(pictures)[0]

    def posterior(self, pictures: npt.NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation (n, Z) of the posterior; as `encode`."""
        means, spreads = (
            [np.empty((0, len(self.names)), np.float32)],
            [np.empty((0, len(self.names)), np.float32)],
        )
        for batch in self._batches(pictures):
            with torch.inference_mode():
                posterior: Posterior = self.network(batch)
            means.append(posterior.mean.numpy())
            spreads.append((0.5 * posterior.log_variance).exp().numpy())
        return np.concatenate(means), np.concatenate(spreads)

    def decode(self, latents: npt.NDArray[Any]) -> FloatArray:
        """Pictures (n, C, H, W) float32 in [0, 1] of latents (n, Z).

        The texture is drawn as its kind typically looks, not as it lies in any one cell.
        """
        points = np.atleast_2d(np.asarray(latents, dtype=np.float32))
        if points.ndim != 2 or points.shape[1] != len(self.names):
            raise DataError(f"latents must be (n, {len(self.names)}), not {points.shape}")
        drawn = np.empty((len(points), *self.shape), np.float32)
        with torch.inference_mode():
            for start in range(0, len(points), 256):
                part = torch.from_numpy(points[start : start + 256])
                drawn[start : start + 256] = self.network.picture(part).numpy()
        return drawn

    def _batches(self, pictures: npt.NDArray[Any]) -> Iterator[Tensor]:
        seen = np.asarray(pictures)
        if seen.ndim != 4 or seen.shape[1:] != self.shape:
            raise DataError(
                f"images must be (n, {', '.join(map(str, self.shape))}), not {seen.shape}"
            )
        self.network.eval()
        for start in range(0, len(seen), 256):
            part = as_floats(seen[start : start + 256], start)
            yield torch.from_numpy(part).contiguous(memory_format=torch.channels_last)

    # ---------------------------------------------------------------- traversals

    def position(self, latent: int | str) -> int:
        """Position of a latent, by name or number.

        Raises
        ------
        ModelError
            No such latent.
        """
        if isinstance(latent, str):
            if latent not in self.names:
                raise ModelError(
                    f"there is no latent {latent!r}; there are {', '.join(self.names)}"
                )
            return self.names.index(latent)
        if not 0 <= latent < len(self.names):
            raise ModelError(f"there is no latent {latent}; there are {len(self.names)}")
        return int(latent)

    def steps(
        self,
        z: npt.ArrayLike,
        latent: int | str,
        steps: int = 9,
        span: tuple[float, float] = (-REACH, REACH),
    ) -> FloatArray:
        """Latents (steps, Z) along one latent, the others as in ``z`` (Z,).

        A cyclic factor, such as ``Orientation``, goes once around its circle, from angle 0, on
        the circle on which ``z`` lies, but never on one of less than half the usual size.
        """
        start = np.asarray(z, dtype=np.float32).reshape(-1)
        if start.shape != (len(self.names),) or steps < 2:
            raise ModelError(f"z must have {len(self.names)} values, and steps be 2 or more")
        column = self.position(latent)
        along = np.repeat(start[None], steps, axis=0)
        circle = self.circle(column)
        if circle is None:
            along[:, column] = np.linspace(*span, steps)
        else:
            turn = 2 * np.pi * np.arange(steps) / steps
            radius = max(float(np.hypot(*start[list(circle)])), REACH / 2)
            along[:, circle[0]] = radius * np.cos(turn)
            along[:, circle[1]] = radius * np.sin(turn)
        return along

    def traverse(
        self,
        z: npt.ArrayLike,
        latent: int | str,
        steps: int = 9,
        span: tuple[float, float] = (-REACH, REACH),
    ) -> FloatArray:
        """Pictures (steps, C, H, W) along one latent; see `steps`."""
        return self.decode(self.steps(z, latent, steps, span))

    def circle(self, latent: int | str) -> tuple[int, int] | None:
        """Positions of cosine and sine where a latent belongs to a cyclic factor, else None."""
        column = self.position(latent)
        for factor in self.code.of.factors:
            positions = self.code.latents_of(factor)
            if factor.cyclic and column in positions:
                return positions[0], positions[1]
        return None

    def axes(self) -> tuple[str, ...]:
        """Names of the latents a person can move: the factors; a cyclic one is one axis."""
        return tuple(factor.name for factor in self.code.of.factors)

    def columns(self, axis: str) -> Sequence[int]:
        """Positions of the latents of an axis."""
        return self.code.latents_of(self.code.of.factor(axis))
