"""Are the decoy p-values honest?  Channels that carry nothing must get p < 0.05 in 5 % of cases.

Makes data sets with two channels that matter and six that carry nothing, learns mixes with decoys
over four seeds each, and counts how often a null channel looks significant, uncorrected. The
first sets (seeds from 1000) were used to choose the test; the default ones (from 5000) were not.

    python benchmarks/null_calibration.py [--sets 40] [--first 5000] [--network tiny]
        [--epochs 12] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy import stats

from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.train import loaded, train_on
from napari_channelmix.classify.training import TrainingSettings
from napari_channelmix.data.samples import graded_channels
from napari_channelmix.dcmix.decoys import decoy_p_values, holm, paired_p_values
from napari_channelmix.dcmix.importance import WithDecoys, shares_of
from napari_channelmix.jobs import drain

RELEVANCE = (1.0, 0.6, 0, 0, 0, 0, 0, 0)
SEEDS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=40)
    parser.add_argument("--first", type=int, default=5000, help="seed of the first set")
    parser.add_argument("--network", default="tiny")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    settings = TrainingSettings(epochs=asked.epochs)
    tests = {"decoy test": decoy_p_values, "paired t over seeds": paired_p_values}
    p_values: dict[str, list[float]] = {name: [] for name in tests}
    matter: dict[str, list[float]] = {name: [] for name in tests}
    families: dict[str, list[bool]] = {name: [] for name in tests}
    for number in range(asked.sets):
        sample = graded_channels(RELEVANCE, seed=asked.first + number, count=400, side=16)
        crops = drain(loaded(sample.cells))
        channels = len(RELEVANCE)
        spec = NetworkSpec(asked.network, 2 * channels, 2, mixes=1)
        shares, decoys = [], []
        for seed in range(SEEDS):
            doubled = WithDecoys.behind(crops, seed)
            job = train_on(doubled, spec, settings, seed=seed, device=torch.device("cpu"))
            both = shares_of(drain(job).mixing)
            shares.append(both[:channels])
            decoys.append(both[channels:])
        null = np.array(list(sample.relevance.values())) == 0
        for name, test in tests.items():
            found = test(np.array(shares), np.array(decoys))
            p_values[name] += found[null].tolist()
            matter[name] += found[~null].tolist()
            families[name].append(bool((holm(found)[null] < 0.05).any()))
        print(f"set {number + 1} of {asked.sets}", flush=True)
    result = {
        name: {
            **calibration(p_values[name]),
            "sets with a false find after Holm": float(np.mean(families[name])),
            "channels that matter found": float(np.mean(np.array(matter[name]) < 0.05)),
        }
        for name in tests
    }
    print(json.dumps(result, indent=2))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def calibration(values: list[float]) -> dict[str, float]:
    """Rates at which null channels pass, with what chance allows, and distance from uniform."""
    found = np.array(values)
    uniform = stats.kstest(found, "uniform")
    allowed = {level: stats.binom.interval(0.95, len(found), level) for level in (0.05, 0.01)}
    return {
        "null channels": len(found),
        "p < 0.05": float((found < 0.05).mean()),
        "p < 0.05, honest up to": float(allowed[0.05][1] / len(found)),
        "p < 0.01": float((found < 0.01).mean()),
        "p < 0.01, honest up to": float(allowed[0.01][1] / len(found)),
        "KS distance": float(uniform.statistic),
        "KS p": float(uniform.pvalue),
    }


if __name__ == "__main__":
    main()
