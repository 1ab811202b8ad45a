"""Segmentation against masks, boxes, points and outlines checked by eye, before and after.

    python benchmarks/segmentation.py DATA [--only NAME ...] [--json FILE]

DATA is the folder with the image sets. Printed is the object-level F1 = 2 TP / (2 TP + FP + FN) of
three ways: `find_nuclei` (before), `segment` with its defaults, and `segment` with the settings
that a user would change, which are printed too. An object is right where it overlaps one of the
reference by more than half of their union: of their pixels, or, for the blood smear, of their boxes
(pairs chosen by `scipy.optimize.linear_sum_assignment`). For the breast tissue there are points
only: an object is right where it holds exactly one.

Defaults and settings were chosen on other images than those that are reported: on the other half of
a single field, on the training images of the blood smear, on other wells of the worms, by eye on
wells A01, B09 and D05 of BBBC013. The one field of Cell Painting was looked at while the method was
made, and its diameter was set on it. Intervals: percentiles 2.5 and 97.5 of 2,000 bootstraps over
images, where there are five or more.

What the references are: worms, connected regions of the foreground masks that come with the data,
so that worms that touch are one; lymphoid tissue, the masks of nuclei that come with it; blood,
boxes of red and white cells without platelets; BBBC013 and Cell Painting, outlines in
`benchmarks/reference/`, whose files say how they were made and which way they lean.

Then the time of a preview: processor time of one thread for 1,024 x 1,024 pixels with nuclei,
median of seven.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
import pandas as pd
import tifffile
from scipy.optimize import linear_sum_assignment
from skimage.draw import polygon
from skimage.measure import label, regionprops

from napari_channelmix.data import find_nuclei
from napari_channelmix.data.segmentation import segment
from napari_channelmix.settings import SegmentationSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Counts = tuple[int, int, int]
REFERENCE = Path(__file__).parent / "reference"
SIDE, REPEATS = 1024, 7


@dataclass(frozen=True, eq=False)
class Image:
    """A plane, the reference, and the part of the plane that the reference is of."""

    plane: npt.NDArray[Any]
    reference: npt.NDArray[Any]
    part: tuple[slice, slice] = (slice(None), slice(None))


def by_pixels(labels: npt.NDArray[Any], reference: npt.NDArray[Any]) -> Counts:
    """Right, wrong and missed objects by the overlap of their pixels."""
    labels, reference = _dense(labels), _dense(reference)
    width = int(reference.max()) + 1
    pairs, both = np.unique(
        labels.astype(np.int64).ravel() * width + reference.ravel(), return_counts=True
    )
    mine, theirs = pairs // width, pairs % width
    union = np.bincount(labels.ravel())[mine] + np.bincount(reference.ravel())[theirs] - both
    right = int(((mine > 0) & (theirs > 0) & (both > 0.5 * union)).sum())
    return right, int(labels.max()) - right, width - 1 - right


def by_boxes(labels: npt.NDArray[Any], boxes: npt.NDArray[Any]) -> Counts:
    """The same by the overlap of bounding boxes (ymin, xmin, ymax, xmax)."""
    mine = np.array([region.bbox for region in regionprops(labels)], float).reshape(-1, 4)
    low = np.maximum(mine[:, None, :2], boxes[None, :, :2])
    high = np.minimum(mine[:, None, 2:], boxes[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(axis=-1)
    areas = [(each[:, 2:] - each[:, :2]).prod(axis=1) for each in (mine, boxes)]
    fits = both > 0.5 * (areas[0][:, None] + areas[1][None] - both)
    rows, columns = linear_sum_assignment(fits, maximize=True)
    right = int(fits[rows, columns].sum())
    return right, len(mine) - right, len(boxes) - right


def by_points(labels: npt.NDArray[Any], points: npt.NDArray[Any]) -> Counts:
    """The same by points: an object is right where it holds exactly one."""
    rows, columns = np.floor(points + 0.5).astype(int).T
    inside = np.bincount(labels[rows, columns], minlength=int(labels.max()) + 1)[1:]
    right = int((inside == 1).sum())
    return right, len(inside) - right, len(points) - right


def _dense(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


# ---------------------------------------------------------------- image sets


def outlines(data: Path, name: str) -> Iterator[Image]:
    for crop in json.loads((REFERENCE / f"{name}.json").read_text("utf-8"))["crops"]:
        reference = np.zeros(crop["size"], np.int32)
        for number, corners in enumerate(crop["outlines"], 1):
            reference[polygon(*np.transpose(corners), reference.shape)] = number
        (top, left), (height, width) = crop["corner"], crop["size"]
        part = (slice(top, top + height), slice(left, left + width))
        yield Image(tifffile.imread(data / name / crop["file"]), reference, part)


def worms(data: Path) -> Iterator[Image]:
    folder = data / "bbbc010_worms"
    for row in pd.read_csv(folder / "labels.csv").iloc[2::5].itertuples():
        mask = np.asarray(iio.imread(folder / str(row.mask_path))) > 0
        yield Image(tifffile.imread(folder / str(row.bf_path)), label(mask))


def blood(data: Path) -> Iterator[Image]:
    folder = data / "bccd_blood"
    table = pd.read_csv(folder / "labels.csv")
    table = table[(table["xmax"] > table["xmin"]) & (table["ymax"] > table["ymin"])]
    table = table[(table["split"] == "test") & (table["label"] != "Platelets")]
    for path, rows in list(table.groupby("path"))[:30]:
        boxes = rows[["ymin", "xmin", "ymax", "xmax"]].to_numpy(float)
        # Green: haemoglobin and the stain of nuclei are dark in it.
        yield Image(np.asarray(iio.imread(folder / str(path)))[..., 1], boxes)


def lymphoid(data: Path) -> Iterator[Image]:
    folder = data / "lymphoid_mif_5ch"
    # DAPI is the fourth channel.
    plane = tifffile.imread(folder / "images" / "FIHC4_IM3_2_component_data.tif")[3]
    masks = tifffile.imread(folder / "masks" / "nucleus_labels.tif").astype(np.int32)
    half = (slice(None), slice(plane.shape[1] // 2, None))
    yield Image(plane[half], masks[half])


def breast(data: Path) -> Iterator[Image]:
    folder = data / "csm_breast_b14"
    table = pd.read_csv(folder / "labels.csv")
    plane = tifffile.imread(folder / str(table["path"].iloc[0]))[0]
    middle = plane.shape[0] // 2
    points = table[["y", "x"]].to_numpy(float)
    yield Image(plane[middle:], points[points[:, 0] >= middle - 0.5] - [middle, 0])


@dataclass(frozen=True)
class Set:
    """Images of one kind, how they are compared, and the settings that a user would change."""

    images: Callable[[Path], Iterator[Image]]
    compare: Callable[..., Counts]
    settings: SegmentationSettings


SETS = {
    "BBBC013, DNA": Set(
        lambda data: outlines(data, "bbbc013_wortmannin"), by_pixels, SegmentationSettings()
    ),
    "Cell Painting, DNA": Set(
        lambda data: outlines(data, "cellpainting_6ch_fov"),
        by_pixels,
        SegmentationSettings(diameter=40),
    ),
    "lymphoid tissue, DAPI": Set(lymphoid, by_pixels, SegmentationSettings(threshold=0.7)),
    "breast tissue, DAPI": Set(breast, by_points, SegmentationSettings()),
    "blood smear, green": Set(blood, by_boxes, SegmentationSettings(dark=True)),
    "worms, bright field": Set(
        worms, by_pixels, SegmentationSettings(dark=True, uneven=True, splitting=0, min_area=300)
    ),
}


# ---------------------------------------------------------------- figures


def f1(counts: npt.NDArray[Any]) -> float:
    right, wrong, missed = counts.sum(axis=0)
    return float(2 * right / max(2 * right + wrong + missed, 1))


def interval(counts: npt.NDArray[Any]) -> tuple[float, float] | None:
    if len(counts) < 5:
        return None
    draws = np.random.default_rng(0).integers(0, len(counts), (2000, len(counts)))
    low, high = np.percentile([f1(counts[draw]) for draw in draws], [2.5, 97.5])
    return float(low), float(high)


def measure(name: str, data: Path) -> dict[str, Any]:
    one = SETS[name]
    ways: dict[str, Callable[[Any], npt.NDArray[Any]]] = {
        "before": find_nuclei,
        "defaults": lambda plane: segment(plane).labels,
        "set": lambda plane: segment(plane, one.settings).labels,
    }
    counts: dict[str, list[Counts]] = {way: [] for way in ways}
    for image in one.images(data):
        for way, run in ways.items():
            counts[way].append(one.compare(run(image.plane)[image.part], image.reference))
    tables = {way: np.array(each) for way, each in counts.items()}
    first = tables["before"]
    changed = {
        field: value
        for field, value in vars(one.settings).items()
        if value != getattr(SegmentationSettings(), field)
    }
    return {
        "images": len(first),
        "objects": int(first[:, 0].sum() + first[:, 2].sum()),
        "settings": changed,
        **{way: {"f1": f1(each), "interval": interval(each)} for way, each in tables.items()},
    }


def nuclei(side: int = SIDE) -> npt.NDArray[Any]:
    """A plane of discs with noise, 40 pixels apart."""
    rows, columns = np.mgrid[0:side, 0:side] % 40 - 20
    noise = np.random.default_rng(0).normal(100, 10, (side, side))
    return (noise + 400 * (np.hypot(rows, columns) < 11)).astype(np.float32)


def seconds(run: Callable[[], object]) -> float:
    run()
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return float(np.median(taken))


def text(result: dict[str, Any]) -> str:
    between = result["interval"]
    return f"{result['f1']:.2f}" + ("" if between is None else " ({:.2f}-{:.2f})".format(*between))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    print("| images | n | objects | find_nuclei | segment, defaults | settings changed | F1 |")
    print("|---|---|---|---|---|---|---|")
    results: dict[str, Any] = {}
    for name in args.only:
        row = results[name] = measure(name, args.data)
        words = ", ".join(f"{key} {value}" for key, value in row["settings"].items()) or "none"
        print(
            f"| {name} | {row['images']} | {row['objects']:,} | {text(row['before'])} "
            f"| {text(row['defaults'])} | {words} | {text(row['set'])} |",
            flush=True,
        )
    plane = nuclei()
    before, after = seconds(lambda: find_nuclei(plane)), seconds(lambda: segment(plane))
    results["preview"] = {"seconds": after, "ratio": after / before}
    print(f"\n1,024 x 1,024 pixels: {after:.2f} s, {after / before:.1f} times find_nuclei")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
