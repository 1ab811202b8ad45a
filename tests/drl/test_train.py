"""Training on sprites: the loss falls, a seed decides, it can be stopped and taken up again."""

from dataclasses import replace

import pytest
import torch

from napari_channelmix.classify import TrainingSettings
from napari_channelmix.drl import recipe as recipes
from napari_channelmix.drl import sprite_learner
from napari_channelmix.drl.corruption import Corruption, corrupted
from napari_channelmix.drl.network import PRESETS, NetworkSettings, Posterior
from napari_channelmix.drl.objective import Objective, aggregated
from napari_channelmix.drl.recipe import recipe
from napari_channelmix.drl.sprite_learner import SpriteLearner
from napari_channelmix.drl.sprites import CELLS, TEXTURED, Sprites
from napari_channelmix.drl.train import train_sprites_job
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import drain

CPU = torch.device("cpu")
STEPS = 6
OWN_EPOCH = recipes.EPOCH


def set_epoch(patch, steps):
    for module in (recipes, sprite_learner):
        patch.setattr(module, "EPOCH", steps)


@pytest.fixture(scope="module", autouse=True)
def short_epochs():
    """Few steps an epoch, and outlines that are drawn once for all tests."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        set_epoch(patch, STEPS)
        patch.setattr(
            sprite_learner,
            "Sprites",
            lambda of: made.get(of.name) or made.setdefault(of.name, Sprites(of)),
        )
        yield


def small(name="texture-sprites", *, epochs=2):
    """A recipe that takes a second."""
    how = recipe(name)
    network = NetworkSettings(
        channels=how.network.channels, latents=how.network.latents, filters=8, hidden=16
    )
    return replace(
        how,
        network=network,
        settings=replace(how.settings, epochs=epochs, patience=epochs, batch=4, rate=5e-3),
    )


def same_weights(one, other):
    theirs = other.network.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.network.state_dict().items())


@pytest.fixture(scope="module")
def trained():
    return drain(train_sprites_job(small(), seed=3, device="cpu"))


# ---------------------------------------------------------------- the whole training


@pytest.mark.parametrize("name", ["texture-sprites", "cell-sprites"])
def test_the_loss_falls(monkeypatch, name):
    set_epoch(monkeypatch, 25)
    made = drain(train_sprites_job(small(name), device="cpu"))
    curves = made.about["curves"]
    assert len(curves) == 2
    assert curves[-1]["loss"] < 0.8 * curves[0]["loss"]
    factors = {factor.name for factor in made.code.of.factors}
    assert {"epoch", "loss", "score", "error inside"} | factors == set(curves[0])
    assert not made.network.training


def test_the_objective_of_the_paper_learns_too(monkeypatch):
    set_epoch(monkeypatch, 25)
    how = recipe("paper-sprites", paper=True)
    settings = replace(how.settings, epochs=2, patience=2, batch=4, rate=5e-3)
    how = replace(how, network=small().network, settings=settings)
    curves = drain(train_sprites_job(how, device="cpu")).about["curves"]
    assert curves[-1]["loss"] < 0.8 * curves[0]["loss"]


def test_the_same_seed_gives_the_same_weights(trained):
    assert same_weights(drain(train_sprites_job(small(), seed=3, device="cpu")), trained)


def test_what_made_the_weights_is_kept_with_them(trained):
    assert trained.about["seed"] == 3
    assert trained.about["recipe"] == small().as_dict()
    assert trained.about["recipe"]["sprites"] == "texture-sprites"
    assert "torch" in trained.about["provenance"]["versions"]


def test_torch_s_random_state_is_left_alone():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    drain(train_sprites_job(small(epochs=1), device="cpu"))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("steps", [3, STEPS + 4])
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(trained, tmp_path, steps):
    path = tmp_path / "sprites.checkpoint"
    job = train_sprites_job(small(), seed=3, device="cpu", checkpoint=path)
    for _ in range(steps):
        next(job)
    job.close()
    with pytest.raises(StopIteration):
        next(job)
    assert path.exists() == (steps > STEPS)
    stages = []
    again = train_sprites_job(small(), seed=3, device="cpu", checkpoint=path)
    found = drain(again, lambda step: stages.append(step.stage))
    assert sum("picking up" in stage for stage in stages) == steps // (STEPS + 1)
    assert same_weights(found, trained)


def test_a_checkpoint_of_another_seed_is_not_taken_up(trained, tmp_path):
    path = tmp_path / "sprites.checkpoint"
    job = train_sprites_job(small(), seed=4, device="cpu", checkpoint=path)
    while not path.exists():
        next(job)
    job.close()
    found = drain(train_sprites_job(small(), seed=3, device="cpu", checkpoint=path))
    assert same_weights(found, trained)


def test_using_the_weights_never_changes_them(trained, pictures):
    before = {name: value.clone() for name, value in trained.network.state_dict().items()}
    # A caller may have left it in training mode, in which normalisation follows the batch.
    trained.network.train()
    first = trained.encode(pictures)
    alone = trained.encode(pictures[:1])
    trained.decode(first)
    assert not trained.network.training
    torch.testing.assert_close(torch.from_numpy(first[:1]), torch.from_numpy(alone))
    for name, value in trained.network.state_dict().items():
        assert torch.equal(value, before[name]), name


# ---------------------------------------------------------------- a batch


@pytest.fixture
def learner():
    return SpriteLearner(small(), 0, CPU)


def test_a_batch_depends_on_seed_and_step_alone(learner):
    one, again = learner.batch(5), SpriteLearner(small(), 0, CPU).batch(5)
    assert torch.equal(one.inputs, again.inputs)
    assert torch.equal(one.latents, again.latents)
    assert not torch.equal(one.inputs, learner.batch(6).inputs)
    assert not torch.equal(one.inputs, SpriteLearner(small(), 1, CPU).batch(5).inputs)
    assert [batch.progress for batch in learner.batches(1)] == [
        step / (2 * STEPS) for step in range(STEPS, 2 * STEPS)
    ]


def test_latents_that_changed_are_those_of_the_factor_that_changed(learner):
    for step in range(20):
        batch = learner.batch(step)
        pairs = len(batch.changed)
        first, second = batch.latents[:pairs], batch.latents[pairs:]
        differs = first != second
        # A turn may leave the cosine or the sine as it was; both count as changed.
        assert (batch.changed | ~differs).all()
        for row, own in zip(batch.changed, differs, strict=True):
            names = {learner.code.names[at].split(" (")[0] for at in row.nonzero().flatten()}
            assert len(names) == 1
            assert own.any()
            assert int(row.sum()) == (2 if names == {"Orientation"} else 1)


def test_inputs_are_corrupted_and_targets_are_not(learner):
    def beyond(how):
        """Light outside the sprites at the end of the training, in inputs and targets."""
        batches = [SpriteLearner(how, 0, CPU).batch(2 * STEPS - at) for at in range(1, 6)]
        masks = torch.cat([batch.masks for batch in batches])[:, None] < 1e-4
        return [
            float((torch.cat([getattr(batch, name) for batch in batches]) * masks).max())
            for name in ("inputs", "targets")
        ]

    inputs, targets = beyond(small())
    assert inputs > 0.05
    assert targets < 1e-3
    assert max(beyond(replace(small(), corruption=None))) < 1e-3


def parts_of_loss(objective, seed=0):
    """Loss of one batch in evaluation mode, with the draws of the latents fixed."""
    learner = SpriteLearner(replace(small(), objective=objective), seed, CPU)
    learner.module.eval()
    batch = replace(learner.batch(2), progress=1.0)
    torch.manual_seed(0)
    return learner, batch, float(learner.loss(batch).detach())


def test_the_alignment_is_the_squared_distance_to_the_true_factors():
    plain = Objective(beta=0.0, alignment=(0.0, 0.0))
    _, _, without = parts_of_loss(plain)
    learner, batch, found = parts_of_loss(replace(plain, alignment=(9.0, 3.0)))
    mean = learner.module(batch.inputs).mean
    named = ~learner.code.spare
    wanted = ((mean - batch.latents) ** 2)[:, named].sum(dim=1).mean().item()
    assert found - without == pytest.approx(3 * wanted, rel=1e-3)


def test_the_divergence_is_that_of_the_shared_posteriors_and_heavier_on_spare_latents():
    plain = Objective(beta=0.0, alignment=(0.0, 0.0), spare=20.0)
    _, _, without = parts_of_loss(plain)
    learner, batch, found = parts_of_loss(replace(plain, beta=2.0))
    own = learner.module(batch.inputs)
    pairs = len(batch.changed)
    halves = [type(own)(*(one[part] for one in own)) for part in (slice(pairs), slice(pairs, None))]
    kl = torch.cat([one.kl() for one in aggregated(*halves, batch.changed)])
    spare = learner.code.spare
    wanted = (kl[:, ~spare].sum(dim=1) + 20 * kl[:, spare].sum(dim=1)).mean().item()
    assert found - without == pytest.approx(2 * wanted, rel=1e-3)


def test_the_inside_of_a_sprite_weighs_more():
    plain = Objective(beta=0.0, alignment=(0.0, 0.0), inside=0.0)
    _, _, without = parts_of_loss(plain)
    _, _, found = parts_of_loss(replace(plain, inside=1.0))
    assert without < found < 2 * without


def test_adaptive_pairs_need_no_labels():
    objective = Objective(pairs="adaptive", changes=3, alignment=(0.0, 0.0))
    learner = SpriteLearner(replace(small(), objective=objective), 0, CPU)
    batch = learner.batch(2)
    told = replace(batch, changed=~batch.changed)
    losses = []
    for one in (batch, told):
        torch.manual_seed(0)
        losses.append(float(learner.loss(one).detach()))
    assert losses[0] == losses[1]
    in_labels_mode = SpriteLearner(small(), 0, CPU)
    torch.manual_seed(0)
    one = float(in_labels_mode.loss(in_labels_mode.batch(2)).detach())
    torch.manual_seed(0)
    batch = in_labels_mode.batch(2)
    other = float(in_labels_mode.loss(replace(batch, changed=~batch.changed)).detach())
    assert one != other


# ---------------------------------------------------------------- recipes


def test_recipes_fit_their_sprites():
    assert recipe("texture-sprites").network.latents == 10
    assert recipe("texture-sprites").network.channels == 3
    assert recipe("texture-sprites").sprites is TEXTURED
    cells = recipe("cell-sprites")
    assert (cells.network.latents, cells.network.channels) == (11, 1)
    assert cells.sprites is CELLS
    # Where intensity is a factor, a dimmer picture is another sprite.
    assert cells.corruption.gain == (1, 1)


def test_the_recipe_of_the_paper_supervises_and_corrupts_nothing():
    how = recipe("texture-sprites", paper=True)
    assert how.corruption is None
    assert how.objective.alignment == (0.0, 0.0)
    assert (how.settings.rate, how.settings.batch) == (1e-4, 64)


@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (STEPS, 1), (STEPS + 1, 2), (60, 10)])
def test_steps_are_rounded_up_to_whole_epochs(steps, epochs):
    how = recipe("texture-sprites", steps=steps)
    assert how.settings.epochs == how.settings.patience == epochs


def test_a_size_or_name_that_is_not_there_is_refused():
    with pytest.raises(ModelError, match="no size 'huge'; there are small, medium, large, paper"):
        recipe("texture-sprites", size="huge")
    with pytest.raises(ModelError, match="no sprites 'dogs'"):
        recipe("dogs")


# ---------------------------------------------------------------- the formulas, by hand


def test_recipes_are_the_documented_ones():
    textured, cells = recipe("texture-sprites"), recipe("cell-sprites")
    assert textured.settings == TrainingSettings(
        epochs=40, patience=40, batch=16, rate=1.5e-3, decay=0.0, clip=1.0
    )
    assert cells.settings == replace(textured.settings, epochs=60, patience=60)
    assert textured.objective == Objective()
    assert cells.objective == Objective(alignment=(200.0, 150.0))
    assert textured.corruption == Corruption()
    assert cells.corruption == Corruption(gain=(1, 1), noise=0.06, background=0.05)
    assert textured.network == PRESETS["medium"]
    assert recipe("cell-sprites", size="large").network == replace(
        PRESETS["large"], channels=1, latents=11
    )


@pytest.mark.parametrize(("step", "strength"), [(0, 0.0), (1, 1 / 3), (3, 1.0), (9, 1.0)])
def test_corruption_grows_over_the_first_quarter_of_the_training(step, strength):
    # Two epochs of six steps.
    how = small()
    batch = SpriteLearner(how, 2, CPU).batch(step)
    generator = torch.Generator().manual_seed(2 * 10_000_019 + step)
    sprites = sprite_learner.Sprites(how.sprites)
    digits = torch.cat(sprites.pairs(4, generator, 1)[:2])
    drawn = sprites.draw(digits, generator)
    wanted = corrupted(drawn.inputs, drawn.distance, Corruption().at(strength), generator)
    torch.testing.assert_close(batch.inputs, wanted)
    torch.testing.assert_close(batch.targets, drawn.targets)
    assert batch.progress == step / 12


def test_a_pixel_weighs_one_and_inside_a_sprite_as_much_more_as_is_asked_for(learner):
    batch = learner.batch(0)
    torch.testing.assert_close(learner.weight(batch)[:, 0], 1 + batch.masks)
    heavy = SpriteLearner(replace(small(), objective=Objective(inside=3.0)), 0, CPU)
    torch.testing.assert_close(heavy.weight(batch)[:, 0], 1 + 3 * batch.masks)


def test_the_score_is_minus_the_mean_error_inside_the_sprites(learner, monkeypatch):
    class Grey(torch.nn.Module):
        """Draws grey, and reads every factor at its lowest value."""

        def forward(self, pictures):
            mean = torch.full((len(pictures), 10), -1.5)
            return Posterior(mean, torch.zeros_like(mean))

        def picture(self, latents):
            return torch.full((len(latents), 3, 64, 64), 0.5)

    learner.module = Grey()
    found = drain(learner.validate())
    sprites, generator = sprite_learner.Sprites(TEXTURED), torch.Generator().manual_seed(990_001)
    digits = sprites.random(512, generator)
    drawn = sprites.draw(digits, generator)
    mask = drawn.masks[:, None].expand_as(drawn.targets)
    error = ((drawn.targets - 0.5).abs() * mask).sum() / mask.sum()
    assert found["error inside"] == pytest.approx(float(error), rel=1e-4)
    assert found["score"] == -found["error inside"]
    assert found["Color"] == pytest.approx(float((digits[:, 1] == 0).float().mean()))


def test_held_out_sprites_are_looked_at_every_five_hundred_steps():
    # The fixture above makes epochs short; this is what they are without it.
    assert OWN_EPOCH == 500
