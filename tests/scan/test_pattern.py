"""Names are read by templates and regular expressions; none of them can hang."""

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_channelmix.errors import DataError
from napari_channelmix.scan import Pattern, Role
from napari_channelmix.scan.bounded_matching import bounded_matches_job

WORDS = st.text(string.ascii_letters + string.digits + "äß", min_size=1, max_size=8)
WELLS = st.builds(
    lambda row, column, small: f"{row.lower() if small else row}{column:02d}",
    st.sampled_from("ABCDEFGHP"),
    st.integers(1, 24),
    st.booleans(),
)


@given(WELLS, st.integers(0, 9999), WORDS, st.integers(0, 99), st.booleans())
def test_what_a_template_writes_it_reads(well, field, channel, plane, with_plane):
    pattern = Pattern.from_template("{well}_s{field}_{channel:word}<_z{plane}>.tif")
    end = f"_z{plane:02d}" if with_plane else ""
    (parts,) = pattern.matches([f"{well}_s{field}_{channel}{end}.TIF"])
    assert parts == {
        "well": well,
        "field": str(field),
        "channel": channel,
        "plane": f"{plane:02d}" if with_plane else "",
    }


@given(st.text(min_size=1, max_size=40))
def test_any_text_is_a_template_or_refused_in_one_line(text):
    try:
        pattern = Pattern.from_template(text)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert pattern.roles


def test_kinds_bound_what_a_part_holds():
    pattern = Pattern.from_template("{time:4}-{channel:ch#}-{x:word}")
    assert pattern.fits("0012-ch3-a.tif")
    assert not pattern.fits("012-ch3-a.tif")
    assert not pattern.fits("0012-c3-a.tif")
    assert not pattern.fits("0012-ch3-a b.tif")
    assert pattern.roles == {"time": Role.TIME, "channel": Role.CHANNEL, "x": Role.KEY}


def test_folders_are_read_where_the_template_has_them():
    pattern = Pattern.from_template("{class}/{well}")
    assert pattern.matches(["a/b/C03.png", "C03.png"]) == [{"class": "b", "well": "C03"}, None]


def test_an_accent_of_two_characters_is_that_of_one():
    pattern = Pattern.from_template("Größe_{well}")
    assert pattern.fits("Gro\u0308ße_B02.tif")


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{well", "brace"),
        ("well}", "brace"),
        ("<{well}", "pair"),
        ("a>b<{well}", "pair"),
        ("plain.tif", "no part"),
        ("{}_x", "no part"),
        ("{well}_{well}", "twice"),
        ("{1 well}", "a part is a word"),
        ("_".join(f"{{p{n}:#}}" for n in range(21)), "more than 20"),
        ("{well}" + "x" * 1000, "longer"),
    ],
)
def test_a_template_that_cannot_be_is_refused(template, why):
    with pytest.raises(DataError, match=why):
        Pattern.from_template(template)


@pytest.mark.parametrize("expression", ["(?P<well>[A-H", "[A-H]+", "(?P<1>x)"])
def test_an_expression_that_cannot_be_is_refused(expression):
    with pytest.raises(DataError, match="pattern"):
        Pattern.from_expression(expression)


def test_an_expression_gives_its_named_groups():
    pattern = Pattern.from_expression(r"(?P<well>[A-H]\d+)_(?P<site>\d)(?P<rest>_x)?")
    assert pattern.matches(["b2_7.tif", "none.tif"]) == [
        {"well": "b2", "site": "7", "rest": ""},
        None,
    ]
    assert pattern.roles == {"well": Role.WELL, "site": Role.FIELD, "rest": Role.KEY}


def test_an_expression_that_never_ends_is_ended():
    job = bounded_matches_job("(a+)+b", ["a" * 60], limit=0.5)
    start = time.monotonic()
    with pytest.raises(DataError, match="is not done with 1 names after"):
        for _ in job:
            pass
    assert time.monotonic() - start < 10


def test_a_cancelled_expression_leaves_no_process():
    job = bounded_matches_job("(a+)+b", ["a" * 60], limit=60)
    next(job)
    process = job.gi_frame.f_locals["process"]
    job.close()
    assert process.poll() is not None


def test_a_template_of_many_free_parts_is_bounded_as_well():
    assert Pattern.from_template("{a}_{b}_{c}").bounded
    assert not Pattern.from_template("{a}_{b}_{well}").bounded
