"""A network that gives a vector of features for each picture, held to what such a network must be.

A disentangler of features needs the same vector for the same picture, whichever pictures stand
beside it and whenever it is asked. That is tried on a few fixed sprites, whose features are also
the mark by which the network is known again.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from napari_channelmix.computing import within_cap
from napari_channelmix.drl.autoencoder import as_floats
from napari_channelmix.drl.sprites import SIDE, Sprites, SpriteSet, sprite_set
from napari_channelmix.errors import ModelError
from napari_channelmix.wording import shown_error

__all__ = ["FeatureNetwork", "checked", "light", "refuse_another_network"]

FloatArray = npt.NDArray[np.float32]
#: Pictures (n, C, H, W) in [0, 1] to features (n, F).
Extractor = Callable[[Tensor], Any]

# Pictures that the network is given at a time, always as many: the last places of its numbers
# depend on that, and a cell must have the same latents in every process and chunk.
TOGETHER = 16
# Features that are remembered, so that the same cell is never computed twice.
REMEMBERED_BYTES = 128 * 2**20
# Sprites that the network is tried on.
PROBES = 6
# Differences that rounding may make, as a share of the spread of the features over the probes.
TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class FeatureNetwork:
    """A network that gives a vector of features for each picture.

    Attributes
    ----------
    name : str
        What it is called in results.
    extract : callable
        Pictures (n, `channels`, `side`, `side`), float32 in [0, 1], to features (n, F).
    channels : int
        Channels that it takes. A grey picture is repeated in as many; colours are never made grey.
    side : int
        Side in pixels to which pictures are resized for it.
    source : str
        How to get it again, as `features_from` takes it; empty where it was given in Python.
    """

    name: str
    extract: Extractor = field(repr=False)
    channels: int = 3
    side: int = SIDE
    source: str = ""
    _remembered: OrderedDict[bytes, FloatArray] = field(
        default_factory=OrderedDict, repr=False, init=False
    )

    def __getstate__(self) -> dict[str, Any]:
        """Without what is remembered: another process has other cells."""
        return {**vars(self), "_remembered": OrderedDict()}

    def takes(self, depth: int) -> str:
        """What is done with pictures of so many channels, in words; empty where nothing is.

        Raises
        ------
        ModelError
            They do not fit.
        """
        if depth == self.channels:
            return ""
        if depth == 1:
            return f"the one grey channel is repeated {self.channels} times for {self.name}"
        raise ModelError(
            f"{self.name} takes images of {counted_channels(self.channels)}, these have {depth}; "
            "use cell-sprites with one channel, or another network"
        )

    def features(self, pictures: npt.NDArray[Any]) -> FloatArray:
        """Features (n, F) float32 of pictures (n, D, H, W), floats in [0, 1] or uint8.

        Raises
        ------
        DataError
            Pixels with NaN, or outside [0, 1].
        ModelError
            Pictures of another number of channels; no vector for each, NaN or infinite features.
        """
        seen = np.ascontiguousarray(pictures)
        self.takes(seen.shape[1])
        marks = [hashlib.sha1(one.tobytes(), usedforsecurity=False).digest() for one in seen]
        missing = [index for index, mark in enumerate(marks) if mark not in self._remembered]
        fresh: dict[bytes, FloatArray] = {}
        for start in range(0, len(missing), TOGETHER):
            rows = missing[start : start + TOGETHER]
            padded = rows + rows[-1:] * (TOGETHER - len(rows))
            batch = torch.from_numpy(as_floats(seen[padded], start))
            for row, vector in zip(rows, self._extracted(batch), strict=False):
                fresh[marks[row]] = vector
        rows_of = [fresh[mark] if mark in fresh else self._remembered[mark] for mark in marks]
        self._remember(fresh)
        return np.stack(rows_of) if rows_of else np.zeros((0, 0), np.float32)

    def seen(self, pictures: npt.NDArray[Any]) -> FloatArray:
        """What the encoder gets of pictures: their features, and their `light` behind them."""
        shown = as_floats(np.asarray(pictures))
        return np.concatenate([self.features(pictures), light(shown)], axis=1)

    def _remember(self, fresh: dict[bytes, FloatArray]) -> None:
        self._remembered.update(fresh)
        width = next((vector.nbytes for vector in fresh.values()), 0)
        while width and len(self._remembered) * width > within_cap(REMEMBERED_BYTES):
            self._remembered.popitem(last=False)

    def _extracted(self, batch: Tensor) -> FloatArray:
        """Features (n, F) of pictures (n, D, H, W) in [0, 1], as the network gives them."""
        if batch.shape[1] != self.channels:
            batch = batch.expand(-1, self.channels, -1, -1)
        if batch.shape[-1] != self.side:
            size = (self.side, self.side)
            batch = F.interpolate(batch, size=size, mode="bilinear", align_corners=False)
        try:
            with torch.no_grad():
                given = self.extract(batch.contiguous())
            vectors = given.detach().cpu().numpy() if isinstance(given, Tensor) else given
            vectors = np.asarray(vectors, dtype=np.float32)
        # A stranger's function may raise anything.
        except Exception as error:
            raise ModelError(
                f"{self.name} cannot take images of shape {tuple(batch.shape)} "
                f"({shown_error(error)})"
            ) from error
        if vectors.ndim != 2 or len(vectors) != len(batch) or vectors.shape[1] < 2:
            raise ModelError(
                f"{self.name} must give a vector of numbers for each image, (n, F); for "
                f"{len(batch)} images it gives {vectors.shape}"
            )
        if not np.isfinite(vectors).all():
            raise ModelError(f"{self.name} gives NaN or infinite features; it cannot be used")
        return vectors

    def probe(self, of: SpriteSet) -> FloatArray:
        """Features (6, F) of fixed sprites of a set, by which the network is known again."""
        return self._extracted(_probes(of.name))

    def key(self, of: SpriteSet) -> str:
        """A hash that is another one for another network, however it was given."""
        digest = hashlib.sha256(f"{self.name} {self.channels} {self.side}".encode())
        digest.update(self.probe(of).astype(np.float16).tobytes())
        return digest.hexdigest()


def light(pictures: FloatArray) -> FloatArray:
    """How bright pictures (n, C, H, W) in [0, 1] are, (n, 2 C): logarithms.

    Mean of each channel, and its brightness where the light is, which is free of size. Networks
    that were made for photographs hardly tell it, as the image encoder's convolutions do not; that
    encoder sees it beside them too (`network.Summary`).
    """
    mean = pictures.mean(axis=(2, 3))
    lit = (pictures**2).mean(axis=(2, 3)) / np.maximum(mean, 1e-6)
    both: FloatArray = np.log(np.maximum(np.concatenate([mean, lit], axis=1), 1e-4))
    return both


def counted_channels(count: int) -> str:
    """So many channels, in words."""
    return "1 channel" if count == 1 else f"{count} channels"


@cache
def _probes(name: str) -> Tensor:
    """The fixed sprites (6, C, 64, 64) of a set."""
    generator = torch.Generator().manual_seed(0)
    sprites = Sprites(sprite_set(name))
    return sprites.draw(sprites.random(PROBES, generator), generator).inputs


def checked(network: FeatureNetwork, of: SpriteSet) -> FeatureNetwork:
    """The network, after a look whether it gives the same vector for the same picture.

    Raises
    ------
    ModelError
        As `FeatureNetwork.features`; features that differ from call to call or with the other
        pictures of a batch, or that are the same for all pictures.
    """
    network.takes(of.channels)
    pictures = _probes(of.name)
    together, again = network._extracted(pictures), network._extracted(pictures)
    alone = np.concatenate([network._extracted(pictures[index : index + 1]) for index in range(3)])
    spread = float(together.std(axis=0).max())
    if spread <= 1e-6 * max(float(np.abs(together).max()), 1e-6):
        raise ModelError(f"{network.name} gives the same features for all images; use another one")
    if np.abs(together - again).max() > TOLERANCE * spread:
        raise ModelError(
            f"{network.name} gives other features for the same image from call to call; switch off "
            "what is random in it (evaluation mode)"
        )
    if np.abs(together[:3] - alone).max() > TOLERANCE * spread:
        raise ModelError(
            f"{network.name} gives other features for an image with other images beside it; put it "
            "into evaluation mode"
        )
    return network


def refuse_another_network(network: FeatureNetwork, of: SpriteSet, known: FloatArray) -> None:
    """Refuse a network that is not the one whose features of the probes (6, F) are ``known``.

    Raises
    ------
    ModelError
        Another number of features, or other values.
    """
    features = network.probe(of)
    if features.shape != known.shape:
        raise ModelError(
            f"these weights were learnt from {known.shape[1]} features, {network.name} gives "
            f"{features.shape[1]}: it is another network"
        )
    if np.abs(features - known).max() > TOLERANCE * float(known.std(axis=0).max()):
        raise ModelError(
            f"these weights were learnt from the features of another network than {network.name}, "
            "or of other weights of it; learn them anew"
        )
