import numpy as np
import pandas as pd
import pytest

from napari_channelmix.scan.tables import scan_table

from .made_cells import write_tiff

PIXEL = (0.5, 0.25)


def results(folder, x, y, pixel_size=None):
    """A results table as ImageJ saves it: a number without a name, then the label."""
    write_tiff(folder / "blobs.tif", np.zeros((60, 80), np.uint16), pixel_size)
    frame = pd.DataFrame(
        {
            " ": [1, 2],
            "Label": ["blobs.tif:0013-0020", "blobs.tif:0031-0044"],
            "Area": [12.5, 13.25],
            "Mean": [101.5, 99.25],
            "X": x,
            "Y": y,
        }
    )
    frame.to_csv(folder / "Results.csv", index=False)
    return folder / "Results.csv"


def test_places_of_an_image_without_a_unit_are_pixels_from_the_corner(tmp_path):
    scan = scan_table(results(tmp_path, [20.5, 44.0], [13.5, 31.0]))
    assert scan.style == "ImageJ results"
    assert scan.problems == ()
    assert scan.cells().centres.tolist() == [[13.0, 20.0], [30.5, 43.5]]


def test_where_the_image_has_a_unit_it_is_asked_for(tmp_path):
    # By hand: 5 um of 0.25 um is 20 pixels from the corner; 6.75 um of 0.5 um is 13.5.
    scan = scan_table(results(tmp_path, [5.0, 11.0], [6.75, 15.5], PIXEL))
    assert any("Choose 'unit'" in line for line in scan.problems)
    cells = scan.with_choice("unit", "micrometres").cells()
    assert cells.centres.tolist() == [[13.0, 19.5], [30.5, 43.5]]
    assert scan.with_choice("unit", "pixels").cells().centres[0].tolist() == [6.25, 4.5]


@pytest.mark.parametrize(
    "names", [("X (µm)", "Y (µm)"), ("x_um", "y_um"), ("pos_x μm", "pos_y μm")]
)
def test_places_whose_names_say_micrometres_become_pixels(tmp_path, names):
    write_tiff(tmp_path / "a.tif", np.zeros((60, 80), np.uint16), PIXEL)
    frame = pd.DataFrame({"path": ["a.tif", "a.tif"], names[0]: [5.0, 3.0], names[1]: [6.5, 3.0]})
    scan = scan_table(frame, images=tmp_path)
    assert scan.cells().centres.tolist() == [[13.0, 20.0], [6.0, 12.0]]
    assert any("micrometres" in note for note in scan.notes)
