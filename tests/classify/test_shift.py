"""Cells unlike those of training are named with numbers; ordinary ones are passed in silence."""

from __future__ import annotations

import json
import pickle
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix.classify import Classifier, ForeignClassifier, data_shift_job
from napari_channelmix.classify.plausibility import plausibility_job
from napari_channelmix.classify.shift import OLDER, Observer
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataShiftWarning, ModelError
from napari_channelmix.jobs import drain


def lines_of(model: Classifier, crops, dtype=np.float32) -> str:
    return "\n".join(model.compare(np.asarray(crops).astype(dtype)).warnings)


def again(cells: Cells, crops) -> Cells:
    """The same cells with other pixels."""
    return Cells.from_array(
        np.asarray(crops, np.float32),
        cells.channels,
        cells.labels,
        cells.classes,
        cells.groups.tolist(),
    )


def test_ordinary_cells_are_passed_in_silence(
    on_plate: Classifier, plate: Cells, other_plate: Cells
) -> None:
    for cells in (plate, other_plate):
        shift = on_plate.compare(cells)
        assert shift.warnings == ()
        assert shift.strange == ()
        assert shift.limits == ""
        assert shift.n == len(cells)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        on_plate.predict_proba(other_plate)
        on_plate.predict(other_plate.read())


def test_one_class_one_well_or_one_cell_alone_is_ordinary(
    on_plate: Classifier, other_plate: Cells
) -> None:
    crops = other_plate.read()
    for code in (0, 1):
        assert lines_of(on_plate, crops[other_plate.labels == code]) == ""
    for well in range(6):
        assert lines_of(on_plate, crops[other_plate.groups == f"well {well}"]) == ""
    for cell in range(0, len(crops), 7):
        assert lines_of(on_plate, crops[cell : cell + 1]) == ""


def test_twenty_grey_levels_more_are_named_with_both_numbers(
    on_plate: Classifier, other_plate: Cells
) -> None:
    said = lines_of(on_plate, other_plate.read() + 20)
    assert re.search(r"values are shifted .*DNA higher by about (19|20|21)\b", said)
    then = on_plate.training_data.mean[0]
    assert f"mean {then + 20:.3g}"[:7] in said
    assert f"(training {then:.3g})" in said


def test_another_bit_depth_is_named_with_its_factor(
    on_plate: Classifier, other_plate: Cells
) -> None:
    said = lines_of(on_plate, other_plate.read() * 16)
    assert re.search(r"another bit depth\?\): DNA times (15|16)\b.*GFP times (15|16)\b", said)
    assert "is scaled (another exposure" in lines_of(on_plate, other_plate.read() * 2.5)
    eight = np.floor(other_plate.read() / 16)
    assert "pixels are uint8, those of training uint16" in lines_of(on_plate, eight, np.uint8)
    assert "uint8" not in lines_of(on_plate, eight, np.float64)


def test_channels_that_are_exchanged_are_named(on_plate: Classifier, other_plate: Cells) -> None:
    said = lines_of(on_plate, other_plate.read()[:, ::-1])
    assert said.startswith("channel names seem to be exchanged: DNA looks like GFP of training")
    assert "GFP looks like DNA of training" in said
    # Cells are taken by name, so their order is no exchange.
    assert on_plate.compare(other_plate.with_channels(["GFP", "DNA"])).warnings == ()
    renamed = replace(other_plate, channels=("GFP", "DNA"))
    assert "exchanged" in "\n".join(on_plate.compare(renamed).warnings)


@pytest.mark.parametrize("value", [0, 137])
def test_crops_without_anything_are_named(on_plate: Classifier, value: int) -> None:
    said = lines_of(on_plate, np.full((30, 2, 16, 16), value))
    assert f"DNA (value {value}) in 30 of 30 cells, in training in 0.0%" in said


def test_one_empty_channel_is_named_alone(on_plate: Classifier, other_plate: Cells) -> None:
    crops = other_plate.read()
    crops[:, 1] = 0
    said = lines_of(on_plate, crops)
    assert "one value all over the crop: GFP (value 0) in 120 of 120 cells" in said
    assert "DNA (value" not in said


def test_noise_is_named_though_every_level_fits(on_plate: Classifier, other_plate: Cells) -> None:
    crops = other_plate.read()
    rng = np.random.default_rng(0)
    shuffled = rng.permuted(crops.reshape(*crops.shape[:2], -1), axis=2).reshape(crops.shape)
    said = lines_of(on_plate, shuffled)
    assert re.search(r"no spatial structure, as in noise; .*DNA -?0\.0\d \(training 0\.9", said)


def test_inverted_contrast_is_named(on_plate: Classifier, other_plate: Cells) -> None:
    assert "contrast seems to be inverted: " in lines_of(on_plate, 4095 - other_plate.read())


def test_a_saturated_channel_is_named_with_its_share(
    on_plate: Classifier, other_plate: Cells
) -> None:
    crops = other_plate.read()
    crops[:, 1] = np.minimum(crops[:, 1], 500)
    share = (crops[:, 1] == 500).mean()
    assert f"GFP {share:.1%} of its pixels at 500 (training 0.0" in lines_of(on_plate, crops)


def test_single_strange_cells_are_counted_and_listed(
    on_plate: Classifier, other_plate: Cells
) -> None:
    crops, rng = other_plate.read(), np.random.default_rng(1)
    crops[3] = 0
    crops[17] = crops[17] * 16
    crops[40] = rng.permuted(crops[40].reshape(2, -1), axis=1).reshape(2, 16, 16)
    shift = on_plate.compare(again(other_plate, crops))
    assert shift.strange == (3, 17, 40)
    assert shift.warnings[0] == "cells 3, 17, 40 lie far outside what was trained on"
    crops[50:70, 0] = 0
    assert "cells 3, 17, 40, 50, 51, ... and 18 more lie far outside" in lines_of(on_plate, crops)
    assert lines_of(on_plate, crops[3:4]).splitlines()[0].startswith("nothing is to be seen")


def test_what_a_difference_did_to_the_calls_is_said_with_accuracy(
    on_plate: Classifier, other_plate: Cells
) -> None:
    cells = again(other_plate, other_plate.read() * 16)
    shift = on_plate.compare(cells)
    called = on_plate.predict_job(cells)
    codes = drain(called).argmax(axis=1)
    share = (codes == 1).mean()
    assert shift.shares["high"] == pytest.approx(share)
    assert shift.training_shares == {"low": 0.5, "high": 0.5}
    line = shift.warnings[-1]
    assert line.startswith("predicted now: ")
    assert f"high {share:.0%} (training 50%)" in line
    accuracy = np.mean([(codes[cells.labels == code] == code).mean() for code in (0, 1)])
    assert shift.accuracy == pytest.approx(accuracy)
    low, high = shift.accuracy_interval
    assert f"balanced accuracy {accuracy:.3f} (95 % interval {low:.2f} to {high:.2f})" in line
    assert low < accuracy < high
    # Without classes there is no accuracy to speak of.
    assert on_plate.compare(cells.read()).accuracy is None


def test_predictions_warn_once_with_all_lines(on_plate: Classifier, other_plate: Cells) -> None:
    with pytest.warns(DataShiftWarning) as caught:
        on_plate.predict_proba(other_plate.read() + 50, batch=16)
    assert len(caught) == 1
    assert re.search(r"DNA higher by about 5[01]\b", str(caught[0].message))
    assert "predicted now: " in str(caught[0].message)
    assert caught[0].filename == __file__


def test_another_pixel_size_is_named_with_the_remedy(
    on_plate: Classifier, other_plate: Cells
) -> None:
    def sized(cells: Cells, *sizes: float, unit: str = "µm") -> Cells:
        fields = tuple(
            replace(one, pixel_size=(sizes[at % len(sizes)],) * 2, unit=unit)
            for at, one in enumerate(cells.fields)
        )
        return replace(cells, fields=fields)

    model = replace(on_plate, training_data=replace(on_plate.training_data, pixel_size=0.5))
    assert model.compare(other_plate).warnings == ()
    assert model.compare(sized(other_plate, 0.52)).warnings == ()
    assert model.compare(sized(other_plate, 500, unit="nm")).warnings == ()
    said = model.compare(sized(other_plate, 0.5, 0.25)).warnings[0]
    assert said.startswith("pixels have another size: 0.25 µm in 60 cells, in training 0.5 µm")
    assert said.endswith("pixel_size = 0.5 under [cells]")


@pytest.mark.parametrize("side", [12, 20])
def test_crops_of_another_side_are_refused_with_the_remedy(on_plate: Classifier, side: int) -> None:
    crops = np.zeros((3, 2, side, side), np.float32)
    line = rf"trained on crops of 16 pixels, these are {side}; set crop = 16 under \[cells\]"
    for cells in (crops, Cells.from_array(crops, ["DNA", "GFP"])):
        for ask in (on_plate.predict_proba, on_plate.predict, on_plate.compare):
            with pytest.raises(ModelError, match=line):
                ask(cells)
        with pytest.raises(ModelError, match=line):
            drain(data_shift_job(on_plate, cells))
    with pytest.raises(ModelError, match="these are 16 x 20"):
        on_plate.predict_proba(np.zeros((3, 2, 16, 20), np.float32))


def test_a_model_of_an_earlier_version_is_compared_by_mean_and_spread(
    on_plate: Classifier, other_plate: Cells
) -> None:
    model = replace(on_plate, training_data=None)
    shift = model.compare(other_plate)
    assert shift.warnings == ()
    assert shift.lines == (OLDER,)
    far = model.compare(other_plate.read() * 16)
    assert far.warnings[0].startswith("brightness is far from that of training in DNA (mean ")


def test_a_model_made_elsewhere_knows_nothing_to_compare(other_plate: Cells) -> None:
    model = ForeignClassifier(
        lambda x: np.zeros((len(x), 2)),
        other_plate.channels,
        ("a", "b"),
        np.zeros(2),
        np.ones(2),
        "scores",
        "somewhere:model",
    )
    shift = model.compare(other_plate.read() * 16)
    assert shift.warnings == ()
    assert shift.lines == (
        "somewhere:model was made elsewhere: nothing is known of its training data to compare with",
    )
    with pytest.warns(UserWarning, match="somewhere:model gives the same output for all"):
        shown = model.predict_proba(np.zeros((2, 2, 9, 9), np.float32))
    assert shown.shape == (2, 2)


def test_only_chosen_cells_are_compared_and_keep_their_numbers(
    on_plate: Classifier, other_plate: Cells
) -> None:
    crops = other_plate.read()
    crops[33] = 0
    crops[5] = 0
    chosen = np.arange(30, 60)
    shift = drain(data_shift_job(on_plate, again(other_plate, crops), only=chosen))
    assert (shift.n, shift.strange) == (30, (33,))


def test_the_result_is_a_table_and_json(on_plate: Classifier, other_plate: Cells) -> None:
    shift = on_plate.compare(other_plate.read() + 20)
    frame = shift.to_frame()
    assert frame["channel"].tolist() == ["DNA", "GFP"]
    assert (frame["mean"] - on_plate.compare(other_plate).to_frame()["mean"]).round(3).tolist() == [
        20.0,
        20.0,
    ]
    assert frame["distance"][0] > frame["limit"][0]
    content = json.loads(json.dumps(shift.as_dict(), allow_nan=False))
    assert content["warnings"] == list(shift.warnings)


def test_pixels_are_read_once_for_calls_and_comparison(
    on_plate: Classifier, other_plate: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, seen = Cells.read, []

    def counting(self: Cells, indices=None):
        crops = read(self, indices)
        seen.append(len(crops))
        return crops

    monkeypatch.setattr(Cells, "read", counting)
    on_plate.compare(other_plate)
    assert sum(seen) == len(other_plate)


def test_no_cells_are_no_difference(on_plate: Classifier) -> None:
    shift = on_plate.compare(np.zeros((0, 2, 16, 16), np.float32))
    assert (shift.n, shift.lines) == (0, ())


def test_mirrored_borders_of_an_earlier_version_are_said(on_plate: Classifier) -> None:
    rng = np.random.default_rng(0)
    planes = [rng.integers(0, 200, (60, 60)).astype(np.uint16) for _ in range(2)]
    cells = Cells.from_points(planes, ["DNA", "GFP"], [(3, 3), (30, 30)], crop=16)
    older = replace(on_plate, record={}, training_data=None)
    said = [line for line in older.compare(cells).warnings if "mirror images" in line]
    assert said and said[0].startswith("1 of 2 cells reach over the border")
    now = on_plate.compare(cells).warnings
    assert not any("mirror images" in line for line in now)


def test_of_a_single_cell_there_are_no_shares_of_calls(on_plate: Classifier, plate: Cells) -> None:
    crop = plate.read([5]) * 16
    shift = drain(data_shift_job(on_plate, crop, np.array([[0.1, 0.9]], np.float32)))
    assert shift.warnings and "the cell lies far outside what was trained on" in shift.warnings
    assert not any("predicted now" in line or "1 of 1" in line for line in shift.warnings)


def test_a_model_tried_with_its_channels_in_another_order_says_nothing_of_shift(
    on_plate: Classifier, other_plate: Cells
) -> None:
    wrong = other_plate.with_labels(1 - other_plate.labels, other_plate.classes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drain(plausibility_job(on_plate, wrong))


def test_the_meaning_of_an_output_is_found_out_wherever_a_model_is_asked(
    other_plate: Cells,
) -> None:
    def model() -> ForeignClassifier:
        return ForeignClassifier(
            lambda x: np.eye(2)[(x[:, 1].mean(axis=(1, 2)) > 300).astype(int)],
            other_plate.channels,
            ("low", "high"),
            np.zeros(2),
            np.ones(2),
            "auto",
            "mine",
        )

    by_job = drain(model().predict_job(other_plate))
    np.testing.assert_array_equal(model().predict_proba(other_plate), by_job)
    share = model().compare(other_plate).shares["high"]
    assert share == pytest.approx(float((by_job[:, 1] > 0.5).mean()))


def test_chunks_seen_by_copies_of_an_observer_say_the_same_as_one_pass(
    on_plate: Classifier, plate: Cells
) -> None:
    crops = plate.read() + np.float32(40)
    odd = again(plate, crops)
    order = np.random.default_rng(0).permutation(len(odd))
    one, other = Observer(on_plate, odd), Observer(on_plate, odd)
    copy = pickle.loads(pickle.dumps(Observer(on_plate, odd)))
    chunks = np.array_split(order, 3)
    for chunk in chunks:
        one.add(crops[chunk], chunk)
    for chunk in reversed(chunks):
        other.take(copy.measured(crops[chunk], chunk))
    assert one.shift().warnings
    assert other.shift() == one.shift()
