"""The notebooks run from top to bottom, and what their cells end with can be shown."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

# Runs cells as a notebook does: in one namespace, and what the last line gives is shown.
RUNNER = """
import ast, json, sys
names, shown = {"__name__": "__main__"}, 0
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] != "code":
        continue
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, sys.argv[1], "exec"), names)
    if last is None:
        continue
    value = eval(compile(ast.Expression(last.value), sys.argv[1], "eval"), names)
    # As a notebook does: a figure has a method for HTML too, which gives nothing.
    methods = [getattr(value, name, None) for name in ("_repr_html_", "_repr_png_")]
    shown += any(method is not None and method() for method in methods)
print("shown:", shown)
"""


def content(path):
    return json.loads(path.read_text("utf-8"))


def test_there_are_four():
    assert [path.stem for path in NOTEBOOKS] == ["black_box", "own_arrays", "own_model", "plate"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_small(path):
    cells = content(path)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert path.stat().st_size < 12_000
    assert cells[0]["cell_type"] == "markdown" and cells[0]["source"][0].startswith("# ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", RUNNER, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    assert int(result.stdout.split("shown:")[1]) >= 3
