"""A record of several data sets: each result with its cells and classifier, or a line why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.classify.evaluated_training import measured_training_job
from napari_channelmix.config import script_of
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.jobs import drain
from napari_channelmix.report import page_of
from napari_channelmix.viewer.pages.report.config_job import (
    UnsavedError,
    changes,
    config_job,
    doable,
)
from napari_channelmix.viewer.pages.report.exports import export_job, items_of
from napari_channelmix.viewer.pages.report.report_job import findings_job
from napari_channelmix.viewer.pages.report.snapshot import snapshot_of
from napari_channelmix.viewer.session.explanation import Question
from napari_channelmix.viewer.session.session import Predictions, Session, Trained
from napari_channelmix.viewer.session.what_if_answers import WhatIfAnswers

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two data-set files: controls and a plate."""
    folder = tmp_path_factory.mktemp("screen")
    return tuple(
        synthetic_plate(seed=seed, wells=4, cells_per_well=4, side=96, crop=24).save(folder / name)
        for seed, name in enumerate(("controls", "plate"))
    )  # type: ignore[return-value]


@pytest.fixture(scope="module")
def classifier(files: tuple[Path, Path]) -> Any:
    cells = cm.open_dataset(files[0])
    return drain(measured_training_job(cells, network="tiny", epochs=1, held_out=0.5, device="cpu"))


@pytest.fixture
def session(files: tuple[Path, Path], classifier: Any) -> Session:
    """A plate that was classified with the classifier of the controls."""
    found = Session()
    found.open(cm.open_dataset(files[0]), str(files[0]))
    found.trained = Trained(classifier, "trained on controls")
    found.open(cm.open_dataset(files[1]), str(files[1]))
    found.predictions = given_by(found.cells, found.trained)
    return found


def given_by(cells: Cells | None, trained: Trained) -> Predictions:
    assert cells is not None
    sure = np.tile(np.float32([0.75, 0.25]), (len(cells), 1))
    return Predictions(trained.classifier.classes, sure, trained.source, trained=trained)


def test_the_classifier_is_trained_on_the_controls_and_used_on_the_plate(
    session: Session, files: tuple[Path, Path]
) -> None:
    snapshot = snapshot_of(session)
    assert snapshot is not None
    config = drain(config_job(snapshot))
    assert [one.data.dataset for one in config.data_sets] == [str(path) for path in files]
    first, second = config.data_sets
    assert first.classifier is not None and first.classifier.training is not None
    assert second.classifier is None and first.predictions is None
    # Both come from the same sample, and are called the same.
    assert second.predictions.classifier == "synthetic plate" == first.data.name
    assert second.data.name == "synthetic plate (2)"
    assert second.predictions.called == {"treated": 16, "untreated": 0}
    assert config.notes == () and changes(snapshot) == ()
    keys = [item.key for item in items_of(snapshot)]
    assert "synthetic plate/classifier" in keys and "synthetic plate (2)/classifier" not in keys
    assert "synthetic plate (2)/groups" in keys


def test_what_it_was_trained_on_is_known_after_its_data_set_was_closed(
    session: Session, files: tuple[Path, Path]
) -> None:
    session.close(session.data_sets[0].key)
    snapshot = snapshot_of(session)
    assert snapshot is not None
    config = drain(config_job(snapshot))
    assert [one.data.dataset for one in config.data_sets] == [str(path) for path in files]
    assert config.others[0].predictions.classifier == "synthetic plate"


def test_a_data_set_of_which_nothing_was_found_is_no_part_of_the_record(
    session: Session, files: tuple[Path, Path]
) -> None:
    session.predictions = None
    snapshot = snapshot_of(session)
    assert snapshot is not None
    config = drain(config_job(snapshot))
    assert config.data.dataset == str(files[0]) and config.others == ()


def test_predictions_of_a_classifier_that_was_replaced_are_left_out_with_a_word(
    session: Session, classifier: Any
) -> None:
    controls = session.data_sets[0].key
    session.put_classifier(controls, Trained(classifier, "trained on controls again"))
    snapshot = snapshot_of(session)
    assert snapshot is not None
    config = drain(config_job(snapshot))
    assert config.others[0].predictions is None
    assert [note for note in config.notes if "predictions of synthetic plate (2)" in note]


def test_channels_and_a_scaling_that_were_chosen_are_in_the_record(
    files: tuple[Path, Path], classifier: Any, tmp_path: Path
) -> None:
    whole = cm.open_dataset(files[0])
    channels = whole.channels[1::-1]
    cells = cm.open_dataset(files[0], channels=channels, scaling="arcsinh=50")
    found = Session()
    found.open(cells, str(files[0]))
    found.trained = Trained(classifier, "trained here")
    snapshot = snapshot_of(found)
    assert snapshot is not None
    config = drain(config_job(snapshot))
    assert config.data.channels == channels and config.data.scaled_as == "arcsinh=50"
    assert 'scaling="arcsinh=50"' in script_of(config)
    # Saved since, the file says it of itself.
    saved = cells.save(tmp_path / "saved")
    found.saved = (found.cells, saved)
    snapshot = snapshot_of(found)
    assert snapshot is not None
    config = drain(config_job(snapshot))
    assert config.data.dataset == str(saved) and config.data.scaled_as is None
    assert config.data.scaling is not None and "arcsinh" in config.data.scaling


def test_cells_in_no_file_are_refused_by_name(session: Session) -> None:
    cells = session.cells
    session.open(cells.subset(slice(8)), "layers of the viewer")  # type: ignore[union-attr]
    session.latents = SimpleNamespace(provenance={})  # type: ignore[assignment]
    snapshot = snapshot_of(session)
    assert snapshot is not None and not doable(snapshot)
    with pytest.raises(
        UnsavedError, match=r"synthetic plate \(3\): these cells are in no .* first$"
    ):
        drain(config_job(snapshot))
    session.switch(session.data_sets[0].key)
    snapshot = snapshot_of(session)
    assert snapshot is not None
    with pytest.raises(UnsavedError, match=r"\(3\): .*choose that data set on .* or close it"):
        drain(config_job(snapshot))
    session.close(session.data_sets[2].key)
    snapshot = snapshot_of(session)
    assert snapshot is not None
    assert len(drain(config_job(snapshot)).data_sets) == 2


def test_a_closed_data_set_in_no_file_says_what_can_still_be_done(
    session: Session, classifier: Any
) -> None:
    cells = session.cells
    session.open(cells, "layers of the viewer")
    closed = session.data_set
    session.trained = Trained(classifier, "trained on layers")
    session.switch(session.data_sets[1].key)
    session.predictions = given_by(session.cells, session.trained)
    session.close(closed)
    snapshot = snapshot_of(session)
    assert snapshot is not None and [one.closed for one in snapshot.data_sets] == [
        False,
        False,
        True,
    ]
    with pytest.raises(UnsavedError, match=r"\(3\): .*were closed.*Save that on the page 'Class"):
        drain(config_job(snapshot))
    # None of it is exported: it was let go, and its classifier has a button of its own.
    assert not [item.key for item in items_of(snapshot) if item.of.endswith("(3)")]
    # As it says: another classifier.
    session.predictions = given_by(session.cells, session.data_sets[0].classifier)
    session.trained = session.data_sets[0].classifier
    snapshot = snapshot_of(session)
    assert snapshot is not None
    assert len(drain(config_job(snapshot)).data_sets) == 2


def explained(session: Session, prior: Any) -> None:
    """Explain a cell with the classifier in use."""
    about = {"method": "pcim", "mode": "autograd", "seed": 0}
    session.explanation = SimpleNamespace(  # type: ignore[assignment]
        cell=3,
        question=Question(prior=prior),
        attribution=SimpleNamespace(provenance=about),
        map=None,
        doubts=(),
        warnings=(),
    )


def test_explanations_have_the_prior_that_they_were_asked_with(session: Session) -> None:
    from napari_channelmix.classify.priors import balanced_prior

    classes = session.trained.classifier.classes  # type: ignore[union-attr]
    explained(session, None)
    explained(session, balanced_prior(classes))
    # Chosen since then: for the controls, which the classifier is of, and for the plate.
    session.put(session.data_sets[0].key, prior="estimated")
    session.prior = "estimated"
    snapshot = snapshot_of(session)
    assert snapshot is not None
    config = drain(config_job(snapshot))
    assert config.classifier is not None and config.classifier.prior == "estimated"
    assert [one.prior for one in config.others[0].explanations] == ["training", "balanced"]
    script = script_of(config)
    assert script.count('prior="training"') == 1 and 'prior="estimated"' not in script


def test_a_report_of_explained_cells_names_their_classifier(session: Session) -> None:
    session.predictions = None
    explained(session, None)
    session.put_classifier(session.data_set, Trained(session.trained.classifier, "of the plate"))  # type: ignore[union-attr]
    snapshot = snapshot_of(session)
    assert snapshot is not None
    plate = drain(findings_job(snapshot)).others[0]
    assert plate.classifier is not None and plate.classifier.source == "trained on controls"
    assert plate.classifier_of == "synthetic plate"
    assert plate.own_classifier is not None and plate.own_classifier.source == "of the plate"


def test_classes_painted_in_another_data_set_are_named(session: Session) -> None:
    session.switch(session.data_sets[0].key)
    session.assign([0], 1 - int(session.cells.labels[0]))  # type: ignore[union-attr]
    session.switch(session.data_sets[1].key)
    snapshot = snapshot_of(session)
    assert snapshot is not None
    assert [one.edited for one in snapshot.data_sets] == [True, False]
    assert changes(snapshot)[0].startswith("synthetic plate: the classifier was trained before")
    with pytest.raises(UnsavedError, match=r"synthetic plate: dataset\.toml holds other cells"):
        drain(config_job(snapshot))


def test_the_prior_of_predictions_is_that_which_they_have(session: Session) -> None:
    from napari_channelmix.classify.priors import given_prior

    shares = {"untreated": 0.9, "treated": 0.1}
    known = given_prior(session.trained.classifier.classes, shares)  # type: ignore[union-attr]
    session.predictions = replace(session.predictions, prior=known)  # type: ignore[type-var]
    # Chosen since then for the controls.
    session.prior = "balanced"
    snapshot = snapshot_of(session)
    assert snapshot is not None
    part = drain(config_job(snapshot)).others[0].predictions
    assert part.prior == pytest.approx(shares)


def test_answers_of_what_if_are_asked_again_with_the_classifier_that_gave_them(
    session: Session, tmp_path: Path
) -> None:
    trained, cells = session.trained, session.cells
    assert trained is not None and cells is not None
    settings = {"axes": ("DNA brightness",), "limit": 2, "steps": 3, "smallest": False}
    result = cm.what_if(trained.classifier, cells, **settings)
    session.what_if = WhatIfAnswers(trained, result)
    snapshot = snapshot_of(session)
    assert snapshot is not None and "what-if answers" in snapshot.results
    config = drain(config_job(snapshot))
    part = config.others[0].what_if
    assert part is not None and part.classifier == config.data.name
    assert {name: getattr(part, name) for name in settings} == settings
    assert "answers_2 = cm.what_if(" in script_of(config).replace("answers_2=", "answers_2 =")
    assert drain(findings_job(snapshot)).others[0].what_if is result
    own = [item for item in items_of(snapshot) if item.key.endswith("/what if")]
    done = drain(export_job(tuple(own), tmp_path))
    assert {path.parent.name for path in done.files} == {"what-if"}
    (written,) = (path for path in done.files if path.name == "whatif.json")
    again = cm.WhatIf.read(written)
    assert again.as_dict()["flips"] == result.as_dict()["flips"] and again.classes == result.classes


def test_all_that_was_asked_about_changed_cells_is_in_report_config_and_export(
    session: Session, tmp_path: Path
) -> None:
    trained, cells = session.trained, session.cells
    assert trained is not None and cells is not None
    model = trained.classifier
    maps = cm.explain(model, cells, only=[1, 2], check=False).maps
    channels = cm.channel_shapley(model, cells, forwards=200, only="all")
    card = cm.audit(model, cells, limit=4, maps=maps, mapped=[1, 2])
    key = session.data_set
    session.keep_answer(key, trained, channels=channels)
    session.keep_answer(key, trained, audit=card)
    snapshot = snapshot_of(session)
    assert snapshot is not None
    assert snapshot.results[-2:] == ("channels of the classifier", "shortcut audit")
    findings = drain(findings_job(snapshot)).others[0]
    assert findings.channel_shapley is channels and findings.audit is card
    assert findings.what_if is None and findings.transplants is None
    assert not any("another classifier" in line for line in findings.notes)
    part = drain(config_job(snapshot)).others[0]
    assert part.parts == ("predictions", "model_channels", "audit")
    assert (part.model_channels.forwards, part.model_channels.prior) == (200, "balanced")
    assert part.audit.mapped == (1, 2) and part.audit.limit == 4
    page = page_of(drain(findings_job(snapshot)))
    for part in ("model-channels", "shortcuts"):
        assert f'id="{part}-2"' in page and f'href="#{part}-2"' in page
    # And in the list of what can be exported.
    own = [item for item in items_of(snapshot) if item.key.endswith(("/channels", "/audit"))]
    done = drain(export_job(tuple(own), tmp_path))
    assert {path.name for path in done.files} == {
        "channel_effects.csv",
        *(f"{name}.{kind}" for name in ("channels", "audit") for kind in ("json", "csv", "png")),
    }
    # Those of another classifier are not mixed with these.
    other = Trained(trained.classifier, "another")
    session.keep_answer(key, other, audit=card)
    assert session.what_if.words == ("shortcut audit",) and session.what_if.trained is other


def test_a_config_explains_with_the_map_that_was_tested(session: Session) -> None:
    explained(session, None)
    first = session.explanation
    first.question = Question(channels="separate")  # type: ignore[union-attr,misc]
    snapshot = snapshot_of(session)
    assert snapshot is not None
    (part,) = drain(config_job(snapshot)).others[0].explanations
    assert part.channels == "shared" and part.cells == (3,)
