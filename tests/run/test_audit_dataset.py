"""The audit of a data set explains some of its cells, to see where attribution lies."""

from __future__ import annotations

from napari_channelmix import train_classifier
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.jobs import drain
from napari_channelmix.run.audit_dataset import audit_dataset_job


def test_some_cells_of_each_class_are_explained() -> None:
    train, test = (
        synthetic_plate(seed, wells=4, cells_per_well=6, side=160).cells for seed in (0, 1)
    )
    model = train_classifier(train, network="tiny", epochs=1, device="cpu")
    card = drain(audit_dataset_job(model, test, maps=4, only="all", limit=6))
    check = card.check("attribution")
    assert check.answer != "not tested"
    assert check.n == 4
    assert [row.what for row in check.figures] == ["share of attribution"] * 3
    without = drain(audit_dataset_job(model, test, maps=0, only="all", limit=6))
    assert without.check("attribution").answer == "not tested"
