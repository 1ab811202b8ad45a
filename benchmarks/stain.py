"""A synthetic plate with a stain confound: whether it is asked about, and what is left without it.

    python benchmarks/stain.py [--plates 3] [--gain 2] [--seeds 4] [--epochs 20] [--json FILE]

The embedded plate, whose answer is known: the reporter moves into the nucleus of treated cells, and
a look-alike carries nothing. Here the look-alike of all treated wells is also stained `--gain`
times as much, as happens when controls and treated wells are stained in two batches. Expected: the
gate names the look-alike and a number of its brightness; with each channel scaled per well, the
reporter comes first and the gate asks no more. Beside it the plate as it is, where nothing is to be
asked. One thread. Prints a Markdown table; ends with 1 where an expectation is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from napari_channelmix.classify import TrainingSettings
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.data.scaling import ScaledPlane
from napari_channelmix.dcmix.importance_of_dataset import divided_importance_job
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from napari_channelmix import Cells, ChannelImportance

CONFOUND = "look-alike"


def stained(cells: Cells, gain: float) -> Cells:
    """The same plate, one channel of the treated wells brighter."""
    at = cells.channels.index(CONFOUND)
    treated = set(cells.table["field"][cells.labels == cells.classes.index("treated")])
    fields = []
    for number, field in enumerate(cells.fields):
        planes = list(field.planes)
        if number in treated:
            planes[at] = ScaledPlane(planes[at], gain, 0.0)
        fields.append(replace(field, planes=tuple(planes)))
    return replace(cells, fields=tuple(fields))


def found_of(cells: Cells, seeds: int, epochs: int, scaled_per: str = "") -> ChannelImportance:
    job = divided_importance_job(
        cells,
        seeds=seeds,
        settings=TrainingSettings(epochs=epochs),
        device="cpu",
        scaled_per=scaled_per,
    )
    return drain(job)


def row(name: str, found: ChannelImportance) -> str:
    shares = ", ".join(f"{found.channels[i]} {found.share[i]:.2f}" for i in found.order)
    accuracy = found.estimates["plain"]
    figures = f"{accuracy.balanced:.2f} ({accuracy.low:.2f} to {accuracy.high:.2f})"
    return f"| {name} | {found.gate} | {shares} | {figures} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plates", type=int, default=3)
    parser.add_argument("--gain", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print("| plate | gate | shares, in order | accuracy, plain |\n|---|---|---|---|")
    met, report = [], {}
    for seed in range(args.plates):
        plain = synthetic_plate(seed).cells
        confounded = stained(plain, args.gain)
        runs = {
            "as it is": found_of(plain, args.seeds, args.epochs),
            "confounded": found_of(confounded, args.seeds, args.epochs),
            "confounded, scaled per well": found_of(confounded, args.seeds, args.epochs, "group"),
        }
        for name, found in runs.items():
            print(row(f"{seed}, {name}", found), flush=True)
            for line in found.sentences:
                print(f"<!-- {line} -->")
        report[seed] = {name: found.to_dict() for name, found in runs.items()}
        asked = runs["confounded"].separability
        left = runs["confounded, scaled per well"]
        met += [
            not runs["as it is"].question,
            asked is not None and asked.readable and asked.best.channel == CONFOUND,
            left.channels[left.order[0]] == "reporter" and not left.question,
        ]
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    print(f"\nexpectations met: {sum(met)} of {len(met)}")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
