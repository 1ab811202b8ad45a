"""Figures and the report of twenty classes with long names: `scripts/many_classes.py FOLDER`.

Made cells of twenty types, each with its own of ten markers, on a plate of doses; a classifier of
them, its evaluation, its channels by class, edits, and the report, printed where there is a
browser. For looking at: what is cut off, too small, or left out in silence.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from print_report import printed

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

KINDS = ("helper", "cytotoxic", "regulatory", "natural killer", "plasma")
STATES = ("proliferating", "exhausted", "resting", "activated")
MARKERS = tuple(f"marker {letter}" for letter in "ABCDEFGHIJ")
SIDE, WELLS = 20, 40
# Cells of the commonest class in a well for one of the rarest.
LEAST, MOST = 1, 4


def class_names(count: int = 20) -> tuple[str, ...]:
    """Names of about 25 letters."""
    every = [f"{state} {kind} T cells"[:25].strip() for kind in KINDS for state in STATES]
    return tuple(f"{name} {place}" for place, name in enumerate(every[:count], start=1))


def made_cells(count: int = 20, seed: int = 0) -> Cells:
    """Cells of so many classes in 40 wells; the first class grows with the dose."""
    import pandas as pd

    from napari_channelmix.data import Cells

    rng = np.random.default_rng(seed)
    names, codes, groups = class_names(count), [], []
    doses = np.repeat([0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0], WELLS // 8)
    for well, dose in enumerate(doses.tolist()):
        for code in range(count):
            many = rng.integers(LEAST, MOST + 1)
            if code == 0:
                many = LEAST + round(8 * dose / (dose + 2))
            codes += [code] * int(many)
            groups += [f"{chr(65 + well // 8)}{well % 8 + 1:02d}"] * int(many)
    labels = np.array(codes)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    inside = (np.hypot(y, x) < 6).astype(np.float32)
    crops = rng.normal(100, 8, (len(labels), 1 + len(MARKERS), SIDE, SIDE)).astype(np.float32)
    crops[:, 0] += 300 * (np.hypot(y, x) < 4)
    # Each class has two markers of ten, no two classes the same.
    pairs = [(a, b) for a in range(len(MARKERS)) for b in range(a)]
    for code in range(count):
        own = np.flatnonzero(labels == code)
        for place in pairs[2 * code]:
            # One cell in eight lacks one of its markers: classes are confused.
            bright = own[rng.random(len(own)) < 0.94]
            crops[bright, 1 + place] += 160 * inside
    cells = Cells.from_array(crops, ["DNA", *MARKERS], labels, names, groups, name="twenty types")
    wells = pd.DataFrame({"dose (uM)": doses}, index=pd.Index(sorted(set(groups)), name="group"))
    return replace(cells, conditions=wells)


def main(folder: Path, count: int) -> int:
    """Draw everything into a folder."""
    import torch

    import napari_channelmix as cm
    from napari_channelmix.jobs import drain
    from napari_channelmix.report import report_job
    from napari_channelmix.report.figures import confusion_figure
    from napari_channelmix.run.report import Sources, findings_job

    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    cells = made_cells(count)
    train, held_out = cells.split(test=0.4, seed=0)
    model = cm.train_classifier(train, network="tiny", epochs=12, device="cpu")
    evaluation = cm.evaluate(model, held_out)
    channels = cm.channel_shapley(model, held_out)
    axes = ["marker A brightness", "marker B brightness", "DNA brightness", "size"]
    what_if = cm.what_if(model, held_out, axes=axes)
    means = cm.channel_means(cells)
    maps = cm.explain(model, held_out, only=list(range(0, len(held_out), 40)))
    for name, result in (
        ("evaluation", evaluation),
        ("channels", channels),
        ("means", means),
        ("maps", maps),
        ("what-if", what_if),
        ("cells", cells),
    ):
        if hasattr(result, "plot"):
            result.plot().savefig(folder / f"{name}.png", dpi=80)
        (folder / f"{name}.html").write_text(result._repr_html_(), encoding="utf-8")
    counts = np.diag(np.arange(count) + 9) + (np.arange(count)[:, None] % 3 == 1)
    confusion_figure(counts, cells.classes, cells.classes).savefig(folder / "confusion.png", dpi=80)
    findings = drain(findings_job(cells, Sources(model=model, name="made"), source="made cells"))
    facts = replace(
        findings.classifier,
        held_out={
            "balanced_accuracy": evaluation.accuracy,
            "chance": 1 / count,
            "confusion": evaluation.confusion.counts.tolist(),
            "estimate": evaluation.estimate.as_dict(),
            "n_train": len(train),
            "n_test": len(held_out),
        },
        calibration=evaluation.calibration,
    )
    findings = replace(
        findings,
        classifier=facts,
        channel_shapley=channels,
        channel_means=means,
        what_if=what_if,
        notes=(),
    )
    page = drain(report_job(findings, folder / "report.html"))
    pages = printed(page, folder)
    print(f"{folder}: figures, and {len(pages)} pages of the report")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--classes", type=int, default=20)
    args = parser.parse_args()
    sys.exit(main(args.folder, args.classes))
