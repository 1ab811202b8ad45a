"""What the training loop needs to know to learn the residual drawing of a data set.

The encoder of the named latents is frozen. Every batch holds

1. cells, turned by quarters and mirrored at random, drawn from their own named and residual
   latents;
2. sprites, drawn likewise, and for each a *partner* in which one factor is another, with the same
   texture tile and phase: the partner is drawn from its own named latents and the residual latents
   *of the first*. So what the residual latents hold must serve for the partner too;
3. the same swap for cells whose rim is changed by the rule that sprites are drawn with.

The loss is the squared difference of the pictures and of their fine detail, each in units of what
may be left of it, plus the divergence of the residual latents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.drl.autoencoder import as_floats
from napari_channelmix.drl.corruption import box_blurred
from napari_channelmix.drl.known_operations import applied, known_columns, steps_of
from napari_channelmix.drl.network import REACH
from napari_channelmix.drl.residual_network import ResidualNetwork, ResidualSettings
from napari_channelmix.drl.sprites import Sprites
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.drl.autoencoder import NamedAutoencoder

__all__ = ["CELLS", "EPOCH", "ResidualLearner", "dihedral"]

# Steps between two looks at the cells that are kept aside.
EPOCH = 100
# Cells, cells with a partner, and sprites with a partner, in a batch.
CELLS, EDITED, SPRITES = 32, 8, 16
# Share of the variance inside the cells, and of that of their fine detail, that may be left.
LEFT, DETAIL_LEFT = 0.03, 0.2
# Weight of the divergence of the residual latents.
DIVERGENCE = 0.3
# Share of the cells learnt from that is kept aside to choose among the epochs.
ASIDE = 0.1
# Range of the rim of an edited cell, as the sprites' own, and of the depth of a texture.
RIM, DEPTH = 0.5, 0.5
# What a change of rim may do to a pixel.
LEAST_RATIO, MOST_RATIO = 0.2, 4.0


@dataclass(frozen=True, eq=False)
class ResidualBatch:
    """Pictures whose residual latents are read, and those that are to be drawn."""

    #: (n, C, H, W) of which the residual latents are read.
    sources: Tensor
    #: (m, C, H, W) to be drawn.
    targets: Tensor
    #: (m, Z) named latents of each.
    named: Tensor
    #: (m, Z) named latents of the source of each.
    start: Tensor
    #: (m,) the source whose residual latents each is drawn from.
    source: Tensor
    #: (m,) what may be left of each: squared difference of a pixel, and of its fine detail.
    left: Tensor
    detail_left: Tensor


def dihedral(pictures: Tensor, way: int) -> Tensor:
    """Pictures (..., H, W) turned by ``way % 4`` quarters, mirrored first from 4 on."""
    flipped = pictures.flip(-1) if way >= 4 else pictures
    return torch.rot90(flipped, way % 4, (-2, -1))


class ResidualLearner:
    """Learns to draw cells from their named and residual latents.

    Parameters
    ----------
    of : Disentangler
        Whose encoder gives the named latents; it is left as it is.
    pictures : (N, C, H, W) uint8 array
    rows : (n,) int array
        Cells that are learnt from.
    seed : int
    device : torch.device
    """

    def __init__(
        self,
        of: NamedAutoencoder,
        pictures: npt.NDArray[Any],
        rows: npt.NDArray[np.int64],
        seed: int,
        device: torch.device,
    ) -> None:
        self.of, self.seed, self.device, self.pictures = of, seed, device, pictures
        self.named = of.network.eval()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.module = ResidualNetwork(ResidualSettings(of.shape[0], len(of.names)))
        self.module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        order = np.random.default_rng(seed).permutation(rows)
        aside = int(ASIDE * len(order)) if len(order) >= 50 else 0
        self.train = order[aside:]
        self.aside = order[:aside] if aside else order[:200]
        self.sprites = Sprites(of.code.of)
        self.known = known_columns(of.code)
        # The typical texture stands still in the frame, that of a sprite does not: not swapped.
        self.swapped = torch.arange(1, len(of.code.of.factors))
        self._depths: dict[int, Tensor] = {}
        # Named latents of every cell in its eight positions, once they were asked for.
        self.latents = np.zeros((0, 8, len(of.names)), np.float32)

    # ---------------------------------------------------------------- before the first step

    def prepare(self) -> Job[None]:
        """Read the named latents of all cells that are learnt from, and how much they vary."""
        count = len(self.pictures)
        self.latents = np.zeros((count, 8, len(self.of.names)), np.float32)
        variance, detail = np.zeros(count), np.zeros(count)
        rows = np.concatenate([self.train, self.aside])
        for start in range(0, len(rows), 64):
            chosen = rows[start : start + 64]
            yield Progress(start, len(rows), "reading the named latents of the cells")
            seen = torch.from_numpy(as_floats(self.pictures[chosen]))
            for way in range(8):
                self.latents[chosen, way] = self.of.encode(dihedral(seen, way).numpy())
            variance[chosen], detail[chosen] = _variances(seen)
        own, fine = variance[rows], detail[rows]
        self._left = np.sqrt(np.maximum(variance, 1e-7) * max(own.mean(), 1e-6))
        self._detail = np.sqrt(np.maximum(detail, 1e-7) * max(fine.mean(), 1e-6))
        generator = torch.Generator().manual_seed(self.seed)
        drawn = self.sprites.draw(self.sprites.random(256, generator), generator)
        of_sprites, fine_sprites = _variances(drawn.inputs)
        self._sprite_left, self._sprite_detail = of_sprites.mean(), fine_sprites.mean()

    # ---------------------------------------------------------------- as the training loop asks

    def parameter_groups(self) -> list[dict[str, Any]]:
        """All weights but those of the named encoder, one group."""
        return [{"params": list(self.module.parameters())}]

    def steps(self) -> int:
        """Steps between two looks at the cells kept aside."""
        return EPOCH

    def batches(self, epoch: int) -> Iterator[ResidualBatch]:
        """Fresh batches."""
        for step in range(EPOCH):
            yield self.batch(epoch * EPOCH + step)

    def batch(self, step: int) -> ResidualBatch:
        """That of a step, which depends on the seed and the step alone."""
        rng = np.random.default_rng([self.seed, step])
        generator = torch.Generator().manual_seed(self.seed * 10_000_019 + step)
        rows = rng.choice(self.train, CELLS, replace=len(self.train) < CELLS)
        ways = rng.integers(0, 8, CELLS)
        seen = torch.from_numpy(as_floats(self.pictures[rows]))
        cells = torch.stack([dihedral(one, int(way)) for one, way in zip(seen, ways, strict=True)])
        of_cells = torch.from_numpy(self.latents[rows, ways])
        edits = EDITED if self.of.code.of.has("Rim") else 0
        edited, of_edited = cells[:0], of_cells[:0]
        if edits:
            edited, of_edited = self._edited(cells[:edits], rows, ways, of_cells[:edits], rng)
        first, second, of_first, of_second = self._pairs(generator)
        left, detail = (
            torch.from_numpy(values[rows]).float() for values in (self._left, self._detail)
        )
        numbers = torch.arange(CELLS + SPRITES)
        batch = ResidualBatch(
            torch.cat([cells, first]),
            torch.cat([cells, first, edited, second]),
            torch.cat([of_cells, of_first, of_edited, of_second]),
            torch.cat([of_cells, of_first, of_cells[:edits], of_first]),
            torch.cat([numbers, numbers[:edits], numbers[CELLS:]]),
            LEFT * self._of_batch(left, edits, float(self._sprite_left)),
            DETAIL_LEFT * self._of_batch(detail, edits, float(self._sprite_detail)),
        )
        return ResidualBatch(**{name: value.to(self.device) for name, value in vars(batch).items()})

    def loss(self, batch: ResidualBatch) -> Tensor:
        """Squared differences in units of what may be left, plus the divergence."""
        posterior = self.module.residual(batch.sources)
        held = batch.named.clone()
        held[:, self.known] = batch.start[:, self.known]
        plain = self.module.unclipped(held, posterior.sample()[batch.source])
        drawn = applied(plain, steps_of(self.of.code, batch.start, batch.named))
        off = drawn - batch.targets
        weight = 1 + (batch.targets > 0).amax(dim=1, keepdim=True).float()
        pixels = (weight * off**2).sum(dim=(1, 2, 3)) / batch.left
        fine = (weight * (off - box_blurred(off)) ** 2).sum(dim=(1, 2, 3)) / batch.detail_left
        kl = posterior.kl().sum(dim=(1, 2, 3)).mean()
        loss: Tensor = 0.25 * (pixels + fine).mean() + DIVERGENCE * kl
        return loss / 100

    def trial(self) -> None:
        """A step that changes nothing, to be timed."""
        with torch.random.fork_rng(devices=[]):
            self.loss(self.batch(0)).backward()
        self.module.zero_grad(set_to_none=True)

    def validate(self) -> Job[dict[str, float]]:
        """Share of the variance that is explained inside the cells kept aside."""
        yield from ()
        left, total = 0.0, 0.0
        for start in range(0, len(self.aside), 128):
            rows = self.aside[start : start + 128]
            seen = torch.from_numpy(as_floats(self.pictures[rows])).to(self.device)
            named = torch.from_numpy(self.latents[rows, 0]).to(self.device)
            with torch.inference_mode():
                drawn = self.module.picture(named, self.module.residual(seen).mean)
            inside = (seen > 0).amax(dim=1, keepdim=True).float()
            left += float((inside * (drawn - seen) ** 2).sum())
            mean = (inside * seen).sum(dim=(2, 3), keepdim=True) / inside.sum(
                dim=(2, 3), keepdim=True
            ).clamp(min=1)
            total += float((inside * (seen - mean) ** 2).sum())
        return {"score": 1 - left / max(total, 1e-9)}

    # ---------------------------------------------------------------- partners

    @staticmethod
    def _of_batch(cells: Tensor, edits: int, of_sprites: float) -> Tensor:
        """What may be left of every picture that is drawn, in their order."""
        sprites = torch.full((SPRITES,), of_sprites)
        return torch.cat([cells, sprites, cells[:edits], sprites])

    def _pairs(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Sprites and partners, which differ in one learnt factor, and their named latents."""
        digits = self.sprites.random(SPRITES, generator)
        factor = self.swapped[torch.randint(len(self.swapped), (SPRITES,), generator=generator)]
        other = self.sprites.redrawn(digits, factor, generator)
        state = generator.get_state()
        first = self.sprites.draw(digits, generator).inputs
        # The same tile and phase.
        generator.set_state(state)
        second = self.sprites.draw(other, generator).inputs
        with torch.inference_mode():
            named = self.named(torch.cat([first, second]).to(self.device)).mean.cpu()
        return first, second, *(part.clone() for part in named.chunk(2))

    def _edited(
        self,
        cells: Tensor,
        rows: npt.NDArray[np.int64],
        ways: npt.NDArray[np.int64],
        named: Tensor,
        rng: np.random.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Cells (n, C, H, W) with another rim, and named latents in which that is another."""
        changed = named.clone()
        pictures = [
            self._rimmed(cell, dihedral(self._depth(int(row)), int(way)), changed[place], rng)
            for place, (cell, row, way) in enumerate(zip(cells, rows, ways, strict=False))
        ]
        return torch.stack(pictures), changed

    def _rimmed(
        self, cell: Tensor, depth: Tensor, named: Tensor, rng: np.random.Generator
    ) -> Tensor:
        """A cell with another rim, by the sprites' rule; its latent is set to it."""
        factor = self.of.code.of.factor("Rim")
        most = max(abs(float(value)) for value in factor.values)
        column = self.of.code.latents_of(factor)[0]
        before = float(named[column].clamp(-REACH, REACH)) * most / REACH
        after = float(rng.uniform(-RIM, RIM))
        named[column] = after * REACH / most
        centred = depth - depth[depth > 0].mean() if (depth > 0).any() else depth
        ratio = ((1 - 2 * after * centred) / (1 - 2 * before * centred).clamp(min=0.1)).clamp(
            LEAST_RATIO, MOST_RATIO
        )
        rimmed = cell * ratio
        # The same light in all.
        rimmed = rimmed * (cell.sum() / rimmed.sum().clamp(min=1e-6))
        return rimmed.clamp(0, 1)

    def _depth(self, row: int) -> Tensor:
        """How far in each pixel of a cell lies: 0 at its outline, 1 at its deepest point."""
        if row not in self._depths:
            from scipy.ndimage import distance_transform_edt

            inside = (self.pictures[row] > 0).any(axis=0)
            depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
            self._depths[row] = torch.from_numpy((depth / max(depth.max(), 1)).astype(np.float16))
        return self._depths[row].float()


def _variances(pictures: Tensor) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Variance (n,) inside each picture, and mean square of its fine detail."""
    inside = (pictures > 0).amax(dim=1, keepdim=True).float()
    pixels = inside.sum(dim=(1, 2, 3)).clamp(min=1) * pictures.shape[1]
    mean = (inside * pictures).sum(dim=(2, 3), keepdim=True) / inside.sum(
        dim=(2, 3), keepdim=True
    ).clamp(min=1)
    variance = (inside * (pictures - mean) ** 2).sum(dim=(1, 2, 3)) / pixels
    fine = pictures - box_blurred(pictures)
    detail = (inside * fine**2).sum(dim=(1, 2, 3)) / pixels
    return variance.double().numpy(), detail.double().numpy()
