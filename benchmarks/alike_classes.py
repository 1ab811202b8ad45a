"""Classes that look alike, written by others: what latents of features keep of the features.

    python benchmarks/alike_classes.py [--learn 800] [--held-out 800] [--sprites cell-sprites]
                                       [--features NAME] [--epochs 20] [--seed 0] [--draw 1]
                                       [--data FILE] [--json FILE]

Digits of MNIST, drawn into the frame of the sprites (46 pixels wide); those that are held out were
written by other people than those that are learnt from. A logistic regression of standardised
columns learns from the first and is asked about the second: all deep features; named latents as
they are and fine-tuned; named and unnamed ones; latents of pixels. Fine-tuning sees all digits,
never a class. Balanced accuracy, and its share of that of the deep features, with 95 % intervals
over the held-out digits (2,000 bootstrap samples within the classes, the same for all columns).
``--draw`` draws other digits: the number of unnamed latents was chosen on some.

MNIST (LeCun, Cortes; CC BY-SA 3.0) is not part of the package. It is read from ``mnist.npz`` in
``mnist/`` of the folder CHANNELMIX_DATA, or of ../shared/data beside the project. Needs the extra
'deep', or another network by --features. One thread. Ends with 1 where the aim is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from deep_latents import DATA, expect, learnt, misses
from skimage.transform import resize
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from napari_channelmix import load_disentangler
from napari_channelmix.atomic_write import write_json
from napari_channelmix.drl.finetune import finetune_job
from napari_channelmix.drl.metrics import ACTIVE
from napari_channelmix.jobs import drain

FEATURES = "deep features"
UNNAMED = "named and unnamed, fine-tuned"
# Share of the deep features' accuracy that latents shall keep.
AIM = 0.85
SAMPLES = 2000


def digits(
    file: Path, part: str, count: int, rng: np.random.Generator, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, 1, side, side) uint8 and classes (N,) of one part of the file."""
    with np.load(file, allow_pickle=False) as stored:
        pictures, labels = stored[f"x_{part}"], stored[f"y_{part}"]
    chosen = rng.permutation(len(labels))[:count]
    # The frame of 28 pixels, of which a digit takes 20, becomes that of the sprites.
    frames = [resize(picture / 255, (side, side), order=1) for picture in pictures[chosen]]
    return np.round(255 * np.stack(frames))[:, None].astype(np.uint8), labels[chosen].astype(int)


def columns_of(
    pictures: np.ndarray, sprites: str, features: str, epochs: int, seed: int
) -> dict[str, np.ndarray]:
    """What is known of each picture, by the name of the columns."""
    of = learnt(sprites, features, seed)
    values = of.encode(pictures)
    tuned = drain(finetune_job(of, pictures, epochs=epochs, seed=seed, device="cpu"))
    print(f"fine-tuned: {tuned.source_note}", flush=True)
    after = tuned.disentangler.posterior(pictures)[0]
    spare = of.code.spare.numpy()
    varying = after.std(axis=0) >= ACTIVE
    width = of.network.settings.width
    return {
        FEATURES: drain(of.features_job(pictures))[:, :width],
        "named latents, as is": values[:, ~spare],
        "named latents, fine-tuned": after[:, ~spare],
        UNNAMED: after[:, ~spare | varying],
        "latents of pixels, as is": load_disentangler(sprites).encode(pictures),
    }


def predicted(x: np.ndarray, labels: np.ndarray, learnt_from: int) -> np.ndarray:
    """Classes of the rest, by a classifier of the first ones."""
    learner = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    with np.errstate(all="ignore"):
        learner.fit(x[:learnt_from], labels[:learnt_from])
    return np.asarray(learner.predict(x[learnt_from:]))


def drawn_again(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows of bootstrap samples (SAMPLES, N), within each class."""
    rows = [np.flatnonzero(labels == code) for code in np.unique(labels)]
    return np.hstack([rng.choice(one, (SAMPLES, len(one))) for one in rows])


def accuracies(labels: np.ndarray, right: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """Balanced accuracy of all held-out digits, then of each bootstrap sample (1 + SAMPLES,)."""
    # Classes keep their sizes in each sample, so one weight a digit does for all.
    weight = 1 / np.bincount(labels)[labels] / len(np.unique(labels))
    weighted = right * weight
    return np.concatenate([[weighted.sum()], weighted[samples].sum(axis=1)])


def interval_text(values: np.ndarray) -> str:
    low, high = np.quantile(values[1:], (0.025, 0.975))
    return f"{values[0]:.3f} ({low:.3f} to {high:.3f})"


def main() -> int:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--learn", type=int, default=800)
    parser.add_argument("--held-out", type=int, default=800)
    parser.add_argument("--sprites", default="cell-sprites")
    parser.add_argument("--features", default="efficientnet-lite0")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draw", type=int, default=1)
    parser.add_argument("--data", type=Path, default=DATA / "mnist" / "mnist.npz")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if not args.data.exists():
        print(f"{args.data} is not there")
        return 0
    rng = np.random.default_rng(args.draw)
    side = load_disentangler(args.sprites).shape[-1]
    both = [
        digits(args.data, part, count, rng, side)
        for part, count in (("train", args.learn), ("test", args.held_out))
    ]
    pictures, labels = (np.concatenate(parts) for parts in zip(*both, strict=True))
    columns = columns_of(pictures, args.sprites, args.features, args.epochs, args.seed)
    held = labels[args.learn :]
    samples = drawn_again(held, rng)
    figures: dict[str, Any] = {"schema": 1, "n": len(held), "accuracy": {}, "share": {}}
    print(f"\n{args.learn} digits learnt from, {len(held)} of other writers held out")
    print("| | columns | balanced accuracy | share of the features' |\n|---|---|---|---|")
    whole: np.ndarray | None = None
    for name, x in columns.items():
        values = accuracies(held, predicted(x, labels, args.learn) == held, samples)
        whole = values if whole is None else whole
        share = values / whole
        shown = "" if name == FEATURES else interval_text(share)
        print(f"| {name} | {x.shape[1]} | {interval_text(values)} | {shown} |", flush=True)
        figures["accuracy"][name], figures["share"][name] = float(values[0]), float(share[0])
    expect("latents, share of the features' accuracy", figures["share"][UNNAMED], AIM)
    if args.json is not None:
        write_json(args.json, figures)
    return int(bool(misses))


if __name__ == "__main__":
    sys.exit(main())
