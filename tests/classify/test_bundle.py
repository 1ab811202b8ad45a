"""Bundles: the same classifier back, or one line that says why not."""

from __future__ import annotations

import errno
import json
import pickle
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_channelmix.classify import Classifier, load_bundle, load_model, save_bundle
from napari_channelmix.classify.bundle import FORMAT, SCHEMA, bundle_hash
from napari_channelmix.classify.wrapped_bundle import WRAPPED_SCHEMA
from napari_channelmix.errors import BundleError, ModelError, SaveError

if TYPE_CHECKING:
    from napari_channelmix.data import Cells


@pytest.fixture
def bundle(trained: Classifier, tmp_path: Path) -> Path:
    return save_bundle(trained, tmp_path / "model.cmx")


def header(path: Path) -> tuple[int, dict[str, Any]]:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return length, json.loads(content[8 : 8 + length])


def with_metadata(path: Path, **changes: str) -> Path:
    _, head = header(path)
    save_file(load_file(path), path, metadata=head["__metadata__"] | changes)
    return path


def refused(path: Path) -> str:
    with pytest.raises(BundleError) as said:
        load_bundle(path)
    assert str(said.value).startswith(str(path))
    assert "\n" not in str(said.value)
    return str(said.value)


@pytest.mark.parametrize("which", ["trained", "trained_mix"])
def test_a_bundle_brings_back_the_same_classifier(
    request: pytest.FixtureRequest, which: str, cells: Cells, tmp_path: Path
) -> None:
    model: Classifier = request.getfixturevalue(which)
    back = load_model(model.save(tmp_path / "model.cmx"))
    assert isinstance(back, Classifier)
    for name in ("spec", "channels", "classes", "crop", "provenance", "record"):
        assert getattr(back, name) == getattr(model, name), name
    np.testing.assert_array_equal(back.mean, model.mean)
    np.testing.assert_array_equal(back.std, model.std)
    ours, theirs = model.network.state_dict(), back.network.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not back.network.training
    np.testing.assert_allclose(back.predict_proba(cells), model.predict_proba(cells), atol=1e-6)


def test_a_bundle_of_a_bundle_has_the_same_hash(bundle: Path, tmp_path: Path) -> None:
    again = save_bundle(load_bundle(bundle), tmp_path / "again.cmx")
    first, second = (header(path)[1]["__metadata__"] for path in (bundle, again))
    assert first == second
    assert len(first["sha256"]) == 64


def test_a_bundle_holds_json_and_tensors_only(bundle: Path) -> None:
    _, head = header(bundle)
    about = json.loads(head["__metadata__"]["about"])
    assert about["channels"] == ["noise", "signal", "other"]
    assert {"network", "classes", "mean", "std", "provenance", "record"} <= set(about)
    assert about["provenance"]["versions"]["torch"]
    assert b"pickle" not in bundle.read_bytes()


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.99])
def test_a_truncated_bundle_is_refused(bundle: Path, share: float) -> None:
    content = bundle.read_bytes()
    bundle.write_bytes(content[: int(share * len(content))])
    assert "truncated or no bundle at all" in refused(bundle)


def test_one_changed_byte_anywhere_is_noticed(bundle: Path) -> None:
    content = bundle.read_bytes()
    length, _ = header(bundle)
    rng = np.random.default_rng(0)
    places = [*range(0, 400), *rng.integers(400, 8 + length, 150).tolist()]
    places += rng.integers(8 + length, len(content), 50).tolist()
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.integers(0, 8))
        bundle.write_bytes(changed)
        refused(bundle)


def test_changed_weights_and_changed_channel_names_are_called_altered(bundle: Path) -> None:
    content = bytearray(bundle.read_bytes())
    content[-1] ^= 1
    whole = bundle.read_bytes()
    bundle.write_bytes(content)
    assert "altered after it was saved" in refused(bundle)
    bundle.write_bytes(whole.replace(b"signal", b"Signal"))
    assert "altered after it was saved" in refused(bundle)


def test_a_schema_that_never_was_is_called_altered(bundle: Path) -> None:
    assert "altered after it was saved" in refused(with_metadata(bundle, schema="0"))


@pytest.mark.parametrize("schema", [str(WRAPPED_SCHEMA + 1), "99", "", "2b"])
def test_a_newer_bundle_asks_for_an_update(bundle: Path, schema: str) -> None:
    said = refused(with_metadata(bundle, schema=schema))
    assert "made by a newer version" in said
    assert "update napari-channelmix" in said


@pytest.mark.parametrize("name", ["model.cmx", "model.pth", "model"])
@pytest.mark.parametrize("how", ["torch", "torch, old", "bare"])
def test_pickles_are_refused_under_any_name_and_never_run(
    tmp_path: Path, name: str, how: str
) -> None:
    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "harm",)

    path = tmp_path / name
    if how == "bare":
        path.write_bytes(pickle.dumps(Harm()))
    else:
        torch.save({"x": Harm()}, path, _use_new_zipfile_serialization=how == "torch")
    for allow in (False, True):
        with pytest.raises(BundleError, match=r"is a pickle .*never loaded; export .* ONNX"):
            load_model(path, channels=["a"], classes=["x", "y"], allow_code=allow)
    assert not (tmp_path / "harm").exists()


def test_text_other_safetensors_folders_and_nothing_are_refused(
    tmp_path: Path, trained: Classifier
) -> None:
    (tmp_path / "text.cmx").write_text("This is no model, but a long enough text.\n" * 9)
    assert "no bundle at all" in refused(tmp_path / "text.cmx")
    save_file({"x": torch.zeros(3)}, tmp_path / "other.cmx")
    assert "not a ChannelMix bundle" in refused(tmp_path / "other.cmx")
    assert "no such file" in refused(tmp_path / "gone.cmx")
    (tmp_path / "folder.cmx").mkdir()
    assert "cannot be read" in refused(tmp_path / "folder.cmx")


@pytest.mark.parametrize(
    "about", ["[]", "{}", "no json", '{"network": {"name": "tiny", "channels": 3, "classes": 2}}']
)
def test_a_bundle_that_does_not_describe_its_network_is_refused(tmp_path: Path, about: str) -> None:
    weights = {"x": torch.zeros(3)}
    metadata = {
        "format": FORMAT,
        "schema": str(SCHEMA),
        "about": about,
        "sha256": bundle_hash(about, weights),
    }
    save_file(weights, tmp_path / "m.cmx", metadata=metadata)
    assert "does not describe its network" in refused(tmp_path / "m.cmx")


def test_a_bundle_of_an_unknown_network_is_refused(tmp_path: Path) -> None:
    about = json.dumps(
        {
            "network": {"name": "vast", "channels": 1, "classes": 2},
            "channels": ["a"],
            "classes": ["x", "y"],
            "mean": [0],
            "std": [1],
            "crop": 32,
            "provenance": {},
            "record": {},
        }
    )
    metadata = {
        "format": FORMAT,
        "schema": str(SCHEMA),
        "about": about,
        "sha256": bundle_hash(about, {}),
    }
    save_file({}, tmp_path / "m.cmx", metadata=metadata)
    with pytest.raises(ModelError, match="network 'vast' is unknown"):
        load_bundle(tmp_path / "m.cmx")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int64, torch.bool])
def test_tensors_of_every_dtype_have_a_hash(dtype: torch.dtype) -> None:
    one, other = (bundle_hash("", {"x": torch.full((2,), v, dtype=dtype)}) for v in (0, 1))
    assert one != other
    assert one != bundle_hash("", {"x": torch.zeros(2, 1, dtype=dtype)})
    assert bundle_hash("", {"x": torch.tensor(1, dtype=dtype)})


def test_a_full_disk_keeps_the_old_bundle(
    bundle: Path, trained_mix: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = bundle.read_bytes()

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    says = r"could not save .*model\.cmx: No space left on device; the file .* is intact"
    with pytest.raises(SaveError, match=says):
        trained_mix.save(bundle)
    assert bundle.read_bytes() == old
    assert list(bundle.parent.iterdir()) == [bundle]


def test_a_bundle_whose_header_length_begins_like_a_pickle_is_read(
    bundle: Path, trained: Classifier
) -> None:
    # The first byte of a safetensors file is the low byte of its header's length: 0x80 in one
    # file of thirty-two, and at the start of every bare pickle.
    for length in range(300):
        with_metadata(bundle, padding="x" * length)
        if bundle.read_bytes()[0] == 0x80:
            break
    assert bundle.read_bytes()[0] == 0x80
    assert load_bundle(bundle).channels == trained.channels


def test_a_bundle_knows_its_training_data(on_plate: Classifier, tmp_path: Path) -> None:
    back = load_bundle(save_bundle(on_plate, tmp_path / "model.cmx"))
    assert back.training_data is not None
    assert back.training_data.class_shares == on_plate.training_data.class_shares
    np.testing.assert_allclose(back.training_data.centre, on_plate.training_data.centre, rtol=1e-6)


def changed(path: Path, **content: Any) -> Path:
    """The bundle with another description, sealed anew; None takes a key out."""
    _, head = header(path)
    about = json.loads(head["__metadata__"]["about"])
    about = {name: of for name, of in {**about, **content}.items() if of is not None}
    text, weights = json.dumps(about), load_file(path)
    return with_metadata(path, about=text, sha256=bundle_hash(text, weights))


def test_a_bundle_of_an_earlier_version_still_loads_and_predicts(
    on_plate: Classifier, other_plate: Cells, tmp_path: Path
) -> None:
    path = changed(save_bundle(on_plate, tmp_path / "model.cmx"), data=None)
    back = load_bundle(path)
    assert back.training_data is None
    np.testing.assert_array_equal(
        back.predict_proba(other_plate), on_plate.predict_proba(other_plate)
    )
    assert "saved by an earlier version" in back.compare(other_plate).limits


@pytest.mark.parametrize("data", [[], 3, "a", {"mean": 1}, {"channels": ["DNA", "GFP"]}])
def test_training_data_that_does_not_fit_is_one_line(
    on_plate: Classifier, data: Any, tmp_path: Path
) -> None:
    path = changed(save_bundle(on_plate, tmp_path / "model.cmx"), data=data)
    assert "does not describe its network" in refused(path)
