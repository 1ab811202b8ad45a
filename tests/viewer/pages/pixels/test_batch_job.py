"""Maps of many cells of a field of view: cells are called by their place in the data set."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.classify import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.training_cells import TrainingCells, crop_digests
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.settings import ExplainSettings, Only
from napari_channelmix.viewer.pages.pixels.batch_job import FieldMaps, field_maps_job
from napari_channelmix.viewer.session.cell_sources import Sources
from napari_channelmix.viewer.session.session import Trained


def test_a_chosen_cell_that_cannot_be_used_has_its_number_in_the_data_set() -> None:
    crops = np.random.default_rng(0).random((6, 2, 12, 12), np.float32)
    crops[4, 0, 3, 3] = np.nan
    spec = NetworkSpec("tiny", 2, 2)
    classifier = Classifier(
        spec.build().eval(), spec, ("DNA", "GFP"), ("a", "b"), np.zeros(2), np.ones(2), 12
    )
    cells = Cells.from_array(crops, ["DNA", "GFP"])
    trained, settings = Trained(classifier, "here"), ExplainSettings(only="all")
    job = field_maps_job(Sources(), trained, cells, [1, 4], settings, (12, 12))
    with pytest.raises(DataError, match="in cell 4 "):
        drain(job)


def test_cells_that_were_trained_on_are_left_out_where_that_is_asked_for() -> None:
    crops = np.random.default_rng(0).random((4, 2, 12, 12), np.float32)
    cells = Cells.from_array(crops, ["DNA", "GFP"])
    spec = NetworkSpec("tiny", 2, 2)
    seen = TrainingCells.of(cells.subset([0]), crop_digests(crops[:1]))
    classifier = Classifier(
        spec.build().eval(),
        spec,
        ("DNA", "GFP"),
        ("a", "b"),
        np.zeros(2),
        np.ones(2),
        12,
        training_cells=seen,
    )
    trained = Trained(classifier, "here")

    def maps(only: Only) -> FieldMaps:
        settings = ExplainSettings(only=only)
        return drain(field_maps_job(Sources(), trained, cells, [0, 1, 2], settings, (12, 12)))

    assert (maps("held-out").done, maps("all").done) == (2, 3)
    assert maps("held-out").warnings[0] == (
        "1 of 3 cells were trained on: the maps are of the other 2"
    )
