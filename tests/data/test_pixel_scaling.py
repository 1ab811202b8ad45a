"""Pixels scaled when they are read: the same on every route, and worked out by hand."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.data import Cells, open_dataset, save_dataset
from napari_channelmix.data.panel_table import text_panel_table
from napari_channelmix.data.pixel_scaling import ChannelScaling, PixelScaling
from napari_channelmix.errors import BundleError, DataError, ModelError
from napari_channelmix.settings.scaling import ScalingSettings

WriteSet = Callable[..., Path]

SEGMENT = ("[cells]", 'from = "segment"', 'channel = "DNA"', "crop = 16")
STACK = ("[image]", 'column = "stack"')


def ramps() -> Cells:
    """Ten cells of 10 x 10 pixels: 0 to 999 in A, twice that in B."""
    ramp = np.arange(1000.0).reshape(10, 1, 10, 10)
    labels = np.arange(10) % 2
    crops = np.concatenate([ramp, 2 * ramp], axis=1)
    return Cells.from_array(crops, ["A", "B"], labels, ["low", "high"], name="ramps")


def test_steps_come_in_order() -> None:
    scaled = ramps().scaled(clip=90, arcsinh=5, percentiles=(0, 100))
    clip = np.percentile(np.arange(1000.0), 90)
    of_a = scaled.scaling.channels["A"]
    assert of_a.clip == pytest.approx(clip) == pytest.approx(899.1)
    assert of_a.clipped == pytest.approx(0.1)
    assert (of_a.zero, of_a.unit) == pytest.approx((0, np.arcsinh(899.1 / 5)), rel=1e-6)
    by_hand = np.arcsinh(np.minimum(np.arange(1000.0), clip) / 5) / np.arcsinh(clip / 5)
    assert scaled.read()[:, 0].reshape(-1) == pytest.approx(by_hand, abs=1e-6)
    assert scaled.warnings[-1].startswith(
        "pixels of 2 channels are scaled: clipped at the percentile 90, arcsinh with the cofactor 5"
    )
    assert "share of pixels clipped: A 10.00%, B 10.00%" in scaled.warnings[-1]


def test_only_named_channels_are_scaled_under_whatever_name() -> None:
    cells = ramps()
    scaled = cells.scaled(arcsinh=10, channels=["B"])
    assert np.array_equal(scaled.read()[:, 0], cells.read()[:, 0])
    assert scaled.read()[:, 1] == pytest.approx(np.arcsinh(cells.read()[:, 1] / 10), rel=1e-6)
    other = scaled.with_panel(text_panel_table("channel,marker,use\nA,x,no\nB,y,yes"))
    assert np.array_equal(other.read()[:, 0], scaled.read()[:, 1])
    with pytest.raises(DataError, match="scaled already"):
        scaled.scaled(arcsinh=2)


def test_every_route_reads_the_same(write_set: WriteSet, tmp_path: Path) -> None:
    file = write_set(*STACK, "[scaling]", "clip = 99", "arcsinh = 50", *SEGMENT)
    scaled = open_dataset(file)
    crops = scaled.read()
    assert crops.max() < 5
    stored = scaled.store(tmp_path / "crops")
    assert stored.is_stored and np.array_equal(stored.read(), crops)
    assert np.array_equal(pickle.loads(pickle.dumps(stored)).read([3, 1]), crops[[3, 1]])
    by_pass = {
        int(cell): crop
        for rows, some in stored.passes(5)
        for cell, crop in zip(rows, some.copy(), strict=True)
    }
    assert all(np.array_equal(by_pass[cell], crops[cell]) for cell in range(len(scaled)))
    again = open_dataset(save_dataset(scaled, tmp_path / "saved"))
    assert np.array_equal(again.read(), crops)
    assert again.scaling.same(scaled.scaling, scaled.channels)
    assert again.scaling.text == scaled.scaling.text
    # The store holds the pixels of the files: it serves the cells without scaling too.
    plain = replace(stored, scaling=PixelScaling())
    assert plain.is_stored and plain.read().max() > 900
    # Images of the window stay as they are in the files.
    field = scaled.fields[0]
    assert np.asarray(field.planes[0][0:60, 0:70]).max() > 900


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["clip = 20"], "clip"),
        (["percentiles = [90, 60]"], "low"),
        (["arcsinh = -1"], "arcsinh"),
        ([], "needs clip, arcsinh or percentiles"),
        (["arcsinh = 5", 'channels = ["GPF"]'], "has no channel 'GPF'; it has DNA, GFP"),
        (["gamma = 2"], "gamma"),
        (["values = {DNA = {clip = 3, cofactor = -1}}"], "cofactor must be more than 0"),
        (["arcsinh = 5", 'channels = ["XX"]'], "[scaling] channels: "),
        (["values = {XX = {clip = 3}}"], "has no channel 'XX'"),
        (["arcsinh = true"], "[scaling] arcsinh must be a number, not true or false: arcsinh = 5"),
        (["clip = false"], "[scaling] clip must be a number, not true or false: clip = 99.9"),
        (["percentiles = [true, 99]"], "percentiles must be a number, not true or false"),
        (["values = {DNA = {clip = true}}"], "of channel 'DNA' must be numbers"),
    ],
)
def test_bad_scalings_are_refused_in_one_line(
    write_set: WriteSet, lines: list[str], says: str
) -> None:
    file = write_set(*STACK, "[scaling]", *lines, *SEGMENT)
    with pytest.raises((DataError, ModelError)) as error:
        open_dataset(file)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_channels_that_are_left_out_may_be_named(write_set: WriteSet) -> None:
    values = ["[scaling]", "values = {DNA = {clip = 3}, GFP = {cofactor = 5}}"]
    one = open_dataset(write_set('use = ["DNA"]', *STACK, *values, *SEGMENT))
    assert tuple(one.scaling.channels) == ("DNA",) and one.read().max() <= 3
    named = ["[scaling]", "arcsinh = 5", 'channels = ["GFP", "DNA"]']
    one = open_dataset(write_set('drop = ["GFP"]', *STACK, *named, *SEGMENT))
    assert tuple(one.scaling.channels) == ("DNA",)
    none = open_dataset(
        write_set('use = ["DNA"]', *STACK, "[scaling]", "clip = 90", 'channels = ["GFP"]', *SEGMENT)
    )
    assert not none.scaling


def test_a_scaling_that_is_chosen_is_taken_instead_of_that_of_the_file(
    write_set: WriteSet, tmp_path: Path
) -> None:
    file = write_set(*STACK, "[scaling]", "clip = 99", *SEGMENT)
    of_file = open_dataset(file)
    chosen = open_dataset(file, scaling="arcsinh=50")
    assert chosen.scaling.channels["DNA"].steps == (None, 50, None, None)
    assert np.array_equal(chosen.read(), of_file.unscaled.scaled(arcsinh=50).read())
    raw = open_dataset(file, scaling="none")
    assert not raw.scaling and np.array_equal(raw.read(), of_file.unscaled.read())
    one = open_dataset(file, channels=["GFP"], scaling=ScalingSettings(low=1, high=99))
    assert tuple(one.scaling.channels) == ("GFP",)
    with pytest.raises(ModelError, match="scaling: 'gamma' is not one of"):
        open_dataset(file, scaling="gamma=2")
    with pytest.raises(ModelError, match=r"such as clip=99\.9.*, not a dict$"):
        open_dataset(file, scaling={"clip": 99})  # type: ignore[arg-type]
    # Saved, it is what the file says.
    again = open_dataset(save_dataset(chosen, tmp_path / "chosen"))
    assert np.array_equal(again.read(), chosen.read()) and not again.scaling.chosen


@pytest.mark.parametrize("key", ["min_area", "crop", "pixel_size"])
def test_no_number_of_a_data_set_file_is_a_flag(write_set: WriteSet, key: str) -> None:
    file = write_set(*STACK, *SEGMENT[:-1], f"{key} = true")
    with pytest.raises(DataError, match=f"{key} must not be true"):
        open_dataset(file)


def test_a_channel_of_one_value_has_no_percentiles() -> None:
    flat = Cells.from_array(np.ones((4, 1, 8, 8)), ["A"])
    with pytest.raises(DataError, match=r"percentiles 1 and 99 of channel 'A' \(1\) are the same"):
        flat.scaled(percentiles=(1, 99))
    several = Cells.from_array(np.ones((4, 3, 8, 8)) * [[[[1]], [[2]], [[3]]]], ["A", "B", "C"])
    with pytest.raises(DataError, match=r"of channels 'A' \(1\), 'C' \(3\) are each the same"):
        several.scaled(percentiles=(1, 99), channels=["A", "C"])


def test_cells_of_other_scaling_are_not_put_together() -> None:
    cells = ramps()
    with pytest.raises(DataError, match="their pixels are scaled otherwise"):
        Cells.together([cells, cells.scaled(arcsinh=5)])
    both = Cells.together([cells.scaled(arcsinh=5), cells.scaled(arcsinh=5)])
    assert both.read().max() < 7
    assert not cells.same_pixels(cells.scaled(arcsinh=5))
    assert cells.fingerprint != cells.scaled(arcsinh=5).fingerprint


def test_a_scaling_survives_json() -> None:
    scaling = PixelScaling({"A": ChannelScaling(9.0, 5.0, 0.0, 1.5, 0.01)}, "as said", 12)
    assert PixelScaling.from_dict(scaling.as_dict()) == scaling
    with pytest.raises(DataError, match="cannot be read"):
        PixelScaling.from_dict({"channels": {"A": {"gain": 2}}})
    assert scaling.to_frame()["clipped"].tolist() == [0.01]


def test_a_classifier_scales_raw_cells_and_refuses_others(tmp_path: Path) -> None:
    cells = ramps()
    scaled = cells.scaled(arcsinh=50)
    model = cm.train_classifier(scaled, network="tiny", epochs=1, device="cpu")
    model.save(tmp_path / "m.cmx")
    loaded = cm.load_model(tmp_path / "m.cmx")
    assert loaded.scaling.same(scaled.scaling, ("A", "B"))
    with np.errstate(all="raise"):
        own = loaded.predict_proba(scaled)
    assert loaded.predict_proba(cells) == pytest.approx(own, abs=1e-6)
    with pytest.raises(ModelError, match="scaled with other values"):
        loaded.predict_proba(cells.scaled(arcsinh=5))
    raw = cm.train_classifier(cells, network="tiny", epochs=1, device="cpu")
    with pytest.raises(ModelError, match="trained on pixels as they are in the files"):
        raw.predict_proba(scaled)


def test_of_large_crops_the_middle_is_measured() -> None:
    crops = np.zeros((4, 1, 96, 96), np.float32)
    crops[:, :, 16:80, 16:80] = np.arange(4096.0).reshape(64, 64)
    # All that lies outside would move the percentile.
    clip = Cells.from_array(crops, ["A"]).scaled(clip=50).scaling.channels["A"].clip
    assert clip == pytest.approx(2047.5)


def test_whole_numbers_are_no_scaled_pixels(tmp_path: Path) -> None:
    scaled = ramps().scaled(arcsinh=50)
    model = cm.train_classifier(scaled, network="tiny", epochs=1, device="cpu")
    raw = ramps().read()
    own = model.scaling.apply(raw.copy(), model.channels)
    assert model.predict_proba(own) == pytest.approx(model.predict_proba(scaled), abs=1e-6)
    with pytest.raises(ModelError, match="trained on scaled pixels"):
        model.predict_proba(raw.astype(np.uint16))
    model.record["scaling"]["channels"]["A"]["cofactor"] = -1.0
    model.save(tmp_path / "bad.cmx")
    with pytest.raises(BundleError, match="cofactor must be more than 0"):
        cm.load_model(tmp_path / "bad.cmx")
