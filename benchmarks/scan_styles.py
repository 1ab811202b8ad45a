"""Folders in twelve naming styles, and three that no preset knows, with the truth of every file.

Used by ``benchmarks/scan_folders.py`` and by the tests of the room ``scan/``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
import tifffile

from napari_channelmix.errors import DataError
from napari_channelmix.scan import Role, Scan, learn_pattern, scan_folder
from napari_channelmix.scan.wells import well_name, well_of

# Role and value of each part that a name states.
Truth = dict[str, str]
SIDE = 8


@dataclass(frozen=True)
class Style:
    """A folder that is made by script.

    Attributes
    ----------
    name : str
    files : dict of str to (dict or None)
        Path and its truth; None: a stray file, which must be left out.
    fields : int
        Rows that the data set has in the end.
    answers : dict of str to str
        Answers to the questions that only the user can answer.
    marks : dict of str to (str or tuple)
        For styles outside the presets: what a user marks in the first name.
    """

    name: str
    files: Mapping[str, Truth | None]
    fields: int
    answers: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str | tuple[int, int]] = field(default_factory=dict)


def _files(pairs: Iterator[tuple[str, Truth]], *stray: str) -> dict[str, Truth | None]:
    return {**dict(pairs), **dict.fromkeys(stray)}


def styles() -> list[Style]:
    """The twelve styles, each with something that is easily misread."""
    wells = [f"{row}{column:02d}" for row, column in product("ABC", (1, 2, 3))]
    return [
        Style(
            "Opera Phenix: planes, a missing well, its index file",
            _files(
                (
                    (
                        f"Images/r{r:02d}c{c:02d}f{f:02d}p{p:02d}-ch{h}sk1fk1fl1.tiff",
                        {
                            "well": f"{'ABC'[r - 1]}{c:02d}",
                            "field": str(f),
                            "plane": str(p),
                            "channel": f"ch{h}",
                        },
                    )
                    for r, c, f, p, h in product((1, 2, 3), (1, 2, 3), (1, 2), (1, 2, 3), (1, 5))
                    if (r, c) != (2, 2)
                ),
                "Images/Index.idx.xml",
                "Images/Index.ref.xml",
            ),
            16,
            {"planes": "3"},
        ),
        Style(
            "ImageXpress: plate like a well, thumbnails, capitals, identifiers",
            _files(
                (
                    (
                        f"Exp_B2B_{w}_s{s}_w{h}5F3A2C10-1111-4222-8333-44445555{n:04d}.TIF",
                        {"well": w, "field": str(s), "channel": f"w{h}"},
                    )
                    for n, (w, s, h) in enumerate(product(wells, (1, 2), (1, 2)))
                ),
                "Exp_B2B_A01_s1_w1_thumb5F3A2C10-1111-4222-8333-444455559999.TIF",
                "Thumbs.db",
                "Exp_B2B.HTD",
            ),
            18,
        ),
        Style(
            "ImageXpress: times and planes in folders",
            _files(
                (
                    f"P12/TimePoint_{t}/ZStep_{z}/P12_{w}_s{s}_w{h}.tif",
                    {
                        "well": w,
                        "field": str(s),
                        "channel": f"w{h}",
                        "time": str(t),
                        "plane": str(z),
                    },
                )
                for t, z, w, s, h in product((1, 2), (1, 2), wells, (1, 2), (1, 2))
            ),
            36,
            {"planes": "2", "times": "every time a field of view"},
        ),
        Style(
            "Cellomics: fields from 0, dates in the plate",
            _files(
                (
                    f"MFGTMP_20150618_{w}f{f:02d}d{h}.TIF",
                    {"well": w, "field": str(f), "channel": f"d{h}"},
                )
                for w, f, h in product(wells, (0, 1, 2), (0, 1))
            ),
            27,
        ),
        Style(
            "Channel1-01-A-01: a running number beside the well",
            _files(
                (
                    f"Channel{h}-{12 * r + c:02d}-{'ABC'[r]}-{c:02d}.tif",
                    {"well": f"{'ABC'[r]}{c:02d}", "channel": f"Channel{h}"},
                )
                for r, c, h in product((0, 1, 2), (1, 2, 3), (1, 2))
            ),
            9,
        ),
        Style(
            "Yokogawa: a plate of 1,536 wells",
            _files(
                (
                    (
                        f"Assay_D1E_{w}_T0001F{f:03d}L01A{h:02d}Z{z:02d}C{h:02d}.tif",
                        {"well": w, "field": str(f), "plane": str(z), "channel": f"C{h:02d}"},
                    )
                    for w, f, z, h in product(
                        ("A01", "P24", "AA01", "AF48"), (1, 2), (1, 2), (1, 2)
                    )
                ),
                "MeasurementData.mlf",
            ),
            8,
            {"planes": "1"},
        ),
        Style(
            "InCell: blanks, channels of two words",
            _files(
                (
                    f"{w[0]} - {int(w[1:]):02d}(fld {f} wv {h}).tif",
                    {"well": w, "field": str(f), "channel": h},
                )
                for w, f, h in product(wells, (1, 2, 10), ("UV - DAPI", "Blue - FITC"))
            ),
            27,
        ),
        Style(
            "small letters, digits in channel names, one stray picture",
            _files(
                (
                    (
                        f"{w[0].lower()}{int(w[1:])}_{h}.tif",
                        {"well": w, "channel": h},
                    )
                    for w, h in product(wells, ("Alexa488", "Hoechst 33342", "Cy5"))
                ),
                "overview.tif",
                "notes.docx",
                ".DS_Store",
            ),
            9,
        ),
        Style(
            "a folder for each channel, accents in two forms",
            _files(
                (
                    # The accent of one channel's folder is written as two characters.
                    f"Größe/{h}/{w}.tif" if h == "DAPI" else f"Gro\u0308ße/{h}/{w}.tif",
                    {"well": w, "channel": h},
                )
                for w, h in product(wells, ("DAPI", "GFP"))
            ),
            9,
        ),
        Style(
            "a folder for each class, in train and test",
            _files(
                (
                    (
                        f"{split}/{label}/img_{n:03d}.png",
                        {"class": label, "split": split, "field": str(n)},
                    )
                    for split, label, n in product(
                        ("train", "test"), ("live", "s1 cells"), range(5)
                    )
                ),
                "train/labels.txt",
            ),
            20,
        ),
        Style(
            "Leica: series, times, planes",
            _files(
                (
                    (
                        f"Exp 3.lif_Series{s:03d}_t{t:02d}_z{z:02d}_ch{h:02d}.tif",
                        {
                            "field": str(s),
                            "time": str(t),
                            "plane": str(z),
                            "channel": f"ch{h:02d}",
                        },
                    )
                    for s, t, z, h in product((1, 2), (0, 1), (0, 1, 2), (0, 1))
                ),
                "MetaData/Series001.xml",
            ),
            2,
            {"planes": "01", "times": "00"},
        ),
        Style(
            "plates like wells, dates, doses, a channel missing here and there",
            _files(
                (
                    f"{p}_2024-01-{15 + k}_{w}_{d}_{h}.tif",
                    {"plate": p, "well": w, "dose": d, "channel": h},
                )
                for k, p in enumerate(("P01", "P12"))
                for w, d in zip(wells, ("10nM", "0.5uM", "0nM") * 3, strict=True)
                for h in ("DNA", "ER")
                if (p, w, h) != ("P12", "C03", "ER")
            ),
            17,
        ),
    ]


def unknown_styles() -> list[Style]:
    """Styles outside the presets, of which a user marks parts of one name."""
    return [
        Style(
            "well and channel marked",
            _files(
                (
                    f"scan7~{w}~pos{f}~q{h}.{30 * f + h}.tif",
                    {"well": w, "field": str(f), "channel": f"q{h}"},
                )
                for w, f, h in product(("B03", "C11"), (4, 12), (2, 3))
            ),
            4,
            marks={"well": "B03", "field": "4", "channel": "q2"},
        ),
        Style(
            "digits alone: rows and columns by their places",
            _files(
                (
                    f"{r:02d}{c:02d}{f}-{h}.tif",
                    {"well": f"{'ABC'[r - 1]}{c:02d}", "field": str(f), "channel": str(h)},
                )
                for r, c, f, h in product((1, 2), (3, 12), (0, 1), (1, 2))
            ),
            8,
            marks={"row": (0, 2), "column": (2, 4), "field": (4, 5), "channel": (6, 7)},
        ),
        Style(
            "the class in a folder, words of any length before the well",
            _files(
                (
                    f"{label}/{label} of day {f}, {w}, {h}.tif",
                    {"class": label, "well": w, "channel": h},
                )
                for (label, f, w), h in product(
                    (("siRNA", 1, "A03"), ("no siRNA", 2, "H12")), ("DAPI", "Texas Red")
                )
            ),
            2,
            marks={"class": (0, 5), "well": "A03", "channel": "DAPI"},
        ),
    ]


def make(style: Style, folder: Path) -> dict[str, int]:
    """Write the files of a style; every image has one value throughout, which is given."""
    values: dict[str, int] = {}
    for number, (name, truth) in enumerate(style.files.items(), 1):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.full((SIDE, SIDE), number if path.suffix != ".png" else number % 256, np.uint16)
        if path.suffix.lower() in (".tif", ".tiff"):
            tifffile.imwrite(path, image)
        elif path.suffix == ".png":
            from PIL import Image

            Image.fromarray(image.astype(np.uint8)).save(path)
        else:
            path.write_text("no image", encoding="utf-8")
        if truth is not None:
            values[name] = int(image[0, 0])
    return values


def scanned(style: Style, folder: Path) -> Scan:
    """The scan of a folder; with the pattern that is learnt from the marks of the first name."""
    if style.marks:
        return scan_folder(folder, learn_pattern(next(iter(style.files)), style.marks))
    return scan_folder(folder)


def verdict(style: Style, folder: Path, values: Mapping[str, int]) -> str:
    """``right``, ``asked: ...`` (right once that is answered), or ``wrong: ...``."""
    scan = scanned(style, folder)
    asked = sorted(one.name for one in scan.choices if one.chosen is None and one.name != "cells")
    unknown = [name for name in asked if name not in style.answers]
    if unknown:
        return f"asked, without an answer in the truth: {', '.join(unknown)}"
    for name, answer in style.answers.items():
        if name not in asked:
            return f"wrong: {name!r} was not asked"
        scan = scan.with_choice(name, answer)
    scan = scan.with_choice("cells", "each image is a cell")
    wrong = _wrong_entries(style, scan) or _wrong_table(style, scan, values)
    if wrong:
        return f"wrong: {wrong}"
    return f"asked: {', '.join(asked)}" if asked else "right"


def _wrong_entries(style: Style, scan: Scan) -> str:
    paths = scan.entries[scan.image_columns[0]].tolist()
    expected = {name for name, truth in style.files.items() if truth is not None}
    if set(paths) != expected:
        return f"files {sorted(set(paths) ^ expected)[:2]}"
    left_out = {one.path for one in scan.left_out}
    silent = [name for name, truth in style.files.items() if truth is None and name not in left_out]
    if silent:
        return f"{silent[0]} is not listed as left out"
    for row, path in enumerate(paths):
        said = _said(scan, row)
        for part, value in (style.files[path] or {}).items():
            if _plain(said.get(part, "")) != _plain(value):
                return f"{path}: {part} {said.get(part)!r}, not {value!r}"
    return ""


def _said(scan: Scan, row: int) -> Truth:
    said = {
        str(role): str(scan.entries[name].iloc[row])
        for name, role in scan.roles.items()
        if role not in (Role.KEY, Role.IGNORE)
    }
    if "well row" in said:
        said["well"] = well_of(said["well row"], said["well column"]) or "?"
    said["well"] = well_name(said.get("well", "")) or said.get("well", "")
    return said


def _plain(text: str) -> str:
    return str(int(text)) if text.isdecimal() else text


def _wrong_table(style: Style, scan: Scan, values: Mapping[str, int]) -> str:
    """Whether the pixels of a field of view come from files of the same well, field and so on."""
    if len(scan.table()) != style.fields:
        return f"{len(scan.table())} fields of view, not {style.fields}"
    try:
        cells = scan.cells()
    except DataError as error:
        return str(error)
    crops, names = cells.read(range(len(cells))), scan.channels
    of_value: dict[int, Sequence[Truth]] = {}
    for name, value in values.items():
        of_value.setdefault(value, []).append(style.files[name] or {})  # type: ignore[attr-defined]
    for crop in crops:
        truths = [of_value[int(plane[SIDE // 2, SIDE // 2])][0] for plane in crop]
        places = [{k: v for k, v in truth.items() if k != "channel"} for truth in truths]
        if any(place != places[0] for place in places):
            return f"one field of view of {places}"
        channels = [names.get(truth.get("channel", ""), "") for truth in truths]
        if len(crop) > 1 and tuple(channels) != cells.channels:
            return f"channels {channels}, not {cells.channels}"
    return ""
