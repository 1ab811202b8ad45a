"""Channel importance on MNIST: channels that show the digit as often as was planted.

    python benchmarks/mnist_channels.py [--sets three six ...] [--cells 3000] [--held-out 1500]
        [--epochs 15] [--repeats 4] [--network small] [--shapley] [--data FILE] [--json FILE]

Every channel of a cell is a picture: with the planted probability that of the cell's digit, else
that of a digit at random. Beside them stand channels that show other digits only, shuffled pixels,
other gains and offsets, and a copy of a channel. Shares, and Shapley values with ``--shapley``, are
held against the planted probabilities by Spearman's rho; where channels are planted alike, their
order cannot be right or wrong, and the highest rho there can be (the ceiling) is less than 1.

MNIST (LeCun, Cortes; CC BY-SA 3.0) is not part of the package. It is read from ``mnist.npz`` with
x_train, y_train, x_test, y_test, in ``mnist/`` of the folder CHANNELMIX_DATA, or of
../shared/data beside the project. One thread.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats

from napari_channelmix import Cells, ChannelImportance, channel_importance
from napari_channelmix.classify import TrainingSettings

DATA = Path(os.environ.get("CHANNELMIX_DATA", Path(__file__).parents[2] / "shared" / "data"))

Pictures = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Channel:
    """A channel of the composites.

    Attributes
    ----------
    name : str
    p : float
        How often it shows the cell's own picture: the planted relevance.
    shuffled : bool
        Whether its pixels are shuffled, so that it shows noise.
    gain, offset : float
        Of its grey values; what they were in the file, 0 to 255, is ``gain`` 1.
    copy_of : str
        The channel it repeats, pixel by pixel.
    """

    name: str
    p: float
    shuffled: bool = False
    gain: float = 1.0
    offset: float = 0.0
    copy_of: str = ""


def graded(*probabilities: float) -> tuple[Channel, ...]:
    """Channels named by their planted probability in percent."""
    return tuple(Channel(f"p{round(100 * p):02d}", p) for p in probabilities)


SETS = {
    "three": graded(0.8, 0.5, 0.2),
    "six": graded(0.8, 0.65, 0.5, 0.35, 0.2, 0.0),
    "six, other gains": tuple(
        Channel(one.name, one.p, gain=gain, offset=offset)
        for one, gain, offset in zip(
            graded(0.8, 0.65, 0.5, 0.35, 0.2, 0.0),
            (0.3, 1.0, 8.0, 0.02, 40.0, 3.0),
            (0.0, 900.0, -50.0, 3.0, 0.0, 100.0),
            strict=True,
        )
    ),
    "distractors": (
        *graded(0.8, 0.5, 0.2),
        Channel("other digits", 0.0),
        Channel("other digits 2", 0.0),
        Channel("noise", 0.0, shuffled=True),
    ),
    "a copy": (
        *graded(0.8, 0.6, 0.4, 0.2, 0.0),
        Channel("p80 again", 0.8, copy_of="p80"),
    ),
    "twelve": graded(*(round(0.88 - 0.08 * at, 2) for at in range(12))),
}


def composites(
    pictures: Pictures, channels: tuple[Channel, ...], rng: np.random.Generator
) -> Pictures:
    """Cells (N, C, 28, 28) of pictures (N, 28, 28)."""
    count, places = len(pictures), pictures[0].size
    made: dict[str, Pictures] = {}
    for one in channels:
        if one.copy_of:
            made[one.name] = made[one.copy_of]
            continue
        own = rng.random(count) < one.p
        shown = pictures[np.where(own, np.arange(count), rng.integers(count, size=count))]
        if one.shuffled:
            flat = rng.permuted(shown.reshape(count, places), axis=1)
            shown = flat.reshape(shown.shape)
        made[one.name] = one.gain * shown + one.offset
    return np.stack([made[one.name] for one in channels], axis=1).astype(np.float32)


def some(
    pictures: Any, digits: Any, count: int, rng: np.random.Generator
) -> tuple[Pictures, Labels]:
    chosen = rng.permutation(len(digits))[:count]
    return pictures[chosen].astype(np.float32), digits[chosen].astype(np.int64)


def data_of(file: Path, channels: tuple[Channel, ...], asked: argparse.Namespace) -> list[Cells]:
    """Training and held-out cells; the pictures of both are those of MNIST's own parts."""
    rng, parts = np.random.default_rng(0), []
    with np.load(file, allow_pickle=False) as mnist:
        for part, count in (("train", asked.cells), ("test", asked.held_out)):
            pictures, digits = some(mnist[f"x_{part}"], mnist[f"y_{part}"], count, rng)
            crops, names = composites(pictures, channels, rng), [one.name for one in channels]
            classes = [str(digit) for digit in range(10)]
            parts.append(Cells.from_array(crops, names, digits, classes, name=f"MNIST {part}"))
    return parts


def rho(values: npt.ArrayLike, planted: npt.ArrayLike) -> float:
    """Spearman's rank correlation."""
    return float(stats.spearmanr(values, planted).statistic)


def ceiling(planted: list[float]) -> float:
    """The rho of a perfect order, which has no ties, with planted values that have some."""
    order = np.empty(len(planted))
    order[np.argsort(planted, kind="stable")] = np.arange(len(planted))
    return rho(order, planted)


def line(name: str, found: ChannelImportance, planted: list[float]) -> tuple[str, dict[str, Any]]:
    """A row of the table, and the same as numbers."""
    best, of_mean = ceiling(planted), rho(found.share, planted)
    each = [rho(one, planted) for one in found.share_of_seed]
    of_shapley = None if found.shapley is None else rho(found.shapley, planted)
    beside = "" if of_shapley is None else f" {of_shapley:.3f} |"
    shares = ", ".join(
        f"{channel} {share:.2f}" for channel, share in zip(found.channels, found.share, strict=True)
    )
    mixed, plain = found.accuracy["mixed"], found.accuracy["plain"]
    singles = ", ".join(f"{one:.2f}" for one in each)
    row = (
        f"| {name} | {shares} | {of_mean:.3f} of {best:.3f} | {singles} | "
        f"{mixed:.2f} / {plain:.2f} |{beside} {'open' if found.open else 'closed'} |"
    )
    return row, {
        "share": list(found.share),
        "rho": of_mean,
        "ceiling": best,
        "rho of seeds": each,
        "rho of Shapley": of_shapley,
        "mixed": mixed,
        "plain": plain,
        "gate": found.gate,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--cells", type=int, default=3000, help="training cells")
    parser.add_argument("--held-out", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--repeats", type=int, default=4, help="trainings, each with its own seed")
    parser.add_argument("--network", default="small")
    parser.add_argument("--shapley", action="store_true", help="the Shapley values, too")
    parser.add_argument("--data", type=Path, default=DATA / "mnist" / "mnist.npz")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if not asked.data.is_file():
        parser.error(f"{asked.data} is not there; --data names the file")
    torch.set_num_threads(1)
    results, seconds = {}, {}
    shapley = " rho of the Shapley values |" if asked.shapley else ""
    print(
        "| set | shares (planted probability in the name) | rho of the mean share | in each "
        f"training | accuracy mixed / plain |{shapley} gate |\n"
        f"{'|---' * (7 if shapley else 6)}|",
        flush=True,
    )
    for name in asked.sets:
        started, channels = time.process_time(), SETS[name]
        train, test = data_of(asked.data, channels, asked)
        found = channel_importance(
            train,
            test,
            seeds=asked.repeats,
            shapley=asked.shapley,
            decoys=False,
            network=asked.network,
            settings=TrainingSettings(epochs=asked.epochs),
            device="cpu",
        )
        row, results[name] = line(name, found, [one.p for one in channels])
        seconds[name] = time.process_time() - started
        print(row, flush=True)
    mean = np.mean([one["rho"] / one["ceiling"] for one in results.values()])
    print(
        f"\nMean over the sets of rho as a share of its ceiling: {mean:.3f}. "
        f"{sum(seconds.values()) / 60:.1f} minutes of one CPU."
    )
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
