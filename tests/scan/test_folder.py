"""Folders are understood, or asked about; never misread without a word."""

import numpy as np
import pytest
import tifffile

from napari_channelmix.data import open_dataset
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.scan import Role, scan_folder, scan_folder_job

from .made_images import made_folder, scan_styles

STYLES = scan_styles()
EVERY = [*STYLES.styles(), *STYLES.unknown_styles()]


@pytest.mark.parametrize("style", EVERY, ids=lambda style: style.name)
def test_a_style_is_right_or_asked_down_to_its_pixels(style, tmp_path):
    values = STYLES.make(style, tmp_path)
    result = STYLES.verdict(style, tmp_path, values)
    assert result.split(":")[0] in ("right", "asked"), result


def test_the_truths_can_be_missed(tmp_path):
    """The comparison itself fails where a file is in the wrong place."""
    style = next(one for one in EVERY if "Cellomics" in one.name)
    values = STYLES.make(style, tmp_path)
    (tmp_path / "MFGTMP_20150618_A01f00d0.TIF").rename(tmp_path / "x.tif")
    (tmp_path / "MFGTMP_20150618_A02f00d0.TIF").rename(tmp_path / "MFGTMP_20150618_A01f00d0.TIF")
    (tmp_path / "x.tif").rename(tmp_path / "MFGTMP_20150618_A02f00d0.TIF")
    assert STYLES.verdict(style, tmp_path, values).startswith("wrong: one field of view of")


def roles(scan):
    return {name: role for name, role in scan.roles.items() if name != "file"}


def open_questions(scan):
    return [choice.name for choice in scan.choices if choice.chosen is None]


def test_two_parts_that_look_like_wells_are_asked(tmp_path):
    names = [f"{a}_{b}_DAPI.tif" for a in ("A01", "B02") for b in ("C03", "D04")]
    scan = scan_folder(made_folder(tmp_path, names))
    assert {"part 1", "part 2"} <= set(open_questions(scan))
    scan = scan.with_choice("part 1", "plate").with_choice("part 2", "well")
    assert scan.table()["part 2"].tolist() == ["C03", "D04"] * 2


def test_folders_that_may_be_channels_or_classes_are_asked(tmp_path):
    names = [f"{folder}/img{number}.tif" for folder in ("foo", "bar") for number in (1, 2, 3)]
    scan = scan_folder(made_folder(tmp_path, names))
    assert "folder 1" in open_questions(scan)
    as_class = scan.with_choice("folder 1", "class").with_choice("cells", "each image").cells()
    assert (len(as_class), as_class.classes) == (6, ("bar", "foo"))
    as_channel = scan.with_choice("folder 1", "channel").with_choice("cells", "each image").cells()
    assert (len(as_channel), as_channel.channels) == (3, ("bar", "foo"))


def test_an_unknown_word_with_a_number_is_asked(tmp_path):
    names = [f"{well}_xyz{number}.tif" for well in ("A01", "B02", "C03") for number in (1, 2)]
    scan = scan_folder(made_folder(tmp_path, names))
    assert "part 2" in open_questions(scan)


def test_a_role_by_elimination_is_shown_as_a_question(tmp_path):
    names = [
        f"{well}_{n}_{c}.tif" for well in ("A01", "B02") for n in (1, 2) for c in ("gfp", "er")
    ]
    scan = scan_folder(made_folder(tmp_path, names))
    question = next(choice for choice in scan.choices if choice.name == "field")
    assert question.chosen == "field" and "part 2" in question.text
    assert roles(scan.with_choice("field", "plane"))["field"] is Role.PLANE


def test_a_folder_for_each_image_is_no_class(tmp_path):
    names = [
        f"{well}-Site_{s}/img_{c}.tif"
        for well in ("B2", "C3")
        for s in (0, 1)
        for c in ("gfp", "er")
    ]
    scan = scan_folder(made_folder(tmp_path, names))
    assert Role.CLASS not in roles(scan).values()
    assert {Role.WELL, Role.FIELD, Role.CHANNEL} <= set(roles(scan).values())


def test_files_of_two_styles_are_asked_about(tmp_path):
    names = [f"r01c0{c}f01p01-ch{h}sk1fk1fl1.tiff" for c in (1, 2) for h in (1, 2)]
    names += [f"P1_A0{c}_s1_w{h}.tif" for c in (1, 2) for h in (1, 2)]
    scan = scan_folder(made_folder(tmp_path, names))
    assert "pattern" in open_questions(scan)
    scan = scan.with_choice("pattern", "ImageXpress (plate_A01_s1_w1), 4 files")
    assert len(scan.entries) == 4 and "pattern" not in open_questions(scan)
    left_out = {one.path: one.reason for one in scan.left_out}
    assert "is not of the style ImageXpress" in left_out[names[0]]


def test_few_names_of_another_shape_do_not_spoil_the_others(tmp_path):
    names = [f"{well}_{c}.tif" for well in ("b02", "c03", "d04", "e05") for c in ("dna", "gfp")]
    scan = scan_folder(made_folder(tmp_path, [*names, "overview.tif"]))
    assert len(scan.table()) == 4
    assert [(one.path, one.reason) for one in scan.left_out] == [
        ("overview.tif", "named otherwise than the other 8 files")
    ]


def test_a_part_that_goes_with_the_channel_is_left_out(tmp_path):
    channels = (("01", "DAPI"), ("02", "GFP"))
    names = [f"{w}_{n}_x_{c}.tif" for w in ("A01", "B02") for n, c in channels]
    scan = scan_folder(made_folder(tmp_path, names))
    assert set(roles(scan).values()) == {Role.WELL, Role.CHANNEL}


def test_label_images_are_proposed_as_the_cells(tmp_path):
    scan = scan_folder(made_folder(tmp_path, ["a1.tif", "a1_cp_masks.tif", "a2.tif"]))
    assert scan.entries["label image"].tolist() == ["a1_cp_masks.tif", ""]
    assert next(one for one in scan.choices if one.name == "cells").chosen == "label images"


def test_images_of_wells_with_few_images_are_not_taken_for_single_cells(tmp_path):
    names = [f"A0{n}_gfp.tif" for n in range(1, 9)]
    assert "cells" in open_questions(scan_folder(made_folder(tmp_path / "wells", names)))
    many = [f"{well}/cell_{n}.tif" for well in ("A01", "B02") for n in range(25)]
    scan = scan_folder(made_folder(tmp_path / "cells", many))
    assert next(one for one in scan.choices if one.name == "cells").chosen == "each image is a cell"


def test_a_table_beside_the_images_is_asked_about(tmp_path):
    made_folder(tmp_path, ["A01_gfp.tif", "B02_gfp.tif"])
    table = "image,x,y\nA01_gfp.tif,3,3\nB02_gfp.tif,2,2\n"
    (tmp_path / "points.csv").write_text(table, encoding="utf-8")
    scan = scan_folder(tmp_path)
    assert "source" in open_questions(scan)
    assert "source" not in open_questions(scan.with_choice("source", "image files"))
    of_table = scan.with_choice("source", "the table points.csv")
    assert of_table.source.name == "points.csv"


def test_a_table_of_classes_of_wells_is_read_and_not_listed_as_left_out(tmp_path):
    names = [f"{well}_{c}.tif" for well in ("A01", "B02") for c in ("DNA", "gfp")]
    made_folder(tmp_path, names)
    (tmp_path / "layout.csv").write_text("well,class\nA1,x\nB2,y\n", encoding="utf-8")
    scan = scan_folder(tmp_path)
    assert scan.table()["class"].tolist() == ["x", "y"]
    assert scan.left_out == () and "source" not in open_questions(scan)


def test_a_saved_data_set_is_no_table_beside_the_images(tmp_path):
    names = [f"{well}_{c}.tif" for well in ("A01", "B02") for c in ("DNA", "gfp")]
    scan_folder(made_folder(tmp_path, names), choices={"cells": "image"}).save(tmp_path / "s.toml")
    assert "source" not in [choice.name for choice in scan_folder(tmp_path).choices]


def test_only_the_files_that_were_named_are_read(tmp_path):
    names = [f"{well}_{c}.tif" for well in ("A01", "B02", "C03") for c in ("DNA", "gfp")]
    made_folder(tmp_path, names)
    files = [tmp_path / "A01_DNA.tif", "A01_gfp.tif"]
    assert scan_folder(tmp_path, files=files).entries["file"].tolist() == names[:2]
    with pytest.raises(DataError, match="is not in the folder"):
        scan_folder(tmp_path, files=[tmp_path.parent / "x.tif"])


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "is empty"),
        (["a.docx", "b.pdf"], "no image files .* 2 others left out"),
        (["a.vsi"], "convert them to OME-TIFF"),
    ],
)
def test_a_folder_with_nothing_usable_says_what_lies_there(tmp_path, names, why):
    with pytest.raises(DataError, match=why):
        scan_folder(made_folder(tmp_path, names))


def test_a_pattern_that_fits_no_name_is_refused_with_one(tmp_path):
    made_folder(tmp_path, ["a.tif", "b.tif"])
    with pytest.raises(DataError, match=r"fits none of 2 images \(first: 'a.tif'\)"):
        scan_folder(tmp_path, "{well}_{channel}")
    with pytest.raises(DataError, match="presets:"):
        scan_folder(tmp_path, "Opera")


def test_a_pattern_is_kept_when_a_question_is_answered(tmp_path):
    names = [f"{w}-{n}-{c}.tif" for w in ("A01", "B02") for n in (1, 2) for c in ("x", "y")]
    scan = scan_folder(made_folder(tmp_path, names), "{well}-{plane}-{channel}")
    scan = scan.with_choice("planes", "2").with_choice("cells", "each image")
    assert scan.settings.pattern == "{well}-{plane}-{channel}"
    assert scan.table()["x file"].tolist() == ["A01-2-x.tif", "B02-2-x.tif"]


def test_answers_can_be_given_from_the_start(tmp_path):
    names = [f"{w}_z{n}_ch{c}.tif" for w in ("A01", "B02") for n in (1, 2) for c in (1, 5)]
    scan = scan_folder(
        made_folder(tmp_path, names),
        channels={"ch5": "DNA"},
        choices={"planes": "1", "cells": "each image"},
    )
    assert scan.problems == ()
    assert scan.cells().channels == ("ch1", "DNA")


def test_a_scan_can_be_cancelled_at_every_step(tmp_path):
    names = [f"{w}_w{c}.tif" for w in ("A01", "B02") for c in (1, 2)]
    made_folder(tmp_path, names)
    steps = len(list(scan_folder_job(tmp_path)))
    for count in range(1, steps + 1):
        job = scan_folder_job(tmp_path)
        for _ in range(count):
            next(job)
        job.close()
    assert drain(scan_folder_job(tmp_path)).style.startswith("ImageXpress")


def test_the_class_per_folder_example_of_the_documents(tmp_path):
    names = [
        f"{s}/{c}/{n}.tif" for s in ("train", "test") for c in ("live", "dead") for n in range(3)
    ]
    cells = scan_folder(made_folder(tmp_path, names)).cells()
    assert (len(cells), cells.classes) == (12, ("dead", "live"))
    assert sorted(set(cells.table["split"])) == ["test", "train"]


def test_real_folders(shared_data):
    wortmannin = scan_folder(shared_data / "bbbc013_wortmannin" / "images")
    assert len(wortmannin.table()) == 48 and list(wortmannin.channels) == ["Channel1", "Channel2"]
    painting = scan_folder(shared_data / "cellpainting_6ch_fov" / "images")
    assert painting.table()["well"].tolist() == ["C03"]
    assert set(painting.channels) == {"AGP", "Brightfield", "DNA", "ER", "Mito", "RNA"}
    assert next(iter(painting.choices)).chosen == "segment nuclei in DNA"
    worms = scan_folder(shared_data / "bbbc010_worms" / "images")
    assert set(worms.channels) == {"brightfield", "gfp"} and worms.left_out == ()


def test_a_body_channel_that_is_not_there_is_a_problem_of_the_scan(tmp_path):
    made_folder(tmp_path, ["A01_w1.tif", "A01_w2.tif", "A02_w1.tif", "A02_w2.tif"])
    answers = {"cells": "segment nuclei in w1"}
    scan = scan_folder(tmp_path, choices=answers, body_channel="actin")
    assert scan.problems == ("[cells] channel 'actin' is not among the channels w1, w2",)
    with pytest.raises(DataError, match="'actin' is not among"):
        scan.save()


def test_the_crop_of_label_images_holds_their_cells(tmp_path):
    made_folder(tmp_path, ["a.tif", "b.tif"], side=120)
    labels = np.zeros((120, 120), np.uint16)
    labels[10:95, 20:60] = 1
    for name in "ab":
        tifffile.imwrite(tmp_path / f"{name}_cp_masks.tif", labels)
    scan = scan_folder(tmp_path)
    assert scan.description()["cells"]["crop"] == 88
    assert scan_folder(tmp_path, crop=40).description()["cells"]["crop"] == 40
    halved = scan_folder(tmp_path, image_pixel_size=0.25, pixel_size=0.5)
    assert halved.description()["cells"]["crop"] == 48
    assert scan.with_choice("cells", "each image").description()["cells"]["crop"] == 120


def test_images_that_do_not_state_their_pixel_size_take_the_one_that_is_given(tmp_path):
    made_folder(tmp_path, ["a.tif", "b.tif"], side=120)
    labels = np.zeros((120, 120), np.uint16)
    labels[50:60, 50:60] = 1
    for name in "ab":
        tifffile.imwrite(tmp_path / f"{name}_cp_masks.tif", labels)
    scan = scan_folder(tmp_path, image_pixel_size=0.25, pixel_size=0.5)
    cells = scan.cells()
    assert (cells.boxes[:, 2] - cells.boxes[:, 0]).tolist() == [32, 32]
    assert cells.crop == 16
    again = open_dataset(scan.save())
    assert again.boxes.tolist() == cells.boxes.tolist()


def test_the_only_channel_is_called_what_it_is_renamed_to(tmp_path):
    made_folder(tmp_path, ["a.tif", "b.tif"], side=40)
    answers = {"cells": "segment nuclei in DNA"}
    scan = scan_folder(tmp_path, channels={"image": "DNA"}, choices=answers)
    assert scan.description()["image"] == {"column": "file", "channels": ["DNA"]}
    plain = scan_folder(tmp_path, choices={"cells": "each image is a cell"})
    assert plain.description()["image"] == {"column": "file"}
    named = plain.with_channel_name("image", "DNA")
    assert named.cells().channels == open_dataset(named.save()).channels == ("DNA",)


def test_words_of_other_languages_stand_before_a_number_with_a_blank(tmp_path):
    names = [f"Prüfung {w} Feld {f} Kanal {c}" for w in ("A1", "B2") for f in "12" for c in "12"]
    made_folder(tmp_path, [f"{name}.tif" for name in names])
    roles = scan_folder(tmp_path).roles
    assert {roles["well"], roles["field"], roles["channel"]} == {
        Role.WELL,
        Role.FIELD,
        Role.CHANNEL,
    }


def test_the_crop_of_label_images_of_stacks_holds_their_cells(tmp_path):
    stack, labels = np.zeros((3, 120, 120), np.uint16), np.zeros((3, 120, 120), np.uint16)
    labels[1, 10:95, 20:60] = 1
    about = {"imagej": True, "metadata": {"axes": "ZYX"}}
    for name in "ab":
        tifffile.imwrite(tmp_path / f"{name}.tif", stack, **about)
        tifffile.imwrite(tmp_path / f"{name}_cp_masks.tif", labels, **about)
    assert scan_folder(tmp_path).description()["cells"]["crop"] == 88


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["kx7qa.tif", "bb2.tif", "zzt9f.tif"], True),
        (["image_1.tif", "image_2.tif"], False),
        (["A01_DNA.tif", "A01_GFP.tif", "A02_DNA.tif", "A02_GFP.tif"], False),
    ],
)
def test_names_of_which_nothing_is_understood_are_said(tmp_path, names, said):
    for name in names:
        tifffile.imwrite(tmp_path / name, np.arange(300 * 310, dtype="uint16").reshape(300, 310))
    notes = scan_folder(tmp_path).notes
    assert (
        any("nothing else was read from names such as 'bb2.tif'" in note for note in notes) == said
    )


def test_what_is_no_path_is_refused_in_one_line():
    with pytest.raises(DataError, match="takes the path of a folder, not NoneType"):
        scan_folder(None)


@pytest.mark.parametrize(("radius", "crop"), [(12, 64), (40, 88)])
def test_the_crop_of_nuclei_grows_with_them(tmp_path, radius, crop):
    rows, columns = np.mgrid[:320, :430]
    spread = 100
    discs = np.hypot(rows % spread - 50, columns % spread - 50) < radius
    plane = np.random.default_rng(0).normal(200, 5, discs.shape) + 2000 * discs
    for name in ("A01_w1DAPI.tif", "A01_w2GFP.tif", "A02_w1DAPI.tif", "A02_w2GFP.tif"):
        tifffile.imwrite(tmp_path / name, plane.astype("uint16"))
    scan = scan_folder(tmp_path)
    assert scan.description()["cells"]["channel"] == "DAPI"
    assert scan.description()["cells"]["crop"] == crop
    assert scan_folder(tmp_path, crop=40).description()["cells"]["crop"] == 40
    halved = scan_folder(tmp_path, image_pixel_size=0.25, pixel_size=0.5)
    assert halved.description()["cells"]["crop"] == 64
    assert not any("cut off" in line for line in scan.cells().warnings)


def test_what_a_scan_saved_is_not_listed_as_left_out(tmp_path):
    names = [f"{well}_{c}.tif" for well in ("A01", "B02") for c in ("DNA", "gfp")]
    scan_folder(made_folder(tmp_path, [*names, "notes.txt"]), choices={"cells": "image"}).save()
    assert [one.path for one in scan_folder(tmp_path).left_out] == ["notes.txt"]
