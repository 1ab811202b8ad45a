import numpy as np
import pandas as pd
import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.scan import long_table
from napari_channelmix.scan.tables import scan_table

from .made_cells import write_tiff


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A table of CellProfiler that counts as large, with 40 measurements of each object."""
    monkeypatch.setattr(long_table, "LARGE", 1000)
    monkeypatch.setattr(long_table, "START", 4000)
    monkeypatch.setattr(long_table, "STEP", 100)
    write_tiff(tmp_path / "a b.tif", np.zeros((300, 400), np.uint16))
    count = 450
    frame = pd.DataFrame(
        {
            "ImageNumber": 1,
            "ObjectNumber": range(1, count + 1),
            "FileName_DNA": "a b.tif",
            # The first rows look like measurements.
            "Metadata_Treatment": ["1.5", "2.5"] * 200 + ["none; of, them"] * 50,
            "AreaShape_Area": range(count),
            "Location_Center_X": np.linspace(10.25, 300.5, count),
            "Location_Center_Y": np.linspace(20.5, 200.25, count),
            **{f"Intensity_Mean_{n}": np.linspace(0.1, 0.9, count) for n in range(40)},
        }
    )
    frame.to_csv(tmp_path / "Nuclei.csv", index=False)
    return tmp_path / "Nuclei.csv", frame


def test_a_large_table_is_read_without_its_measurements(large):
    path, frame = large
    table = drain(long_table.read_scanned_table_job(path))
    assert list(table.rows) == [
        "ImageNumber",
        "ObjectNumber",
        "FileName_DNA",
        "Metadata_Treatment",
        "Location_Center_X",
        "Location_Center_Y",
    ]
    assert table.rows["Metadata_Treatment"].tolist() == frame["Metadata_Treatment"].tolist()
    assert "41 columns of measurements were not read" in table.warnings[-1]
    assert table.rows.index[0] == 2


def test_its_cells_are_those_of_the_whole_table(large, monkeypatch):
    path, _ = large
    part = scan_table(path).cells()
    monkeypatch.setattr(long_table, "LARGE", 2**40)
    whole = scan_table(path).cells()
    assert np.array_equal(part.centres, whole.centres)
    assert part.classes == whole.classes
    assert np.array_equal(part.labels, whole.labels)


def test_reading_can_be_stopped_between_steps(large):
    job = long_table.read_scanned_table_job(large[0])
    steps = [next(job) for _ in range(4)]
    assert [step.stage for step in steps] == ["reading the table"] * 4
    assert steps[3].done > steps[1].done
    job.close()


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_windows_letters(large, separator):
    path, frame = large
    frame["Metadata_Treatment"] = "müde"
    text = "sep=;\n" if separator == ";" else ""
    text += frame.to_csv(index=False, sep=separator)
    path.write_bytes(text.encode("cp1252"))
    table = drain(long_table.read_scanned_table_job(path))
    assert table.separator == separator
    assert set(table.rows["Metadata_Treatment"]) == {"müde"}
    assert len(table.rows) == 450


def test_a_line_with_too_many_values_is_refused_in_a_line(large):
    path, _ = large
    with path.open("a") as file:
        file.write("1," * 60 + "\n")
    with pytest.raises(DataError, match=r"Nuclei\.csv: cannot be read as a table") as caught:
        drain(long_table.read_scanned_table_job(path))
    assert "\n" not in str(caught.value)
