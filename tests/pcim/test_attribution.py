"""An attribution carries its scores and its origin."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from napari_channelmix import explain
from napari_channelmix.jobs import drain


@pytest.fixture
def attribution(planted):
    return explain(planted.network, planted.crops, method="pcim", device="cpu", seed=3)


def test_scores_are_means_over_the_cells(attribution):
    each = attribution.scores(per_cell=True)
    assert {name: of.shape for name, of in each.items()} == dict.fromkeys(
        ("srg", "insertion", "deletion"), (4,)
    )
    for name, mean in attribution.scores().items():
        assert mean == pytest.approx(each[name].mean())
    fidelity = drain(attribution.fidelity_job())
    np.testing.assert_array_equal(fidelity.srg, each["srg"])


def test_its_origin_can_be_kept_as_json(attribution):
    origin = json.loads(json.dumps(attribution.provenance))
    assert origin["method"] == "pcim"
    assert origin["seed"] == 3
    assert origin["versions"]["torch"]


def test_it_is_not_to_be_changed(attribution):
    assert len(attribution) == 4
    with pytest.raises(FrozenInstanceError):
        attribution.maps = attribution.maps
    # Its text is short enough to be printed.
    assert len(repr(attribution)) < 1000
