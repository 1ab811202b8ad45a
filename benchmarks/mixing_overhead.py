"""What the mixing layer costs: a training step with it against one without, same channels.

    python benchmarks/mixing_overhead.py [--json FILE]

Both networks step in turn on the same batch, so the ratio holds when the machine's speed drifts;
the median of the pairs is reported. One thread. Ends with 1 where a ratio is above 1.05.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch.nn import functional

from napari_channelmix.classify import NetworkSpec

SHAPES = ((2, 48), (3, 40), (7, 24), (8, 64))
MOST = 1.05


def ratio(channels: int, side: int, pairs: int) -> float:
    """Median of the time of a mixed step over the time of a plain step."""
    x = torch.randn(64, channels, side, side).contiguous(memory_format=torch.channels_last)
    y = torch.randint(0, 3, (64,))
    steps = []
    for mixes in (1, 0):
        network = NetworkSpec("small", channels, 3, mixes).build()
        network.to(memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(network.parameters())

        def step(network=network, optimizer=optimizer) -> float:
            start = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(network(x), y).backward()
            optimizer.step()
            return time.perf_counter() - start

        steps.append(step)
    for step in steps * 3:
        step()
    return float(np.median([steps[0]() / steps[1]() for _ in range(pairs)]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = {f"{c} channels, {s} px": ratio(c, s, asked.pairs) for c, s in SHAPES}
    for name, value in found.items():
        print(f"{name:<20} mixed / plain = {value:.3f}  {'met' if value <= MOST else 'MISSED'}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 0 if max(found.values()) <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
