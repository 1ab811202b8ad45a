"""A scan is changed question by question, and becomes a data set that opens."""

import pandas as pd
import pytest

from napari_channelmix import open_dataset
from napari_channelmix.data.description import Description
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.scan import Choice, Role, Scan, ScanSettings

from .made_images import made_folder

NAMES = ["b2_w1.tif", "b2_w2.tif", "B03_w1.tif", "B03_w2.tif"]


def made_scan(folder, **options):
    entries = pd.DataFrame(
        {"file": NAMES, "well": ["b2", "b2", "B03", "B03"], "channel": ["w1", "w2"] * 2}
    )
    roles = {"file": Role.IMAGE, "well": Role.WELL, "channel": Role.CHANNEL}
    settings = ScanSettings(**options.pop("settings", {}))
    return Scan.of(folder, "made", entries, folder, roles, settings, **options)


@pytest.fixture
def folder(tmp_path):
    return made_folder(tmp_path / "plate", NAMES)


def test_a_scan_is_unusable_until_its_questions_are_answered(folder):
    scan = made_scan(folder)
    assert [choice.chosen for choice in scan.choices] == [None]
    assert "What is a cell" in scan.problems[0] and "'cells'" in scan.problems[0]
    with pytest.raises(DataError, match=r'choices=\{"cells": "\.\.\."\}, or --choose'):
        scan.save()
    with pytest.raises(DataError):
        scan.cells()
    assert not (folder / "dataset.toml").exists()
    assert scan.with_choice("cells", "image").problems == ()
    assert scan.problems  # the first one is as it was


def test_the_same_cells_come_from_memory_and_from_the_saved_file(folder, tmp_path):
    scan = made_scan(folder).with_choice("cells", "image").with_channel_name("w2", "GFP")
    cells = scan.cells()
    assert cells.channels == ("w1", "GFP")
    # Written elsewhere, the paths lead back.
    for path in (None, tmp_path / "else where" / "s.toml"):
        saved = scan.save(path)
        again = open_dataset(saved)
        assert again.channels == cells.channels
        assert (again.read(range(2)) == cells.read(range(2))).all()
        assert [crop[:, 0, 0].tolist() for crop in again.read(range(2))] == [[1, 2], [3, 4]]
        assert again.groups.tolist() == ["B02", "B03"]


def test_nothing_is_overwritten(folder):
    scan = made_scan(folder).with_choice("cells", "image")
    (folder / "dataset.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(SaveError, match=r"dataset\.csv is there already"):
        scan.save()
    assert (folder / "dataset.csv").read_text("utf-8") == "mine"
    assert not (folder / "dataset.toml").exists()
    with pytest.raises(SaveError, match=r"ends in \.toml"):
        scan.save(folder / "d.json")


def test_the_description_is_one_of_a_data_set_file(folder):
    scan = made_scan(folder).with_choice("cells", "image")
    description = Description.model_validate(scan.description())
    assert description.channels == {"w1": "w1 file", "w2": "w2 file"}
    assert description.group == "well" and description.cells.origin == "image"


def test_crop_and_pixel_size_of_the_settings_are_written(folder):
    scan = made_scan(folder, settings={"crop": 12, "channels": {"w1": "DNA"}})
    assert scan.description()["cells"]["crop"] == 12
    assert scan.description()["cells"]["channel"] == "DNA"


def test_an_answer_that_names_a_channel_follows_its_name(folder):
    scan = made_scan(folder).with_choice("cells", "segment nuclei in w2")
    renamed = scan.with_channel_name("w2", "Hoechst")
    assert renamed.description()["cells"]["channel"] == "Hoechst"
    assert renamed.settings.channels == {"w2": "Hoechst"}


def test_settings_of_segmentation_are_keys_of_the_cells(folder):
    settings = {"diameter": 9, "dark": True, "body_channel": "w1", "min_area": 5}
    scan = made_scan(folder, settings={**settings, "channels": {"w1": "actin"}})
    cells = scan.with_choice("cells", "segment nuclei in w2").description()["cells"]
    assert (cells["diameter"], cells["dark"], cells["min_area"]) == (9, True, 5)
    assert cells["body_channel"] == "actin"
    assert cells["threshold"] == 1.0, "which tells them from the nuclei of earlier versions"
    assert "diameter" not in scan.with_choice("cells", "image").description()["cells"]


def test_a_stain_of_nuclei_is_proposed(folder):
    scan = made_scan(folder, settings={"channels": {"W1": "DAPI"}})
    assert scan.channels == {"w1": "DAPI", "w2": "w2"}
    assert scan.choices[0].chosen == "segment nuclei in DAPI"


def test_another_role_asks_anew(folder):
    scan = made_scan(folder).with_role("well", Role.PLANE)
    assert {choice.name for choice in scan.choices} == {"cells", "planes"}
    assert scan.settings.roles == {"well": "plane"}
    back = scan.with_role("well", "well")
    assert [choice.name for choice in back.choices] == ["cells"]


def test_two_channels_of_one_name_are_a_problem(folder):
    scan = made_scan(folder).with_choice("cells", "image").with_channel_name("w1", "w2")
    assert scan.problems == ("two channels are called 'w2'; rename one of them",)


@pytest.mark.parametrize(
    "change",
    [
        lambda scan: scan.with_role("none", Role.WELL),
        lambda scan: scan.with_channel_name("w9", "x"),
        lambda scan: scan.with_channel_name("w1", " "),
        lambda scan: scan.with_choice("none", "x"),
        lambda scan: scan.with_choice("cells", "sideways"),
    ],
)
def test_what_is_not_there_is_refused(folder, change):
    with pytest.raises(DataError):
        change(made_scan(folder))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"roles": {"none": "well"}}, "no column 'none'"),
        ({"channels": {"w9": "x"}}, "no channel 'w9'"),
        ({"choices": {"planes": "3"}}, "no question 'planes'; questions: cells"),
    ],
)
def test_settings_for_what_is_not_there_are_refused(folder, settings, why):
    with pytest.raises(DataError, match=why):
        made_scan(folder, settings=settings)


def test_a_question_of_the_source_reads_it_again_and_keeps_added_columns(folder):
    asked = []

    def again(settings):
        asked.append(settings.choices)
        return made_scan(folder, settings={"choices": {"cells": "image"}})

    question = Choice("style", "Which?", ("one", "other"))
    scan = made_scan(folder, choices=(question,), reread=again)
    classes = pd.DataFrame({"class": ["x", "x", "y", "y"]})
    scan = scan.with_columns(classes, {"class": Role.CLASS}).with_choice("style", "other")
    assert asked == [{"style": "other"}]
    assert scan.table()["class"].tolist() == ["x", "y"]
    assert scan.cells().classes == ("x", "y")


def test_cells_without_a_class_are_unlabelled(folder):
    scan = made_scan(folder).with_choice("cells", "image")
    partly = scan.with_columns(pd.DataFrame({"c": ["x", "x", "", ""]}), {"c": Role.CLASS})
    assert partly.description()["unlabelled"] is True
    assert partly.cells().labels.tolist() == [0, -1]
    nowhere = scan.with_columns(pd.DataFrame({"c": [""] * 4}), {"c": Role.CLASS})
    assert "label" not in nowhere.description()
    named = scan.with_columns(pd.DataFrame({"c": ["none", "none", "y", "y"]}), {"c": Role.CLASS})
    assert named.cells().classes == ("none", "y")


def test_names_that_toml_would_misread_come_back(folder):
    name = 'a "b"\\ =ä\t\x7f'
    scan = made_scan(folder).with_choice("cells", "image").with_channel_name("w1", name)
    assert open_dataset(scan.save()).channels == (name, "w2")


def test_nuclei_in_a_channel_that_is_left_out_are_a_problem(folder):
    entries = made_scan(folder).entries.drop(index=3)
    roles = made_scan(folder).roles
    scan = Scan.of(folder, "made", entries, folder, roles, ScanSettings())
    scan = scan.with_choice("cells", "segment nuclei in w2").with_choice(
        "incomplete", "without channel w2"
    )
    assert "'w2' is not among the channels w1" in scan.problems[0]
    with pytest.raises(DataError, match="not among the channels"):
        scan.cells()
