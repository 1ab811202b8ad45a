"""A share of held-out cells that is not what was chosen."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_channelmix.viewer.pages.classifier.held_out_share import held_out_line

from ...phenotype_cases import cells


def trained(n_test: int, groups: int, wanted: float = 0.25) -> Any:
    """A classifier of 160 cells, of which some were held out."""
    rows = [SimpleNamespace(n_groups=groups, n_cells=n_test // 2) for _ in range(2)]
    return SimpleNamespace(
        classifier=SimpleNamespace(provenance={"split": {"held_out": wanted, "seed": 0}}),
        n_train=160 - n_test,
        n_test=n_test,
        estimate=SimpleNamespace(per_class=rows),
    )


@pytest.mark.parametrize(
    ("n_test", "groups", "said"),
    [
        (80, 2, "half of the cells are held out, not 25%: two groups of each class are needed"),
        (64, 3, "40% of the cells are held out, not 25%: groups are held out whole"),
        (48, 2, ""),
    ],
)
def test_it_is_said_with_the_reason(n_test: int, groups: int, said: str) -> None:
    line = held_out_line(trained(n_test, groups), cells())
    # 48 of 160 are 0.30: as near as is not worth a line.
    assert line == said


def test_a_split_of_the_data_set_is_the_reason_where_it_has_one() -> None:
    of = cells()
    of.table["split"] = np.where(np.arange(len(of)) < 6, "train", "test")
    assert held_out_line(trained(80, 2), of).endswith("the data set has its own split")
    assert held_out_line(None, of) == ""
