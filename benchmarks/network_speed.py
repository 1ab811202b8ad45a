"""Cells a second on one core, per network: prediction, and training.

    python benchmarks/network_speed.py [--channels 5] [--side 64] [--rounds 5] [--json FILE]

Crops are in memory and normalised within. Prediction is timed in turn with the peer, the layers of
the same network one by one on batches of 256, and the median of the ratios is printed; scores must
agree to 1e-4. Processor time, so that other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch.nn import functional

from napari_channelmix.classify.crops import normalised, random_flip_rotate
from napari_channelmix.classify.device import choose_device
from napari_channelmix.classify.networks import NetworkSpec

NETWORKS = ("tiny", "small", "medium", "resnet18")
PREDICTED, TRAINED = 256, 64
TOLERANCE = 1e-4


def seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measured(name: str, channels: int, side: int, rounds: int) -> dict[str, float]:
    """Cells a second, and the time of prediction as a share of the peer's."""
    rng = np.random.default_rng(0)
    raw = rng.normal(100, 20, (PREDICTED, channels, side, side)).astype(np.float32)
    mean, std = np.full(channels, 100.0), np.full(channels, 20.0)
    labels = torch.arange(TRAINED) % 3
    network = NetworkSpec(name, channels, 3).build()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)

    def step() -> None:
        network.train()
        crops = random_flip_rotate(normalised(raw[:TRAINED], mean, std), rng)
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(network(crops), labels).backward()
        optimizer.step()

    @torch.inference_mode()
    def predict() -> torch.Tensor:
        scores: torch.Tensor = network.eval()(normalised(raw, mean, std))
        return scores

    def layer_by_layer() -> torch.Tensor:
        with torch.enable_grad():
            for weight in network.parameters():
                weight.requires_grad_(False)
            scores: torch.Tensor = network.eval()(normalised(raw, mean, std))
            for weight in network.parameters():
                weight.requires_grad_(True)
        return scores

    training = min(seconds(step) for _ in range(rounds + 1))
    difference = float((predict() - layer_by_layer()).abs().max())
    if difference > TOLERANCE:
        raise SystemExit(f"{name}: scores differ by {difference:.2g}")
    pairs = [(seconds(predict), seconds(layer_by_layer)) for _ in range(rounds)]
    return {
        "predicted": PREDICTED / min(own for own, _ in pairs),
        "share_of_peer": float(np.median([own / peer for own, peer in pairs])),
        "trained": TRAINED / training,
        "largest_difference": difference,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--channels", type=int, default=5)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    choose_device("cpu")
    print(f"{args.channels} channels, {args.side} px, one core")
    print("| network | predicted a second | time as a share of layer by layer | trained a second |")
    print("|---|---|---|---|")
    rows = {}
    for name in args.networks:
        rows[name] = row = measured(name, args.channels, args.side, args.rounds)
        print(
            f"| {name} | {row['predicted']:,.0f} | {row['share_of_peer']:.2f} | "
            f"{row['trained']:,.0f} |",
            flush=True,
        )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
