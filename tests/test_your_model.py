"""The recipes of docs/your-model.md run as they stand."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import napari_channelmix as cm
from napari_channelmix.classify import NetworkSpec

PAGE = Path(__file__).resolve().parents[1] / "docs/your-model.md"
CHANNELS, CLASSES = ["DNA", "GFP"], ["negative", "positive"]

pytestmark = [
    pytest.mark.filterwarnings("ignore::napari_channelmix.DataShiftWarning"),
    pytest.mark.filterwarnings("ignore:.*crops are resized"),
]


def recipes() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)


class OfTimm(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.mean(dim=(2, 3)))


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a recipe takes for granted."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = np.arange(48) % 2
    crops = rng.normal(300, 50, (48, 2, 24, 24)).astype(np.float32)
    crops[:, 1, 8:16, 8:16] += 200 * labels[:, None, None]
    cells = cm.Cells.from_array(
        crops, CHANNELS, labels, CLASSES, [f"well {row // 6}" for row in range(48)]
    )
    library, own = ModuleType("timm"), ModuleType("my_package")
    library.create_model = (  # type: ignore[attr-defined]
        lambda name, pretrained, in_chans, num_classes: OfTimm(in_chans, num_classes)
    )
    network = NetworkSpec("tiny", 2, 2).build().eval()
    own.load_network = lambda: network  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "timm", library)
    monkeypatch.setitem(sys.modules, "my_package", own)
    save_file(OfTimm(2, 2).state_dict(), "start.safetensors")
    return {"cm": cm, "network": network, "cells": cells, "train": cells}


@pytest.mark.parametrize("index", range(len(recipes())))
def test_a_recipe_runs_as_it_stands(index: int, names: dict[str, Any]) -> None:
    exec(recipes()[index], names)
    assert names["model"].predict_proba(names["cells"]).shape == (48, 2)
    if "maps" in names:
        assert names["maps"].mode == "autograd"
        assert names["maps"].maps.shape == (48, 24, 24)
    if "again" in names:
        np.testing.assert_allclose(
            names["again"].predict_proba(names["cells"]),
            names["model"].predict_proba(names["cells"]),
            atol=1e-6,
        )


def test_there_are_five_recipes_and_the_file_of_the_third_is_opened(names: dict[str, Any]) -> None:
    assert len(re.findall(r"^### \d\. ", PAGE.read_text("utf-8"), flags=re.MULTILINE)) == 5
    (file,) = [recipe for recipe in recipes() if recipe.startswith("# mine.py")]
    Path("mine.py").write_text(file)
    model = cm.load_model("mine.py:model", allow_code=True)
    assert model.channels == tuple(CHANNELS)
