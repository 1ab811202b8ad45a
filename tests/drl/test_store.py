"""Files of disentanglers: they come back the same, and what is not one of them is refused."""

import io
import json
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from napari_channelmix.classify.weights_file import seal
from napari_channelmix.drl import load_disentangler, save_disentangler, sprites
from napari_channelmix.drl.recipe import recipe
from napari_channelmix.drl.sprites import TEXTURED
from napari_channelmix.drl.store import FORMAT, SCHEMA, shipped
from napari_channelmix.errors import BundleError, ModelError


@pytest.fixture
def saved(untrained, tmp_path):
    return save_disentangler(untrained, tmp_path / "mine.safetensors")


def rewritten(path, *, schema=SCHEMA, form=FORMAT, **changes):
    """The same file with another description, sealed anew."""
    with safe_open(path, framework="pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = json.loads(file.metadata()["about"])
    about = json.dumps(about | changes)
    save_file(
        weights,
        path,
        {
            "format": form,
            "schema": str(schema),
            "about": about,
            "sha256": seal(about, weights, str(schema)),
        },
    )
    return path


def refused(path):
    with pytest.raises(BundleError) as said:
        load_disentangler(path)
    assert "\n" not in str(said.value)
    assert str(path) in str(said.value)
    return str(said.value)


# ---------------------------------------------------------------- there and back


def test_a_disentangler_comes_back_nearly_the_same(untrained, saved, pictures):
    back = load_disentangler(saved)
    assert back.code == untrained.code
    assert back.about == untrained.about
    assert back.network.settings == untrained.network.settings
    assert not back.network.training
    # Half precision has eleven bits.
    for name, value in untrained.network.state_dict().items():
        kept = back.network.state_dict()[name]
        assert kept.dtype == value.dtype
        torch.testing.assert_close(kept, value, rtol=2**-11, atol=1e-7)
    np.testing.assert_allclose(back.encode(pictures), untrained.encode(pictures), atol=5e-3)
    z = untrained.encode(pictures)
    np.testing.assert_allclose(back.decode(z), untrained.decode(z), atol=2e-3)


def test_what_is_saved_again_loses_nothing(saved, tmp_path):
    again = save_disentangler(load_disentangler(saved), tmp_path / "again.safetensors")
    with safe_open(saved, framework="pt") as one, safe_open(again, framework="pt") as other:
        assert one.metadata() == other.metadata()


def test_saving_leaves_the_weights_as_they_are(untrained, tmp_path):
    before = {name: value.clone() for name, value in untrained.network.state_dict().items()}
    save_disentangler(untrained, tmp_path / "m.safetensors")
    for name, value in untrained.network.state_dict().items():
        assert value.dtype == before[name].dtype
        assert torch.equal(value, before[name])


def test_weights_take_two_bytes_each(untrained, saved):
    count = sum(value.numel() for value in untrained.network.state_dict().values())
    assert 2 * count < saved.stat().st_size < 2 * count + 10_000


def test_what_is_shipped_loads_by_name_and_is_small():
    names = shipped()
    assert "texture-sprites" in names
    for name in names:
        of = load_disentangler(name)
        assert of.name == name
        assert of.code.of.channels == of.shape[0]
        assert len(of.names) == of.network.settings.latents
    assert load_disentangler().name == "texture-sprites"


def test_a_shipped_file_is_no_larger_than_three_mebibytes(tmp_path):
    from importlib import resources

    folder = resources.files("napari_channelmix.drl") / "weights"
    assert sum(one.name.endswith(".safetensors") for one in folder.iterdir()) == len(shipped())
    for name in shipped():
        with resources.as_file(folder / f"{name}.safetensors") as path:
            assert path.stat().st_size < 3 * 2**20


# ---------------------------------------------------------------- what is refused


def test_a_name_that_is_not_there_is_refused():
    with pytest.raises(ModelError, match=r"no encoder 'dogs'; use .*texture-sprites"):
        load_disentangler("dogs")


def test_a_missing_file_is_refused(tmp_path):
    assert "no such file" in refused(tmp_path / "gone.safetensors")


def test_an_altered_weight_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(content)
    assert "the disentangler was altered after it was saved" in refused(saved)


def test_an_altered_description_is_noticed(saved):
    content = saved.read_bytes()
    assert content.count(b"texture-sprites") == 1
    saved.write_bytes(content.replace(b"texture-sprites", b"texture-spritez"))
    assert "altered" in refused(saved)


@pytest.mark.parametrize("kept", [0, 4, 60, -1, -5000])
def test_a_truncated_file_is_refused(saved, kept):
    saved.write_bytes(saved.read_bytes()[:kept])
    assert "truncated or no disentangler at all" in refused(saved)


def test_a_file_of_a_newer_version_is_refused(saved):
    said = refused(rewritten(saved, schema=SCHEMA + 1))
    assert f"made by a newer version (disentangler schema {SCHEMA + 1}" in said
    assert "update napari-channelmix" in said


def test_a_bundle_of_a_classifier_is_refused(saved):
    said = refused(rewritten(saved, form="napari-channelmix bundle"))
    assert "not a ChannelMix disentangler" in said


def test_a_pickle_is_refused_and_never_run(saved, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (shutil.rmtree, (str(tmp_path),))

    zipped = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, zipped)
    for content in (pickle.dumps(Bomb()), zipped.getvalue()):
        saved.write_bytes(content)
        assert "pickles can run anyone's code and are never loaded" in refused(saved)
    assert saved.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"sprites": "dogs"},
        {"sprites": "cell-sprites"},
        {"sprites": None},
        {"network": {"side": 128, "filters": 8, "hidden": 16}},
        {"network": {}},
        {"network": {"filters": 16, "hidden": 16}},
        {"network": {"filters": -4}},
        {"network": {"layers": 3}},
        {"network": []},
        {"about": 3},
    ],
)
def test_a_file_that_does_not_describe_its_network_is_refused(saved, changes):
    assert "does not describe its network" in refused(rewritten(saved, **changes))


def test_weights_of_other_sprites_than_are_drawn_now_are_refused(untrained, tmp_path, monkeypatch):
    path = save_disentangler(untrained, tmp_path / "old.safetensors")
    monkeypatch.setattr(sprites, "_SETS", {TEXTURED.name: replace(TEXTURED, brightness=(0.2, 1.0))})
    with pytest.raises(BundleError, match="trained on other texture-sprites"):
        load_disentangler(path)


@pytest.mark.parametrize("name", shipped())
def test_shipped_weights_were_made_by_the_recipe_of_today(name):
    about = load_disentangler(name).about
    assert json.dumps(about["recipe"]) == json.dumps(recipe(name).as_dict())
