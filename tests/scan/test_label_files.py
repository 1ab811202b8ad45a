import pytest

from napari_channelmix.scan.label_files import mask_of_files, pair_label_files


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("x.tif", "x_cp_masks.tif"),  # Cellpose
        ("x.tif", "x_cp_masks.png"),
        ("x.ome.tif", "x.ome_cp_masks.tif"),
        ("x.ome.tif", "x_cp_masks.tif"),
        ("images/x.tif", "masks/x.tif"),  # StarDist
        ("x.tif", "labels/x.tif"),
        ("train/images/x.tif", "train/masks/x.tif"),
        ("images/train/x.tif", "labels/train/x.tif"),
        ("images/x.png", "masks/x_mask.png"),
        ("images/x.tif", "images/masks/x.tif"),
        ("x.tif", "x_Object Identities.tif"),  # ilastik
        ("x.tif", "x_Object-Identities.tiff"),
        ("x.tif", "x_mask.tif"),
        ("x.tif", "x-labels.png"),
        ("x.tif", "x_seg.tif"),
        ("x.tif", "x_NucleiObjects.tiff"),  # CellProfiler
        ("x.tif", "mask_x.tif"),
        ("Bild ä 1.tif", "Bild a\u0308 1_cp_masks.tif"),  # composed and decomposed
        ("A01.TIF", "a01_mask.tif"),
    ],
)
def test_names_of_segmentation_tools_are_paired(image, mask):
    pairs = pair_label_files([mask, image, "other.tif"])
    assert dict(pairs.masks) == {image: mask}
    assert pairs.label_files == {mask}
    assert pairs.left_out == ()


def test_a_label_image_stands_for_all_channels_of_its_field():
    files = ["A01_s1_w1.tif", "A01_s1_w2.tif", "A01_s10_w1.tif", "A01_s1_mask.tif"]
    pairs = pair_label_files(files)
    assert dict(pairs.masks) == {
        "A01_s1_w1.tif": "A01_s1_mask.tif",
        "A01_s1_w2.tif": "A01_s1_mask.tif",
    }
    assert mask_of_files(pairs.masks, files[:2]) == ("A01_s1_mask.tif",)
    assert mask_of_files(pairs.masks, files[2:3]) == ()


def test_an_image_of_the_same_stem_is_preferred_to_longer_ones():
    pairs = pair_label_files(["a_1.tif", "a_1_2.tif", "a_1_mask.tif"])
    assert dict(pairs.masks) == {"a_1.tif": "a_1_mask.tif"}


def test_nuclei_and_cells_are_two_kinds_the_one_of_more_images_first():
    names = ["a.tif", "b.tif", "a_nuclei_mask.tif", "a_cells_mask.tif", "b_cells_mask.tif"]
    pairs = pair_label_files(names)
    assert list(pairs.kinds) == ["*_cells_mask", "*_nuclei_mask"]
    assert dict(pairs.kinds["*_nuclei_mask"]) == {"a.tif": "a_nuclei_mask.tif"}


def test_the_same_stem_in_train_and_test_is_not_mixed_up():
    names = [f"{part}/{kind}/1.tif" for part in ("train", "test") for kind in ("images", "masks")]
    assert dict(pair_label_files(names).masks) == {
        "train/images/1.tif": "train/masks/1.tif",
        "test/images/1.tif": "test/masks/1.tif",
    }


def test_a_label_image_without_image_is_listed_and_is_no_image():
    pairs = pair_label_files(["a.tif", "b_mask.tif"])
    assert pairs.masks == {}
    assert pairs.label_files == {"b_mask.tif"}
    assert pairs.left_out[0].path == "b_mask.tif"
    assert "no image 'b'" in pairs.left_out[0].reason


def test_where_every_file_is_called_like_a_label_image_all_are_images():
    pairs = pair_label_files(["labels/a.tif", "labels/b.tif"])
    assert pairs.label_files == frozenset()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a_seg.npy", "never loaded.*Save masks as PNG/tif"),
        ("a_Object Identities.h5", "export 'Object Identities' as TIFF"),
        ("a_cp_outlines.png", "outlines or flows of Cellpose"),
        ("a_rois.zip", "outlines of ImageJ"),
        ("a.npz", "save the label image as TIFF"),
    ],
)
def test_what_holds_no_labels_says_what_to_do(name, words):
    import re

    pairs = pair_label_files(["a.tif", name])
    assert pairs.left_out[0].path == name
    assert re.search(words, pairs.left_out[0].reason)
    assert pairs.masks == {}


def test_ten_thousand_files_take_no_time():
    import time

    names = [f"s{n}_w{w}.tif" for n in range(5000) for w in (1, 2)]
    names += [f"s{n}_mask.tif" for n in range(5000)]
    before = time.perf_counter()
    assert len(pair_label_files(names).masks) == 10_000
    assert time.perf_counter() - before < 5
