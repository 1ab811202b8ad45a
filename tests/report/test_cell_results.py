from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.report.cell_results import CellResults, write_cells, write_cells_job
from napari_channelmix.report.cell_table import cell_table


class Values:
    names = ("Size", "Hue")

    def __init__(self, count):
        self.values = np.linspace(-1, 1e-7, 2 * count, dtype=np.float32).reshape(-1, 2)


@pytest.fixture
def named(plate):
    """Cells with columns of the user's, and texts that a spreadsheet would take for formulas."""
    keys = {"key well": '=A1, "1"', "key y": "7"}
    classes = ("a,b", "-c")
    return replace(plate, table=plate.table.assign(**keys), classes=classes)


@pytest.fixture
def results(named, full):
    marks = ["yes", *["no"] * (len(named) - 1)]
    return CellResults(named, full.probabilities, named.classes, marks, Values(len(named)))


def table_of(results):
    return cell_table(
        results.cells,
        results.probabilities,
        results.classes,
        results.latents,
        None if results.training is None else list(results.training),
    )


def test_csv_is_the_table_of_cells_to_the_byte(results, tmp_path):
    (path,) = write_cells(results, tmp_path / "cells.csv")
    assert path.read_bytes().decode() == csv_text(table_of(results))


def test_parquet_is_the_table_of_cells(results, tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow (extra 'parquet')")
    (path,) = write_cells(results, tmp_path / "cells.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(path), table_of(results), check_dtype=False)


def test_many_parts_are_one_table(results, tmp_path, monkeypatch):
    from napari_channelmix.report import table_results

    (whole,) = write_cells(results, tmp_path / "whole.csv")
    monkeypatch.setattr(table_results, "ROWS", 7)
    steps = list(write_cells_job(results, tmp_path / "parts.csv"))
    assert [step.done for step in steps if step.done] == [7, 14, 21]
    assert (tmp_path / "parts.csv").read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("chosen", [np.array([5, 2]), np.arange(24) == 3])
def test_chosen_cells_keep_their_position_in_the_data_set(results, chosen, tmp_path):
    some = replace(results, chosen=chosen)
    (path,) = write_cells(some, tmp_path / "cells.csv")
    rows = some.positions.tolist()
    table = pd.read_csv(path)
    assert table["cell"].tolist() == rows
    assert table["y"].tolist() == results.cells.centres[rows, 0].tolist()
    assert table["training"].tolist() == [results.training[row] for row in rows]


def test_numbers_that_are_not_known_are_empty(plate, tmp_path):
    values = Values(len(plate))
    values.values[1] = np.nan
    (path,) = write_cells(CellResults(plate, latents=values), tmp_path / "cells.csv")
    table = pd.read_csv(path)
    assert np.flatnonzero(table["latent Size"].isna()).tolist() == [1]
    assert "prediction" not in table


def test_no_cell_gives_a_head(results, tmp_path):
    (path,) = write_cells(replace(results, chosen=np.zeros(0, int)), tmp_path / "cells.csv")
    assert path.read_text().startswith("cell,field,") and len(path.read_text().splitlines()) == 1


def test_results_of_other_cells_are_refused(plate, full):
    with pytest.raises(DataError, match="probabilities of 23 cells for 24 cells"):
        CellResults(plate, full.probabilities[1:], plate.classes)
    with pytest.raises(DataError, match="probabilities of 2 classes, named are 1"):
        CellResults(plate, full.probabilities, ["one"])
    with pytest.raises(DataError, match="chosen cells must be among its 24 cells"):
        CellResults(plate, chosen=np.array([24]))


def test_other_files_are_refused(results, tmp_path):
    with pytest.raises(DataError, match=r"\.csv, \.parquet"):
        write_cells(results, tmp_path / "cells.xlsx")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(SaveError, match="is a folder"):
        write_cells(results, tmp_path / "folder.csv")


def test_without_pyarrow_one_line_says_how_to_get_it(results, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"napari-channelmix\[parquet\]"):
        write_cells(results, tmp_path / "cells.parquet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["cells.csv", "cells.parquet", "cells.h5ad"])
def test_a_closed_job_leaves_the_old_file(results, name, tmp_path):
    pytest.importorskip("pyarrow")
    pytest.importorskip("h5py")
    (path,) = write_cells(replace(results, chosen=np.arange(2)), tmp_path / name)
    before = path.read_bytes()
    job = write_cells_job(results, path)
    while not list(tmp_path.glob(".*.part")):
        next(job)
    job.close()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(results, tmp_path, monkeypatch):
    from napari_channelmix.report import cell_columns

    (path,) = write_cells(replace(results, chosen=np.arange(2)), tmp_path / "cells.csv")
    before = path.read_bytes()

    def full(self, rows, *, formulas=False):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cell_columns.Column, "fields", full)
    with pytest.raises(SaveError, match="No space left on device; the file that was there"):
        write_cells(results, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ["csv", "parquet", "h5ad", "tsv", "geojson"])
def test_a_name_that_is_no_unicode_text_is_one_line(results, tmp_path, ending):
    pytest.importorskip({"parquet": "pyarrow", "h5ad": "h5py"}.get(ending, "numpy"))
    fields = tuple(
        replace(field, name=f"{number}\udcff.tif", short=f"{number}\udcff")
        for number, field in enumerate(results.cells.fields)
    )
    odd = replace(results, cells=replace(results.cells, fields=fields))
    with pytest.raises(SaveError, match=r"no Unicode text .*udcff"):
        write_cells(odd, tmp_path / f"cells.{ending}")
    assert not list(tmp_path.iterdir())
