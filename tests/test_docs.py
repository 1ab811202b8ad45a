"""The documents keep their word: no gaps, every link leads somewhere, examples are true."""

import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

from .tiny_sample import names

REPOSITORY = Path(__file__).resolve().parents[1]
# Modules whose examples no test beside them runs; for names in them see `test_examples`.
EXAMPLES = (
    "cluster.chunks",
    "data.cell_boxes",
    "data.crop_shards",
    "data.neighbours",
    "data.stored_crops",
    "pcim.attribution",
    "pcim.mean_maps",
    "report.anndata_encoding",
    "report.anndata_results",
    "report.cell_columns",
    "report.cell_results",
    "report.class_colors",
    "report.outlines",
    "report.predict_dataset",
    "report.results_by_cell",
    "run.explain_dataset",
    "run.export_dataset",
    "run.what_if_dataset",
    "settings.scan",
    "viewer.layers.table_points",
    "whatif.audit",
    "whatif.audit_result",
    "whatif.axes",
    "whatif.axis_table",
    "whatif.edit",
    "whatif.group_intervals",
    "whatif.illumination",
    "whatif.outline_lines",
    "whatif.ranges",
    "whatif.removal",
    "whatif.self_consistency",
    "whatif.smoothing",
    "whatif.stain_levels",
    "whatif.user_axes",
)
# Ways from files to cells.
METHODS = ("from_frame", "to_frame", "at_pixel_size", "without_neighbours", "without_surroundings")
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_that_are_there(path):
    text = path.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_is_left_to_be_filled_in(path):
    assert not re.search(r"@@|TODO|TBD|lorem", path.read_text("utf-8"), flags=re.IGNORECASE)


# A script would only print what is warned of.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_true(name, tmp_path):
    module = importlib.import_module(f"napari_channelmix.{name}")
    result = doctest.testmod(module, extraglobs=names(tmp_path))
    assert result.attempted > 0 and result.failed == 0


def test_what_leads_from_files_to_cells_has_an_example():
    import napari_channelmix as cm
    from napari_channelmix import scan

    names = ("open", "scan_table", "segment", "Segmentation", "SegmentationSettings")
    public = [getattr(cm, name) for name in names]
    public += [getattr(scan, name) for name in scan.__all__ if not name.endswith("_job")]
    public += [getattr(cm.Cells, name) for name in METHODS]
    without = [one.__qualname__ for one in public if ">>>" not in (inspect.getdoc(one) or "")]
    assert without == []
