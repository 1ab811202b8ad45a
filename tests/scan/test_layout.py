"""Files become rows by well, field and channel; what cannot be is said."""

import pandas as pd

from napari_channelmix.scan import LeftOut, Role
from napari_channelmix.scan.layout import incomplete_fields, layout_of

ROLES = {"file": Role.IMAGE, "well": Role.WELL, "field": Role.FIELD, "channel": Role.CHANNEL}
CHANNELS = {"w1": "DNA", "w2": "GFP"}


def entries(*rows, columns=("file", "well", "field", "channel")):
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def laid_out(table, roles=ROLES, channels=CHANNELS, **chosen):
    return layout_of(table, roles, channels, chosen)


FOUR = entries(
    ("a", "b2", "1", "w1"), ("b", "b2", "1", "w2"), ("c", "B03", "1", "w2"), ("d", "B03", "1", "w1")
)


def test_files_of_one_field_of_view_are_one_row_in_whatever_order():
    layout = laid_out(FOUR)
    assert layout.files == {"w1": "DNA file", "w2": "GFP file"}
    assert layout.table[["DNA file", "GFP file"]].values.tolist() == [["a", "b"], ["d", "c"]]
    assert layout.problems == ()


def test_wells_are_matched_and_keep_their_name_where_it_differs():
    table = laid_out(FOUR).table
    assert table["well"].tolist() == ["B02", "B03"]
    assert table["well as named"].tolist() == ["b2", "B03"]
    alike = laid_out(FOUR[FOUR["well"] == "B03"]).table
    assert "well as named" not in alike
    # Wells of a kind we do not know stay.
    odd = laid_out(FOUR.replace("b2", "left")).table
    assert odd["well"].tolist() == ["left", "B03"]


def test_rows_and_columns_make_wells():
    table = entries(("a", "2", "03"), ("b", "1", "12"), columns=("file", "r", "c"))
    roles = {"file": Role.IMAGE, "r": Role.WELL_ROW, "c": Role.WELL_COLUMN}
    layout = laid_out(table, roles, {"image": "image"})
    assert layout.table["well"].tolist() == ["B03", "A12"]
    assert layout.group == "well"


def test_two_files_for_one_channel_are_refused_with_both_names():
    layout = laid_out(pd.concat([FOUR, entries(("z", "B03", "1", "w1"))], ignore_index=True))
    assert len(layout.table) == 0
    (problem,) = layout.problems
    assert "2 files share" in problem and "'d'" in problem and "'z'" in problem


def test_a_field_of_view_without_a_channel_is_left_out_and_listed():
    layout = laid_out(FOUR[FOUR["file"] != "c"])
    assert layout.table["well"].tolist() == ["B02"]
    assert layout.left_out == (LeftOut("d", "its field of view has no channel GFP"),)


def test_a_channel_can_be_left_out_instead():
    layout = laid_out(FOUR[FOUR["file"] != "c"], incomplete="without channel GFP")
    assert layout.files == {"w1": "DNA file"}
    assert len(layout.table) == 2 and layout.left_out == ()


def test_where_no_field_of_view_is_whole_the_columns_are_wrong():
    table = FOUR.assign(number=["1", "2", "3", "4"])
    layout = laid_out(table, {**ROLES, "number": Role.KEY})
    (problem,) = layout.problems
    assert "no field of view has all of the channels DNA, GFP" in problem and "number" in problem
    assert len(layout.table) == 4


def test_only_the_plane_that_was_chosen_is_used():
    table = pd.concat([FOUR.assign(plane="1"), FOUR.assign(plane="02")], ignore_index=True)
    table["file"] += table["plane"]
    roles = {**ROLES, "plane": Role.PLANE}
    assert len(laid_out(table, roles).table) == 4
    one = laid_out(table, roles, planes="only plane 02").table
    assert one["DNA file"].tolist() == ["a02", "d02"]


def test_planes_of_a_field_of_view_are_one_group():
    roles = {"file": Role.IMAGE, "name": Role.FIELD, "plane": Role.PLANE}
    columns = ("file", "name", "plane")
    table = entries(("a", "x", "1"), ("b", "x", "2"), ("c", "y", "1"), columns=columns)
    layout = laid_out(table, roles, {"image": "image"})
    assert layout.table[layout.group].tolist() == ["x", "x", "y"]


def test_wells_of_one_name_on_two_plates_are_two_groups():
    table = pd.concat([FOUR.assign(plate="P1"), FOUR.assign(plate="P2")], ignore_index=True)
    table["file"] += table["plate"]
    layout = laid_out(table, {**ROLES, "plate": Role.PLATE})
    assert layout.table[layout.group].tolist() == ["P1 B02", "P1 B03", "P2 B02", "P2 B03"]
    assert laid_out(FOUR).group == "well"


def test_parts_of_a_split_have_the_names_of_data_sets():
    table = FOUR.assign(part=["Training", "Training", "holdout", "holdout"])
    layout = laid_out(table, {**ROLES, "part": Role.SPLIT})
    assert layout.table[layout.split].tolist() == ["train", "test"]


def test_one_label_image_is_of_all_channels_of_its_field_of_view():
    table = FOUR.assign(mask=["m", "", "", "n"])
    layout = laid_out(table, {**ROLES, "mask": Role.MASK})
    assert layout.table["mask"].tolist() == ["m", "n"]


def test_columns_that_contradict_each_other_are_said():
    doubled = laid_out(FOUR.assign(other="x"), {**ROLES, "other": Role.WELL})
    assert "'well', 'other' are all 'well'" in doubled.problems[0]
    alone = laid_out(FOUR, {**ROLES, "well": Role.WELL_ROW})
    assert "a column 'well row', and none 'well column'" in alone.problems[0]
    without = laid_out(FOUR, {**ROLES, "file": Role.KEY})
    assert without.problems == ("no column names image files",)


def test_fields_that_lack_a_channel_are_counted():
    assert incomplete_fields(FOUR, ROLES) == (0, 2, [])
    assert incomplete_fields(FOUR[FOUR["file"] != "c"], ROLES) == (1, 2, ["w2"])


def test_two_names_of_one_well_are_two_files_for_one_channel():
    layout = laid_out(pd.concat([FOUR, entries(("z", "B3", "1", "w1"))], ignore_index=True))
    assert "'d' and 'z' are both well B03" in layout.problems[0]


def test_doses_have_a_column_of_numbers():
    table = laid_out(
        FOUR.assign(dose=["10nM", "10nM", "0.5uM", "0.5uM"]), {**ROLES, "dose": Role.DOSE}
    )
    assert table.table["dose"].tolist() == ["10nM", "0.5uM"]
    assert table.table["dose in µM"].tolist() == ["0.01", "0.5"]


def test_a_file_that_says_no_channel_is_listed():
    layout = laid_out(pd.concat([FOUR, entries(("z", "B02", "1", ""))], ignore_index=True))
    assert LeftOut("z", "its name says no channel") in layout.left_out
    assert len(layout.table) == 2
