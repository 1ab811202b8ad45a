from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.report import cell_table as module
from napari_channelmix.report.cell_table import cell_table, margins, write_table


def test_a_row_says_where_a_cell_is_and_what_is_said_of_it(plate, full):
    table = cell_table(plate, full.probabilities, plate.classes)
    assert len(table) == len(plate)
    row, of = table.iloc[5], plate.table.iloc[5]
    assert row["field"] == plate.fields[of["field"]].name
    assert (row["object"], row["group"]) == (of["object"], of["group"])
    assert (row["y"], row["x"]) == tuple(plate.centres[5])
    assert row["at_border"] == plate.at_border[5]
    assert row["label"] == plate.classes[plate.labels[5]]
    assert row["prediction"] == plate.classes[full.probabilities[5].argmax()]
    said = [row[f"probability of {name}"] for name in plate.classes]
    np.testing.assert_array_equal(np.float32(said), full.probabilities[5])
    assert row["margin"] == pytest.approx(abs(said[0] - said[1]))


def test_cells_without_a_class_have_an_empty_label(plate):
    cells = plate.with_labels(np.full(len(plate), -1), plate.classes)
    assert set(cell_table(cells)["label"]) == {""}
    assert "prediction" not in cell_table(cells).columns


def test_training_and_the_columns_of_the_user_go_along(plate, full):
    cells = replace(plate, table=plate.table.assign(**{"key well": "A1", "key y": "7"}))
    marks = ["yes", *["no"] * (len(plate) - 1)]
    table = cell_table(cells, full.probabilities, plate.classes, training=marks)
    assert table["training"].tolist() == marks
    assert set(table["well"]) == {"A1"}
    assert set(table["y (table)"]) == {"7"}
    assert set(cell_table(plate, full.probabilities, plate.classes)["training"]) == {"unknown"}


def test_a_single_class_is_certain():
    assert margins(np.ones((3, 1), np.float32)).tolist() == [1, 1, 1]


def test_the_table_comes_back_from_csv(plate, full, tmp_path):
    table = cell_table(plate, full.probabilities, plate.classes)
    files, _ = write_table(table, tmp_path / "cells.v2")
    assert files[0].name == "cells.v2.csv"
    pd.testing.assert_frame_equal(pd.read_csv(files[0]), table, check_dtype=False, rtol=1e-6)


def test_names_with_ends_of_lines_keep_to_their_row(plate, tmp_path):
    cells = plate.with_labels(plate.labels, ("a\rb", 'c,\n"d"'))
    files, _ = write_table(cell_table(cells), tmp_path / "cells")
    table = pd.read_csv(files[0])
    assert table["label"].tolist() == [cells.classes[code] for code in cells.labels]


def test_without_pyarrow_the_reason_is_given(plate, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    files, left_out = write_table(cell_table(plate), tmp_path / "cells")
    assert [path.suffix for path in files] == [".csv"]
    assert "pip install pyarrow" in left_out
