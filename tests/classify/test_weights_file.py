"""Sealed files: description and weights come back, and nothing else is taken for them."""

import json
import os
import pickle
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from napari_channelmix.classify.weights_file import read_sealed, seal, write_sealed
from napari_channelmix.errors import BundleError, SaveError

FORM, WHAT = "napari-channelmix thing", "thing"
WEIGHTS = {
    "half": torch.arange(6, dtype=torch.float16).reshape(2, 3),
    "brain": torch.tensor([1.5], dtype=torch.bfloat16),
    "steps": torch.tensor(7),
    "none": torch.zeros(0, 4),
    "flags": torch.tensor([True, False]),
}


@pytest.fixture
def path(tmp_path):
    return write_sealed(tmp_path / "a" / "thing.x", FORM, 3, '{"ü": 1}', WEIGHTS)


def read(path, schema=3, form=FORM):
    return read_sealed(path, form, schema, WHAT)


def refused(path, **settings):
    with pytest.raises(BundleError) as said:
        read(path, **settings)
    assert str(said.value).startswith(f"{path}: ")
    assert "\n" not in str(said.value)
    return str(said.value)


def test_description_and_weights_of_every_dtype_come_back(path):
    about, weights = read(path)
    assert about == '{"ü": 1}'
    assert set(weights) == set(WEIGHTS)
    for name, value in WEIGHTS.items():
        assert weights[name].dtype == value.dtype
        assert torch.equal(weights[name], value)


def test_a_description_alone_is_a_file_too(tmp_path):
    path = write_sealed(tmp_path / "x", FORM, 1, "hello", {})
    assert read(path) == ("hello", {})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back(tmp_path_factory, about):
    path = tmp_path_factory.getbasetemp() / "text.x"
    write_sealed(path, FORM, 1, about, {"x": torch.zeros(1)})
    assert read(path)[0] == about


def test_older_schemas_are_read_and_newer_ones_refused(path):
    assert read(path, schema=9)[0] == '{"ü": 1}'
    said = refused(path, schema=2)
    assert "made by a newer version (thing schema 3, this version reads up to 2)" in said
    assert "update napari-channelmix" in said


@pytest.mark.parametrize("schema", ["", "-1", "3.0", "new"])
def test_a_schema_that_is_no_number_is_refused(path, schema):
    resealed(path, schema=schema)
    assert "newer version" in refused(path)


def resealed(path, **changes):
    """The same file with other metadata, and a seal that fits."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        metadata = json.loads(file.read(length))["__metadata__"] | changes
    weights = load_file(path)
    metadata["sha256"] = seal(metadata["about"], weights, metadata["schema"])
    save_file(weights, path, metadata)


def test_a_file_of_another_form_is_refused(path):
    assert "a safetensors file, but not a ChannelMix thing" in refused(path, form="other")
    save_file({"x": torch.zeros(2)}, path)
    assert "not a ChannelMix thing" in refused(path)


@pytest.mark.parametrize("changes", [{"about": "other"}, {"schema": "2"}, {"sha256": "0" * 64}])
def test_metadata_that_was_altered_is_noticed(path, changes):
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        metadata = json.loads(file.read(length))["__metadata__"]
    save_file(load_file(path), path, metadata | changes)
    assert "the thing was altered after it was saved" in refused(path)


def test_every_byte_of_the_weights_is_sealed(tmp_path):
    path = write_sealed(tmp_path / "x", FORM, 1, "", {"x": torch.arange(16, dtype=torch.uint8)})
    content = path.read_bytes()
    for at in range(1, 17):
        path.write_bytes(
            content[:-at] + bytes([content[-at] ^ 0x80]) + content[len(content) - at + 1 :]
        )
        assert "altered" in refused(path)


@pytest.mark.parametrize(
    "other",
    [
        {"y": torch.zeros(2, 3)},
        {"x": torch.zeros(3, 2)},
        {"x": torch.zeros(2, 3, dtype=torch.int32)},
        {"x": torch.zeros(2, 3), "y": torch.zeros(0)},
        {"x": -torch.zeros(2, 3)},
        {},
    ],
    ids=["name", "shape", "dtype", "one more", "sign of zero", "none"],
)
def test_the_seal_depends_on_names_shapes_dtypes_and_bytes(other):
    assert seal("", other, "1") != seal("", {"x": torch.zeros(2, 3)}, "1")


def test_the_seal_depends_on_description_and_schema_and_not_on_order_or_layout():
    weights = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(1)}
    sealed = seal("about", weights, "1")
    assert sealed != seal("about", weights, "2")
    assert sealed != seal("other", weights, "1")
    turned = {"b": weights["b"], "a": weights["a"].T.contiguous().T}
    assert seal("about", turned, "1") == sealed


@pytest.mark.parametrize("kept", [0, 3, 8, 40, -1])
def test_a_truncated_file_is_refused(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    assert "truncated or no thing at all" in refused(path)


@pytest.mark.parametrize("content", [b"hello", b"\xff" * 200, b"{}", bytes(64)])
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    assert "truncated or no thing at all" in refused(path)


def test_pickles_are_refused_under_any_name_and_never_run(path):
    class Bomb:
        def __reduce__(self):
            return (os.remove, (str(path),))

    for protocol in range(2, 6):
        path.write_bytes(pickle.dumps(Bomb(), protocol=protocol))
        said = refused(path)
        assert "this is a pickle (a PyTorch checkpoint), not a thing" in said
    torch.save(WEIGHTS, path)
    assert "never loaded; export the model to ONNX instead" in refused(path)


def test_missing_files_and_folders_are_refused(tmp_path):
    assert "no such file" in refused(tmp_path / "gone")
    assert "cannot be read" in refused(tmp_path)


def test_a_folder_that_is_a_file_cannot_be_written_to(path):
    before = path.read_bytes()
    with pytest.raises(SaveError, match="could not save"):
        write_sealed(path / "inside.x", FORM, 1, "", WEIGHTS)
    assert path.read_bytes() == before
