"""How far reconstructions resemble cells: the table of docs/latents.md.

    python benchmarks/reconstruction.py [--sets plate bbbc013_wortmannin ...] [--cells 200]
                                        [--channels DNA ...] [--models cell-sprites ...]
                                        [--finetune 20] [--drawing 1000] [--out DIR]

For each set, channel and shipped encoder: the explained share, in brackets that of another cell's
reconstruction, as trained and after fine-tuning. With ``--drawing``, of cells that were held out:
that of the reconstruction as trained, that of drawings with residual latents, and what each slider
moves in them; DIR gets the drawings. ``colors`` are all channels as colours. One thread. Real sets
are read from the folder CHANNELMIX_DATA, or ../shared/data beside the project; a set that is not
there is passed over.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from napari_channelmix import Cells, Disentangler, load_disentangler, open_dataset
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.drl.channel_view import default_view
from napari_channelmix.drl.drawing_store import save_drawing
from napari_channelmix.drl.learnt_drawing import measure_drawing_job
from napari_channelmix.drl.preparation import prepare_job
from napari_channelmix.drl.reconstruction import reconstruction_job
from napari_channelmix.drl.residual_training import held_out_cells, learn_drawing_job
from napari_channelmix.jobs import drain

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[1].parent / "shared" / "data"))
MODELS = ("texture-sprites", "cell-sprites")
COLORS = "colors"
#: Channels of each set; ``colors``: all of them, for encoders of colour pictures.
SETS = {
    "plate": ("DNA", "reporter"),
    "bbbc013_wortmannin": ("DNA", "GFP"),
    "jurkat_cellcycle_ifc": ("DNA", "brightfield"),
    "csm_breast_b14": ("DAPI",),
    "bbbc010_worms": ("GFP",),
    "bccd_blood": ("G", COLORS),
    "lymphoid_mif_5ch": ("Cy3",),
    "ifcb_plankton": ("brightfield",),
}


def cells_of(name: str, count: int) -> Cells | None:
    """Cells of a set, spread evenly over it; None where it is not there."""
    path = DATA / name / "dataset.toml"
    if name != "plate" and not path.exists():
        return None
    cells = synthetic_plate().cells if name == "plate" else open_dataset(path)
    if len(cells) <= count:
        return cells
    return cells.subset(np.linspace(0, len(cells) - 1, count).astype(np.int64))


def figures(of: Disentangler, pictures: np.ndarray, groups: np.ndarray) -> str:
    """Explained share, that of another cell, and the 95 % interval over groups."""
    result = drain(reconstruction_job(of, pictures, of.encode(pictures), groups))
    if result is None:
        return "nothing to be seen"
    interval = "" if result.low is None else f", {result.low:.2f} to {result.high:.2f}"
    return f"{result.explained:.2f} ({result.others:.2f}{interval}, n = {result.n_cells})"


def drawings(
    of: Disentangler, pictures: np.ndarray, groups: np.ndarray, steps: int, file: Path | None
) -> str:
    """What drawings with residual latents explain of held-out cells, and what sliders move."""
    held = held_out_cells(groups, 0)
    before = figures(of, pictures[held], groups[held])
    drawing = drain(learn_drawing_job(of, pictures, held, steps=steps))
    if file is not None:
        save_drawing(drawing, file)
    values = of.encode(pictures)
    learnt = drain(measure_drawing_job(drawing, pictures, values, groups, held, of.axes()))
    lines = (f"held-out cells as trained {before}", f"{steps} steps learnt from {(~held).sum()}")
    return "".join(f"\n  {line}" for line in (*lines, *learnt.lines))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--finetune", type=int, default=0, help="epochs; 0: as trained only")
    parser.add_argument("--drawing", type=int, default=0, help="steps of learning; 0: none")
    parser.add_argument("--channels", nargs="+", help="of these channels alone")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--out", type=Path, help="folder for the drawings")
    args = parser.parse_args()
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
    for name in args.sets:
        cells = cells_of(name, args.cells)
        if cells is None:
            print(f"{name}: not there")
            continue
        for channel in SETS[name]:
            if args.channels and channel not in args.channels:
                continue
            for model in args.models:
                of = load_disentangler(model)
                if channel == COLORS and of.shape[0] == 1:
                    continue
                view = default_view(of, cells, None if channel == COLORS else channel)
                pictures = drain(prepare_job(cells, view)).pictures
                line = f"{name}, {channel}: {model} {figures(of, pictures, cells.groups)}"
                if args.drawing:
                    file = f"{name}-{channel}-{model}.safetensors"
                    place = None if args.out is None else args.out / file
                    line += drawings(of, pictures, cells.groups, args.drawing, place)
                if args.finetune:
                    tuned = of.finetune(pictures, epochs=args.finetune)
                    line += f"; fine-tuned {figures(tuned, pictures, cells.groups)}"
                print(line, flush=True)


if __name__ == "__main__":
    main()
