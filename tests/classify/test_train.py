"""Training a classifier: what it learns, what repeats, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from napari_channelmix.classify import TrainingSettings, train_classifier, train_classifier_job
from napari_channelmix.classify.crops import NormalisedCrops
from napari_channelmix.classify.mixing import MixedNetwork
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.train import ClassLearner, inner_split
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Progress, drain

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier

MakeCells = Callable[..., Cells]


def weights(classifier: Classifier) -> list[torch.Tensor]:
    return list(classifier.network.state_dict().values())


def equal(one: Classifier, other: Classifier) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


@pytest.mark.parametrize("mix", [False, True])
def test_a_bright_middle_is_learnt_and_told_apart_in_new_cells(
    make_cells: MakeCells, mix: bool
) -> None:
    settings = TrainingSettings(epochs=4, batch=16)
    model = train_classifier(
        make_cells(96), mix=mix, network="tiny", settings=settings, device="cpu"
    )
    new = make_cells(60, seed=9)
    assert (model.predict(new) == new.labels).mean() > 0.9
    losses = [metrics["loss"] for metrics in model.record["history"]]
    assert losses[-1] < losses[0]
    assert isinstance(model.network, MixedNetwork) == mix
    if model.mixing is not None:
        assert model.mixing.alpha.argmax() == new.channels.index("signal")


def test_the_classifier_knows_its_channels_statistics_and_origin(
    trained: Classifier, cells: Cells
) -> None:
    assert trained.channels == cells.channels
    assert trained.classes == cells.classes
    np.testing.assert_allclose(trained.mean, cells.statistics().mean)
    np.testing.assert_allclose(trained.std, cells.statistics().std)
    assert trained.provenance["data"] == cells.signature
    assert trained.provenance["settings"]["epochs"] == 3
    assert trained.record["n_train"] + trained.record["n_validation"] == len(cells)
    assert not trained.network.training


def test_the_same_seed_gives_the_same_weights_and_another_others(
    cells: Cells, quick: TrainingSettings
) -> None:
    one, same, other = (
        train_classifier(cells, network="tiny", settings=quick, seed=seed, device="cpu")
        for seed in (1, 1, 2)
    )
    assert equal(one, same)
    assert not equal(one, other)


def test_training_leaves_the_random_numbers_of_others_alone(
    cells: Cells, quick: TrainingSettings
) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    train_classifier(cells, network="tiny", settings=quick, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_progress_has_one_total_never_goes_back_and_carries_the_curves(
    cells: Cells, quick: TrainingSettings
) -> None:
    steps: list[Progress] = []
    drain(train_classifier_job(cells, network="tiny", settings=quick, device="cpu"), steps.append)
    assert {step.total for step in steps} == {100}
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(100)
    curves = [step.metrics for step in steps if step.metrics]
    assert [one["epoch"] for one in curves] == [1, 2]
    assert {"loss", "accuracy", "validation_loss"} <= set(curves[0])
    # 16 batches of an epoch, at least: each is a chance to cancel.
    assert len(steps) > 32


def test_a_cancelled_training_resumes_to_exactly_the_same_weights(
    cells: Cells, tmp_path: Path
) -> None:
    settings = TrainingSettings(epochs=3, batch=8)
    path = tmp_path / "c.safetensors"

    def job(checkpoint: Path | None):  # type: ignore[no-untyped-def]
        return train_classifier_job(
            cells, mix=True, network="tiny", settings=settings, device="cpu", checkpoint=checkpoint
        )

    first = job(path)
    while not path.exists():
        next(first)
    next(first)
    first.close()
    assert list(tmp_path.iterdir()) == [path]
    steps: list[Progress] = []
    resumed = drain(job(path), steps.append)
    assert any(step.stage == "picking up where it stopped" for step in steps)
    whole = drain(job(None))
    assert equal(resumed, whole)
    assert resumed.record == whole.record
    again = train_classifier(
        cells, mix=True, network="tiny", settings=settings, device="cpu", checkpoint=path
    )
    assert equal(again, whole)
    assert not path.exists()


def test_a_checkpoint_of_other_cells_is_ignored(
    make_cells: MakeCells, quick: TrainingSettings, tmp_path: Path
) -> None:
    path = tmp_path / "c.safetensors"
    first = train_classifier_job(
        make_cells(seed=1), network="tiny", settings=quick, device="cpu", checkpoint=path
    )
    while not path.exists():
        next(first)
    first.close()
    cells = make_cells(seed=2)
    over = train_classifier(cells, network="tiny", settings=quick, device="cpu", checkpoint=path)
    assert equal(over, train_classifier(cells, network="tiny", settings=quick, device="cpu"))


def test_mixing_weights_learn_faster_and_without_decay(cells: Cells) -> None:
    crops = NormalisedCrops(cells, cells.statistics())
    network = NetworkSpec("tiny", 3, 2, 1).build()
    learner = ClassLearner(network, crops, crops, batch=8, seed=0, device=torch.device("cpu"))
    rest, mixing = learner.parameter_groups()
    assert mixing["params"] == [network.mixing.weight]  # type: ignore[union-attr]
    assert (mixing["rate"], mixing["weight_decay"]) == (10.0, 0.0)
    named = {id(p) for group in (rest, mixing) for p in group["params"]}
    assert named == {id(p) for p in network.parameters()}


def test_every_batch_of_an_epoch_has_about_the_same_size_and_both_classes(
    make_cells: MakeCells,
) -> None:
    cells = make_cells(60).subset([*range(0, 60, 2), 1, 3])
    assert cells.class_counts == {"class 0": 30, "class 1": 2}
    crops = NormalisedCrops(cells, cells.statistics())
    learner = ClassLearner(
        NetworkSpec("tiny", 3, 2).build(),
        crops,
        crops,
        batch=16,
        seed=0,
        device=torch.device("cpu"),
    )
    batches = list(learner.batches(0))
    assert len(batches) == learner.steps() >= 16
    assert {len(labels) for _, labels in batches} <= {15, 16, 17}
    labels = torch.cat([labels for _, labels in batches])
    assert (labels == 0).sum() == (labels == 1).sum()
    for (x, y), (x_again, y_again) in zip(batches, learner.batches(0), strict=True):
        assert torch.equal(x, x_again)
        assert torch.equal(y, y_again)


def test_validation_holds_out_whole_groups_and_says_when_it_cannot(make_cells: MakeCells) -> None:
    cells = make_cells(60)
    flags, warnings = inner_split(cells, 0)
    assert not set(cells.groups[flags]) & set(cells.groups[~flags])
    assert warnings == ()
    one = replace(cells, table=cells.table.assign(group="the only well"))
    flags, warnings = inner_split(one, 0)
    assert 0 < flags.sum() < 30
    assert "early stopping used single cells" in warnings[0]


def test_rows_called_val_are_the_ones_validated_on(make_cells: MakeCells) -> None:
    cells = make_cells(12)
    part = ["val" if 3 <= i < 7 else "train" for i in range(12)]
    flags, _ = inner_split(replace(cells, table=cells.table.assign(split=part)), 0)
    assert np.flatnonzero(flags).tolist() == [3, 4, 5, 6]


def test_cells_without_a_class_are_left_out(cells: Cells, quick: TrainingSettings) -> None:
    labels = cells.labels
    labels = np.where(np.arange(len(labels)) < 6, -1, labels)
    model = train_classifier(
        cells.with_labels(labels, cells.classes), network="tiny", settings=quick, device="cpu"
    )
    assert model.record["n_train"] + model.record["n_validation"] == len(cells) - 6


def test_what_cannot_be_trained_on_is_refused_before_anything_is_read(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cells, "read", lambda *_: pytest.fail("pixels were read"))
    zeros = np.zeros(len(cells), int)
    with pytest.raises(DataError, match="all cells are of class 'class 0'"):
        train_classifier(cells.with_labels(zeros, ["class 0", "class 1"]))
    one = zeros.copy()
    one[3] = 1
    with pytest.raises(DataError, match="class 'class 1' has one cell only"):
        train_classifier(cells.with_labels(one, ["class 0", "class 1"]))
    with pytest.raises(DataError, match="no cell has a class"):
        train_classifier(cells.with_labels(zeros - 1, []))
    with pytest.raises(ModelError, match="network 'vast' is unknown"):
        train_classifier(cells, network="vast")
    with pytest.raises(ModelError, match="device 'tpu' is unknown"):
        train_classifier(cells, device="tpu")
    with pytest.raises(ModelError, match="epochs must be 1 or more"):
        train_classifier(cells, epochs=0)


def test_constant_channels_and_nan_are_refused_by_name(cells: Cells) -> None:
    crops = cells.read()
    crops[:, 2] = 4
    flat = Cells.from_array(crops, cells.channels, cells.labels, cells.classes)
    with pytest.raises(DataError, match="channel 'other' is constant"):
        train_classifier(flat, network="tiny", device="cpu")
    crops[5, 1, 2, 3] = np.nan
    holed = Cells.from_array(crops, cells.channels, cells.labels, cells.classes)
    with pytest.raises(DataError, match="channel 'signal' has NaN or infinite pixels in cell 5"):
        train_classifier(holed, network="tiny", device="cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_learns_the_same_thing_in_mixed_precision(make_cells: MakeCells) -> None:
    settings = TrainingSettings(epochs=4, batch=16)
    model = train_classifier(
        make_cells(96), mix=True, network="tiny", settings=settings, device="cuda"
    )
    new = make_cells(60, seed=9)
    assert model.device.type == "cuda"
    assert (model.predict(new) == new.labels).mean() > 0.9


def test_settings_are_kept_where_epochs_are_asked_for(cells: Cells) -> None:
    settings = TrainingSettings(epochs=9, batch=8)
    found = train_classifier(cells, network="tiny", settings=settings, epochs=1, device="cpu")
    assert found.provenance["settings"]["epochs"] == 1
    assert found.provenance["settings"]["batch"] == 8


def test_no_mix_at_all_is_refused(cells: Cells) -> None:
    with pytest.raises(ModelError, match="mixes must be 1 or more, not 0"):
        train_classifier(cells, mix=True, mixes=0, network="tiny", device="cpu")


def test_a_class_only_among_validation_rows_is_refused(cells: Cells) -> None:
    part = np.where(cells.labels == 1, "val", "train")
    odd = replace(cells, table=cells.table.assign(split=part))
    with pytest.raises(DataError, match="'class 1' is only among the rows called 'val'"):
        train_classifier(odd, network="tiny", device="cpu")


# ---------------------------------------------------------------- the formulas, by hand


class Fixed(torch.nn.Module):
    """Scores that are the same for all crops: ``log 3`` for class 0 and 0 for class 1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tensor([[np.log(3.0), 0.0]], dtype=torch.float32).repeat(len(x), 1)


def learner_of(cells: Cells, network: torch.nn.Module, batch: int = 16) -> ClassLearner:
    crops = NormalisedCrops(cells, cells.statistics())
    return ClassLearner(network, crops, crops, batch=batch, seed=3, device=torch.device("cpu"))


def test_the_loss_is_the_mean_of_minus_log_p(make_cells: MakeCells) -> None:
    learner = learner_of(make_cells(8), Fixed())
    labels = torch.tensor([0, 0, 0, 1])
    loss = learner.loss((torch.zeros(4, 3, 12, 12), labels))
    assert float(loss) == pytest.approx((3 * -np.log(3 / 4) - np.log(1 / 4)) / 4)


def test_the_score_is_balanced_accuracy_and_a_thousandth_of_the_loss(
    make_cells: MakeCells,
) -> None:
    # Six cells of class 0, all right; two of class 1, all wrong.
    cells = make_cells(12).subset([0, 2, 4, 6, 8, 10, 1, 3])
    found = drain(learner_of(cells, Fixed()).validate())
    loss = (6 * -np.log(3 / 4) - 2 * np.log(1 / 4)) / 8
    assert found["accuracy"] == 0.5
    assert found["validation_loss"] == pytest.approx(loss)
    assert found["score"] == pytest.approx(0.5 - 1e-3 * loss)

    class Sure(Fixed):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 1000 * super().forward(x)

    # However wrong a network is, the loss never outweighs a hundredth of accuracy.
    assert drain(learner_of(cells, Sure()).validate())["score"] == pytest.approx(0.5 - 1e-3 * 10)


@pytest.mark.parametrize(("cells", "batch", "steps"), [(12, 4, 16), (120, 4, 30), (120, 50, 16)])
def test_an_epoch_has_sixteen_steps_or_passes_once_over_the_cells(
    make_cells: MakeCells, cells: int, batch: int, steps: int
) -> None:
    learner = learner_of(make_cells(cells), Fixed(), batch)
    assert learner.steps() == steps
    assert sum(len(labels) for _, labels in learner.batches(0)) == max(16 * batch, cells)


def test_a_fifth_of_the_groups_is_validated_on(make_cells: MakeCells) -> None:
    cells = make_cells(120)
    flags, _ = inner_split(cells, 0)
    assert len(set(cells.groups)) == 20
    assert len(set(cells.groups[flags])) == 4
