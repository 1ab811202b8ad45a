"""One network, wrapped in every way: predictions and maps held against those of its bundle.

python benchmarks/wrapped.py DATASET.toml [EPOCHS] [CELLS]
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import napari_channelmix as cm


def kinds(network: Any, crops: torch.Tensor, folder: Path) -> dict[str, Callable[[], Any]]:
    batch = torch.export.Dim("n", min=1, max=4096)

    def onnx() -> Path:
        path = folder / "network.onnx"
        axes = {"crops": {0: "n"}, "scores": {0: "n"}}
        torch.onnx.export(
            network,
            (crops,),
            path,
            dynamo=False,
            input_names=["crops"],
            output_names=["scores"],
            dynamic_axes=axes,
        )
        return path

    return {
        "module": lambda: network,
        "TorchScript": lambda: torch.jit.trace(network, crops),
        "TorchScript, frozen": lambda: torch.jit.freeze(torch.jit.trace(network, crops)),
        "torch.export": lambda: torch.export.export(
            network, (crops,), dynamic_shapes=({0: batch},)
        ),
        "ONNX": onnx,
    }


def main(dataset: str, epochs: int = 6, count: int = 12) -> None:
    train, test = cm.open_dataset(dataset).labelled().split(test=0.25, seed=0)
    own = cm.train_classifier(train, network="tiny", epochs=epochs, device="cpu")
    few = test.subset(np.linspace(0, len(test) - 1, count).astype(int))
    maps, wanted = cm.explain(own, few, check=False), own.predict_proba(test, prior="balanced")
    print(f"bundle: {1000 * maps.seconds_per_cell:.0f} ms for a map; {len(test)} held-out cells")
    names: dict[str, Any] = {
        name: getattr(own, name) for name in ("channels", "classes", "mean", "std")
    }
    crops = torch.zeros(2, len(own.channels), own.crop, own.crop)
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in kinds(own.network, crops, Path(folder)).items():
            model = cm.wrap(make(), **names)
            off = np.abs(model.predict_proba(test) - wanted).max()
            result = cm.explain(model, few, maps.target.tolist(), check=False)
            alike = [
                np.corrcoef(one.ravel(), other.ravel())[0, 1]
                for one, other in zip(result.maps, maps.maps, strict=True)
            ]
            print(
                f"{kind}: probabilities differ by at most {off:.1e}; {result.mode}, correlation "
                f"with the maps of the bundle {np.median(alike):.4f} (lowest {min(alike):.4f}, "
                f"{count} cells); {1000 * result.seconds_per_cell:.0f} ms for a map"
            )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    main(sys.argv[1], *map(int, sys.argv[2:]))
