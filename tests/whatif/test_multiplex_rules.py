"""A classifier that is the rules of the planted multiplex set: its matrix is these rules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import napari_channelmix as cm
from napari_channelmix.classify import ForeignClassifier
from napari_channelmix.data.multiplex_sample import (
    LEVELS_FILE,
    MULTIPLEX_CLASSES,
    MULTIPLEX_RULES,
    POSITIVE,
    multiplex_channels,
    multiplex_sample,
    type_of_markers,
)

MARKERS = tuple(
    name for name in multiplex_channels() if any(name in rule for rule in MULTIPLEX_RULES.values())
)
OTHERS = ("CD31", "CD11c", "CD34")


def by_the_rules(crops: np.ndarray) -> np.ndarray:
    """Probabilities (n, 7): nearly 1 for the type that the first eight channels make."""
    codes = type_of_markers(crops[:, : len(MARKERS)].mean(axis=(2, 3)) >= POSITIVE)
    shares = np.full((len(crops), len(MULTIPLEX_CLASSES)), 1e-3, np.float32)
    # Cells that fit two rules are of no type.
    shares[codes >= 0, codes[codes >= 0]] = 1
    return shares / shares.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    file = multiplex_sample(tmp_path_factory.mktemp("set"), cells=2400, channels=16)
    return pd.read_csv(file.parent / LEVELS_FILE)


@pytest.mark.parametrize("others", [(), OTHERS], ids=["exact", "sampled"])
def test_the_matrix_of_the_rules_is_the_rules(
    levels: pd.DataFrame, others: tuple[str, ...]
) -> None:
    names = (*MARKERS, *others)
    values = levels[list(names)].to_numpy(np.float32)
    crops = np.repeat(values[:, :, None], 4, axis=2)[..., None].repeat(4, axis=3)
    labels = [MULTIPLEX_CLASSES.index(name) for name in levels["label"]]
    cells = cm.Cells.from_array(
        crops, names, labels, MULTIPLEX_CLASSES, levels["patient"].tolist(), name="levels"
    )
    count = len(names)
    model = ForeignClassifier(
        by_the_rules,
        names,
        MULTIPLEX_CLASSES,
        np.zeros(count),
        np.ones(count),
        "probabilities",
        "rules",
    )
    result = cm.channel_shapley(model, cells, forwards=30_000)
    assert result.exact == (not others)
    assert result.whole == 1.0
    effects = result.effects()
    for name, rule in MULTIPLEX_RULES.items():
        leaders = effects[name].abs().sort_values(ascending=False).index[: len(rule)]
        assert set(leaders) == set(rule), name
        assert {marker: np.sign(effects.loc[marker, name]) for marker in rule} == rule
    for marker in set(names).difference(MARKERS):
        assert (effects.loc[marker].fillna(0) == 0).all()
