"""The examples of docs/exporting.md do what the page says."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]
MADE = REPOSITORY / "tests" / "earlier_version"


def test_every_example_runs(tmp_path, monkeypatch):
    pytest.importorskip("h5py", reason="AnnData files are written by h5py (extra 'anndata')")
    shutil.copytree(MADE / "plate", tmp_path, dirs_exist_ok=True)
    shutil.copy(MADE / "model.cmx", tmp_path)
    monkeypatch.chdir(tmp_path)
    text = (REPOSITORY / "docs" / "exporting.md").read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(examples) == 6
    names = {}
    for example in examples:
        exec(compile(example, "docs/exporting.md", "exec"), names)
    cells = names["cells"]
    np.testing.assert_array_equal(names["spatial"], cells.centres[:, ::-1])
    crop = cells.read([0])[0]
    np.testing.assert_allclose(names["first"], crop, atol=2**-11 * float(np.ptp(crop)) + 1)
    assert names["objects"].name == "MyExpt_Nuclei.csv" and names["images"].is_file()
    assert names["files"] and all(file.suffix == ".geojson" for file in names["files"])
    assert names["table"]["cell"].tolist() == list(range(len(cells)))
