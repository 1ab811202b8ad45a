"""Models that refuse many crops at once are given fewer, with gradients too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import napari_channelmix as cm
from napari_channelmix.classify.scored_module import ScoredModule
from napari_channelmix.errors import ModelError


class Few(nn.Module):
    """Refuses more than so many crops at once."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.linear = nn.Linear(2, 2)
        self.counts: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.counts.append(len(x))
        if len(x) > self.most:
            raise ValueError(f"buffer holds {self.most} crops")
        scores: Tensor = self.linear(x.mean(dim=(2, 3)))
        return scores


def crops(count: int) -> Any:
    return np.random.default_rng(0).normal(size=(count, 2, 12, 12)).astype(np.float32)


def wrapped(network: nn.Module) -> Any:
    return cm.wrap(network, channels=["DNA", "GFP"], classes=["a", "b"], output="logits")


@pytest.mark.parametrize("most", [1, 3, 8])
def test_scores_and_gradients_are_those_of_all_crops_together(most: int) -> None:
    few = Few(most)
    scored = ScoredModule(few, "few", "logits", None)
    scored.reading = wrapped(few).find_out(crops(4))
    x = torch.from_numpy(crops(20)).requires_grad_(True)
    scored(x).sum().backward()
    few.most = 100
    assert x.grad is not None and bool(x.grad.abs().sum(dim=(1, 2, 3)).gt(0).all())
    torch.testing.assert_close(scored(x), few.linear(x.mean(dim=(2, 3))))


def test_what_it_took_is_kept() -> None:
    few = Few(8)
    scored = ScoredModule(few, "few", "logits", None)
    scored.reading = wrapped(few).find_out(crops(4))
    few.counts.clear()
    scored(torch.from_numpy(crops(20)))
    assert few.counts == [20, 10, 5, 5, 5, 5]
    few.counts.clear()
    scored(torch.from_numpy(crops(20)))
    assert few.counts == [5, 5, 5, 5]


def test_a_model_that_refuses_any_crops_says_so_itself() -> None:
    scored = ScoredModule(Few(0), "few", "logits", None)
    with pytest.raises(ValueError, match="buffer holds 0 crops"):
        scored(torch.from_numpy(crops(5)))


def test_maps_of_a_module_that_takes_eight_crops() -> None:
    maps = cm.explain(wrapped(Few(8)), crops(12), forwards=40, check=False).maps
    assert maps.shape == (12, 12, 12) and np.isfinite(maps).all()


@pytest.mark.parametrize("wrong", [None, "cells", {"a": 1}, [object()]])
def test_what_is_no_crops_is_one_line(wrong: Any) -> None:
    with pytest.raises(ModelError, match=r"give Cells or an array \(n, C, H, W\) of numbers, not"):
        wrapped(Few(8)).predict_proba(wrong)


def test_mean_maps_of_something_else_are_one_line() -> None:
    with pytest.raises(ModelError, match=r"mean maps are of an attribution, .* not of ndarray"):
        cm.mean_maps(np.zeros((2, 8, 8)))  # type: ignore[arg-type]


def test_the_size_of_a_bundle_is_its_own(tmp_path: Any) -> None:
    labels = np.arange(8) % 2
    cells = cm.Cells.from_array(crops(8), ["DNA", "GFP"], labels, ["a", "b"])
    path = cm.train_classifier(cells, network="tiny", epochs=1, device="cpu").save(
        tmp_path / "model.cmx"
    )
    assert cm.load_model(path, size=12).classes == ("a", "b")
    for wrong in ({"size": 16}, {"resize": True}, {"size": (12, 16)}):
        with pytest.raises(ModelError, match=r"its own size of crops \(12 x 12 pixels\)"):
            cm.load_model(path, **wrong)
