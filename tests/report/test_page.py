"""The page is whole, needs nothing else, says only what there is, and escapes what users wrote."""

from __future__ import annotations

import base64
import io
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_channelmix.config import Config, DataPart, ImportancePart
from napari_channelmix.data import Cells
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.errors import SaveError
from napari_channelmix.jobs import drain
from napari_channelmix.report import ClassifierFacts, Findings, page_of, report_job

EVIL = '<img src=x onerror=alert(1)>"&'
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether everything is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self._open = [], "", []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def sections(page):
    return [one["id"] for one in page.all("section")]


def test_a_full_page_needs_no_other_file(full):
    text = page_of(full)
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert len(text) < 5_000_000
    # Called as in the window: by its label, with its field of view.
    assert f"Cell {cell_name(full.cells, 3)}: treated" in page.text
    assert cell_name(full.cells, 3) != "3"
    assert page.all("img")
    assert all(one["src"].startswith("data:image/") and one["alt"] for one in page.all("img"))
    assert not {"script", "link", "iframe", "object"} & {name for name, _ in page.tags}
    assert "http://" not in text.replace("http://www.w3.org", "")
    ids = Counter(one["id"] for _, one in page.tags if "id" in one)
    assert set(ids.values()) == {1}
    assert {one["href"] for one in page.all("a")} == {f"#{name}" for name in sections(page)}
    assert "prefers-color-scheme" in text
    assert "@media print" in text


def test_its_pictures_can_be_read(full):
    for one in Page(page_of(full)).all("img"):
        kind, _, content = one["src"].partition(";base64,")
        found = base64.b64decode(content)
        if kind == "data:image/png":
            assert np.asarray(Image.open(io.BytesIO(found)).convert("RGB")).std() > 0
        else:
            assert b"<svg" in found


def test_it_says_what_was_found(full):
    page = Page(page_of(full))
    said = " ".join(page.text.split())
    accuracy = full.classifier.accuracy
    rows = accuracy.per_class
    assert sections(page) == [
        "data",
        "importance",
        "classifier",
        "explanations",
        "latents",
        "groups",
        "plates",
        "provenance",
    ]
    for words in (
        "24 cells in 4 images",
        "reporter has the largest share of the blended image (75 %)",
        "< 0.001",
        "two seeds are few",
        f"Balanced accuracy 0.875 ({accuracy.interval_text}) on 8 held-out cells, of 4 groups "
        f"(chance is 0.50; trained on 16 cells).",
        "4 groups say little",
        f"0.750{rows[0].low:.2f} to {rows[0].high:.2f}24",
        f"1.000{rows[1].low:.2f} to 1.0024",
        "A plain sentence.",
        "mind the border",
        "hardly goes along",
        "Each group",
    ):
        assert words in said
    assert "Spare 1" not in said


def test_an_accuracy_at_chance_and_a_record_without_groups_are_said(full):
    held_out = {"balanced_accuracy": 0.5, "confusion": [[2, 2], [2, 2]], "n_test": 8}
    facts = replace(full.classifier, held_out=held_out)
    said = " ".join(Page(page_of(replace(full, classifier=facts))).text.split())
    assert "on 8 held-out cells" in said
    assert "It is not clearly better than chance (0.50).No groups are known" in said
    facts = replace(full.classifier, held_out={"balanced_accuracy": 0.5})
    said = " ".join(Page(page_of(replace(full, classifier=facts))).text.split())
    assert "Balanced accuracy 0.500." in said
    assert "Recall of each class" not in said


def test_a_closed_gate_stands_above_the_bars(full):
    shut = replace(full.importance, gate="accuracy is at chance")
    said = page_of(replace(full, importance=shut))
    assert 'class="note bad"' in said
    assert "must not be read alone: accuracy is at chance" in said


def test_shares_of_a_few_groups_are_to_be_minded_and_no_alarm(full):
    few = replace(
        full.importance,
        gate="4 held-out groups say little of others",
        verdict="Reliable for these 4 groups",
    )
    said = page_of(replace(full, importance=few))
    assert 'class="note bad"' not in said
    line = (
        '<p class="note mind">Reliable for these 4 groups. 4 held-out groups say little of others. '
        "reporter has the largest share"
    )
    assert line in said


def test_what_is_missing_is_not_mentioned(plate):
    page = Page(page_of(Findings(plate)))
    assert sections(page) == ["data", "groups", "plates", "provenance"]
    for word in ("None", "classifier", "latent", "unknown", "Reproduce"):
        assert word not in page.text


def dosed(kind="negative"):
    """Eight doses, six wells each; classes by hand, the fraction of one follows a curve."""
    doses = np.repeat([0, 0.1, 0.3, 1, 3, 10, 30, 100], 6)
    with np.errstate(divide="ignore"):
        share = 0.05 + 0.9 / (1 + (4 / doses) ** 1.5)
    share = np.clip(share + np.random.default_rng(0).normal(0, 0.03, 48), 0, 1)
    names = [f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 7)]
    labels = np.concatenate([np.arange(20) < round(20 * one) for one in share]).astype(int)
    cells = Cells.from_array(
        np.random.default_rng(0).random((960, 1, 2, 2)).astype(np.float32),
        ["DNA"],
        labels,
        ("rest", "responds"),
        np.repeat(names, 20).tolist(),
    )
    control = np.select([doses == 0, doses == 100], [kind, "positive"], "")
    conditions = pd.DataFrame({"dose": doses.astype(str), "control": control}, index=names)
    return Findings(replace(cells, conditions=conditions))


def test_doses_controls_and_plate_stand_in_it():
    page = Page(page_of(dosed()))
    assert sections(page) == ["data", "groups", "doses", "plates", "provenance"]
    said = " ".join(page.text.split())
    assert "EC50 4" in said or "EC50 3." in said
    assert "95 % interval" in said and "48 groups at 7 doses above 0" in said
    assert "responds: Z'-factor 0." in said and "6 wells of negative against 6 of positive" in said
    pictures = [one["alt"] for one in page.all("img")]
    assert "fraction responds in each well" in pictures
    assert "fraction rest in each well" not in pictures


def test_of_many_classes_all_curves_are_drawn_and_plates_left_out_are_named():
    findings = dosed()
    cells = findings.cells
    rng = np.random.default_rng(1)
    names = tuple(f"a cell type of many words {place:02d}" for place in range(20))
    labels = rng.integers(0, 20, len(cells))
    # The last one alone differs from well to well.
    labels[:240] = np.where(rng.random(240) < 0.8, 19, labels[:240])
    page = Page(page_of(replace(findings, cells=cells.with_labels(labels, names))))
    curves = [one for one in page.all("img") if one["alt"].startswith("Fractions against doses")]
    assert len(curves) == 2
    wells = [one["alt"] for one in page.all("img") if one["alt"].endswith("in each well")]
    assert len(wells) == 6 and any(names[19] in alt for alt in wells)
    said = " ".join(page.text.split())
    drawn = {name for name in names for alt in wells if name in alt}
    left = ", ".join(name for name in names if name not in drawn)
    assert f"Not drawn: 14 classes, which differ less from well to well: {left}." in said


def test_what_every_explained_cell_has_is_said_once(full):
    examples = tuple(
        replace(full.examples[0], cell=cell, words=("Trained on few cells.", f"Own line {cell}."))
        for cell in (2, 5)
    )
    explained = {"n": 2, "warnings": ["trained on few cells"]}
    text = Page(page_of(replace(full, examples=examples, explained=explained))).text
    assert text.lower().count("trained on few cells") == 1
    assert "Own line 2." in text and "Own line 5." in text


def test_controls_that_are_not_called_so_are_not_guessed():
    assert "Z'" not in Page(page_of(dosed(kind="solvent"))).text


def test_nothing_a_user_wrote_becomes_markup(full):
    crops = np.random.default_rng(0).random((4, 2, 16, 16)).astype(np.float32)
    cells = Cells.from_array(
        crops, (EVIL, "b"), [0, 0, 1, 1], (EVIL, "y"), [EVIL, "g"] * 2, name=EVIL
    )
    facts = ClassifierFacts(
        EVIL,
        cells.channels,
        cells.classes,
        "abc",
        EVIL,
        {"balanced_accuracy": 1.0, "recall": {EVIL: 1.0}, "confusion": [[1, 0], [0, 1]]},
        (),
        (EVIL,),
    )
    named = replace(full.importance, channels=(EVIL, "b"), warnings=(EVIL,), gate=EVIL)
    example = replace(
        full.examples[0],
        target=EVIL,
        label=EVIL,
        group=EVIL,
        words=(EVIL,),
        probabilities={EVIL: 1.0},
    )
    config = Config(data=DataPart(dataset=EVIL, name=EVIL), notes=(EVIL,))
    text = page_of(
        Findings(
            cells,
            EVIL,
            facts,
            np.full((4, 2), 0.5, np.float32),
            named,
            (example,),
            {"warnings": [EVIL]},
            None,
            config,
            (EVIL,),
        )
    )
    page = Page(text)
    assert "<img src=x" not in text
    assert all(one["src"].startswith("data:") for one in page.all("img"))
    assert page.text.count(EVIL) > 10


def test_the_config_can_be_taken_from_the_page(full, tmp_path):
    from napari_channelmix.config import read_config

    config = Config(
        data=DataPart(dataset="/data/dataset.toml"),
        importance=ImportancePart(seeds=2, share={"<b>": 1.0}),
    )
    page = Page(page_of(replace(full, config=config)))
    at = page.text.index('{\n  "schema"')
    path = tmp_path / "config.json"
    path.write_text(page.text[at : page.text.rindex("}") + 1], "utf-8")
    assert read_config(path) == config


def test_a_page_that_cannot_be_written_is_one_line(plate, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="could not save"):
        drain(report_job(Findings(plate), tmp_path / "file" / "report.html"))


def test_sampled_shapley_values_of_importance_are_said_to_be(full: Findings) -> None:
    line = "Shapley values are sampled, ± sampling error: 0.012 at most."
    assert line not in page_of(full)
    sampled = replace(full.importance, sampling_error=(0.004, 0.0121))
    assert line in page_of(replace(full, importance=sampled))
