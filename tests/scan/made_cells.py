"""Images with cells of known outline, place and class, for the tables that other programs make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

# Odd sizes, not square: y and x cannot be mixed up unseen.
HEIGHT, WIDTH = 61, 83
CHANNELS = ("DNA", "GFP")
CLASSES = ("negative", "positive")


@dataclass(frozen=True, eq=False)
class MadeField:
    """One field of view: its label image, and what is known of each object, by id."""

    stem: str
    well: str
    labels: np.ndarray
    classes: dict[int, str]

    @property
    def ids(self):
        return sorted(self.classes)

    def centre(self, number):
        """Mean of the pixels of an object, y and x, as CellProfiler and scikit-image give it."""
        return tuple(float(value) for value in np.argwhere(self.labels == number).mean(axis=0))

    def middle(self, number):
        """Middle of its box, where a crop lies."""
        places = np.argwhere(self.labels == number)
        return tuple(((places.min(axis=0) + places.max(axis=0)) / 2).tolist())


def made_fields(count=3, seed=0):
    """Fields of view with L-shaped objects of different sizes, none touching another."""
    rng = np.random.default_rng(seed)
    fields = []
    for index in range(count):
        labels = np.zeros((HEIGHT, WIDTH), np.uint16)
        classes = {}
        places = [(y, x) for y in range(9, HEIGHT - 12, 20) for x in range(10, WIDTH - 12, 22)]
        for number, place in enumerate(rng.permutation(len(places))[: 4 + index], start=1):
            y, x = places[place]
            height, width = rng.integers(5, 11, size=2)
            labels[y : y + height, x : x + 3] = number
            labels[y + height - 2 : y + height, x : x + width] = number
            classes[number] = CLASSES[(number + index) % 2]
        fields.append(MadeField(f"img{index + 1:02d}", f"B{index + 2:02d}", labels, classes))
    return fields


def write_images(fields, folder, *, suffix=".tif", subfolder="", pixel_size=None):
    """A file for each channel: ``img01_DNA.tif``."""
    rng = np.random.default_rng(1)
    target = Path(folder) / subfolder
    target.mkdir(parents=True, exist_ok=True)
    for field in fields:
        for channel in CHANNELS:
            pixels = rng.integers(90, 110, size=field.labels.shape).astype(np.uint16)
            pixels[field.labels > 0] += 500
            write_tiff(target / f"{field.stem}_{channel}{suffix}", pixels, pixel_size)


def write_stacks(fields, folder, *, pixel_size=None):
    """A file with both channels: ``img01.tif``, as ImageJ writes them."""
    rng = np.random.default_rng(2)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for field in fields:
        pixels = rng.integers(90, 110, size=(2, *field.labels.shape)).astype(np.uint16)
        pixels[:, field.labels > 0] += 500
        write_tiff(Path(folder) / f"{field.stem}.tif", pixels, pixel_size, axes="CYX")


def write_tiff(path, pixels, pixel_size=None, axes="YX"):
    """An ImageJ TIFF; the pixel size in micrometres is x and y, which may differ."""
    metadata = {"axes": axes}
    options = {}
    if pixel_size is not None:
        metadata["unit"] = "um"
        options["resolution"] = (1 / pixel_size[1], 1 / pixel_size[0])
    if "C" in axes:
        metadata["Labels"] = [*CHANNELS]
    tifffile.imwrite(path, pixels, imagej=True, metadata=metadata, **options)


def places_of(cells):
    """Field (by its first file), id, class and centre of each cell, sorted."""
    names = [Path(field.planes[0].file.path).name for field in cells.fields]
    rows = []
    for index in range(len(cells)):
        label = int(cells.labels[index])
        y, x = cells.centres[index]
        rows.append(
            (
                names[int(cells.table["field"].iloc[index])],
                "" if label < 0 else cells.classes[label],
                round(float(y), 3),
                round(float(x), 3),
            )
        )
    return sorted(rows)
