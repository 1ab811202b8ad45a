"""Every job that asks a classifier, on models that were handed over in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from torch import nn

import napari_channelmix as cm
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import ChannelMixError, ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.report import report_job
from napari_channelmix.run.report import Sources, findings_job

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::napari_channelmix.DataShiftWarning")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plate")
    return synthetic_plate(wells=8, cells_per_well=8, side=96, crop=24).save(folder)


@pytest.fixture(scope="module")
def cells(dataset: Path) -> cm.Cells:
    return cm.open_dataset(dataset)


@pytest.fixture(scope="module")
def wrapped_module(cells: cm.Cells) -> Any:
    trained = cm.train_classifier(cells, network="tiny", epochs=4, device="cpu")
    # As an image analyst would have it: the network alone, with what belongs to it in a notebook.
    return cm.wrap(
        trained.network,
        channels=trained.channels,
        classes=trained.classes,
        mean=trained.mean,
        std=trained.std,
        size=24,
    )


def levels(crops: Any) -> Any:
    return np.concatenate([crops.mean(axis=(2, 3)), crops.std(axis=(2, 3))], axis=1)


@pytest.fixture(scope="module")
def wrapped_estimator(cells: cm.Cells) -> Any:
    estimator = make_pipeline(FunctionTransformer(levels), StandardScaler(), LogisticRegression())
    names = np.array(cells.classes)[cells.labels]
    return cm.wrap(estimator.fit(cells.read(), names), channels=cells.channels)


@pytest.fixture(params=["module", "estimator"])
def model(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(f"wrapped_{request.param}")


def has_gradients(model: Any) -> bool:
    return isinstance(model.module, nn.Module)


def test_maps_and_mean_maps(model: Any, cells: cm.Cells) -> None:
    few = cells.subset(np.arange(0, len(cells), 8))
    maps = cm.explain(model, few, forwards=60, check=False)
    assert maps.mode == ("autograd" if has_gradients(model) else "blackbox")
    assert maps.classes == model.classes
    means = cm.mean_maps(maps)
    assert means.maps.shape[-2:] == (24, 24)
    scores = maps.scores()
    assert np.isfinite(scores["pcim"]["srg"] if "pcim" in scores else 0.0)


def test_channels_edits_transplants_and_the_audit(model: Any, cells: cm.Cells) -> None:
    values = cm.channel_shapley(model, cells)
    assert values.channels == model.channels
    answers = cm.what_if(model, cells, limit=8, seed=0)
    assert answers.classes == model.classes
    moved = cm.transplant(model, cells)
    assert moved.rows
    assert cm.audit(model, cells, limit=16).provenance["model"]


def test_a_panel_is_learnt_anew_and_asks_no_model(model: Any) -> None:
    with pytest.raises(ModelError, match=r"panel .* asks no classifier; give it the cells"):
        cm.panel(model)


def test_evaluation_predictions_tables_and_the_report(
    model: Any, cells: cm.Cells, dataset: Path, tmp_path: Path
) -> None:
    evaluation = cm.evaluate(model, cells)
    assert evaluation.estimate.balanced > 0.6
    predicted = cm.predict_cells(model, cells, tmp_path / "predictions")
    called = np.bincount(model.predict(cells), minlength=2)
    assert sum(called) == predicted.content["n"] == len(cells)
    table = pd.read_csv(tmp_path / "predictions" / "cells.csv")
    assert [(table["prediction"] == name).sum() for name in model.classes] == called.tolist()
    results = cm.CellResults(cells, model.predict_proba(cells), model.classes)
    (written,) = cm.write_cells(results, tmp_path / "results.csv")
    assert len(pd.read_csv(written)) == len(cells)
    findings = drain(findings_job(cells, Sources(model, name=model.source), source=str(dataset)))
    assert findings.classifier is not None
    page = drain(report_job(findings, tmp_path / "report.html"))
    assert model.source in page.read_text(encoding="utf-8")


def test_maps_of_a_data_set_go_on_where_an_earlier_run_stopped(
    model: Any, cells: cm.Cells, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"limit": 6, "forwards": 60, "score": True}
    first = cm.explain_cells(model, cells, tmp_path / "maps", **options)
    again = cm.explain_cells(model, cells, tmp_path / "maps", **options)
    assert first.worked and not again.worked
    mode = first.content["mode"]
    assert mode == ("autograd" if has_gradients(model) else "blackbox")
    assert ("saliency" in first.content["scores"]) == (mode == "autograd")
    other = cm.wrap(lambda x: levels(x)[:, :2], channels=cells.channels, classes=model.classes)
    with pytest.raises(ChannelMixError, match="model"):
        cm.explain_cells(other, cells, tmp_path / "maps", **options)
