"""Networks whose answer is known pixel by pixel, and cells for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from napari_channelmix.classify import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.pcim.batch import Problem
from napari_channelmix.pcim.cell_pool import CellPool
from napari_channelmix.pcim.model_adapter import subject_of
from napari_channelmix.pcim.target import Target

FloatArray = npt.NDArray[np.float32]
# Neither square nor alike in any size, so that an axis that is mixed up shows.
SHAPE = (3, 24, 20)
# Of each class: channel, rows, columns. The first class has none.
PLANTED = ((1, slice(5, 10), slice(3, 8)), (2, slice(14, 19), slice(11, 16)))


class Regions(nn.Module):
    """Score of class k: the weighted sum of its 5 x 5 pixels in its channel; linear."""

    def __init__(self, regions: tuple[Any, ...] = PLANTED[:1], gain: float = 4.0) -> None:
        super().__init__()
        weight = torch.zeros(len(regions) + 1, *SHAPE)
        for k, (channel, rows, columns) in enumerate(regions, start=1):
            weight[k, channel, rows, columns] = gain / 25
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("nchw,kchw->nk", x, self.weight)


@dataclass(frozen=True)
class Planted:
    """A network, cells, and the pixels and channels that decide its answer."""

    network: Regions
    crops: FloatArray
    masks: tuple[npt.NDArray[np.bool_], ...]

    def predict(self, crops: FloatArray) -> FloatArray:
        """The network as a function of arrays."""
        with torch.inference_mode():
            return self.network(torch.from_numpy(np.ascontiguousarray(crops))).numpy()


def planted_cells(count: int = 4, regions: tuple[Any, ...] = PLANTED[:1], seed: int = 0) -> Planted:
    """Noise around 0, with the planted pixels bright in all channels."""
    rng = np.random.default_rng(seed)
    crops = rng.normal(0, 0.1, (count, *SHAPE)).astype(np.float32)
    masks = []
    for _, rows, columns in regions:
        crops[:, :, rows, columns] += 1
        mask = np.zeros(SHAPE[1:], bool)
        mask[rows, columns] = True
        masks.append(mask)
    return Planted(Regions(regions), crops, tuple(masks))


@pytest.fixture
def planted() -> Planted:
    return planted_cells()


@pytest.fixture
def planted_three() -> Planted:
    """Three classes: class 0 has no pixels, class 1 and 2 have theirs."""
    return planted_cells(regions=PLANTED)


@pytest.fixture
def make_planted() -> Callable[..., Planted]:
    return planted_cells


def random_classifier(seed: int = 0, channels: int = 2) -> Classifier:
    """A convolutional classifier that was never trained."""
    spec = NetworkSpec("tiny", channels, 2)
    names = tuple(f"channel {i}" for i in range(channels))
    statistics = np.zeros(channels), np.ones(channels)
    return Classifier(spec.build(seed).eval(), spec, names, ("a", "b"), *statistics, 16)


@pytest.fixture
def classifier() -> Classifier:
    return random_classifier()


@pytest.fixture
def crops() -> FloatArray:
    """Cells for `classifier`."""
    return np.random.default_rng(1).normal(size=(6, 2, 16, 16)).astype(np.float32)


@pytest.fixture
def make_problem() -> Callable[..., Problem]:
    """A problem from a model and crops, for class 1 or those that are named.

    With ``others``, crops of other cells, which the methods may start from.
    """

    def made(
        model: Any,
        crops: FloatArray,
        of: list[int] | None = None,
        others: FloatArray | None = None,
        **more: Any,
    ) -> Problem:
        subject = subject_of(model, crops, torch.device("cpu"))
        x = subject.prepare(crops)
        if others is not None:
            more["real_cells"] = CellPool(others, None, subject.prepare)
            more["numbers"] = np.full(len(crops), -1)
        target = Target(torch.tensor(of or [1] * len(crops)))
        return Problem(subject, x, torch.zeros(1, x.shape[1], 1, 1), target, **more)

    return made
