"""What names and folders say; what they do not say is asked."""

from itertools import product

import pytest

from napari_channelmix.scan import Role
from napari_channelmix.scan.pattern import Pattern
from napari_channelmix.scan.readings import read_by_parts, read_by_pattern

WELLS = ("A01", "A02", "B01", "B02")
STAINS = ("DAPI", "GFP")


def names(text, *values):
    """Names from a template with numbered gaps."""
    return [text.format(*row) for row in product(*values)]


CASES = {
    "words before numbers": (
        names("Well {} Field {:03d} Channel {}.tif", WELLS, (1, 2), (1, 2)),
        {"well", "field", "channel"},
        set(),
    ),
    "words without blanks": (
        names("Well{}_Field{}_Ch{}.tif", ("A1", "B2"), (1, 2), (1, 2)),
        {"well", "field", "channel"},
        set(),
    ),
    "equals signs": (
        names("img_{}_C={}_Z={}.tif", (1, 2), (0, 1), (0, 1)),
        {"field", "channel", "plane"},
        {"field: field"},
    ),
    "rows and columns in words": (
        names("Row{}_Col{}_Field{}_DAPI.tif", (1, 2), (1, 2), (1, 2)),
        {"well row", "well column", "field", "channel"},
        set(),
    ),
    "rows and columns apart": (
        names("{} - {:02d} - {}.tif", "AB", (1, 12), STAINS),
        {"well row", "well column", "channel"},
        set(),
    ),
    "a number and a name of the channel": (
        [f"C03_f03_ch{n}_{c}.tif" for n, c in enumerate(("ER", "DNA", "Mito"), 1)],
        {"well", "field", "channel"},
        set(),
    ),
    "a stain that is known and one that is not": (
        names("{}_{}.tif", WELLS, ("DAPI", "xyz")),
        {"well", "channel"},
        set(),
    ),
    "channels in several words": (
        names("{}_{}.tif", WELLS, ("Alexa_488", "Texas Red", "DAPI")),
        {"well", "channel"},
        set(),
    ),
    "running numbers": (
        [f"{w}_{c}_Seq{n:04d}.tif" for n, (w, c) in enumerate(product(WELLS, STAINS))],
        {"well", "channel"},
        set(),
    ),
    "a capital C beside wells is the channel": (
        names("{}_T01_C{:02d}.tif", WELLS, (1, 2)),
        {"well", "channel"},
        set(),
    ),
    "P12 beside wells is the plate": (
        names("P{:02d}_{}_{}.tif", (1, 12), WELLS, STAINS),
        {"plate", "well", "channel"},
        {"plate: plate"},
    ),
    "dates, doses, conditions": (
        names("2024-01-{}_{}_{}_{}.tif", (15, 16), ("ctrl", "drug"), ("10nM", "0.5 uM"), STAINS),
        {"keep", "class", "dose", "channel"},
        set(),
    ),
    "numbers that every well has may be channels": (
        names("{}_{}.tif", WELLS, (1, 2, 3)),
        {"well", "keep"},
        {"part 2: None"},
    ),
    "numbers that are too many for channels": (
        names("{}_{}.tif", WELLS, range(1, 20)),
        {"well", "field"},
        {"field: field"},
    ),
    "two numbers that may be channels": (
        names("x_w{}_c{}.tif", (1, 2), (1, 2)),
        {"keep"},
        {"part 2: None", "part 3: None"},
    ),
    "letters": (
        names("01_POS{:03d}_{}.tif", (2, 76), "DFR"),
        {"field", "keep"},
        {"part 3: None"},
    ),
    "a channel per folder": (names("{1}/{0}.tif", WELLS, STAINS), {"well", "channel"}, set()),
    "a field per folder": (
        names("Point{}/{}.tif", (1, 2, 3), ("CD3", "CD8")),
        {"field", "channel"},
        set(),
    ),
    "a well per folder": (names("Well {}/{}.tif", WELLS, range(5)), {"well", "field"}, set()),
    "a plate per folder": (
        names("exp 7 plate {}/{}_{}.tif", (1, 2), WELLS, STAINS),
        {"plate", "well", "channel"},
        set(),
    ),
    "a class per folder over wells": (
        ["control/A01_gfp.tif", "control/A01_er.tif", "treated/B02_gfp.tif", "treated/B02_er.tif"],
        {"class", "well", "channel"},
        set(),
    ),
    "donors and classes": (
        names("donor {}/{}/img{}.tif", (1, 2), ("live", "dead"), range(4)),
        {"group", "class", "field"},
        set(),
    ),
    "a well and a site in one folder": (
        names("{}-Site_{}/img_{}.tif", ("B2", "C3"), (0, 1), STAINS),
        {"well", "field", "channel"},
        set(),
    ),
    "folders of planes": (
        names("set_v1_z_{:02d}/{}_{}.tif", (0, 1), WELLS, STAINS),
        {"plane", "well", "channel"},
        set(),
    ),
    "a folder that its names repeat": (
        names("x-{0} {1}/x-{0} {1}_c{2}.tif", (15, 30), (1, 2), (1, 5)),
        {"keep", "channel"},
        {"part 2: None", "part 3: None"},
    ),
    "folders of numbers": (
        [f"{n}/{n}{k}.tif" for n in (0, 1, 2) for k in range(4 + n)],
        {"field", "keep"},
        {"folder 1: None"},
    ),
    "names of no kind in folders of classes": (
        ["cat/IMG 2.tif", "cat/x.tif", "cat/my pet.tif", "dog/1 2 3.tif", "dog/a_b.tif"],
        {"class", "field"},
        set(),
    ),
    "images of one folder": (["anna.tif", "bert.tif", "carl d.tif"], {"field"}, set()),
    "one image": (["x.tif"], {"field"}, set()),
}


@pytest.mark.parametrize("case", CASES)
def test_parts_have_their_roles_or_are_asked(case):
    paths, roles, asked = CASES[case]
    reading = read_by_parts(paths)
    assert {str(role) for role in reading.roles.values()} == roles
    assert {f"{choice.name}: {choice.chosen}" for choice in reading.choices} == asked
    assert len(reading.paths) == len(paths)


def test_numbers_stand_without_the_letters_before_them():
    reading = read_by_parts(names("{}_s{:02d}_z{:03d}_ch{}.tif", WELLS, (1, 2), (1, 2), (1, 5)))
    assert set(reading.columns["field"]) == {"01", "02"}
    assert set(reading.columns["plane"]) == {"001", "002"}
    # The channel as files name it, for `--channel ch5=DNA`.
    assert set(reading.columns["channel"]) == {"ch1", "ch5"}


def test_unmarked_parts_that_differ_between_channels_are_left_out():
    paths = [f"{w}-{c}.{n}.tif" for n, (w, c) in enumerate(product(WELLS, STAINS))]
    pattern = Pattern.from_template("{well}-{channel}.{number:#}")
    reading = read_by_pattern(pattern, paths, pattern.matches(paths))
    assert set(reading.roles.values()) == {Role.WELL, Role.CHANNEL}
    kept = [f"x{n}_{w}-{c}.tif" for n, (w, c) in product((1, 2), product(WELLS, STAINS))]
    pattern = Pattern.from_template("{number:x#}_{well}-{channel}")
    reading = read_by_pattern(pattern, kept, pattern.matches(kept))
    assert Role.KEY in reading.roles.values()
