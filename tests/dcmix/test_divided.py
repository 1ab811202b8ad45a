"""Channel importance of a whole data set notes how its cells were divided."""

import pytest

from napari_channelmix import channel_importance
from napari_channelmix.classify import TrainingSettings
from napari_channelmix.config.facts import importance_part
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.dcmix.divided import divided_importance_job
from napari_channelmix.jobs import drain


def test_it_is_that_of_the_split_and_says_so():
    cells = synthetic_plate(wells=6, cells_per_well=6, side=128, crop=24).cells
    cells = cells.with_channels(cells.channels[:2])
    partial = []
    asked = {"seeds": 1, "shapley": False, "decoys": False, "network": "tiny", "device": "cpu"}
    found = drain(
        divided_importance_job(cells, epochs=2, held_out=0.4, seed=3, **asked),
        lambda step: partial.append(step.partial),
    )
    train, test = cells.split(test=0.4, seed=3)
    usual = channel_importance(train, test, settings=TrainingSettings(epochs=2), seed=3, **asked)
    assert found.share == pytest.approx(usual.share, abs=1e-6)
    part = importance_part(found)
    assert (part.held_out, part.seed, part.epochs, part.seeds) == (0.4, 3, 2, 1)
    assert part.share == dict(zip(cells.channels, found.share, strict=True))
    assert found.provenance["cells"] == cells.fingerprint
    known = [one for one in partial if one is not None]
    assert known
    assert all("split" in one.provenance for one in known)
