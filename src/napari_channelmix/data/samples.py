"""Embedded samples: a synthetic plate with a planted answer, graded channels, stained tissue.

Everything is made from a seed, or from a picture that comes with scikit-image; nothing is
downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_json, write_text
from napari_channelmix.data.cells import Cells
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.data.fields import Field
from napari_channelmix.data.segment import find_nuclei
from napari_channelmix.data.write_dataset import write_image, write_mask
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain

__all__ = [
    "PLATE_PARTS",
    "Sample",
    "graded_channels",
    "immunohistochemistry",
    "synthetic_plate",
    "synthetic_plate_job",
]

FloatArray = npt.NDArray[np.float64]

# What can be left out of a synthetic plate, and the channel it is in.
PLATE_PARTS = {
    "nuclear stain": "DNA",
    "reporter in the nucleus": "reporter",
    "reporter in the cytoplasm": "reporter",
    "look-alike in the nucleus": "look-alike",
    "look-alike in the cytoplasm": "look-alike",
    "granules": "stress",
}


@dataclass(frozen=True, eq=False)
class Sample:
    """A data set whose answer is known.

    Attributes
    ----------
    cells : Cells
    relevance : dict of str to float
        How much each channel says of the class by itself, 0 for nothing; comparable within the
        sample.
    story : str
        What was planted, in words.
    pixels : tuple of (Y, X) bool arrays
        For each field of view, the pixels whose expected intensity depends on the class; empty
        where that is not known.
    """

    cells: Cells
    relevance: dict[str, float]
    story: str
    pixels: tuple[npt.NDArray[np.bool_], ...] = field(default=(), repr=False)

    def save(self, folder: str | Path) -> Path:
        """Write the sample as a data set: images, masks, table, truth; give its data-set file.

        Raises
        ------
        DataError
            Images that were not labelled, or hold cells of several classes: the table of the
            data set has one class for each image.
        """
        import pandas as pd

        folder, cells = Path(folder), self.cells
        rows = []
        for index, image in enumerate(cells.fields):
            field_cells = cells.table[cells.table["field"] == index]
            if image.labels is None or field_cells["label"].nunique() != 1:
                raise DataError(f"{cells.name}: only images with cells of one class are saved")
            group, code = field_cells["group"].iloc[0], int(field_cells["label"].iloc[0])
            stack = np.stack([np.asarray(plane[:, :]) for plane in image.planes])
            row = {
                "well": group,
                "image_path": f"images/{group}.ome.tif",
                "mask_path": f"images/{group}_cells.tif",
                "label": cells.classes[code],
            }
            write_image(folder / row["image_path"], stack, cells.channels, image)
            write_mask(folder / row["mask_path"], image.labels)
            rows.append(row)
        write_text(folder / "labels.csv", csv_text(pd.DataFrame(rows)))
        write_json(folder / "truth.json", {"relevance": self.relevance, "story": self.story})
        lines = (
            f"name = {json.dumps(cells.name)}",
            'table = "labels.csv"',
            'label = "label"',
            'group = "well"',
            "",
            "[image]",
            'column = "image_path"',
            "",
            "[cells]",
            'from = "mask"',
            'column = "mask_path"',
            "labelled = true",
            f"crop = {cells.crop}",
            "min_area = 1",
            "",
        )
        return write_text(folder / "dataset.toml", "\n".join(lines))


def synthetic_plate(
    seed: int = 0,
    *,
    wells: int = 12,
    cells_per_well: int = 30,
    side: int = 256,
    crop: int = 40,
    mixed: bool = False,
    without: Collection[str] = (),
) -> Sample:
    """A plate of synthetic cells with a planted answer.

    Four channels of ``uint16``: ``DNA`` says nothing of the class, but shows where the nucleus is;
    ``reporter`` lies in the cytoplasm of untreated cells and moves into the nucleus of treated
    ones; ``look-alike`` does the same by the toss of a coin, whatever the treatment; ``stress``
    shows granules in the cytoplasm, a few more in treated cells. Wells differ in brightness, and
    one cell in twelve does not respond.

    Parameters
    ----------
    seed : int
        The same seed gives the same pixels.
    wells : int
        Half of them untreated, half treated.
    cells_per_well : int
    side, crop : int
        Pixels.
    mixed : bool
        Treated and untreated cells in every well, by the toss of a coin: then neither the well nor
        the neighbours of a cell say anything of its class.
    without : collection of str
        Parts of `PLATE_PARTS` that all cells lack. The rest is the same to the pixel, but for the
        noise of the light that is no longer there.

    Raises
    ------
    DataError
        A part that is unknown.
    """
    job = synthetic_plate_job(
        seed,
        wells=wells,
        cells_per_well=cells_per_well,
        side=side,
        crop=crop,
        mixed=mixed,
        without=without,
    )
    return drain(job)


def synthetic_plate_job(
    seed: int = 0,
    *,
    wells: int = 12,
    cells_per_well: int = 30,
    side: int = 256,
    crop: int = 40,
    mixed: bool = False,
    without: Collection[str] = (),
) -> Job[Sample]:
    """As `synthetic_plate`, a step for each well."""
    for part in without:
        if part not in PLATE_PARTS:
            raise DataError(f"a synthetic plate has no {part!r}; use {', '.join(PLATE_PARTS)}")
    rng = np.random.default_rng(seed)
    parts, pixels = [], []
    for well in range(wells):
        yield Progress(well, wells, "making the sample")
        second = well >= wells // 2
        treated = np.full(cells_per_well, second)
        if mixed:
            treated = rng.random(cells_per_well) < 0.5
        image, truth = _well(rng, treated, side, without)
        name = f"{'AB'[int(second)]}{well % (wells // 2) + 1:02d}"
        channels = ("DNA", "reporter", "look-alike", "stress")
        assert image.labels is not None
        named = {
            int(i): "treated" if treated[int(i) - 1] else "untreated"
            for i in np.unique(image.labels)
            if i
        }
        cells = Cells.from_labels(
            image.planes, channels, image.labels, crop=crop, classes_of=named, name=name
        )
        fields = (replace(image, name=name),)
        parts.append(
            replace(cells, fields=fields, table=cells.table.assign(group=name), warnings=())
        )
        pixels.append(truth)
    story = (
        "The reporter moves from the cytoplasm into the nucleus of treated cells. DNA alone says "
        "nothing, but shows where the nucleus is; the look-alike carries nothing at all; stress "
        "granules are a weak second cue."
    )
    relevance = {"DNA": 0.0, "reporter": 1.0, "look-alike": 0.0, "stress": 0.3}
    return Sample(Cells.together(parts, "synthetic plate"), relevance, story, tuple(pixels))


def _well(
    rng: np.random.Generator,
    treatment: npt.NDArray[np.bool_],
    side: int,
    without: Collection[str],
) -> tuple[Field, npt.NDArray[np.bool_]]:
    """One field of view of cells that are treated or not, and the pixels that depend on it."""
    from scipy.special import expit

    rows, columns = np.mgrid[0:side, 0:side].astype(np.float64)
    nuclei, stained, twin, granules = (np.zeros((side, side)) for _ in range(4))
    labels = np.zeros((side, side), dtype=np.int32)
    truth = np.zeros((side, side), dtype=bool)
    for number, (y, x) in enumerate(_places(rng, len(treatment), side), start=1):
        treated = bool(treatment[number - 1])
        radius, angle = rng.uniform(6.5, 8.5), rng.uniform(0, np.pi)
        stretch = rng.uniform(0.8, 1.0)
        along = (rows - y) * np.sin(angle) + (columns - x) * np.cos(angle)
        across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
        distance = np.hypot(along, across / stretch)
        nucleus = expit(2.0 * (radius - distance))
        body = expit(1.2 * (1.9 * radius - distance))
        ring = np.clip(body - nucleus, 0, 1)
        # What is left out is drawn all the same: the rest must not change.
        nuclei += nucleus * rng.uniform(0.8, 1.2) * ("nuclear stain" not in without)
        moved = treated and rng.random() > 1 / 12
        for picture, name, inside in (
            (stained, "reporter", moved),
            (twin, "look-alike", rng.random() < 0.5),
        ):
            level = rng.uniform(0.8, 1.2)
            in_nucleus, in_ring = (1.0, 0.3) if inside else (0.3, 1.0)
            in_nucleus *= f"{name} in the nucleus" not in without
            in_ring *= f"{name} in the cytoplasm" not in without
            picture += level * (in_nucleus * nucleus + in_ring * ring)
        for _ in range(rng.poisson(7 if treated else 4)):
            turn, far = rng.uniform(0, 2 * np.pi), rng.uniform(1.1, 1.7) * radius
            spot = np.hypot(rows - y - far * np.sin(turn), columns - x - far * np.cos(turn))
            height = rng.uniform(0.6, 1.2) * ("granules" not in without)
            granules += height * np.exp(-(spot**2) / 2.0)
        labels[(body > 0.5) & (labels == 0)] = number
        truth |= body > 0.5
    bright = rng.uniform(0.85, 1.15)
    planes = []
    for picture, gain, offset in (
        (nuclei, 4000, 300),
        (stained, 900, 120),
        (twin, 12000, 900),
        (granules, 350, 60),
    ):
        light = offset + gain * (bright * picture + 0.05)
        noisy = light + rng.normal(0, 1, light.shape) * (0.06 * gain + np.sqrt(light))
        planes.append(np.clip(np.round(noisy), 0, 65535).astype(np.uint16))
    return Field("well", tuple(planes), labels, (0.65, 0.65), "µm"), truth


def _places(
    rng: np.random.Generator, count: int, side: int, apart: float = 24.0, margin: float = 14.0
) -> list[FloatArray]:
    """Random places that keep a distance; fewer than asked for where the field is full."""
    places: list[FloatArray] = []
    for _ in range(200 * count):
        place = rng.uniform(margin, side - margin, size=2)
        if all(np.hypot(*(place - other)) > apart for other in places):
            places.append(place)
        if len(places) == count:
            break
    return places


def graded_channels(
    relevance: Sequence[float] = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0),
    *,
    seed: int = 0,
    count: int = 1200,
    side: int = 24,
) -> Sample:
    """Crops whose channels look alike and say more or less of the class.

    Every channel is a blob whose height is ``1 + relevance * (y - 1/2) + N(0, 0.5)``, y being 0 or
    1, independently between channels; so the best linear blend weighs channels in proportion to
    their relevance. Gains from 0.3 to 8 and offsets differ, so a method that forgets to normalise
    ranks gains instead.

    Parameters
    ----------
    relevance : sequence of float
        One for each channel; the order of the channels is shuffled by the seed.
    seed : int
    count : int
        Number of crops.
    side : int
        Pixels.
    """
    rng = np.random.default_rng(seed)
    planted = rng.permutation(np.asarray(relevance, dtype=np.float64))
    gains = rng.permutation(np.geomspace(0.3, 8.0, len(planted)))
    labels = rng.integers(0, 2, size=count)
    rows, columns = np.mgrid[0:side, 0:side] - (side - 1) / 2
    blob = np.exp(-(rows**2 + columns**2) / (2 * (side / 6) ** 2))
    height = 1 + planted * (labels[:, None] - 0.5) + rng.normal(0, 0.5, (count, len(planted)))
    noise = rng.normal(0, 0.3, (count, len(planted), side, side))
    crops = gains[:, None, None] * (height[:, :, None, None] * blob + noise + 1)
    names = [f"channel {i + 1}" for i in range(len(planted))]
    cells = Cells.from_array(
        crops.astype(np.float32), names, labels, ("low", "high"), name="graded channels"
    )
    story = "Blobs whose height depends on the class, more in one channel than in another."
    return Sample(cells, dict(zip(names, planted.tolist(), strict=True)), story)


def immunohistochemistry(crop: int = 32) -> Sample:
    """Stained colon tissue, unmixed into its stains: scikit-image's ``immunohistochemistry``.

    Channels are hematoxylin, eosin (here what is neither of the other two) and DAB, by the colour
    deconvolution of Ruifrok and Johnston (2001). Cells are nuclei found in hematoxylin; their
    class is a rule: mean DAB of the nucleus above or below Otsu's threshold. So DAB is the answer.
    """
    from skimage.color import rgb2hed
    from skimage.data import immunohistochemistry as picture
    from skimage.filters import threshold_otsu
    from skimage.measure import regionprops

    colours = picture()
    stains = rgb2hed(colours)
    planes = tuple(stains[..., stain].astype(np.float32) for stain in range(3))
    channels = ("hematoxylin", "eosin", "DAB")
    labels = find_nuclei(planes[0], smooth=1.5, min_area=40)
    nuclei = regionprops(labels, intensity_image=planes[2])
    levels = np.array([nucleus.intensity_mean for nucleus in nuclei])
    high = levels > threshold_otsu(levels)
    named = {
        int(nucleus.label): "DAB high" if is_high else "DAB low"
        for nucleus, is_high in zip(nuclei, high, strict=True)
    }
    cells = Cells.from_labels(
        planes, channels, labels, crop=crop, classes_of=named, name="immunohistochemistry"
    )
    story = "Classes are a rule on DAB: nuclei with much of it and nuclei with little."
    return Sample(cells, {"hematoxylin": 0.0, "eosin": 0.0, "DAB": 1.0}, story)
