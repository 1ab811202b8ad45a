"""What the answers say, in sentences."""

from types import SimpleNamespace

import pandas as pd

from napari_channelmix.whatif.answer_lines import answer_lines

ROW = {
    "scope": "cell",
    "axis": "DNA brightness",
    "family": "channel",
    "from_class": "G1",
    "to_class": "G2",
    "share": 0.7,
    "low": 0.57,
    "high": 0.8,
    "n": 60,
    "sham": 0.05,
    "difference": 0.65,
    "above_sham": True,
    "note": "",
}


def lines(*rows, **more):
    flips = pd.DataFrame([{**ROW, **row} for row in rows])
    whole = {"scope": "cell", "classes": ("G1", "G2"), "n": 60, "groups": 8, "group_kind": "well"}
    return answer_lines(SimpleNamespace(flips=flips, **whole), **more)


def test_what_moves_the_decision_has_its_share_interval_n_and_sham():
    assert lines({}) == (
        "predicted as G1 (60 cells), flipped by: DNA brightness 70 % (95 % interval 57 to 80 %), "
        "most to G2; shams 5 %",
    )


def test_an_edit_that_did_more_than_its_name_says_so():
    (line,) = lines({"note": "also moves DNA rim"})
    assert "most to G2 (also moves DNA rim)" in line


def test_nothing_above_the_sham_is_said_of_all_and_of_a_class():
    nothing = {"above_sham": False}
    line = "nothing moves the decision more than its sham, as far as 60 cells of 8 wells tell"
    assert lines(nothing) == (line,)
    both = lines({}, {"from_class": "G2", "to_class": "G1", **nothing})
    assert both[1].startswith(
        "predicted as G2 (60 cells): nothing moves the decision more than its sham"
    )
    assert lines({}, unreadable="at chance") == (line,)


def test_of_five_cells_nothing_can_be_told():
    few = {"n": 5, "above_sham": False}
    assert lines(few) == ("5 cells of a class at most: too few to tell an edit from its sham",)
    assert "predicted as G2 (5 cells): too few to tell" in lines({}, {"from_class": "G2", **few})[1]


def test_the_acquisition_is_no_change_of_the_cell():
    assert "exposure" not in " ".join(lines({}, {"axis": "exposure", "family": "acquisition"}))


def test_a_sham_that_flips_cells_is_a_fault_of_the_classifier():
    turn = {"axis": "turn", "family": "sham", "share": 0.33, "low": 0.2, "high": 0.5}
    text = lines({}, turn)[-1]
    assert text.startswith("the classifier is sensitive to a turn, which must not matter: it flips")
    assert "33 % of the cells predicted as G1" in text


def test_the_crop_is_told_from_the_cell_where_they_differ_much():
    crop = {"scope": "crop", "share": 0.9, "difference": 0.85}
    text = lines({"share": 0.3}, crop)[-1]
    assert text == (
        "the classifier judges the crop, not the cell alone: DNA brightness of the cell alone "
        "flips 30 %, of all cells in the crop 90 % of 60 cells predicted as G1"
    )
    assert len(lines({"share": 0.8}, crop)) == 1
