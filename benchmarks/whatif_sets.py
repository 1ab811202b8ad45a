"""Sets and classifiers of the benchmarks of 'What if': trained once, kept in a folder.

    python benchmarks/whatif_sets.py [--sets ...] [--split N] --models DIR

Each classifier is a small network, trained with seed 0 on one thread on the training part of its
set; the other part is held out. --split N deals the cells anew, with seed N, and trains with that
seed; a made plate is another one. Where a file names its held-out cells they stay the same:
--unseen holds out a part of the training cells of the first split instead. Real sets are read from
the folder CHANNELMIX_DATA, or ../shared/data beside the project; a set that is not there is passed
over and said to be.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from napari_channelmix import Cells, Classifier, load_model, open_dataset, train_classifier
from napari_channelmix.data.samples import synthetic_plate

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[2] / "shared" / "data"))
# Level without light of the nuclear stain in the synthetic plate, and how much brighter it is made.
DARK, BRIGHTER = 500.0, 2.0
# Seed of the first plate without a shortcut.
MIXED_SEED = 100


@dataclass(frozen=True, eq=False)
class Case:
    """A classifier and cells that it was not trained on."""

    name: str
    held_out: Cells
    model: Classifier

    @property
    def calls(self) -> np.ndarray:
        return np.asarray(self.model.predict(self.held_out))


def synthetic(split: int = 0) -> tuple[Cells, Cells]:
    """Part of one plate, and the whole of another; other plates for each split."""
    first, second = (synthetic_plate(2 * split + place).cells for place in (0, 1))
    return first.split(seed=split)[0], other_plate(second)


def mixed(split: int = 0) -> tuple[Cells, Cells]:
    """Plates without any shortcut: treated and untreated cells in every well, by coin."""
    first, second = (
        synthetic_plate(2 * split + place + MIXED_SEED, mixed=True).cells for place in (0, 1)
    )
    return first.split(seed=split)[0], other_plate(second)


def other_plate(cells: Cells) -> Cells:
    """The same cells, their wells named as those of a second plate."""
    return replace(cells, table=cells.table.assign(group="2-" + cells.table["group"]))


def confounded(cells: Cells) -> Cells:
    """The same cells; the nuclear stain of each treated well is twice as bright: a batch."""
    treated = set(cells.table.loc[cells.labels == cells.classes.index("treated"), "field"])
    fields = [
        replace(image, planes=(_brighter(image.planes[0]), *image.planes[1:]))
        if index in treated
        else image
        for index, image in enumerate(cells.fields)
    ]
    return replace(cells, fields=tuple(fields), name=f"{cells.name}, brighter stain of one class")


def _brighter(plane: object) -> np.ndarray:
    light = DARK + BRIGHTER * (np.asarray(plane[:, :], np.float64) - DARK)  # type: ignore[index]
    return np.clip(np.round(light), 0, 65535).astype(np.uint16)


def confound(split: int = 0) -> tuple[Cells, Cells]:
    train, held_out = synthetic(split)
    return confounded(train), confounded(held_out)


def shuffled(split: int = 0) -> tuple[Cells, Cells]:
    """Labels of the training cells dealt anew among them."""
    train, held_out = synthetic(split)
    dealt = np.random.default_rng(split).permutation(train.labels)
    return train.with_labels(dealt, train.classes), held_out


def real(folder: str, test: float = 0.25) -> Callable[..., tuple[Cells, Cells]]:
    def opened(split: int = 0) -> tuple[Cells, Cells]:
        return open_dataset(DATA / folder / "dataset.toml").split(test=test, seed=split)

    return opened


def unseen(name: str, split: int, count: int = 4) -> tuple[Cells, Cells]:
    """A quarter held out from the training cells of the first split: none is in its figures.

    Whole groups where there are groups of several cells.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    train = SETS[name]()[0]
    parts = StratifiedGroupKFold(count, shuffle=True, random_state=split)
    groups = np.asarray(train.groups)
    kept, held = next(iter(parts.split(groups, train.labels, groups)))
    return train.subset(kept), train.subset(held)


def worms_brightfield(split: int = 0) -> tuple[Cells, Cells]:
    cells = open_dataset(DATA / "bbbc010_worms" / "dataset.toml").with_channels(["brightfield"])
    return cells.split(test=0.35, seed=split)


# Training cells and held-out cells, of a split that is named by its seed (0 without).
SETS: dict[str, Callable[..., tuple[Cells, Cells]]] = {
    "synthetic": synthetic,
    "mixed": mixed,
    "confound": confound,
    "shuffled": shuffled,
    "b14": real("csm_breast_b14"),
    "worms": real("bbbc010_worms", 0.35),
    "worms-brightfield": worms_brightfield,
    "bbbc013": real("bbbc013_wortmannin"),
    "jurkat": real("jurkat_cellcycle_ifc"),
}


# Sets without groups, whose rare cells are too few in one held-out part.
FOLDED = {"b14": "csm_breast_b14"}


def case(name: str, models: Path, split: int = 0, new: bool = False) -> Case:
    """The held-out cells of a set, and its classifier, trained where it is not there yet.

    Raises
    ------
    ValueError
        A real set that is not there ('no such file').
    """
    if new:
        train, held_out = unseen(name, split)
    else:
        train, held_out = SETS[name](split) if split else SETS[name]()
    kept = models / f"{name}{'-unseen' if new else ''}{of_split(split)}-small.cmx"
    return Case(name, held_out, trained(train, kept, split))


def of_split(split: int) -> str:
    """What a split adds to the name of a file; nothing for the first."""
    return f"-split{split}" if split else ""


def trained(train: Cells, kept: Path, seed: int = 0) -> Classifier:
    """The classifier of a file, trained first where it is not there."""
    if not kept.exists():
        print(f"training {kept.stem}: {len(train)} cells", flush=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        train_classifier(train, network="small", seed=seed, device="cpu").save(kept)
    return load_model(kept)


def folds(name: str, models: Path, split: int = 0, count: int = 4) -> list[Case]:
    """A set without groups in parts, each held out from a classifier of its own.

    So that all of its rare cells are held out once.
    """
    from sklearn.model_selection import StratifiedKFold

    cells = open_dataset(DATA / FOLDED[name] / "dataset.toml")
    parts = StratifiedKFold(count, shuffle=True, random_state=split).split(
        cells.labels, cells.labels
    )
    made = []
    for number, (train, held_out) in enumerate(parts):
        kept = models / f"{name}-fold{number}{of_split(split)}-small.cmx"
        model = trained(cells.subset(train), kept, split)
        made.append(Case(name, cells.subset(held_out), model))
    return made


def small_case() -> Case:
    """A small plate, and a tiny network that was trained for seconds: to see that all runs."""
    train, held_out = (
        synthetic_plate(seed, wells=6, cells_per_well=10, side=160).cells for seed in (0, 1)
    )
    model = train_classifier(train, network="tiny", epochs=3, seed=0, device="cpu")
    return Case("synthetic", other_plate(held_out), model)


def untrained(made: Case) -> Classifier:
    """The same network with the weights that it would start from."""
    from napari_channelmix.pcim.map_reliability import randomised

    return randomised(made.model)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--models", type=Path, default=Path("build/benchmarks/whatif"))
    parser.add_argument("--split", type=int, default=0, help="seed of the split and the training")
    parser.add_argument("--unseen", action="store_true", help="cells of no other split")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.sets:
        start = time.perf_counter()
        try:
            made = case(name, args.models, args.split, args.unseen)
        except ValueError as error:
            if "no such file" not in str(error):
                raise
            print(f"{name} is passed over: {error}", flush=True)
            continue
        cells = made.held_out
        right = made.calls == cells.labels
        recall = [
            f"{label} {right[cells.labels == code].mean():.2f} (n {(cells.labels == code).sum()})"
            for code, label in enumerate(cells.classes)
            if (cells.labels == code).any()
        ]
        print(
            f"{name}: {len(cells)} held-out cells in {len(set(cells.groups))} groups; recall "
            f"{', '.join(recall)}; {time.perf_counter() - start:.0f} s",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
