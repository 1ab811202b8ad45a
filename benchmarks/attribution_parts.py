"""Parts that are really taken away: how the log odds change, against the evidence of the maps.

The generator of the synthetic plate makes the same cells without an organelle or a reporter. After
Hesse, Schaub-Meyer, Roth, 'FunnyBirds: a synthetic vision dataset for a part-based analysis of
explainable AI methods', ICCV 2023 (single deletion); parts and scores are our definition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from attribution_methods import OPPONENTS, evidence, maps_of_ours
from scipy import stats

from napari_channelmix.data.samples import PLATE_PARTS, synthetic_plate
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim import baselines

if TYPE_CHECKING:
    from attribution_sets import Case

__all__ = ["parts_of"]

# Pixels of a part: where it gives at least this share of the most light it gives in the crop.
SHARE_OF_LIGHT = 0.25
# A part matters to a cell where its removal changes the log odds by at least this share of the
# largest change.
MATTERS = 0.25
SIZES = {"small": {"wells": 6, "cells_per_well": 10, "side": 160}}


def parts_of(case: Case) -> dict[str, Any]:
    """For each method: rank correlation of evidence and change, and evidence where it matters.

    Maps of each channel: parts of different channels share their pixels. Each opponent has its
    usual sign and blur, since their sums over a part need signs.
    """
    sizes = SIZES.get(case.name, {})
    plate = synthetic_plate(1, **sizes).cells
    rows = rows_of(case, plate)
    crops = plate.read(rows)
    chosen = case.reported
    subject = chosen.source.subject
    target = torch.from_numpy(chosen.labels.copy())
    changes, pixels = [], []
    with subject.at_rest():
        odds = log_odds(subject, crops, target)
        for part, channel in PLATE_PARTS.items():
            without = synthetic_plate(1, **sizes, without=(part,)).cells.read(rows)
            changes.append(odds - log_odds(subject, without, target))
            light = (crops - without)[:, plate.channels.index(channel)]
            pixels.append(light >= SHARE_OF_LIGHT * light.max(axis=(1, 2), keepdims=True))
    change = np.stack(changes, axis=1)
    masks = np.stack(pixels, axis=1)
    where = [plate.channels.index(channel) for channel in PLATE_PARTS.values()]
    report: dict[str, Any] = {
        "change": dict(zip(PLATE_PARTS, np.abs(change).mean(axis=0).tolist(), strict=True))
    }
    for name in ("pcim", "pcim-fidelity", *OPPONENTS):
        try:
            maps = channel_maps(case, name)
        except ModelError as error:
            report[name] = {"left_out": str(error)}
            continue
        on_parts = (maps[:, where] * masks).sum(axis=(2, 3))
        report[name] = {
            "correlation": correlation(on_parts, change),
            "signless correlation": correlation(np.abs(on_parts), np.abs(change)),
            "evidence where it matters": where_it_matters(on_parts, change),
        }
        means = {key: round(float(np.nanmean(of)), 3) for key, of in report[name].items()}
        print(f"  parts, {name}: {means}", flush=True)
    matters = np.abs(change) >= MATTERS * np.abs(change).max(axis=1, keepdims=True)
    report["parts that matter"] = float(matters.mean())
    return report


def rows_of(case: Case, plate: Any) -> np.ndarray:
    """Where the reported cells are on the plate."""
    places = {
        (plate.fields[row.field].name, row.object): index
        for index, row in enumerate(plate.table.itertuples())
    }
    table, fields = case.cells.table, case.cells.fields
    return np.array([places[fields[row.field].name, row.object] for row in table.itertuples()])


def log_odds(subject: Any, crops: np.ndarray, target: torch.Tensor) -> np.ndarray:
    from napari_channelmix.pcim.target import Target

    with torch.inference_mode():
        odds = Target(target).log_odds(subject.scores(subject.prepare(crops)).float())
    return np.asarray(odds.numpy(), np.float64)


def channel_maps(case: Case, name: str) -> np.ndarray:
    """Maps of each channel (N, C, H, W)."""
    if name not in OPPONENTS:
        return np.asarray(maps_of_ours(case.reported, name, separate=True)[0].numpy())
    values, _ = evidence(case.reported, name, separate=True)
    absolute, sigma = baselines.SUITING[name]
    maps = baselines.finished(values, absolute=absolute, sigma=sigma, separate=True)
    return np.asarray(maps.numpy())


def correlation(evidence_of_parts: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Spearman's rho over the parts of each cell (N,)."""
    pairs = zip(evidence_of_parts, change, strict=True)
    return np.array([stats.spearmanr(one, other).statistic for one, other in pairs])


def where_it_matters(evidence_of_parts: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Share of the evidence on parts whose removal matters (N,), whatever its sign."""
    size = np.abs(evidence_of_parts)
    matters = np.abs(change) >= MATTERS * np.abs(change).max(axis=1, keepdims=True)
    return np.asarray((size * matters).sum(axis=1) / np.maximum(size.sum(axis=1), 1e-12))
