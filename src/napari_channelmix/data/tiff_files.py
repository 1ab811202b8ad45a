"""TIFF files: which of their pages are read, and that none of their pixels are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_channelmix.data.file_limits import refuse_claim
from napari_channelmix.data.image_planes import KNOWN_AXES, ImageFile, without_single_axes
from napari_channelmix.data.ome_xml import OmeImage, OmeSet, read_ome
from napari_channelmix.data.scenes import Scene, choose_scene
from napari_channelmix.data.tiff_log import TiffLog
from napari_channelmix.data.tiff_pages import chain_length, check_page
from napari_channelmix.data.tiff_sets import members_of_image, open_by_itself, own_images
from napari_channelmix.data.tiff_source import TiffSource, as_opened
from napari_channelmix.data.tiff_statements import image_of, stated
from napari_channelmix.errors import DataError

__all__ = ["open_tiff"]

Choose = Callable[[Sequence[Scene]], tuple[int, str | None]]

# More pages are a stack over time or depth, which is refused when its planes are asked for.
MOST_CHECKED = 2000


def open_tiff(path: Path, scene: int | str | None, alone: bool, mask: bool) -> ImageFile:
    """What a TIFF says of itself.

    Parameters
    ----------
    scene : int, str or None
        Which picture of a file with several.
    alone : bool
        The file stands for one channel of its own: where its metadata describe a set of files,
        only what lies in this one is read.
    mask : bool
        A file of a single scene is read, whatever scene is wanted of the others.

    Raises
    ------
    DataError
        Damaged, with pixels missing, or with several scenes of which none was chosen.
    """
    import tifffile

    def choose(scenes: Sequence[Scene]) -> tuple[int, str | None]:
        return choose_scene(path, scenes, scene, optional=mask)

    warnings: list[str] = []
    with path.open("rb") as file:
        head = file.read(4)
    for kind, start in (("png", b"\x89PNG"), ("jpg", b"\xff\xd8\xff")):
        if head.startswith(start):
            name = f"{path.stem}.{kind}"
            raise DataError(f"{path}: is a {kind.upper()} by its content; rename it to {name}")
    with TiffLog(path), tifffile.TiffFile(path) as tiff:
        if not len(tiff.pages):
            raise DataError(f"{path}: holds no image")
        _refuse_lost_pages(path, tiff)
        described = _described(tiff, warnings)
        image = None
        if described is not None and _is_set(path, tiff, described):
            image, source, warning = _of_set(path, tiff, described, choose, alone)
        else:
            if described is not None and described.elsewhere and not alone:
                warnings.append(
                    "it is a part of a set and is read by itself "
                    f"(the set is described in {described.elsewhere[:80]})"
                )
            source, warning = _of_series(path, tiff, choose, alone, warnings)
            if described is not None and source.series is not None:
                image = image_of(tiff.series[source.series], described)
        if warning:
            warnings.append(warning)
        page = tiff.series[source.series].keyframe if source.series is not None else tiff.pages[0]
        channels = source.shape[source.axes.index("C")] if "C" in source.axes else None
        names, size, unit = stated(tiff, image, source.series, page, channels, warnings)
        source = as_opened(source, tiff)
    if image is not None:
        warnings += image.warnings
    shape, axes = source.shape, source.axes
    known = all(letter in KNOWN_AXES + "S" for letter in axes) and len(set(axes)) == len(axes)
    return ImageFile(
        path,
        shape,
        source.dtype,
        axes if known else None,
        names,
        size,
        unit,
        source,
        source.whole,
        tuple(warnings),
        source.pages or (path, source.series),
    )


# ---------------------------------------------------------------- what is in the file


def _refuse_lost_pages(path: Path, tiff: Any) -> None:
    """Count the pages for ourselves: tifffile leaves out what lies behind a break, and logs it."""
    if tiff.is_ndpi or tiff.is_scanimage:  # offsets and pages of their own kind
        return
    expected, present = chain_length(path), len(tiff.pages)
    if present < expected:
        raise DataError(
            f"{path}: cannot be read, is it truncated? "
            f"(pages are missing: {present} of {expected} can be read)"
        )


def _described(tiff: Any, warnings: list[str]) -> OmeSet | None:
    text = tiff.ome_metadata if tiff.is_ome else None
    if not text:
        return None
    try:
        return read_ome(text)
    except DataError as error:
        warnings.append(str(error))
        return None


def _is_set(path: Path, tiff: Any, described: OmeSet) -> bool:
    """Whether its metadata name other files, or name this one by another name."""
    if not described.images:
        return False
    for image in described.images:
        for data in image.data:
            if data.uuid is None and data.file is None:
                continue
            same_name = (data.file or "").lower() == path.name.lower()
            if data.file and not same_name:
                return True
            if described.uuid is not None and data.uuid != described.uuid and not same_name:
                return True
    return False


def _of_set(
    path: Path, tiff: Any, described: OmeSet, choose: Choose, alone: bool
) -> tuple[OmeImage | None, TiffSource, str | None]:
    """The planes of the image that this file is a part of."""
    pages = len(tiff.pages)
    images = own_images(path, described)
    if not images and alone and pages == 1:
        # Its place in the set is not known, and need not be.
        return None, _single_page(path, tiff), "its metadata do not name it; was it renamed?"
    if not images:
        raise DataError(
            f"{path}: its metadata describe a set of files of which it is none "
            f"({', '.join(sorted(described.members)[:3])}); was it renamed?"
        )
    scenes = [Scene(image.name, (*image.sizes, *image.side)) for image in images]
    chosen, warning = choose(scenes)
    image, planes, missing = members_of_image(path, described, images[chosen], pages, alone=alone)
    if missing:
        raise DataError(
            f"{path}: {missing}; put the whole set into one folder, or give a column per channel "
            "under [channels], where each file is read by itself"
        )
    first = tiff.pages[0]
    for member, index in planes:
        _check_member(member, index, first)
    sizes, side = image.sizes, tuple(first.shape)
    whole, axes = (*sizes, *side), image.axes + first.axes
    shape, short = without_single_axes(whole, axes)
    source = TiffSource(path, shape, whole, short, np.dtype(first.dtype), None, tuple(planes))
    return image, source, warning


def _check_member(member: Path, index: int, first: Any) -> None:
    with TiffLog(member), open_by_itself(member) as tiff:
        if index >= len(tiff.pages):
            raise DataError(
                f"{member}: has {len(tiff.pages)} pages, its metadata count {index + 1} or more; "
                "planes are missing"
            )
        page = tiff.pages[index]
        check_page(member, page, tiff.filehandle.size)
        if tuple(page.shape) != tuple(first.shape) or page.dtype != first.dtype:
            raise DataError(
                f"{member}: is {page.shape} {page.dtype}, another file of its set is "
                f"{first.shape} {first.dtype}"
            )


def _of_series(
    path: Path, tiff: Any, choose: Choose, alone: bool, warnings: list[str]
) -> tuple[TiffSource, str | None]:
    """One of the series that tifffile puts together from the pages."""
    if alone and tiff.is_mmstack and len(tiff.pages) == 1:
        # Micro-Manager: tifffile would put the whole set together, and call for its other files.
        return _single_page(path, tiff), None
    try:
        series = tiff.series
    except Exception as error:
        # A page of ImageJ may stand for many planes; where each has its own, none is lost.
        if not (tiff.is_ome or (tiff.is_imagej and len(tiff.pages) > 1)):
            raise
        if not warnings:
            warnings.append(f"its metadata cannot be used ({str(error)[:80]})")
        return _plain_pages(path), None
    if not series:
        raise DataError(f"{path}: holds no image")
    scenes = [Scene(entry.name or "", tuple(entry.shape), _reduced(entry)) for entry in series]
    chosen, warning = choose(scenes)
    entry = series[chosen]
    pages = list(entry.pages) if len(entry) <= MOST_CHECKED else [entry.keyframe]
    lost = sum(page is None for page in pages)
    other = [page for page in pages if page is not None and page.parent is not tiff]
    if alone and (lost or other) and len(tiff.pages) == 1:
        return _single_page(path, tiff), warning
    if lost:
        raise DataError(
            f"{path}: {lost} of its {len(pages)} planes are missing; "
            "their files or pages are not there"
        )
    images = (tiff.imagej_metadata or {}).get("images") if tiff.is_imagej else 1
    if entry.kind != "imagej" and len(tiff.pages) == 1 and images not in (None, 1):
        raise DataError(
            f"{path}: its ImageJ metadata are broken: they count {images!r:.40} planes, of which "
            "one can be read"
        )
    whole = tuple(entry.shape)
    dtype = entry.dtype
    if dtype is None or not prod(whole):
        raise DataError(f"{path}: has no pixels that can be read {whole}")
    dtype = np.dtype(dtype)
    checked = [
        check_page(
            path if page.parent is tiff else Path(page.parent.filehandle.path),
            page,
            page.parent.filehandle.size,
        )
        for page in pages
    ]
    claimed = prod(whole) * dtype.itemsize
    _check_extent(path, tiff, entry, claimed)
    sizes = {page.parent.filehandle.path: page.parent.filehandle.size for page in pages}
    refuse_claim(path, claimed, sum(sizes.values()))
    empty = sum(count for count, _ in checked)
    if empty:
        warnings.append(
            "some of its strips or tiles hold no data and are read as 0 "
            f"({empty} of {sum(count for _, count in checked)})"
        )
    _say_unused(tiff, warnings)
    shape, axes = without_single_axes(whole, entry.axes)
    own = tiff.filehandle.path
    files = tuple(Path(name) for name in sizes if name != own)
    return TiffSource(
        path, shape, whole, axes, dtype, chosen, files=files, all_axes=entry.axes
    ), warning


def _say_unused(tiff: Any, warnings: list[str]) -> None:
    """Pages that the metadata do not count; others group all pages of a file."""
    if tiff.series[0].kind not in ("ome", "imagej", "shaped"):
        return
    levels = [level for series in tiff.series for level in series.levels]
    if any(len(level) > MOST_CHECKED for level in levels):
        return
    used = {
        page.index
        for level in levels
        for page in level.pages
        if page is not None and page.parent is tiff and isinstance(page.index, int)
    }
    unused = len(tiff.pages) - len(used)
    if unused > 0:
        warnings.append(
            f"its metadata do not count all of its pages ({unused} of {len(tiff.pages)} left out)"
        )


def _single_page(path: Path, tiff: Any) -> TiffSource:
    page = tiff.pages[0]
    check_page(path, page, tiff.filehandle.size)
    whole = tuple(page.shape)
    shape, axes = without_single_axes(whole, page.axes)
    return TiffSource(path, shape, whole, axes, np.dtype(page.dtype), None, ((path, 0),))


def _plain_pages(path: Path) -> TiffSource:
    """All pages of a file as a stack of unknown axes, without its metadata."""
    with open_by_itself(path) as tiff:
        first, count = tiff.pages[0], len(tiff.pages)
        for page in tiff.pages:
            check_page(path, page, tiff.filehandle.size)
            if page.shape != first.shape or page.dtype != first.dtype:
                raise DataError(f"{path}: its pages differ in shape, and its metadata are broken")
        whole, axes = (count, *first.shape), f"Q{first.axes}"
        shape, short = without_single_axes(whole, axes)
        pages = tuple((path, index) for index in range(count))
        return TiffSource(path, shape, whole, short, np.dtype(first.dtype), None, pages)


def _check_extent(path: Path, tiff: Any, series: Any, claimed: int) -> None:
    """Planes that are stored one after the other, behind a single page, must all be there."""
    page = series.keyframe
    if len(list(series.pages)) * prod(page.shape) >= prod(series.shape):
        return
    start, size = page.dataoffsets[0] if page.dataoffsets else 0, tiff.filehandle.size
    if page.compression != 1 or start + claimed > size:
        raise DataError(
            f"{path}: cannot be read, is it truncated? (its metadata claim {claimed:,} bytes of "
            f"pixels, the file has {size:,})"
        )


def _reduced(series: Any) -> bool:
    page = series.keyframe
    return bool(page is not None and int(page.subfiletype or 0) & 0b101)
