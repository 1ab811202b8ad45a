"""Crops are the same however they are held, and what is held on disk goes away with them."""

from __future__ import annotations

import gc
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_channelmix.classify import held_crops
from napari_channelmix.classify.held_crops import HeldCrops
from napari_channelmix.classify.train import loaded, train_classifier
from napari_channelmix.classify.training_cells import crop_digests
from napari_channelmix.data import Cells
from napari_channelmix.errors import SaveError
from napari_channelmix.jobs import drain


class Lazy:
    """A plane that lies somewhere else than in memory."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._pixels, self.shape, self.dtype, self.read = pixels, pixels.shape, pixels.dtype, 0

    def __getitem__(self, region: Any) -> np.ndarray:
        self.read += 1
        return self._pixels[region]


@pytest.fixture
def many() -> Cells:
    """400 cells of whole numbers, 30 of them beyond the border of the image."""
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 250, (200, 200)).astype("uint8") for _ in range(2)]
    inside, at_border = rng.uniform(10, 190, (370, 2)), rng.uniform(0, 190, (30, 2))
    at_border[:, 0] = rng.integers(0, 4, 30)
    cells = Cells.from_points(
        [Lazy(plane) for plane in pixels], ["A", "B"], np.concatenate([inside, at_border]), crop=16
    )
    labels = rng.integers(0, 2, len(cells))
    groups = [f"g{index % 8}" for index in range(len(cells))]
    cells = cells.with_labels(labels, ["a", "b"])
    return replace(cells, table=cells.table.assign(group=groups))


def room(crops: int, each: int = 4 * 2 * 16 * 16) -> int:
    """Bytes of so many float32 crops."""
    return crops * each


def left() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob("napari-channelmix-crops-*"))


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


@pytest.mark.parametrize(
    ("crops", "dtype", "on_disk"), [(400, "float32", 0), (200, "uint8", 0), (20, None, 1)]
)
def test_crops_are_the_same_however_they_are_held(
    many: Cells, monkeypatch: pytest.MonkeyPatch, crops: int, dtype: str | None, on_disk: int
) -> None:
    monkeypatch.setattr(held_crops, "MEMORY_BYTES", room(crops))
    held = HeldCrops(many)
    drain(held.load())
    pixels = held._pixels
    assert (None if pixels is None else pixels.dtype.name) == dtype
    assert len(left()) == on_disk
    rows = np.random.default_rng(1).permutation(len(many))
    np.testing.assert_array_equal(held.read(rows), many.read(rows))
    np.testing.assert_array_equal(np.concatenate(list(held.batches())), many.read())
    np.testing.assert_array_equal(held.digests, crop_digests(many.read()))
    signature = vars(many).pop("signature")
    assert signature == many.signature
    del held
    gc.collect()
    assert not left()


def test_training_is_the_same_however_crops_are_held(
    many: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = []
    for crops in (400, 200, 20):
        monkeypatch.setattr(held_crops, "MEMORY_BYTES", room(crops))
        trained = train_classifier(many, network="tiny", epochs=2, device="cpu", seed=3)
        weights.append(trained.network.state_dict())
    for name, value in weights[0].items():
        for other in weights[1:]:
            np.testing.assert_array_equal(value.numpy(), other[name].numpy())
    gc.collect()
    assert not left()


def test_images_are_read_once(many: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    for crops in (400, 200, 20):
        monkeypatch.setattr(held_crops, "MEMORY_BYTES", room(crops))
        read, counted = Cells.read_images, []

        def counting(self: Cells, chosen: np.ndarray, *visit: Any) -> np.ndarray:
            counted.append(len(chosen))  # noqa: B023
            return read(self, chosen, *visit)  # noqa: B023

        with monkeypatch.context() as patched:
            patched.setattr(Cells, "read_images", counting)
            drain(loaded(many))
        # And some that tell whether a store is still theirs.
        assert len(many) <= sum(counted) <= len(many) + 256


def test_arrays_in_memory_and_crop_stores_are_not_copied(
    tmp_path: Path, many: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_crops, "MEMORY_BYTES", 0)
    arrays = Cells.from_array(many.read().astype("uint8"), ["A", "B"])
    for cells in (arrays, many.store(tmp_path / "crops")):
        held = HeldCrops(cells)
        drain(held.load())
        assert not left()
        np.testing.assert_array_equal(held.read(np.array([7, 3])), cells.read([7, 3]))


def test_cancelling_deletes_what_was_written(many: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_crops, "MEMORY_BYTES", 0)
    job = HeldCrops(many).load()
    for step in job:
        if step.fraction > 0.4:
            break
    assert len(left()) == 1
    job.close()
    assert not left()


def test_a_disk_that_is_too_small_is_one_line(many: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_crops, "MEMORY_BYTES", 0)
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SaveError, match=r"do not fit in memory .* TMPDIR .*--store") as error:
        drain(HeldCrops(many).load())
    assert "\n" not in str(error.value)
    assert not left()


def test_what_a_killed_process_left_is_deleted(
    tmp_path: Path, many: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_crops, "MEMORY_BYTES", 0)
    held = HeldCrops(many)
    drain(held.load())
    (own,) = left()
    host = own.name.split("-")[3]
    dead, other = (
        tmp_path / "tmp" / f"napari-channelmix-crops-{name}-x"
        for name in (f"{host}-4194999", "elsewhere-4194999")
    )
    dead.mkdir()
    other.mkdir()
    again = HeldCrops(many)
    drain(again.load())
    assert not dead.exists() and other.exists() and own.exists()
