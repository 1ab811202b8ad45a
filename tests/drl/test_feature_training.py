"""Latents learnt from features: the names are read, kept in files, tuned, and shown by cells."""

import json
import pickle
from dataclasses import replace
from functools import partial
from importlib import import_module

import numpy as np
import pytest
import torch
from PIL import Image

from napari_channelmix.drl import Disentangler, load_disentangler, save_disentangler
from napari_channelmix.drl import latents as run_latents
from napari_channelmix.drl.feature_autoencoder import FeatureAutoencoder, FeatureSettings
from napari_channelmix.drl.feature_disentangler import FeatureDisentangler
from napari_channelmix.drl.feature_learner import taught_sprites_job
from napari_channelmix.drl.feature_network import FeatureNetwork
from napari_channelmix.drl.feature_training import feature_disentangler_job, feature_recipe
from napari_channelmix.drl.finetune import finetune_job
from napari_channelmix.drl.nearest_cells import NearestCells, nearest_traversal
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain

from .feature_cases import patches, untrained_on_features


@pytest.fixture(scope="module", autouse=True)
def shared(textured, grainy):
    """Sprites whose outlines are drawn once for all tests; few of them measure names."""
    made = {one.of.name: one for one in (textured, grainy)}
    with pytest.MonkeyPatch.context() as patch:
        for user in ("quality", "sprite_learner", "feature_learner", "feature_network"):
            patch.setattr(f"napari_channelmix.drl.{user}.Sprites", lambda of: made[of.name])
        for user in ("feature_training", "encode"):
            patch.setattr(import_module(f"napari_channelmix.drl.{user}"), "FEATURE_PAIRS", 40)
        yield


def learnt(cache, source=patches, **options):
    few = {"pairs": 40, "epochs": 2, "device": "cpu", **options}
    return drain(feature_disentangler_job("texture-sprites", source, cache=cache, **few))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return learnt(tmp_path_factory.mktemp("cache"), pairs=600, epochs=12)


@pytest.fixture(scope="module")
def result(ellipses, trained, quick_learners_of_module):
    return run_latents(ellipses, trained)


# ---------------------------------------------------------------- what is learnt


def test_pairs_differ_in_one_factor_and_keep_their_features():
    network = FeatureNetwork("patches", patches)
    how = feature_recipe("texture-sprites", 192)
    taught = drain(taught_sprites_job(network, how, 20, 0))
    first, second = taught.digits[:20], taught.digits[20:]
    np.testing.assert_array_equal(first != second, taught.changed)
    assert (taught.changed.sum(axis=1) == 1).all()
    assert taught.features.shape == (40, 198)


def test_features_are_standardised_by_the_sprites():
    of = untrained_on_features()
    seen = of.network.standardised(torch.from_numpy(of.taught.features))
    assert float(seen.mean(dim=0).abs().max()) < 0.5 and float(seen.abs().max()) <= 5
    # A feature that is the same in all sprites is not blown up by those of cells.
    network = FeatureAutoencoder(FeatureSettings(2, channels=1))
    features = np.array([[0, 1, 0, 0], [2, 1, 2, 2]], np.float32)
    network.calibrate(features, np.zeros((6, 2), np.float32))
    np.testing.assert_allclose(network.scale, [1, 0.1, 1, 1])
    np.testing.assert_allclose(network.centre, [1, 1, 1, 1])


def test_names_are_read_from_features(trained):
    """Patches tell size and place; colours are in the light."""
    card = trained.about["card"]["association"]
    assert set(card) == {factor.name for factor in trained.code.of.factors}
    assert card["Scale"] > 0.8 and card["Color"] > 0.8 and card["PosX"] > 0.5
    assert trained.names[:2] == ("Texture", "Color") and trained.shape == (3, 64, 64)
    assert trained.title == "texture-sprites through patches"


def test_the_same_seed_gives_the_same_weights(tmp_path):
    first, second = learnt(tmp_path / "a"), learnt(tmp_path / "b")
    for name, value in first.network.state_dict().items():
        torch.testing.assert_close(second.network.state_dict()[name], value, rtol=0, atol=0)


def test_features_of_sprites_are_taken_once_for_each_network(tmp_path):
    counted = []

    def counting(batch):
        counted.append(len(batch))
        return patches(batch)

    learnt(tmp_path, counting)
    assert sum(counted) > 80
    counted.clear()
    again = learnt(tmp_path, counting)
    # A few probes to know the network again.
    assert sum(counted) < 60 and isinstance(again, FeatureDisentangler)
    counted.clear()
    learnt(tmp_path, counting, epochs=3)
    # Other weights are learnt from the features that are there, then measured on fresh sprites.
    assert len(list(tmp_path.glob("sprites-*"))) == 1
    learnt(tmp_path, FeatureNetwork("brighter", lambda x: 2 * patches(x)))
    assert len(list(tmp_path.glob("sprites-*"))) == 2


def test_a_damaged_cache_is_written_over(tmp_path):
    learnt(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert isinstance(learnt(tmp_path), FeatureDisentangler)


# ---------------------------------------------------------------- files


def test_it_comes_back_from_its_file(trained, pictures, tmp_path):
    path = save_disentangler(trained, tmp_path / "mine.safetensors")
    back = load_disentangler(path, patches)
    assert isinstance(back, FeatureDisentangler) and back.about["card"] == trained.about["card"]
    np.testing.assert_allclose(back.encode(pictures), trained.encode(pictures), atol=0.02)
    with pytest.raises(ModelError, match="'patches', which was given in Python"):
        load_disentangler(path)
    with pytest.raises(ModelError, match="of another network"):
        load_disentangler(path, FeatureNetwork("other", lambda x: 1.5 * patches(x)))


# ---------------------------------------------------------------- bad input


def test_features_have_no_picture(trained):
    with pytest.raises(ModelError, match="features have no picture"):
        trained.decode(np.zeros((1, len(trained.names)), np.float32))
    assert not trained.draws and trained.decoded_features(
        np.zeros((2, len(trained.names)), np.float32)
    ).shape == (2, 198)


def test_pictures_of_another_shape_are_refused(trained, pictures):
    with pytest.raises(DataError, match="images must be"):
        trained.encode(pictures[:, :1])
    assert trained.encode(pictures[:0]).shape == (0, len(trained.names))


def test_weights_of_pixels_do_not_take_features(shipped, ellipses):
    with pytest.raises(ModelError, match="weights that were learnt from them"):
        run_latents(ellipses, shipped, features=patches)


# ---------------------------------------------------------------- cells


def test_values_are_those_of_the_pictures_shown(result, trained):
    np.testing.assert_allclose(
        result.values, trained.encode(result.prepared.pictures), rtol=1e-4, atol=1e-4
    )
    assert result.reconstruction is None
    assert any("no picture" in line for line in result.warnings)
    # Patches tell the place, but hardly the turn.
    (line,) = (line for line in result.warnings if "place and turn" in line)
    assert "Orientation" in line and "Scale" not in line
    assert {entry.badge for entry in result.trust} <= {
        "verified",
        "plausible",
        "not verified",
        "inactive",
        "spare",
    }
    assert result.separation is not None and "hand-crafted" in result.separation.best


def test_traversals_are_real_cells(result):
    drawn = nearest_traversal(result, 3, steps=5)
    assert set(drawn.axes) == set(result.axes()) and (np.diff(drawn.change) <= 0).all()
    known = {picture.tobytes() for picture in result.prepared.pictures}
    shown = np.round(255 * drawn.pictures).astype(np.uint8)
    assert all(picture.tobytes() in known for row in shown for picture in row)
    row = drawn.axes.index("Scale")
    cells = result.nearest(3, "Scale", 5)
    np.testing.assert_allclose(drawn.values[row], result.of_axis("Scale")[cells])
    # From low to high: the cells shown become larger.
    area = result.prepared.features["area"].to_numpy()[cells]
    assert area[-1] > area[0]
    np.testing.assert_array_equal(result.traversal(3, 5).pictures, drawn.pictures)


def test_the_nearest_cell_of_a_cell_is_the_cell(result):
    shown = NearestCells(result).decode(result.values[[5]])[0]
    np.testing.assert_allclose(shown, result.prepared.pictures[5] / 255, atol=1e-6)
    assert isinstance(result.drawer(), NearestCells)


def test_a_folder_says_that_real_cells_are_shown(result, tmp_path):
    result.save(tmp_path)
    content = json.loads((tmp_path / "latents.json").read_text())
    assert content["features"] == {
        "name": "patches",
        "width": 192,
        "shown_by": "nearest real cells",
    }
    assert content["reconstruction"] is None
    with Image.open(tmp_path / "traversals.png") as image:
        assert min(image.size) > 100


def test_fine_tuning_uses_the_features_of_the_cells(trained, result):
    before = {name: value.clone() for name, value in trained.network.state_dict().items()}
    pictures = result.prepared.pictures
    tuned = drain(finetune_job(trained, pictures, epochs=3, device="cpu"))
    assert isinstance(tuned.disentangler, FeatureDisentangler) and not tuned.source_note
    assert tuned.error[1] < tuned.error[0]
    for name, value in before.items():
        torch.testing.assert_close(trained.network.state_dict()[name], value, rtol=0, atol=0)
    # The constants are those of the sprites throughout.
    for name in ("centre", "scale", "probe"):
        torch.testing.assert_close(tuned.disentangler.network.state_dict()[name], before[name])


def test_sprites_are_drawn_anew_where_those_of_the_training_are_gone(trained, result, monkeypatch):
    monkeypatch.setattr("napari_channelmix.drl.feature_disentangler.REPLAYED", 50)
    bare = replace(trained, taught=None)
    job = bare.cell_learner_job(result.prepared.pictures, 0.25, 0, torch.device("cpu"))
    learner = drain(job)
    assert len(learner.sprites.taught) == 50 and learner.replayed


def test_one_channel_is_repeated_for_a_network_of_colours(ellipses, tmp_path):
    network = FeatureNetwork("patches", patches, channels=3)
    job = feature_disentangler_job(
        "cell-sprites", network, pairs=40, epochs=1, cache=tmp_path, device="cpu"
    )
    result = run_latents(ellipses, drain(job), view="A", separate=False)
    assert any("repeated 3 times for patches" in line for line in result.warnings)


def test_latents_learn_what_features_mean_where_it_is_not_known(ellipses, monkeypatch, tmp_path):
    training = import_module("napari_channelmix.drl.feature_training")
    monkeypatch.setattr(training, "_cache", lambda: tmp_path)
    few = partial(training.feature_disentangler_job, pairs=40, epochs=1)
    monkeypatch.setattr("napari_channelmix.drl.source_encoder.feature_disentangler_job", few)
    result = run_latents(ellipses, "texture-sprites", features=patches, separate=False)
    assert isinstance(result.disentangler, FeatureDisentangler)
    assert result.provenance["settings"]["features"] == "patches"
    assert isinstance(result.disentangler, Disentangler)


def test_another_process_encodes_the_same(trained, pictures):
    """A worker gets the encoder without the sprites it was taught with."""
    there = pickle.loads(pickle.dumps(trained))
    assert there.taught is None
    np.testing.assert_array_equal(there.encode(pictures), trained.encode(pictures))


def test_unnamed_latents_start_as_what_named_ones_leave_out():
    of = untrained_on_features(pairs=80)
    network, unnamed = of.network, of.code.spare
    features = torch.from_numpy(of.taught.features)
    with torch.no_grad():
        named = network(features).mean[:, ~unnamed]
        network.start_unnamed(features, unnamed)
        seen = network(features).mean
        decoded, without = network.decoder(seen), network.decoder(seen * ~unnamed)
    torch.testing.assert_close(seen[:, ~unnamed], named)
    # Mean 0, spread 1, apart from each other and from the named ones.
    live = seen[:, unnamed]
    live = live[:, live.std(dim=0) > 0.5]
    count = live.shape[1]
    assert count >= 8
    torch.testing.assert_close(live.mean(dim=0), torch.zeros(count), atol=1e-2, rtol=0)
    torch.testing.assert_close(live.T @ live / len(live), torch.eye(count), atol=1e-2, rtol=0)
    across = (named - named.mean(dim=0)).T @ live / len(live)
    assert float(across.abs().max()) < 1e-2
    # The decoder does not know of them yet.
    torch.testing.assert_close(decoded, without)


def test_few_cells_leave_unnamed_latents_as_they_are():
    of = untrained_on_features()
    before = {name: value.clone() for name, value in of.network.state_dict().items()}
    of.network.start_unnamed(torch.from_numpy(of.taught.features[:20]), of.code.spare)
    for name, value in of.network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
