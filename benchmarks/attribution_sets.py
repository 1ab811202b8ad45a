"""Sets, classifiers and cells of the attribution benchmark.

Each classifier is trained once, with seed 0 on one thread, and kept in a folder. Of the held-out
cells that it predicts correctly some are reported, others are the pilot cells, on which the
opponents' variants compete. Real sets are read from the folder CHANNELMIX_DATA, or ../shared/data
beside the project.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from skimage.transform import resize

from napari_channelmix import Cells, Classifier, load_model, open_dataset, train_classifier
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.pcim.cell_source import Source

__all__ = ["SETS", "Case", "Chosen", "case"]

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[2] / "shared" / "data"))

Masks = np.ndarray | None
Opened = tuple[Cells, Cells, Callable[[Cells], Masks]]


@dataclass(frozen=True, eq=False)
class Chosen:
    """Cells of a case that are explained together.

    Attributes
    ----------
    source : Source
        The cells, and beside them the whole data set, of which real cells are drawn.
    labels : (N,) array
    groups : (N,) array
    masks : (N, H, W) bool array or None
        Pixels that matter, where they are known.
    """

    source: Source
    labels: np.ndarray
    groups: np.ndarray
    masks: Masks

    def __len__(self) -> int:
        return len(self.source)

    def first(self, count: int) -> Chosen:
        """The first of them, or all where there are fewer."""
        count = min(count, len(self))
        masks = None if self.masks is None else self.masks[:count]
        source = self.source.narrowed(range(count))
        return Chosen(source, self.labels[:count], self.groups[:count], masks)


@dataclass(frozen=True, eq=False)
class Case:
    """A classifier with cells that it was not trained on and predicts correctly.

    Attributes
    ----------
    cells : Cells
        Those reported, as a data set of their own.
    reported, pilot : Chosen
        No cell is of both; there may be no pilot cells.
    accuracy : float
        Share of correct predictions among all held-out cells.
    """

    name: str
    network: str
    classifier: Classifier
    cells: Cells
    reported: Chosen
    pilot: Chosen | None
    accuracy: float


def synthetic() -> Opened:
    """Train on a plate, explain another one."""
    return _plates({})


def small() -> Opened:
    """The same with few cells: to see that all runs."""
    return _plates({"wells": 6, "cells_per_well": 10, "side": 160})


def _plates(sizes: dict[str, int]) -> Opened:
    held_out = synthetic_plate(1, **sizes)
    truth = {field.name: held_out.pixels[i] for i, field in enumerate(held_out.cells.fields)}

    def planted(cells: Cells) -> Masks:
        return in_crops(
            cells, lambda field, labels, row: truth[field.name] & (labels == row.object)
        )

    return synthetic_plate(0, **sizes).cells, held_out.cells, planted


def worms(channel: str) -> Callable[[], Opened]:
    def opened() -> Opened:
        cells = open_dataset(DATA / "bbbc010_worms" / "dataset.toml").with_channels([channel])
        # A third is held out, so that there are more than 100 of them.
        train, test = cells.split(test=0.35, seed=0)
        return (
            train,
            test,
            lambda some: in_crops(some, lambda field, labels, row: labels == row.object),
        )

    return opened


def real(folder: str) -> Callable[[], Opened]:
    def opened() -> Opened:
        train, test = open_dataset(DATA / folder / "dataset.toml").split(seed=0)
        return train, test, lambda some: None

    return opened


def in_crops(cells: Cells, mask_of: Callable[[Any, np.ndarray, Any], np.ndarray]) -> np.ndarray:
    """Masks of the fields, cut out as the cells are; outside the field there is nothing."""
    masks = np.zeros((len(cells), cells.crop, cells.crop), bool)
    for index, row in enumerate(cells.table.itertuples()):
        field = cells.fields[row.field]
        mask = mask_of(field, np.asarray(field.labels), row)
        cut = np.zeros((row.y1 - row.y0, row.x1 - row.x0), bool)
        top, left = max(row.y0, 0), max(row.x0, 0)
        part = mask[top : row.y1, left : row.x1]
        cut[
            top - row.y0 : top - row.y0 + part.shape[0],
            left - row.x0 : left - row.x0 + part.shape[1],
        ] = part
        side = (cells.crop, cells.crop)
        masks[index] = cut if cut.shape == side else resize(cut.astype(float), side, order=1) > 0.5
    return masks


SETS: dict[str, Callable[[], Opened]] = {
    "synthetic": synthetic,
    "bbbc013": real("bbbc013_wortmannin"),
    "worms-brightfield": worms("brightfield"),
    "worms-GFP": worms("GFP"),
    "jurkat": real("jurkat_cellcycle_ifc"),
    "b14": real("csm_breast_b14"),
    "small": small,
}


def trained(train: Cells, name: str, network: str, models: Path) -> Classifier:
    """The classifier of a set, trained first where it is not in the folder."""
    kept = models / f"{name}-{network}.cmx"
    if not kept.exists():
        print(f"training {network} on {name}: {len(train)} cells", flush=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        epochs = {"epochs": 3} if name == "small" else {}
        train_classifier(train, network=network, seed=0, device="cpu", **epochs).save(kept)
    return load_model(kept)


def case(name: str, network: str, count: int, models: Path, pilot: int = 0) -> Case:
    """A set with its classifier, ``count`` reported cells and ``pilot`` pilot cells.

    Raises
    ------
    DataError
        A real set that is not there ('no such file').
    """
    train, test, masks_of = SETS[name]()
    classifier = trained(train, name, network, models)
    right = classifier.predict(test) == test.labels
    # In random order, so that the first few are like the rest.
    order = np.random.default_rng(0).permutation(np.flatnonzero(right))
    pilot_count = min(pilot, len(order) // 2)
    pilots, reported = order[:pilot_count], order[pilot_count : pilot_count + count]
    # Real cells are drawn from the whole set, as they are where someone explains it.
    source = Source.of(classifier, Cells.together([train, test]), "cpu")

    def chosen(rows: np.ndarray) -> Chosen:
        cells = test.subset(rows)
        return Chosen(
            source.narrowed((len(train) + rows).tolist()).read(),
            np.asarray(cells.labels),
            np.asarray(cells.groups),
            masks_of(cells),
        )

    return Case(
        name,
        network,
        classifier,
        test.subset(reported),
        chosen(reported),
        chosen(pilots) if len(pilots) else None,
        float(right.mean()),
    )
