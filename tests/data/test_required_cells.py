"""What takes cells says so in one line where it gets something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.errors import DataError


def scores(crops: Any) -> Any:
    return np.zeros((len(crops), 2))


MODEL = cm.wrap(scores, channels=["DNA", "GFP"], classes=["a", "b"])
TAKE_CELLS: dict[str, Callable[[Any], Any]] = {
    "train_classifier": cm.train_classifier,
    "evaluate": lambda cells: cm.evaluate(MODEL, cells),
    "channel_importance": cm.channel_importance,
    "latents": cm.latents,
    "what_if": lambda cells: cm.what_if(MODEL, cells),
    "audit": lambda cells: cm.audit(MODEL, cells),
    "channel_shapley": lambda cells: cm.channel_shapley(MODEL, cells),
}


@pytest.mark.parametrize("name", list(TAKE_CELLS))
@pytest.mark.parametrize(
    ("wrong", "way"),
    [
        (np.zeros((3, 1, 8, 8)), "not ndarray; make them of an array with Cells.from_array"),
        (None, "not NoneType"),
        ("plate/dataset.toml", "not str; open the data set with open_dataset"),
    ],
)
def test_what_is_no_cells_is_refused_with_the_way(name: str, wrong: Any, way: str) -> None:
    with pytest.raises(DataError, match=f"cells must be Cells, {way}") as error:
        TAKE_CELLS[name](wrong)
    assert "\n" not in str(error.value)
