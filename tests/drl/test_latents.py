"""Latents of a data set: what each cell is like, how sure that is, and what odd cells get."""

import json
from dataclasses import replace
from functools import partial
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from napari_channelmix import open_dataset
from napari_channelmix.classify.train import train_classifier_job
from napari_channelmix.classify.training_loop import TrainingSettings
from napari_channelmix.data import Cells
from napari_channelmix.drl import Latents, View, default_view, latents_job
from napari_channelmix.drl import latents as run_latents
from napari_channelmix.drl.finetune import Finetuned, finetune_job
from napari_channelmix.drl.latent_code import title_of
from napari_channelmix.drl.network import Posterior
from napari_channelmix.drl.reconstruction import reconstruction_job
from napari_channelmix.drl.sprites import CELLS
from napari_channelmix.drl.store import save_disentangler
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Progress, drain

# What users of latents.json may count on.
FIELDS = {"schema", "provenance", "names", "trust", "accuracy", "active", "metrics", "warnings"}


@pytest.fixture(scope="module", autouse=True)
def few_pairs(textured, grainy):
    """Few sprites to measure names with, whose outlines are drawn once for all tests."""
    made = {one.of.name: one for one in (textured, grainy)}
    with pytest.MonkeyPatch.context() as patch:
        # The package gives the function of this name, not the module.
        patch.setattr(import_module("napari_channelmix.drl.encode"), "DRIFT_PAIRS", 60)
        for user in ("quality", "sprite_learner"):
            patch.setattr(f"napari_channelmix.drl.{user}.Sprites", lambda of: made[of.name])
        yield


@pytest.fixture(scope="module")
def found(ellipses, shipped):
    return run_latents(ellipses, shipped)


# ---------------------------------------------------------------- what is found


def test_values_are_those_of_the_pictures_shown(found, shipped, ellipses):
    assert isinstance(found, Latents)
    np.testing.assert_array_equal(found.values, shipped.encode(found.prepared.pictures))
    assert found.spread.shape == found.values.shape == (24, 10)
    assert found.disentangler is shipped
    assert found.names == shipped.names
    assert found.prepared.how.view == View.colors(["A", "B"])
    assert found.cells is ellipses
    posterior = shipped.posterior(found.prepared.pictures)
    np.testing.assert_array_equal(found.spread, posterior[1])
    parts = (torch.from_numpy(one) for one in (posterior[0], 2 * np.log(posterior[1])))
    kl = Posterior(*parts).kl().mean(dim=0)
    np.testing.assert_allclose([one.kl for one in found.trust], kl, rtol=1e-4, atol=1e-5)


def test_where_the_pictures_do_not_resemble_the_cells_no_name_is_verified(found):
    # Smooth ellipses, drawn as textured sprites.
    measured = found.reconstruction
    assert (measured.n_cells, measured.n_groups) == (24, len(set(found.cells.groups.tolist())))
    assert measured.explained < 0.5 and not measured.resembles
    assert not any(one.badge == "verified" for one in found.trust)
    scale = found.trust[found.names.index("Scale")]
    assert scale.badge == "plausible" and "does not resemble" in scale.words


def test_pictures_that_the_decoder_draws_resemble_themselves(found, shipped):
    drawn = (shipped.decode(found.values) * 255).round().astype(np.uint8)
    values = shipped.encode(drawn)
    groups = np.arange(len(drawn))
    measured = drain(reconstruction_job(shipped, drawn, values, groups))
    assert measured.resembles and measured.others < 0.5 < measured.explained


def test_latents_json_says_how_far_the_pictures_resemble_the_cells(found):
    content = found.as_dict()["reconstruction"]
    assert content["explained"] == found.reconstruction.explained
    assert content["low"] < content["explained"] < content["high"]
    assert content["resembles"] is False and content["text"] == found.reconstruction.text


def test_scale_tells_the_classes_apart(found):
    scale = found.trust[found.names.index("Scale")]
    assert scale.witness in ("area", "perimeter")
    assert abs(scale.r) > 0.9
    parted = found.separation
    assert parted.classes == ("small", "large")
    assert parted.best["latents"].accuracy > 0.9
    assert parted.best["hand-crafted"].accuracy > 0.9
    assert set(parted.importance) <= set(found.axes())


def test_axes_are_those_with_an_active_latent(found):
    active = dict(zip(found.names, found.active, strict=True))
    assert not active["Spare 1"]
    assert active["Scale"]
    for axis in found.disentangler.axes():
        own = [name for name in found.names if name.split(" (")[0] == axis]
        assert (axis in found.axes()) == any(active[name] for name in own)


def test_an_axis_has_the_latent_or_the_angle_of_each_cell(found):
    np.testing.assert_array_equal(found.of_axis("Scale"), found.values[:, 3])
    angle = found.of_axis("Orientation")
    assert ((angle >= 0) & (angle < 2 * np.pi)).all()
    radius = np.hypot(found.values[:, 4], found.values[:, 7])
    np.testing.assert_allclose(radius * np.cos(angle), found.values[:, 4], atol=1e-5)
    np.testing.assert_allclose(radius * np.sin(angle), found.values[:, 7], atol=1e-5)


def test_the_table_says_where_each_cell_is_and_what_it_is_like(found, ellipses):
    table = found.to_frame()
    assert len(table) == 24
    assert table["label"].tolist() == ["small", "large"] * 12
    assert table["object"].tolist() == list(range(1, 25))
    assert table[["y", "x"]].iloc[0].tolist() == pytest.approx([20, 20], abs=1)
    assert table[["y", "x"]].iloc[6].tolist() == pytest.approx([60, 60], abs=1)
    np.testing.assert_array_equal(table[list(found.names)].to_numpy(np.float32), found.values)
    areas = [(ellipses.fields[0].labels == at).sum() for at in range(1, 25)]
    assert table["feature: area"].tolist() == areas


def test_the_users_own_columns_stand_in_the_table_and_in_the_file(found, tmp_path):
    keys = pd.DataFrame({"cell_id": range(60, 84), "label": "theirs"})
    keyed = replace(found, cells=found.cells.with_keys(keys))
    table = keyed.to_frame()
    assert table["cell_id"].tolist() == [str(n) for n in range(60, 84)]
    assert table["label (table)"].tolist() == ["theirs"] * 24
    assert table["field_name"].tolist() == list(found.cells.field_names) * 24


def test_nearest_cells_grow_along_scale_and_are_cells_of_the_set(found):
    rows = found.nearest(0, "Scale", 5)
    assert rows.shape == (5,)
    area = found.prepared.features["area"].to_numpy()[rows]
    assert area[0] < 0.6 * area[-1]
    scale = found.values[rows, 3]
    assert scale[0] < np.median(found.values[:, 3]) < scale[-1]
    around = found.nearest(0, "Orientation", 8)
    assert len(set(around.tolist())) > 1


def test_the_nearest_cell_is_the_nearest_in_spreads_of_the_active_latents(found):
    spread = np.maximum(found.values.std(axis=0), 0.05)
    low, high = found.ranges()[3]
    wanted = found.values[5].copy()
    wanted[3] = high
    apart = (found.values - wanted) / spread * found.active
    apart[:, 3] *= 3
    assert found.nearest(5, "Scale", 4)[-1] == np.argmin((apart**2).sum(axis=1))
    assert low < high
    # Unused latents say nothing of who is near.
    values = found.values.copy()
    values[:, ~found.active] = np.random.default_rng(0).normal(0, 9, (24, (~found.active).sum()))
    wild = replace(found, values=values)
    assert wild.nearest(5, "Scale", 4).tolist() == found.nearest(5, "Scale", 4).tolist()


def test_a_cell_is_held_against_the_others_of_a_class(found):
    small = np.flatnonzero(found.cells.labels == 0)
    z = found.against_class(1, "small")[3]
    members = found.values[small, 3].astype(float)
    middle = np.median(members)
    mad = np.median(np.abs(members - middle))
    assert z == pytest.approx((found.values[1, 3] - middle) / (1.4826 * mad), rel=1e-4)
    assert abs(z) > 3
    # A cell of the class is not compared with itself.
    own = found.against_class(int(small[0]), "small")[3]
    without = found.values[small[1:], 3].astype(float)
    mad = np.median(np.abs(without - np.median(without)))
    assert own == pytest.approx((members[0] - np.median(without)) / (1.4826 * mad), rel=1e-4)
    assert (found.against_class(1, "small")[~found.active] == 0).all()


def test_a_class_that_is_not_there_or_too_small_is_refused(found):
    with pytest.raises(DataError, match="no class 'huge'; there are small, large"):
        found.against_class(0, "huge")
    few = replace(found, cells=found.cells.with_labels([1] * 3 + [0] * 21, ["small", "large"]))
    with pytest.raises(DataError, match="'large' has fewer than three other cells"):
        few.against_class(0, "large")
    few.against_class(5, "large")


def test_a_traversal_goes_over_the_range_of_the_cells(found):
    drawn = found.traversal(2, steps=5)
    assert set(drawn.axes) == set(found.axes())
    row = drawn.axes.index("Scale")
    np.testing.assert_allclose(drawn.values[row][[0, -1]], found.ranges()[3], rtol=1e-5)


# ---------------------------------------------------------------- what is written


def test_json_has_what_the_command_line_promises(found):
    said = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert set(said) >= FIELDS
    assert said["schema"] == "napari-channelmix/latents/1"
    assert len(said["names"]) == len(said["trust"]) == len(said["active"]) == 10
    assert said["trust"] == [one.value for one in found.trust]
    best = found.separation.best
    features = best["hand-crafted"].accuracy
    assert said["accuracy"] == {
        "latents": best["latents"].accuracy,
        "features": features,
        "pixels_or_features": features,
        "pixels": None,
    }
    assert said["metrics"] == found.disentangler.about.get("card", {})
    assert said["finetuned"] is None
    assert said["provenance"]["settings"]["view"] == said["preparation"]["view"]


def test_files_hold_the_table_the_report_and_the_traversals(found, tmp_path):
    folder = found.save(tmp_path / "new" / "folder")
    assert sorted(path.name for path in folder.iterdir()) == [
        "latents.csv",
        "latents.json",
        "traversals.png",
    ]
    table = pd.read_csv(folder / "latents.csv")
    pd.testing.assert_frame_equal(table, found.to_frame(), check_dtype=False, rtol=1e-5)
    assert json.loads((folder / "latents.json").read_text("utf-8")) == json.loads(
        json.dumps(found.as_dict())
    )
    with Image.open(folder / "traversals.png") as sheet:
        # A cell of either class, with all its axes.
        assert sheet.height > 2 * len(found.axes()) * 90


# ---------------------------------------------------------------- which channels


def test_the_view_fits_the_disentangler(shipped, make_untrained, ellipses):
    assert default_view(shipped, ellipses) == View.colors(["A", "B"])
    assert default_view(shipped, ellipses, "B") == View.one("B", 3)
    grey = make_untrained(CELLS)
    assert default_view(grey, ellipses, "B") == View.one("B")
    assert default_view(grey, ellipses.with_channels(["A"])) == View.one("A")
    with pytest.raises(DataError, match="cell-sprites take one channel: choose one of A, B"):
        default_view(grey, ellipses)
    with pytest.raises(DataError, match="image has no channel 'C'; it has A, B"):
        default_view(shipped, ellipses, "C")


def test_one_channel_by_its_name(untrained, ellipses):
    found = run_latents(ellipses, untrained, view="B", separate=False)
    assert found.prepared.how.view == View.one("B", 3)
    assert (found.prepared.pictures[:, 0] == found.prepared.pictures[:, 2]).all()
    assert "B mean" in found.prepared.features
    assert "A mean" not in found.prepared.features


def test_a_view_of_another_depth_is_refused(untrained, ellipses):
    with pytest.raises(DataError, match="need images of 3 channels, the view gives 1"):
        run_latents(ellipses, untrained, view=View.one("A"))


def test_a_disentangler_of_one_channel_reads_cells(make_untrained, ellipses):
    found = run_latents(ellipses, make_untrained(CELLS), view="A", separate=False)
    assert found.values.shape == (24, 11)
    assert found.trust[found.names.index("Intensity")].witness == "A mean"


# ---------------------------------------------------------------- fine-tuning


def test_a_fine_tuned_copy_encodes_and_its_names_are_measured_anew(untrained, ellipses):
    found = run_latents(ellipses, untrained, finetune=1, separate=False, device="cpu")
    assert found.disentangler is not untrained
    np.testing.assert_array_equal(found.values, found.disentangler.encode(found.prepared.pictures))
    assert found.as_dict()["finetuned"]["epochs"] == 1
    now, before = ([getattr(one, name) for one in found.trust] for name in ("now", "source"))
    assert now != before


def test_who_tunes_can_be_chosen_and_is_asked_for_what_was_said(untrained, ellipses):
    asked = []

    def tune(source, pictures, **settings):
        asked.append((source, pictures.shape, settings))
        yield Progress(1, 1, "tuning")
        return Finetuned(source, "it was not worth it")

    found = run_latents(
        ellipses, untrained, finetune=7, seed=3, device="cpu", tune=tune, separate=False
    )
    settings = {"epochs": 7, "seed": 3, "device": "cpu"}
    assert asked == [(untrained, (24, 3, 64, 64), settings)]
    assert found.disentangler is untrained
    assert "it was not worth it" in found.warnings
    asked.clear()
    run_latents(ellipses, untrained, tune=tune, separate=False)
    assert asked == []


def test_weights_that_came_fine_tuned_are_not_judged_by_the_card_of_their_source(
    untrained, ellipses
):
    card = {"association": dict.fromkeys(untrained.axes(), 0.99)}
    source = replace(untrained, about={"card": card})
    tuned = replace(untrained, about={"card": card, "finetuned": {"epochs": 5}})
    kept, measured = (run_latents(ellipses, of, separate=False).trust[3] for of in (source, tuned))
    assert (kept.source, kept.now) == (0.99, 0.99)
    assert measured.source == 0.99
    assert measured.now < 0.99


def test_settings_that_cannot_be_are_refused(untrained, ellipses):
    with pytest.raises(ModelError, match="epochs of fine-tuning must be 0 or more, not -1"):
        run_latents(ellipses, untrained, finetune=-1)
    with pytest.raises(ModelError, match="there is no encoder 'dogs'"):
        run_latents(ellipses, "dogs")


def test_a_model_is_taken_from_a_file(untrained, ellipses, tmp_path):
    path = save_disentangler(untrained, tmp_path / "mine.safetensors")
    found = run_latents(ellipses, path, separate=False)
    assert found.names == untrained.names


# ---------------------------------------------------------------- odd cells


def test_cells_without_classes_have_latents_and_no_accuracy(untrained, ellipses, tmp_path):
    found = run_latents(ellipses.with_labels([-1] * 24, ()), untrained)
    assert found.separation is None
    assert not any(found.as_dict()["accuracy"].values())
    assert (found.to_frame()["label"] == "").all()
    assert (found.save(tmp_path) / "traversals.png").exists()


def test_classes_that_cannot_be_held_out_are_a_warning(untrained, ellipses):
    table = ellipses.table.assign(group=ellipses.labels.astype(str))
    found = run_latents(replace(ellipses, table=table), untrained)
    assert found.separation is None
    assert any("two classes with cells in two groups each" in line for line in found.warnings)


def test_one_cell_is_encoded_and_said_to_be_alone(untrained, make_ellipses, tmp_path):
    cells = make_ellipses(1)
    found = run_latents(cells, untrained, finetune=3)
    assert found.values.shape == (1, 10)
    assert found.disentangler is untrained
    line = "one cell: nothing can be said of what varies, and the weights are not fine-tuned"
    assert line in found.warnings
    assert {one.badge for one in found.trust} == {"not verified", "spare"}
    json.dumps(found.as_dict(), allow_nan=False)
    found.save(tmp_path)
    assert found.nearest(0, "Scale", 3).tolist() == [0, 0, 0]


def test_cells_that_are_all_alike_have_no_axes_and_are_said_to_be(
    untrained, make_ellipse, tmp_path
):
    crop = 100 + 300 * make_ellipse(32, (9, 6), 0.4, (15.5, 15.5))
    cells = Cells.from_array(np.stack([np.stack([crop, crop])] * 6), ["A", "B"], [0, 1] * 3)
    found = run_latents(cells, untrained)
    assert found.axes() == ()
    assert not found.active.any()
    assert {one.badge for one in found.trust} == {"inactive", "spare"}
    line = next(line for line in found.warnings if line.startswith("the same in all cells"))
    named = ", ".join(map(title_of, found.names[:7]))
    assert line == f"the same in all cells, so not traversed: {named}"
    assert "no latent varies among the cells, so nothing can separate the classes" in found.warnings
    assert found.traversal(0).axes == ()
    found.save(tmp_path)


def test_cells_that_are_no_numbers_are_refused(untrained, make_ellipses):
    cells = make_ellipses(4)
    cells.fields[0].planes[0][20, 20] = np.nan
    with pytest.raises(DataError, match="channel 'A' has NaN or infinite pixels in cell 1"):
        run_latents(cells, untrained)


# ---------------------------------------------------------------- the job


@pytest.mark.usefixtures("quick_learners")
def test_progress_never_goes_back_and_ends_with_the_result(untrained, ellipses):
    job = latents_job(ellipses, untrained, finetune=4, device="cpu")
    steps = []
    found = drain(job, steps.append)
    done = [step.fraction for step in steps]
    assert done == sorted(done)
    assert done[-1] == 1
    assert isinstance(steps[-1].partial, Latents)
    assert np.array_equal(steps[-1].partial.values, found.values)
    # Of the parts that take long, none comes in one step.
    assert np.diff([0, *done]).max() < 0.2


@pytest.mark.usefixtures("quick_learners")
def test_the_latents_are_known_before_the_classes_are_compared(untrained, ellipses):
    job = latents_job(ellipses, untrained)
    early = next(step.partial for step in job if step.partial is not None)
    assert early.under_way
    assert early.separation is None
    found = drain(job)
    assert not found.under_way
    assert found.separation is not None
    assert found.values is early.values
    assert found.trust == early.trust


def test_the_job_can_be_closed_in_any_part(untrained, ellipses):
    for steps in (1, 40, 80, 110):
        job = latents_job(ellipses, untrained, finetune=1, device="cpu")
        for _ in range(steps):
            next(job)
        job.close()
        with pytest.raises(StopIteration):
            next(job)


def test_the_same_seed_gives_the_same_latents(untrained, ellipses):
    one, again = (
        run_latents(ellipses, untrained, finetune=1, separate=False, device="cpu", seed=4).values
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, again)
    pictures = run_latents(ellipses, untrained, separate=False).prepared.pictures
    alone = drain(finetune_job(untrained, pictures, epochs=1, seed=4, device="cpu"))
    np.testing.assert_array_equal(alone.disentangler.encode(pictures), one)


# ---------------------------------------------------------------- real cells


@pytest.mark.usefixtures("quick_learners")
def test_plankton_is_turned_around_and_measured_by_its_size(shared_data, shipped):
    found = run_latents(open_dataset(shared_data / "ifcb_plankton" / "dataset.toml"), shipped)
    assert len(found.values) == 30
    assert "the background is brighter than the cells: images are inverted" in found.warnings
    assert "a grey image: the latent Color is of no use here" in found.warnings
    assert found.prepared.outlined.all()
    area = np.sqrt(found.prepared.features["area"])
    assert abs(np.corrcoef(area, found.values[:, 3])[0, 1]) > 0.8


@pytest.mark.slow
def test_blood_cells_are_told_apart_nearly_as_well_as_by_features(shared_data, shipped):
    cells = open_dataset(shared_data / "bccd_blood" / "dataset.toml")
    rng = np.random.default_rng(0)
    some = [rng.permutation(np.flatnonzero(cells.labels == code))[:60] for code in range(3)]
    found = run_latents(cells.subset(np.sort(np.concatenate(some))), shipped)
    best = found.separation.best
    assert best["latents"].accuracy >= 0.85 * best["hand-crafted"].accuracy
    # Published for plankton: +.86.
    assert abs(np.corrcoef(found.prepared.features["area"], found.values[:, 3])[0, 1]) >= 0.7
    scale = found.trust[3]
    # The feature goes along; the meshes that are drawn of smooth blood cells do not.
    assert (scale.badge, scale.resembles) == ("plausible", False)


@pytest.mark.usefixtures("quick_learners")
def test_pixels_are_read_on_the_same_folds_where_asked_for(untrained, make_ellipses, monkeypatch):
    # Five small trainings instead of five full ones.
    few = partial(train_classifier_job, network="tiny", settings=TrainingSettings(epochs=5))
    monkeypatch.setattr("napari_channelmix.classify.train.train_classifier_job", few)
    cells = make_ellipses(count=40)
    found = drain(latents_job(cells, untrained, pixels=True, device="cpu"))
    tested = found.separation.tested
    assert set(tested) == {"latents", "hand-crafted", "pixels"}
    assert tested["pixels"]["network"].accuracy > 0.8
    assert set(found.separation.ahead) == {"hand-crafted", "pixels"}
    said = found.as_dict()["accuracy"]
    assert said["pixels"] == said["pixels_or_features"] == tested["pixels"]["network"].accuracy
    assert said["features"] == found.separation.best["hand-crafted"].accuracy


def test_why_nothing_was_separated_is_kept(untrained, ellipses):
    without = ellipses.with_labels(np.full(len(ellipses), -1), ())
    found = drain(latents_job(without, untrained))
    assert (found.separation, found.unseparated) == (None, "the cells have no two classes")


def test_a_handful_of_cells_is_moved_as_far_as_sprites_and_that_is_said(shipped, make_ellipses):
    found = drain(latents_job(make_ellipses(count=3), shipped, separate=False))
    low, high = found.ranges()[shipped.position("Scale")]
    assert high - low == pytest.approx(3, abs=0.01)
    assert any("traversals go as far as on sprites" in line for line in found.warnings)
    assert found.traversal(0).change.max() > 0.05


# ---------------------------------------------------------------- weights tuned on other cells


def test_tuned_weights_know_their_cells_and_others_are_said_to_differ(untrained, ellipses):
    found = run_latents(ellipses, untrained, finetune=1, separate=False, device="cpu")
    data = found.disentangler.about["finetuned"]["data"]
    assert data == {"crop": ellipses.crop, "pixel_size": None, "channels": list(ellipses.channels)}
    again = run_latents(ellipses, found.disentangler, separate=False)
    assert not any("fine-tuned on" in line for line in again.warnings)
    crops = ellipses.read()[:, :, 2:-2, 2:-2]
    other = type(ellipses).from_array(crops, ellipses.channels)
    said = run_latents(other, found.disentangler, separate=False).warnings
    wanted = f"fine-tuned on crops of {ellipses.crop} pixels, these are {other.crop}"
    assert any(wanted in line for line in said)


def test_a_pixel_size_of_other_cells_is_named_with_the_remedy(untrained, ellipses):
    tuned = {"crop": ellipses.crop, "pixel_size": 0.5, "channels": list(ellipses.channels)}
    source = replace(untrained, about={"finetuned": {"epochs": 1, "data": tuned}})
    fields = tuple(replace(one, pixel_size=(0.25, 0.25), unit="µm") for one in ellipses.fields)
    said = run_latents(replace(ellipses, fields=fields), source, separate=False).warnings
    assert any("pixels of 0.5 µm, these are 0.25 µm" in line for line in said)
