"""An attribution carries its scores and its origin."""

import json
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest

from napari_channelmix import Cells, explain
from napari_channelmix.jobs import drain
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.references import Reference


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


def test_scores_are_taken_with_the_mean_and_the_device_of_the_maps(planted, monkeypatch):
    crops = np.concatenate([planted.crops, 5 + planted.crops])
    part = Source.of(planted.predict, crops, "cpu").read(np.array([6, 1]))
    found = explain(planted.predict, part, forwards=20)
    seen = []

    def noting(x, mean, *args, **more):
        seen.append(mean)
        return Reference(x, mean, *args, **more)

    def another(name):
        raise AssertionError("the device was chosen anew")

    monkeypatch.setattr("napari_channelmix.pcim.scores.Reference", noting)
    monkeypatch.setattr("napari_channelmix.pcim.cell_source.choose_device", another)
    found.scores()
    assert seen[0] is part.mean


def test_two_attributions_are_never_equal(attribution):
    # They hold arrays: whoever compares them compares those.
    assert attribution == attribution
    assert replace(attribution, source=None) != attribution


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


def test_maps_can_be_joined_with_the_users_own_tables(attribution):
    keys = pd.DataFrame({"cell_id": range(40, 45), "target": "theirs"})
    cells = Cells.from_array(np.zeros((5, 3, 8, 8)), ["a", "b", "c"]).with_keys(keys)
    source = replace(attribution.source, known=cells, numbers=np.array([4, 0, 1, 2]))
    frame = replace(attribution, source=source).to_frame()
    assert frame["cell"].tolist() == [4, 0, 1, 2]
    assert frame["cell_id"].tolist() == ["44", "40", "41", "42"]
    assert frame["target"].tolist() == [attribution.classes[code] for code in attribution.target]
    assert frame["target (table)"].tolist() == ["theirs"] * 4
    np.testing.assert_array_equal(
        frame[[f"probability of {name}" for name in attribution.classes]].to_numpy(np.float32),
        attribution.probabilities,
    )


def test_of_crops_in_an_array_only_their_numbers_are_known(attribution):
    frame = attribution.to_frame()
    assert list(frame.columns[:3]) == ["cell", "target", "prediction"] and len(frame) == 4
