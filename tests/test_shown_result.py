"""Every result shows itself in a notebook, plots itself, and gives a table and files."""

import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import napari_channelmix as cm
from napari_channelmix.result_display import Bar, Bars, Summary
from napari_channelmix.shown_result import BarsResult, Result, ShownResult

from . import tiny_sample

EARLIER = Path(__file__).parent / "earlier_version"
# Bytes of a card, pictures too: a notebook is saved with it.
LARGEST = 60_000


def results():
    cells, model = tiny_sample.tiny_cells(), tiny_sample.rule()
    few = cells.subset([0, 1, 2, 3])
    attribution = cm.explain(model, few, forwards=60, check=False, reliability=True)
    labels = np.zeros((40, 40), np.int32)
    labels[5:12, 5:12], labels[20:30, 20:35] = 1, 2
    edits = cm.what_if(model, few, axes=("GFP brightness",), limit=4, steps=3, smallest=False)
    yield cells
    yield tiny_sample.trained()
    yield cm.ChannelImportance.load(EARLIER / "importance" / "importance.json")
    yield attribution
    yield attribution.reliability
    yield cm.mean_maps(attribution)
    yield edits
    yield cm.transplant(model, cells, compartments=False, limit=8)
    yield cm.channel_shapley(model, cells)
    yield cm.panel(cells, retrain=False, folds=3)
    yield cm.audit(model, cells, only="all", limit=12)
    yield cm.evaluate(model, cells)
    yield tiny_sample.trained().compare(cells)
    yield cm.CellResults(cells, model.predict_proba(cells), model.classes)
    yield cm.Segmentation(labels, diameter=9.0, threshold=3.0, warnings=("two <b>objects</b>",))
    yield cm.latents(few, separate=False)


@pytest.fixture(scope="module")
def every_result():
    return list(results())


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        if tag not in ("img", "line", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("img", "line", "rect"):
            assert self.open.pop() == tag


@pytest.mark.filterwarnings("ignore::napari_channelmix.errors.DataShiftWarning")
def test_every_result_keeps_the_protocol(every_result, tmp_path):
    kinds = {type(result).__name__ for result in every_result}
    assert len(kinds) == 16
    for result in every_result:
        name = type(result).__name__
        assert isinstance(result, Result), name
        line, card = repr(result), result._repr_html_()
        assert line.startswith(f"{name}(") and "\n" not in line and len(line) < 450
        assert len(card) < LARGEST, name
        tags = Tags()
        tags.feed(card)
        assert tags.open == [] and not {"script", "iframe", "link"} & tags.seen, name
        assert len(result.to_frame().columns) > 1
        figure = result.plot()
        assert isinstance(figure, Figure) and figure._repr_png_()[:4] == b"\x89PNG"
        ending = {"Segmentation": ".tif", "Classifier": ".cmx", "CellResults": ".csv"}.get(name, "")
        result.save(tmp_path / f"{name}{ending}")
        assert (tmp_path / f"{name}{ending}").exists()


def test_a_chart_goes_into_axes_that_are_given(every_result):
    drawn = 0
    for result in every_result:
        if isinstance(result, BarsResult | cm.ChannelShapley):
            figure = Figure()
            axes = figure.subplots()
            assert result.plot(ax=axes) is figure and axes.get_title(loc="left")
            drawn += 1
    assert drawn == 8


def test_cards_name_the_number_of_cells_and_warn_first(every_result):
    for result in every_result:
        summary = result.summary()
        facts = " ".join(summary.facts)
        assert any(character.isdigit() for character in facts), type(result).__name__
        card = summary.html()
        if summary.warnings and summary.bars:
            assert card.index("Warning:") < card.index("<svg")


class Small(BarsResult):
    def __init__(self, summary):
        self._summary = summary

    def summary(self):
        return self._summary


SMALL = Summary(
    "Small <result>",
    ("n = 3 cells",),
    ("<script>alert(1)</script>",),
    ("a & b",),
    Bars(
        [Bar("<b>", 0.5, 0.25, 1.0, 0.75, "x < y"), Bar("unknown", None), Bar("nan", float("nan"))],
        "share",
        "interval",
        "sham",
    ),
)


def test_names_and_texts_are_escaped():
    card = Small(SMALL)._repr_html_()
    assert "<script>" not in card and "&lt;script&gt;alert(1)&lt;/script&gt;" in card
    assert "&lt;b&gt;" in card and "x &lt; y" in card and "a &amp; b" in card


def test_bars_of_the_card_lie_where_their_figures_are():
    # From 0 to 1 over 176 pixels that begin at 2: 0.5 is 88 wide, the interval 46 to 178.
    card = Small(SMALL)._repr_html_()
    assert '<rect x="2.0" y="2" width="88.0"' in card
    assert '<line x1="46.0" x2="178.0"' in card
    assert '<line x1="134.0" x2="134.0"' in card
    assert "0.5 (0.25 to 1)" in card and card.count("not known") == 2


def test_the_chart_has_the_same_figures_and_warns():
    axes = Small(SMALL).plot().axes[0]
    assert [bar.get_width() for bar in axes.patches][:1] == [0.5]
    assert "Warning: <script>" in axes.figure.get_suptitle()
    assert [text.get_text() for text in axes.get_yticklabels()] == ["<b>\nx < y", "unknown", "nan"]


def test_long_names_and_many_lines_are_cut():
    long = replace(SMALL, warnings=("x" * 5000,) * 50, lines=("line",) * 50, facts=("y" * 9000,))
    card = Small(long)._repr_html_()
    assert len(card) < 10_000 and "44 warnings more" in card and "36 more" in card
    assert len(repr(Small(long))) < 450


def test_cells_whose_images_are_gone_still_have_a_card(tmp_path):
    import pandas as pd
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", np.ones((40, 50), "uint8"))
    frame = pd.DataFrame({"dna": "a.tif", "y": [12, 30], "x": [20, 25]})
    options = {"channels": {"DNA": "dna"}, "x": "x", "y": "y", "crop": 16, "folder": tmp_path}
    cells = cm.Cells.from_frame(frame, **options)
    (tmp_path / "a.tif").unlink()
    assert "2 cells" in repr(cells)
    assert "Warning: " in cells._repr_html_() and "a.tif" in cells._repr_html_()


def test_a_card_needs_no_matplotlib():
    code = (
        "import sys, numpy as np, napari_channelmix as cm\n"
        "cells = cm.Cells.from_array(np.ones((2, 1, 8, 8)), ['DNA'])\n"
        "assert '2 cells' in cells._repr_html_() and '2 cells' in repr(cells)\n"
        "labels = np.ones((4, 4), np.int32)\n"
        "cm.Segmentation(labels, 4.0, 1.0)._repr_html_()\n"
        "print('matplotlib' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr


def test_a_result_without_a_summary_says_so():
    with pytest.raises(NotImplementedError):
        ShownResult().summary()


def test_objects_are_measured_in_pixels():
    labels = np.zeros((8, 8), np.int32)
    labels[2:6, 2:6] = 1
    frame = cm.Segmentation(labels, 4.0, 1.0).to_frame()
    assert frame.iloc[0, :4].tolist() == [1, 3.5, 3.5, 16]
    assert frame["diameter"].iloc[0] == pytest.approx(2 * np.sqrt(16 / np.pi))
    assert cm.Segmentation(np.zeros((8, 8), np.int32), 4.0, 1.0).to_frame().empty


def test_recall_of_each_class_is_a_row():
    model, cells = tiny_sample.rule(), tiny_sample.tiny_cells()
    frame = cm.evaluate(model, cells).to_frame()
    assert frame["class_name"].tolist() == ["low", "high"]
    assert frame["recall"].tolist() == [1.0, 1.0] and frame["n_cells"].tolist() == [20, 20]
