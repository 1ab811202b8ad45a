"""Pictures of docs/what-if.md: `scripts/what_if_pictures.py FOLDER [MODEL]`.

A classifier of one synthetic plate is asked about the cells of another: what moves its decision,
and one cell as it is, edited, and turned. MODEL is a classifier of such a plate (`.cmx`); without
one a small network is trained first. No window is needed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import napari_channelmix as cm
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.report.what_if_figure import what_if_figure
from napari_channelmix.whatif.crops import CellCrops, cell_crops

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AXIS = "reporter nucleus against cytoplasm"
# Edits of a row of the picture: title, axis, amount.
EDITS = (
    ("as it is", AXIS, 0.0),
    ("light moved in,\n1 doubling", AXIS, 1.0),
    ("light moved in,\n2 doublings", AXIS, 2.0),
    ("sham: turned\nby 40 degrees", "turn", 40.0),
    ("DNA x 1.4", "DNA brightness", 0.5),
)
CHANNELS = ("DNA", "reporter")
CELLS = 2


def main(folder: Path, model: Path | None = None) -> None:
    """Take all of them."""
    cells = synthetic_plate(1).cells
    classifier = (
        cm.load_model(model)
        if model
        else cm.train_classifier(synthetic_plate(0).cells, network="small", seed=0)
    )
    folder.mkdir(parents=True, exist_ok=True)
    axes = (AXIS, "reporter level", "DNA brightness", "look-alike brightness", "size", "exposure")
    result = cm.what_if(classifier, cells, axes=axes, limit=40, only="all", smallest=False)
    what_if_figure(result).savefig(folder / "what-if.png", dpi=80)
    called = np.flatnonzero(np.asarray(classifier.predict(cells)) == 0)
    crops = cell_crops(cells, called[:: len(called) // CELLS][:CELLS])
    cell_picture(classifier, crops).savefig(folder / "what-if-cells.png", dpi=80)


def cell_picture(classifier: cm.Classifier, crops: CellCrops) -> Figure:
    """A row for each cell and channel, a column for each edit, with the probability."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.5 * len(EDITS), 1.5 * len(CHANNELS) * len(crops)))
    places = figure.subplots(len(crops) * len(CHANNELS), len(EDITS))
    for column, (title, axis, amount) in enumerate(EDITS):
        edited = cm.edit(crops, axis, amount)
        treated = classifier.predict_proba(edited.pixels)[:, 1]
        for row, place in enumerate(places[:, column]):
            cell, channel = divmod(row, len(CHANNELS))
            plane = crops.channel(CHANNELS[channel])
            before = crops.pixels[cell, plane]
            limits = float(before.min()), 1.4 * float(before.max())
            place.imshow(edited.pixels[cell, plane], cmap="gray", vmin=limits[0], vmax=limits[1])
            place.set(xticks=[], yticks=[])
            if not channel:
                place.set_title(f"treated: {treated[cell]:.2f}", fontsize=8)
            if not row:
                place.set_title(f"{title}\ntreated: {treated[cell]:.2f}", fontsize=8)
            if not column:
                place.set_ylabel(CHANNELS[channel], fontsize=8)
    figure.tight_layout(pad=0.4)
    return figure


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        raise SystemExit("use: what_if_pictures.py FOLDER [MODEL]")
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
