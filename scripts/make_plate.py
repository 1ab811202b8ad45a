"""Write a plate of synthetic cells as OME-Zarr (HCS, version 0.5 or 0.4), its controls in a table.

    python scripts/make_plate.py FOLDER [--wells 96] [--fields 4] [--side 512] [--version 0.4]

Makes ``FOLDER/plate.zarr`` (plate, wells, fields of view, label images of the cells) and
``FOLDER/wells.csv`` (the classes of the control wells). Five channels of ``uint16``: in the first
column of the plate the reporter lies around the nucleus (class negative), in the last one within it
(positive); from column to column in between more of it has moved. The other channels say nothing of
the class. Wells differ in brightness. The same seed gives the same pixels.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from tqdm import tqdm

if TYPE_CHECKING:
    import numpy.typing as npt

CHANNELS = ("DNA", "reporter", "actin", "ER", "mitochondria")
# Micrometres, y and x; odd and different, so that exchanged axes are seen.
PIXEL = (0.65, 0.325)
# Columns of a plate with so many wells, and half the side of the window that a cell is drawn in.
COLUMNS = {6: 3, 24: 6, 96: 12, 384: 24}
REACH = 20
NEGATIVE, POSITIVE = "negative", "positive"


def field_of_cells(
    rng: np.random.Generator, moved: float, side: int, brightness: float
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """Pixels (C, Y, X) and label image (Y, X) of a field of view.

    Parameters
    ----------
    moved : float
        Share of the reporter that is in the nucleus, 0 to 1.
    """
    light = np.zeros((len(CHANNELS), side, side), np.float32)
    labels = np.zeros((side, side), np.uint16)
    rows, columns = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1].astype(np.float32)
    number = 0
    for y in range(REACH + 4, side - REACH - 4, 36):
        for x in range(REACH + 4, side - REACH - 4, 36):
            if rng.random() < 0.2:
                continue
            number += 1
            dy, dx = rng.integers(-4, 5, size=2)
            radius, stretch = rng.uniform(5.5, 7.5), rng.uniform(0.8, 1.0)
            distance = np.hypot(rows, columns / stretch)
            nucleus = 1 / (1 + np.exp(2 * (distance - radius)))
            body = 1 / (1 + np.exp(1.2 * (distance - 1.9 * radius)))
            ring = body - nucleus
            inside = np.clip(moved + rng.normal(0, 0.12), 0, 1)
            parts = (
                nucleus,
                inside * nucleus + (1 - inside) * ring,
                body,
                ring,
                ring * (0.6 + 0.4 * np.sin(columns + rng.uniform(0, 6))),
            )
            window = np.s_[y + dy - REACH : y + dy + REACH + 1, x + dx - REACH : x + dx + REACH + 1]
            for channel, part in enumerate(parts):
                light[channel][window] += part * rng.uniform(0.8, 1.2)
            labels[window][(body > 0.5) & (labels[window] == 0)] = number
    gains = np.array([4000, 900, 2500, 1500, 700], np.float32)[:, None, None]
    pixels = 150 + gains * (brightness * light + 0.05)
    noise = rng.standard_normal(pixels.shape, np.float32)
    return np.clip(pixels + noise * (0.03 * gains), 0, 65535).astype(np.uint16), labels


class PlateWriter:
    """Writes groups and arrays of OME-Zarr, of either version."""

    def __init__(self, path: Path, version: str) -> None:
        self.path, self.version = path, version
        self.format: Any = 3 if version == "0.5" else 2

    def group(self, name: str, attributes: dict[str, Any]) -> None:
        """A group with metadata, which version 0.5 keeps under 'ome'."""
        content = {"ome": {"version": self.version, **attributes}}
        zarr.create_group(
            str(self.path / name),
            zarr_format=self.format,
            attributes=content if self.version == "0.5" else attributes,
            overwrite=False,
        )

    def image(self, name: str, pixels: npt.NDArray[Any], axes: str, **more: Any) -> None:
        """An image of one level, a chunk a plane, with what else its metadata say."""
        kinds = {"c": {"type": "channel"}}
        space = {"type": "space", "unit": "micrometer"}
        scale = [*[1.0] * (len(axes) - 2), *PIXEL]
        multiscale: dict[str, Any] = {
            "axes": [{"name": axis, **kinds.get(axis, space)} for axis in axes],
            "datasets": [
                {
                    "path": "0",
                    "coordinateTransformations": [{"type": "scale", "scale": scale}],
                }
            ],
        }
        if self.version != "0.5":
            multiscale["version"] = self.version
        self.group(name, {"multiscales": [multiscale], **more})
        chunks = (*[1] * (len(axes) - 2), *pixels.shape[-2:])
        array = zarr.create_array(
            str(self.path / name / "0"),
            shape=pixels.shape,
            chunks=chunks,
            dtype=pixels.dtype,
            zarr_format=self.format,
            chunk_key_encoding={"name": "default" if self.format == 3 else "v2", "separator": "/"},
        )
        array[...] = pixels


def make_plate(
    folder: Path,
    *,
    wells: int = 96,
    fields: int = 4,
    side: int = 512,
    version: str = "0.5",
    seed: int = 0,
    quiet: bool = False,
) -> Path:
    """Write a plate and its table of wells into a folder; the path of the plate."""
    columns = COLUMNS[wells]
    names = [("ABCDEFGHIJKLMNOP"[i // columns], str(i % columns + 1)) for i in range(wells)]
    rng = np.random.default_rng(seed)
    writer = PlateWriter(folder / "plate.zarr", version)
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(dict.fromkeys(row for row, _ in names))
    plate = {
        "name": "synthetic",
        "field_count": fields,
        "rows": [{"name": row} for row in rows],
        "columns": [{"name": str(n + 1)} for n in range(columns)],
        "wells": [
            {"path": f"{r}/{c}", "rowIndex": rows.index(r), "columnIndex": int(c) - 1}
            for r, c in names
        ],
    }
    writer.group("", {"plate": {**plate, "version": version}})
    lines = ["well,class"]
    for row, column in tqdm(names, desc="writing the plate", disable=quiet):
        place = int(column) - 1
        kind = {0: NEGATIVE, columns - 1: POSITIVE}.get(place)
        if kind:
            lines.append(f"{row}{int(column):02d},{kind}")
        images = [{"path": str(number)} for number in range(fields)]
        writer.group(f"{row}/{column}", {"well": {"images": images, "version": version}})
        brightness = rng.uniform(0.85, 1.15)
        for number in range(fields):
            pixels, labels = field_of_cells(
                rng, 0.15 + 0.7 * place / (columns - 1), side, brightness
            )
            image = f"{row}/{column}/{number}"
            omero = {"channels": [{"label": name, "active": True} for name in CHANNELS]}
            writer.image(image, pixels, "cyx", omero=omero)
            writer.group(f"{image}/labels", {"labels": ["cells"]})
            source = {"image-label": {"version": version, "source": {"image": "../../"}}}
            writer.image(f"{image}/labels/cells", labels, "yx", **source)
    (folder / "wells.csv").write_text("\n".join(lines) + "\n")
    return writer.path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wells", type=int, choices=sorted(COLUMNS), default=96)
    parser.add_argument("--fields", type=int, default=4, help="fields of view of each well")
    parser.add_argument("--side", type=int, default=512, help="of a field of view, in pixels")
    parser.add_argument("--version", choices=("0.4", "0.5"), default="0.5", help="of OME-Zarr")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    path = make_plate(
        args.folder,
        wells=args.wells,
        fields=args.fields,
        side=args.side,
        version=args.version,
        seed=args.seed,
    )
    print(f"saved {path} and {args.folder / 'wells.csv'}")


if __name__ == "__main__":
    main()
