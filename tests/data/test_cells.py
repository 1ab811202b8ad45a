"""Cells: crops at borders, choosing, joining, laziness and signatures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from napari_channelmix.data import Cells, Field, open_dataset
from napari_channelmix.data.image_formats import open_image
from napari_channelmix.data.tiff_source import TiffSource
from napari_channelmix.errors import DataError


@pytest.fixture
def planes() -> tuple[npt.NDArray[Any], ...]:
    rng = np.random.default_rng(0)
    return tuple(rng.integers(0, 60000, (3, 30, 40)).astype(np.uint16))


@pytest.fixture
def cells(planes: tuple[npt.NDArray[Any], ...]) -> Cells:
    labels = np.zeros((30, 40), np.uint16)
    labels[0:4, 0:4] = 3
    labels[10:20, 10:20] = 7
    labels[27:30, 36:40] = 9
    named = {3: "edge", 7: "middle"}
    return Cells.from_labels(planes, ["A", "B", "C"], labels, crop=10, classes_of=named)


# ------------------------------------------------------------------ pixels


def test_a_cell_in_the_middle_is_its_pixels_as_float32(
    cells: Cells, planes: tuple[npt.NDArray[Any], ...]
) -> None:
    crop = cells.read([1])
    assert crop.dtype == np.float32
    np.testing.assert_array_equal(crop[0], np.stack(planes)[:, 10:20, 10:20])


def test_what_reaches_over_the_border_is_filled_with_background() -> None:
    plane = np.full((20, 30), 7.0)
    # A bright cell that the upper border cuts, and nothing else.
    plane[0:3, 13:17] = 1000
    cells = Cells.from_points([plane, plane * 2], ["A", "B"], [(0, 15), (10, 15)], crop=8)
    assert cells.at_border.tolist() == [True, False]
    crop = cells.read([0])[0]
    # Rows -4 to 3 and columns 11 to 18: no second cell above the border.
    wanted = np.full((8, 8), 7.0)
    wanted[4:7, 2:6] = 1000
    np.testing.assert_array_equal(crop[0], wanted)
    np.testing.assert_array_equal(crop[1], wanted * 2)


def test_background_is_the_median_of_the_outermost_pixels_that_are_there() -> None:
    plane = np.array([[1.0, 2, 3, 4], [5, 99, 99, 6], [7, 99, 99, 8], [9, 10, 11, 12]])
    field = Field("small", (plane,))
    # Of 1 to 12, without the four in the middle.
    filled = field.read((-1, 0, 4, 4), [0])[0]
    assert filled[0].tolist() == [6.5] * 4 and (filled[1:] == plane).all()
    # A strip of one pixel is all border.
    assert field.read((-1, 3, 1, 5), [0])[0].tolist() == [[4, 4], [4, 4]]
    with pytest.raises(DataError, match="y 4 to 6, x 0 to 2 lies outside the image of 4 x 4"):
        field.read((4, 0, 6, 2), [0])


def test_cells_at_the_border_are_counted_and_can_be_left_out(cells: Cells) -> None:
    assert cells.at_border.tolist() == [True, False, True]
    said = [line for line in cells.warnings if "border" in line]
    assert said == [
        "2 of 3 cells reach over the border of their image: filled with background; "
        'to leave them out, write border = "leave_out" under [cells] in the data-set file and open '
        "it again"
    ]
    inside = cells.without_border()
    assert inside.table["object"].tolist() == [7]
    assert inside.warnings == tuple(line for line in cells.warnings if "border" not in line)
    with pytest.raises(DataError, match="all 2 cells reach over the border"):
        cells.subset([0, 2]).without_border()


def test_a_whole_image_made_square_cuts_nothing(write_set: Any) -> None:
    image = ("[image]", 'column = "stack"', "[cells]", 'from = "image"', "crop = 32")
    assert not open_dataset(write_set(*image)).at_border.any()


@pytest.mark.parametrize(
    ("indices", "wanted"),
    [
        (None, [0, 1, 2]),
        ([2, 0], [2, 0]),
        (slice(1, None), [1, 2]),
        ([True, False, True], [0, 2]),
        (1, [1]),
        ([], []),
        (-1, [2]),
    ],
)
def test_cells_are_read_in_the_order_asked_for(
    cells: Cells, indices: Any, wanted: list[int]
) -> None:
    everything = cells.read()
    np.testing.assert_array_equal(cells.read(indices), everything[wanted])
    np.testing.assert_array_equal(cells.subset(indices).read(), everything[wanted])


def test_batches_are_the_same_pixels(cells: Cells) -> None:
    np.testing.assert_array_equal(np.concatenate(list(cells.batches(2))), cells.read())


def test_a_pass_gives_every_chosen_cell_once_with_its_position(cells: Cells) -> None:
    everything = cells.read()
    for indices in (None, [len(cells) - 1, 0], slice(1, 3)):
        wanted = np.arange(len(cells))[slice(None) if indices is None else indices]
        positions, crops = zip(*cells.passes(2, indices), strict=True)
        assert sorted(np.concatenate(positions).tolist()) == sorted(wanted.tolist())
        np.testing.assert_array_equal(np.concatenate(crops), everything[np.concatenate(positions)])
    assert sorted(cells.reading_order.tolist()) == list(range(len(cells)))


def two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Cells, list[str]]:
    """Two cells of each of two compressed files, and the names of the files as they are decoded."""
    reads, parts = [], []
    decode = TiffSource.decode

    def counted(source: TiffSource, places: Any) -> Any:
        reads.append(source.path.stem)
        return decode(source, places)

    monkeypatch.setattr(TiffSource, "decode", counted)
    for name in "ab":
        pixels = np.full((20, 20), ord(name), np.uint8)
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels, compression="zlib")
        planes = open_image(tmp_path / f"{name}.tif").planes(None)
        parts.append(Cells.from_points(planes, ["x"], [[10, 10], [5, 5]], crop=8, name=name))
    return Cells.together(parts), reads


def test_a_file_is_decoded_when_its_cells_are_read_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, reads = two_files(tmp_path, monkeypatch)
    assert not reads
    assert both.read([2]).max() == ord("b")
    assert reads == ["b"]


def test_cells_in_any_order_decode_each_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, reads = two_files(tmp_path, monkeypatch)
    assert both.read([0, 2, 1, 3])[:, 0, 0, 0].tolist() == [97, 98, 97, 98]
    assert reads == ["a", "b"]


# ------------------------------------------------------------------ choosing and joining


def test_channels_are_chosen_by_name_in_any_order(cells: Cells) -> None:
    some = cells.with_channels(["C", "A"])
    assert some.channels == ("C", "A")
    np.testing.assert_array_equal(some.read(), cells.read()[:, [2, 0]])
    np.testing.assert_array_equal(some.with_channels(["A"]).read(), cells.read()[:, [0]])
    with pytest.raises(DataError, match="image has no channel 'D'; it has A, B, C"):
        cells.with_channels(["A", "D"])


def test_unlabelled_cells_are_left_out_of_the_labelled(cells: Cells) -> None:
    assert cells.labels.tolist() == [0, 1, -1]
    assert cells.labelled().labels.tolist() == [0, 1]
    assert cells.class_counts == {"edge": 1, "middle": 1}
    assert cells.labelled().classes == ("edge", "middle")


def test_other_labels_must_fit(cells: Cells) -> None:
    other = cells.with_labels([1, 1, 0], ["x", "y"])
    assert other.class_counts == {"x": 1, "y": 2}
    assert cells.labels.tolist() == [0, 1, -1], "the first set is as it was"
    with pytest.raises(DataError, match="2 labels for 3 cells"):
        cells.with_labels([0, 1], ["x", "y"])
    with pytest.raises(DataError, match="labels must lie between -1 and 1"):
        cells.with_labels([0, 1, 2], ["x", "y"])


def test_sets_are_joined_by_class_name_and_channel(cells: Cells) -> None:
    other = cells.with_channels(["C", "B", "A"]).with_labels([0, 1, 1], ["new", "edge"])
    with pytest.raises(DataError, match=r"C, B, A.*does not fit.*A, B, C"):
        Cells.together([cells, other])
    other = other.with_channels(["A", "B", "C"])
    both = Cells.together([cells, other], "both")
    assert both.classes == ("edge", "middle", "new")
    assert both.labels.tolist() == [0, 1, -1, 2, 0, 0]
    np.testing.assert_array_equal(both.read(), np.concatenate([cells.read()] * 2))


# ------------------------------------------------------------------ signatures


def test_the_same_data_have_the_same_signature(cells: Cells) -> None:
    assert cells.signature == replace(cells).signature
    assert cells.signature == cells.subset([0, 1, 2]).signature


def test_other_data_have_another_signature(
    cells: Cells, planes: tuple[npt.NDArray[Any], ...]
) -> None:
    changed = [plane.copy() for plane in planes]
    changed[1][5, 5] += 1
    others = [
        cells.subset([0, 1]),
        cells.subset([0, 2, 1]),
        cells.with_channels(["A", "B"]),
        cells.with_channels(["B", "A", "C"]),
        cells.with_labels([1, 1, 1], cells.classes),
        replace(cells, table=cells.table.assign(group="one")),
        replace(cells, table=cells.table.assign(x0=cells.table["x0"] + 1)),
        replace(cells, fields=(replace(cells.fields[0], planes=tuple(changed)),)),
    ]
    signatures = {cells.signature, *(other.signature for other in others)}
    assert len(signatures) == len(others) + 1


def test_a_file_rewritten_with_other_pixels_of_the_same_size_changes_the_signature(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tif"

    def signature(value: int) -> str:
        tifffile.imwrite(path, np.full((20, 20), value, np.uint8))
        planes = open_image(path).planes(None)
        return Cells.from_points(planes, ["x"], [[10, 10]], crop=8).signature

    assert signature(1) == signature(1) != signature(2)


# ------------------------------------------------------------------ making


def test_labels_with_gaps_keep_their_numbers(cells: Cells) -> None:
    assert cells.table["object"].tolist() == [3, 7, 9]
    assert len(set(cells.groups)) == 3
    assert "one image" in cells.warnings[0]


def test_crops_given_as_an_array_are_the_cells() -> None:
    crops = np.random.default_rng(0).normal(size=(4, 2, 8, 8)).astype(np.float32)
    cells = Cells.from_array(crops, ["a", "b"], [0, 1, 1, -1], ["x", "y"], list("ppqq"))
    np.testing.assert_array_equal(cells.read(), crops)
    assert cells.groups.tolist() == ["p", "p", "q", "q"]
    assert cells.class_counts == {"x": 1, "y": 2}
    assert Cells.from_array(crops, ["a", "b"]).classes == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"crops": np.zeros((4, 8, 8))}, r"\(N, C, H, W\) with H = W.*, not \(4, 8, 8\)"),
        ({"crops": np.zeros((4, 2, 8, 9))}, r"not \(4, 2, 8, 9\)"),
        ({"crops": np.zeros((0, 2, 8, 8))}, r"not \(0, 2, 8, 8\)"),
        ({"channels": ["a"]}, "1 channel names for 2 channels"),
        ({"channels": ["a", "a"]}, "two channels are called 'a'"),
        ({"labels": [0, 1]}, "2 labels for 4 cells"),
        ({"labels": [0, 1, 2, 0], "classes": ["x", "y"]}, "between -1 and 1"),
        ({"groups": ["p"]}, "1 groups for 4 cells"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(change: dict[str, Any], says: str) -> None:
    given: dict[str, Any] = {"crops": np.zeros((4, 2, 8, 8)), "channels": ["a", "b"]} | change
    with pytest.raises(DataError, match=says):
        Cells.from_array(**given)


@pytest.mark.parametrize("place", [(-1, 5), (5, 40), (30, 5), (float("nan"), 5), (500, 500)])
def test_points_outside_the_image_are_refused(
    planes: tuple[npt.NDArray[Any], ...], place: tuple[float, float]
) -> None:
    with pytest.raises(DataError, match=r"plate: point 1 at y=.* outside the image of 30 x 40"):
        Cells.from_points(planes, ["A", "B", "C"], [(5, 5), place], crop=8, name="plate")


def test_points_that_are_none_are_refused(planes: tuple[npt.NDArray[Any], ...]) -> None:
    with pytest.raises(DataError, match=r"points must be an \(N, 2\) array"):
        Cells.from_points(planes, ["A", "B", "C"], np.zeros((0, 2)), crop=8)
    with pytest.raises(DataError, match=r"points must be an \(N, 2\) array"):
        Cells.from_points(planes, ["A", "B", "C"], [[1, 2, 3]], crop=8)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": np.zeros((30, 40), int)}, "image: the label image is empty; no cell"),
        ({"labels": np.ones((30, 41), int)}, r"labels are \(30, 41\), the channels \(30, 40\)"),
        (
            {"labels": np.full((30, 40), 0.5)},
            "image: labels must be whole numbers, this is an imag",
        ),
        ({"labels": np.full((30, 40), -3)}, r"must not be negative \(-3 is among them\)"),
        ({"labels": np.full((30, 40), 2**63, np.uint64)}, "too large; the largest is 2"),
        ({"crop": 8.5}, "crop must be a whole number of pixels, not 8.5"),
        ({"crop": 0}, "crop must be a whole number of pixels, not 0"),
        ({"crop": 31}, r"crop of 31 pixels is larger than the image \(30, 40\)"),
        ({"channels": ["A", "B"]}, "2 channel names for 3 channels"),
        ({"channels": ["A", "B", "A"]}, "channel names must differ"),
        ({"channels": [], "planes": []}, "at least one channel"),
        (
            {"planes": [np.zeros((30, 40)), np.zeros((30, 41)), np.zeros((30, 40))]},
            r"channel 'B' is \(30, 41\) pixels, channel 'A' is \(30, 40\)",
        ),
    ],
)
def test_a_label_image_that_does_not_fit_is_refused(
    planes: tuple[npt.NDArray[Any], ...], change: dict[str, Any], says: str
) -> None:
    given: dict[str, Any] = {
        "planes": planes,
        "channels": ["A", "B", "C"],
        "labels": np.ones((30, 40), int),
        "crop": 8,
    }
    if change.get("planes") == []:
        change = {**change, "planes": planes}
    with pytest.raises(DataError, match=says):
        Cells.from_labels(**(given | change))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_named_with_cell_channel_and_place(bad: float) -> None:
    crops = np.ones((4, 2, 8, 8), np.float32)
    crops[2, 1, 3, 5] = bad
    cells = Cells.from_array(crops, ["a", "b"])
    says = r"channel 'b' has NaN or infinite pixels in cell 2 \(near y=3, x=5\); replace"
    with pytest.raises(DataError, match=says):
        cells.read()
    assert len(cells.read([0, 1, 3])) == 3
    assert len(cells.with_channels(["a"]).read()) == 4


def test_a_few_pixels_of_one_cell_change_the_signature() -> None:
    def signature(value: int) -> str:
        plane = np.zeros((400, 400), np.uint8)
        plane[201:204, 201:204] = value
        return Cells.from_points([plane], ["x"], [[200, 200], [50, 50]], crop=16).signature

    assert signature(1) == signature(1) != signature(2)


def test_classes_of_ids_that_are_not_there_are_refused_or_said() -> None:
    labels = np.zeros((40, 40), np.int64)
    labels[5:15, 5:15], labels[25:35, 25:35] = 1, 2
    image = np.ones((40, 40), np.uint16)

    def named(classes_of: dict[int, str]) -> Cells:
        return Cells.from_labels([image], ("a",), labels, crop=8, name="x", classes_of=classes_of)

    assert (
        "x: 1 of 2 ids that are given a class is of no cell (first: 9)"
        in named({1: "p", 9: "q"}).warnings
    )
    assert any("'p' (1 cell) and 'P' (1 cell)" in line for line in named({1: "p", 2: "P"}).warnings)
    with pytest.raises(DataError, match=r"none of the ids in classes_of .* its ids are 1 to 2"):
        named({0: "p", 9: "q"})


def test_classes_of_ids_follow_the_rule_of_class_names() -> None:
    labels = np.zeros((40, 40), int)
    for k in range(4):
        labels[4:10, 10 * k + 2 : 10 * k + 8] = k + 1
    classes: dict[int, Any] = {1: "pos ", 2: "pos", 3: np.nan, 4: "Pos", 99: "neg"}
    cells = Cells.from_labels([labels], ["DNA"], labels, crop=8, classes_of=classes)
    assert cells.classes == ("pos", "Pos", "neg")
    assert cells.labels.tolist() == [0, 0, -1, 1]
    assert any("'pos' (2 cells) and 'Pos' (1 cell)" in line for line in cells.warnings)
    assert any("1 of 5 ids" in line and "first: 99" in line for line in cells.warnings)


def test_classes_of_several_sets_that_may_be_one_are_said() -> None:
    crops = np.zeros((2, 1, 8, 8))
    parts = [Cells.from_array(crops, ["a"], [name, "dead"]) for name in ("Live", "live")]
    lines = Cells.together(parts).warnings
    assert any("'Live' (1 cell) and 'live' (1 cell)" in line for line in lines)
