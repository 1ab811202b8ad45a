"""Whether exchanges of channels, or the evidence of maps, name the channel that decides a cell.

    python benchmarks/channel_contributions.py --models DIR [--only NAME ...] [--cells 40]

A network is trained on some groups of each set, or taken from DIR, where it is kept. Of held-out
cells that it calls rightly: the SRG of the map of all channels, of the sum of the maps of each, and
of these as they are; for each class how far the probability falls with each channel exchanged, the
sham, and in which share of cells each comes first, by exchange and by evidence; how alike mean maps
are without alignment, centred and turned. Real sets are read from the folder CHANNELMIX_DATA, or
../shared/data beside the project; one that is not there is passed over. One thread:
OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

import napari_channelmix as cm
from napari_channelmix.jobs import drain
from napari_channelmix.pcim import measure_job
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.channel_contributions import channel_contributions, donors_job
from napari_channelmix.pcim.mean_maps import ALIGNMENTS

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[2] / "shared" / "data"))
SETS = ("bbbc013_wortmannin", "jurkat_cellcycle_ifc", "csm_breast_b14")
# Cells of a set at most, for a training of seconds.
MOST = 1200


def measured(name: str, models: Path, count: int) -> None:
    """Print the figures of a set."""
    cells = cm.open_dataset(DATA / name / "dataset.toml")
    if len(cells) > MOST:
        cells = cells.subset(np.random.default_rng(0).permutation(len(cells))[:MOST])
    train, test = cells.split(test=0.3, seed=0)
    path = models / f"{name}.cmx"
    if path.exists():
        model = cm.load_model(path)
    else:
        model = cm.train_classifier(train, network="small", epochs=15, seed=0, device="cpu")
        model.save(path)
    called = model.predict_proba(test).argmax(axis=1)
    right = np.flatnonzero(called == test.labels)
    some = np.random.default_rng(1).permutation(right)[:count]
    print(f"\n{name}: accuracy {np.mean(called == test.labels):.3f}, {len(some)} cells")
    crops = test.read(some)
    shared, separate = (
        cm.explain(model, crops, channels=kind, check=False) for kind in ("shared", "separate")
    )
    maps = separate.channel_maps
    each = drain(measure_job(model, separate.source, maps, separate.target))
    print(
        f"SRG: all channels {shared.scores()['srg']:.3f}, sum of the maps of each "
        f"{separate.scores()['srg']:.3f}, these as they are {each.srg.mean():.3f}"
    )
    size = np.abs(maps).sum(axis=(2, 3))
    evidence = size / size.sum(axis=1, keepdims=True)
    source = Source.of(model, test)
    donors = drain(donors_job(source))
    started = time.perf_counter()
    results = [
        channel_contributions(source, donors, int(called[cell]), row=int(cell)) for cell in some
    ]
    seconds = (time.perf_counter() - started) / len(some)
    print(f"{1e3 * seconds:.0f} ms a cell; donors of {results[0].groups} groups")
    for code in np.unique(called[some]):
        rows = called[some] == code
        fall, sham, above = (
            np.array([getattr(result, kind) for result in results])[rows]
            for kind in ("fall", "sham", "above")
        )
        # Of a class with one cell there is no sham.
        first = (fall - np.nan_to_num(sham)).argmax(axis=1)
        by_map = evidence[rows].argmax(axis=1)
        print(f"  called {model.classes[code]}, n = {rows.sum()}")
        for index, channel in enumerate(test.channels):
            print(
                f"    {channel:<12} falls by {fall[:, index].mean():+.3f}, sham "
                f"{sham[:, index].mean():+.3f}, above it {above[:, index].mean():.2f}; first by "
                f"exchange {np.mean(first == index):.2f}, by evidence "
                f"{np.mean(by_map == index):.2f}"
            )
    for kind, attribution in (("all channels", shared), ("each channel", separate)):
        for align in ALIGNMENTS:
            mean = cm.mean_maps(attribution, align)
            figures = ", ".join(
                f"{name} {value:.2f}"
                for name, value in zip(mean.classes, mean.agreement, strict=True)
            )
            print(f"  agreement of mean maps of {kind}, {align}: {figures}")


def main() -> None:
    """Measure the sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="folder of trained networks")
    parser.add_argument("--only", nargs="+", choices=SETS, default=SETS, help="sets to measure")
    parser.add_argument("--cells", type=int, default=40, help="cells of each set")
    args = parser.parse_args()
    args.models.mkdir(parents=True, exist_ok=True)
    for name in args.only:
        if (DATA / name).is_dir():
            measured(name, args.models, args.cells)
        else:
            print(f"\n{name}: not in {DATA}, passed over")


if __name__ == "__main__":
    main()
