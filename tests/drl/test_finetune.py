"""Fine-tuning: the source stays as it is, sprites keep the names, and failure keeps the source."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_channelmix.drl import Disentangler, finetune
from napari_channelmix.drl.finetune import BATCH, CellLearner, finetune_job
from napari_channelmix.drl.latent_code import Code
from napari_channelmix.drl.sprites import TEXTURED
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_set_of_sprites(monkeypatch, textured):
    monkeypatch.setattr("napari_channelmix.drl.sprite_learner.Sprites", lambda of: textured)


@pytest.fixture
def cells(textured, generator):
    """Pictures of 60 bright squares, as they come from the preparation."""
    digits = textured.random(60, generator)
    digits[:, TEXTURED.column("Shape")] = 0
    return (255 * textured.draw(digits, generator).inputs.numpy()).round().astype(np.uint8)


def tuned(source, pictures, **settings):
    return drain(finetune_job(source, pictures, **{"epochs": 2, "device": "cpu"} | settings))


def weights(of):
    return {name: value.clone() for name, value in of.network.state_dict().items()}


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_the_cells_are_drawn_better_and_the_source_is_left_as_it_is(untrained, cells):
    before = weights(untrained)
    found = tuned(untrained, cells)
    assert found.source_note == ""
    assert found.error[1] < found.error[0]
    assert same(before, weights(untrained))
    assert not same(before, weights(found.disentangler))
    assert found.disentangler.code is untrained.code
    assert not found.disentangler.network.training
    about = found.disentangler.about["finetuned"]
    assert (about["cells"], about["epochs"], about["replay"]) == (60, 2, 0.25)
    assert about["error"] == list(found.error)
    assert "finetuned" not in untrained.about


def test_cells_kept_aside_say_whether_it_got_better(untrained, cells):
    learner = CellLearner(untrained, cells, 0.25, 0, CPU)
    assert len(learner.held_out) == 6
    assert not set(learner.held_out) & set(learner.train)
    assert sorted([*learner.held_out, *learner.train]) == list(range(60))
    few = CellLearner(untrained, cells[:20], 0.25, 0, CPU)
    assert len(few.train) == len(few.held_out) == 20


def test_statistics_of_normalisation_stay_those_of_the_sprites(untrained, cells):
    found = tuned(untrained, cells, rate=1e-2)
    before = weights(untrained)
    for name, value in weights(found.disentangler).items():
        if "running" in name or "num_batches" in name:
            assert torch.equal(value, before[name]), name


def test_every_batch_holds_as_many_sprites_as_asked_for(untrained, cells):
    for replay, sprites in ((0.0, 0), (0.25, 12), (1.0, 48)):
        learner = CellLearner(untrained, cells, replay, 0, CPU)
        batches = list(learner.batches(0))
        assert [len(pictures) for pictures, _ in batches] == [BATCH, 54 - BATCH]
        for _, drawn in batches:
            assert (0 if drawn is None else len(drawn.inputs)) == sprites
            if drawn is not None:
                # As at the end of their training.
                assert drawn.progress == 1
    seen = torch.cat([pictures for pictures, _ in batches])
    wanted = torch.from_numpy(cells[learner.train] / np.float32(255))
    torch.testing.assert_close(seen.sum(dim=0), wanted.sum(dim=0))


def test_sprites_count_by_their_number(untrained, cells):
    learner = CellLearner(untrained, cells, 0.25, 0, CPU)
    pictures, sprites = next(learner.batches(0))
    learner.module.eval()

    def loss(*batch):
        torch.manual_seed(0)
        with torch.no_grad():
            return float(learner.loss(batch))

    with torch.no_grad():
        alone = loss(pictures, None)
        torch.manual_seed(0)
        learner.module(pictures).sample()
        theirs = float(learner.sprites.loss(sprites))
    assert loss(pictures, sprites) == pytest.approx(alone + theirs * 12 / 48, rel=1e-4)


def test_sprites_teach_the_network_that_learns_the_cells(untrained, cells):
    learner = CellLearner(untrained, cells, 0.25, 0, CPU)
    _, sprites = next(learner.batches(0))
    learner.sprites.loss(sprites).backward()
    assert learner.module.encoder.mean.weight.grad.abs().sum() > 0


def test_names_fade_without_sprites_and_persist_with_them(shipped, cells, textured):
    generator = torch.Generator().manual_seed(1)
    digits = textured.random(300, generator)
    sprites = textured.draw(digits, generator).inputs.numpy()
    read = {}
    for replay in (0.0, 1.0):
        of = tuned(shipped, cells, epochs=6, replay=replay, rate=2e-3).disentangler
        assert of is not shipped
        found = of.code.read(torch.from_numpy(of.encode(sprites)))
        read[replay] = float((found == digits).float().mean())
    assert read[1.0] > read[0.0] + 0.05


def test_a_network_of_another_size_is_tuned_too(make_untrained, cells):
    found = tuned(make_untrained(latents=13), cells[:10], epochs=1)
    assert len(found.disentangler.names) == 13
    assert found.disentangler.encode(cells[:2]).shape == (2, 13)


def test_the_same_seed_gives_the_same_weights(untrained, cells):
    one, again, other = (
        weights(tuned(untrained, cells[:20], epochs=1, seed=seed).disentangler)
        for seed in (0, 0, 1)
    )
    assert same(one, again)
    assert not same(one, other)


def test_a_trial_of_the_threads_changes_nothing(untrained, cells):
    learner = CellLearner(untrained, cells, 0.25, 0, CPU)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    learner.trial()
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(
        torch.equal(value, weights(untrained)[name])
        for name, value in learner.module.state_dict().items()
    )
    assert all(one.grad is None for one in learner.module.parameters())


# ---------------------------------------------------------------- failure, and bad input


def test_cells_that_get_no_better_keep_the_source(shipped, cells):
    before = weights(shipped)
    found = tuned(shipped, cells, rate=0.9)
    assert found.disentangler is shipped
    assert "did not improve the reconstructions; the source weights are kept" in found.source_note
    assert found.error[1] > found.error[0]
    assert same(before, weights(shipped))


def test_a_loss_that_is_no_number_keeps_the_source(untrained, cells, monkeypatch):
    monkeypatch.setattr(finetune, "reconstruction", lambda net, z, *_: z.sum() * float("nan"))
    found = tuned(untrained, cells)
    assert found.disentangler is untrained
    assert found.source_note.startswith("fine-tuning diverged (training diverged in epoch 1")
    assert found.source_note.endswith("the source weights are kept")


def test_weights_that_were_spoilt_keep_the_source(untrained, cells):
    spoilt = replace(untrained)
    with torch.no_grad():
        spoilt.network.decoder.body[0].bias.fill_(float("nan"))
    assert tuned(spoilt, cells).disentangler is spoilt


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_cells_are_refused(untrained, cells, count):
    with pytest.raises(DataError, match="needs two cells or more"):
        tuned(untrained, cells[:count])


def test_two_cells_are_enough(untrained, cells):
    assert tuned(untrained, cells[:2]).source_note == ""


def test_pictures_of_another_shape_and_settings_that_cannot_be_are_refused(untrained, cells):
    with pytest.raises(DataError, match=r"must be \(3, 64, 64\), not \(1, 64, 64\)"):
        tuned(untrained, cells[:, :1])
    with pytest.raises(ModelError, match=r"replay must be 1 or less, not 1\.5"):
        tuned(untrained, cells, replay=1.5)
    with pytest.raises(ModelError, match="epochs must be 1 or more, not 0"):
        tuned(untrained, cells, epochs=0)


def test_a_job_that_is_closed_leaves_the_source_as_it_was(untrained, cells):
    before = weights(untrained)
    job = finetune_job(untrained, cells, epochs=3, device="cpu")
    steps = [next(job)]
    while steps[-1].done < 2:
        steps.append(next(job))
    job.close()
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert set(done) == {0, 1, 2}
    assert {step.total for step in steps} == {6}
    assert same(before, weights(untrained))


def test_floats_and_bytes_are_tuned_alike(untrained, cells):
    one, other = (
        weights(tuned(untrained, pictures, epochs=1).disentangler)
        for pictures in (cells, cells / np.float32(255))
    )
    assert same(one, other)


def test_the_disentangler_tunes_an_array_or_cells(untrained, ellipses, cells):
    found = untrained.finetune(cells, epochs=1, device="cpu")
    assert isinstance(found, Disentangler)
    assert same(weights(found), weights(tuned(untrained, cells, epochs=1).disentangler))
    from_cells = untrained.finetune(ellipses, view="A", epochs=1, device="cpu")
    assert from_cells.about["finetuned"]["cells"] == len(ellipses)
    assert from_cells.code == Code(TEXTURED, 10)


# ---------------------------------------------------------------- stopped half way


def test_fine_tuning_goes_on_from_where_it_was_stopped(untrained, cells, tmp_path):
    whole = tuned(untrained, cells, epochs=3)
    kept = tmp_path / "finetuned.partial"
    job = finetune_job(untrained, cells, epochs=3, device="cpu", checkpoint=kept)
    for step in job:
        if step.metrics.get("epoch") == 2:
            break
    job.close()
    assert kept.exists()
    again = finetune_job(untrained, cells, epochs=3, device="cpu", checkpoint=kept)
    stages = []
    found = drain(again, lambda step: stages.append(step.stage))
    assert "picking up where it stopped" in stages
    assert not any("epoch 1 " in stage or "epoch 2 " in stage for stage in stages)
    assert same(weights(found.disentangler), weights(whole.disentangler))


@pytest.mark.parametrize("other", [{"seed": 1}, {"replay": 0.5}, {"rate": 1e-3}, {"epochs": 4}])
def test_a_checkpoint_of_other_settings_is_not_gone_on_from(untrained, cells, tmp_path, other):
    kept = tmp_path / "finetuned.partial"
    tuned(untrained, cells, checkpoint=kept)
    stages = []
    job = finetune_job(
        untrained, cells, **{"epochs": 2, "device": "cpu", "checkpoint": kept} | other
    )
    drain(job, lambda step: stages.append(step.stage))
    assert "picking up where it stopped" not in stages


def test_a_checkpoint_of_other_cells_is_not_gone_on_from(untrained, cells, tmp_path):
    kept = tmp_path / "finetuned.partial"
    tuned(untrained, cells, checkpoint=kept)
    stages = []
    job = finetune_job(untrained, cells[::-1], epochs=2, device="cpu", checkpoint=kept)
    drain(job, lambda step: stages.append(step.stage))
    assert "picking up where it stopped" not in stages


def test_pictures_with_nan_are_refused_before_anything_is_learnt(untrained, cells):
    damaged = cells.astype(np.float32) / 255
    damaged[7, 0, 3, 3] = np.nan
    with pytest.raises(DataError, match="NaN or infinite"):
        tuned(untrained, damaged)


@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_pixels_outside_0_to_1_are_refused(untrained, cells, dtype):
    with pytest.raises(DataError, match="between 0 and 1"):
        tuned(untrained, cells.astype(dtype))


def test_python_users_hear_of_it_when_the_source_was_kept(untrained, cells, monkeypatch):
    monkeypatch.setattr(finetune, "reconstruction", lambda net, z, *_: z.sum() * float("nan"))
    with pytest.warns(UserWarning, match="source weights are kept"):
        assert untrained.finetune(cells, epochs=1, device="cpu") is untrained


def test_few_cells_do_not_make_the_sprites_weigh_more(untrained, cells):
    few, many = (CellLearner(untrained, some, 0.25, 0, CPU) for some in (cells[:4], cells[:48]))
    shares = []
    for learner in (few, many):
        pictures, sprites = next(learner.batches(0))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            whole = learner.loss((pictures, sprites))
            torch.manual_seed(0)
            alone = learner.loss((pictures, None))
        shares.append((whole - alone).item())
    assert shares[0] == pytest.approx(shares[1], rel=0.3)
