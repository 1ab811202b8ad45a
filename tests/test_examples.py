"""Every public name has an example, and every example is true.

In the examples ``cells`` are 40 cells of two classes in 10 groups, ``train`` and ``test`` their
halves, ``rule`` a function that classifies them, ``model`` a network trained on ``train``,
``folder`` an empty folder.
"""

import doctest
import inspect
from pathlib import Path

import pytest

import napari_channelmix as cm

from .tiny_sample import names

# Examples on folders of files that are made beside these tests, and run there.
RUN_THERE = {"scan_folder": "scan/test_examples.py", "scan_table": "scan/test_tables.py"}
# Ways to make cells, and what they can do.
METHODS = (
    "at_pixel_size",
    "from_anndata",
    "from_array",
    "from_frame",
    "from_labels",
    "from_points",
    "store",
    "to_frame",
)


def public():
    every = {name: getattr(cm, name) for name in cm.__all__}
    return every | {f"Cells.{name}": getattr(cm.Cells, name) for name in METHODS}


def test_every_public_name_has_an_example():
    without = [name for name, one in public().items() if ">>>" not in (inspect.getdoc(one) or "")]
    assert without == []


def test_examples_that_are_run_elsewhere_are():
    for file in RUN_THERE.values():
        assert "doctest.testmod" in (Path(__file__).parent / file).read_text("utf-8")


# A script would only print what is warned of.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", sorted(set(public()) - set(RUN_THERE)))
def test_the_example_is_true(name, tmp_path):
    known = names(tmp_path)
    one = public()[name]
    module = inspect.getmodule(inspect.unwrap(one))
    tests = doctest.DocTestFinder(recurse=False).find(one, name, module, extraglobs=known)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    outcome = [runner.run(test) for test in tests]
    assert sum(result.attempted for result in outcome) > 0
    assert sum(result.failed for result in outcome) == 0
