"""Sets of TIFFs, each of which carries the metadata of all: where each plane lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from napari_channelmix.data.file_limits import refuse_special
from napari_channelmix.data.tiff_log import TiffLog
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.ome_xml import OmeImage, OmeSet, TiffData

__all__ = ["members_of_image", "open_by_itself", "own_images"]

Page = tuple[Path, int]


def own_images(path: Path, described: OmeSet) -> tuple[OmeImage, ...]:
    """The images of a set that have planes in this file.

    A set of many positions carries the metadata of all of them in each file. Where the metadata
    name a single file that is not there, this one was renamed and is taken for it.
    """
    described = _renamed(path, described)
    return tuple(
        image for image in described.images if any(_is_own(path, described, d) for d in image.data)
    )


def members_of_image(
    path: Path, described: OmeSet, image: OmeImage, pages: int, *, alone: bool
) -> tuple[OmeImage, list[Page], str | None]:
    """Page of each plane of an image, slowest axis first.

    Parameters
    ----------
    pages : int
        Pages of this file.
    alone : bool
        Only the planes in this file; the image that comes back then holds only them.

    Returns
    -------
    image : OmeImage
    planes : list of (Path, int)
        File and page.
    missing : str or None
        Which files or planes are not there.
    """
    described = _renamed(path, described)
    places: list[Page | None] = [None] * image.planes
    absent: dict[str, None] = {}
    lengths: dict[Path, int] = {path: pages}
    for data in image.data:
        own = _is_own(path, described, data)
        if alone and not own:
            continue
        member = path
        if not own:
            resolved = _member(path, data)
            if resolved is None:
                absent[data.file or str(data.uuid)] = None
                continue
            member = resolved
        if data.count is None and member not in lengths:
            lengths[member] = _count_pages(member)
        count = lengths[member] - data.page if data.count is None else data.count
        for i in range(min(count, image.planes - data.first)):
            places[data.first + i] = (member, data.page + i)
    if absent:
        names = ", ".join(f"{name[:80]!r}" for name in list(absent)[:3])
        more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
        return image, [], f"the set it is a part of lacks {names}{more}"
    if alone:
        return (*_part(path, image, places), None)
    lost = sum(place is None for place in places)
    if lost:
        return image, [], f"{lost} of the {image.planes} planes of its set are in no file"
    return image, [place for place in places if place is not None], None


def _part(path: Path, image: OmeImage, places: list[Page | None]) -> tuple[OmeImage, list[Page]]:
    """The planes that are in this file, as an image of their own."""
    present = [i for i, place in enumerate(places) if place is not None]
    chosen = []
    # Positions along each axis, slowest first.
    rest = list(present)
    for size in reversed(image.sizes):
        chosen.append(sorted({i % size for i in rest}))
        rest = [i // size for i in rest]
    along = chosen[::-1]
    sizes = tuple(len(positions) for positions in along)
    if sizes[0] * sizes[1] * sizes[2] != len(present):
        raise DataError(
            f"{path}: holds {len(present)} planes of its set, which are no whole stack; "
            "name its axes and split it, or read the whole set with [image]"
        )
    names = image.channels
    if len(names) == image.sizes[image.axes.index("C")]:
        names = tuple(names[c] for c in along[image.axes.index("C")])
    part = replace(image, sizes=sizes, channels=names)
    return part, [place for place in places if place is not None]


def _is_own(path: Path, described: OmeSet, data: TiffData) -> bool:
    if data.file is None and data.uuid is None:
        return True
    if data.file is not None and path.name.lower() in _names(described):
        return data.file.lower() == path.name.lower()
    return described.uuid is not None and data.uuid == described.uuid


def _names(described: OmeSet) -> frozenset[str]:
    return frozenset(name.lower() for name in described.members)


def _renamed(path: Path, described: OmeSet) -> OmeSet:
    """The set with the name of a single member that was renamed taken out."""
    members = described.members
    if len(members) != 1 or path.name.lower() in _names(described):
        return described
    (name,) = members
    if (path.parent / Path(name).name).exists():
        return described
    images = tuple(
        replace(i, data=tuple(replace(d, file=None, uuid=None) for d in i.data))
        for i in described.images
    )
    return replace(described, images=images)


def _member(path: Path, data: TiffData) -> Path | None:
    """A file of the set beside this one; None where it is not there.

    Only its last name counts: a set lies in one folder, and no name may lead out of it.
    """
    if not data.file:
        return None
    name = PureWindowsPath(PurePosixPath(data.file).name).name
    if not name or name in (".", ".."):
        return None
    member = path.parent / name
    try:
        refuse_special(member)
    except DataError as error:
        if "no such file" in str(error):
            return None
        raise
    return member


def open_by_itself(path: Path) -> Any:
    """Open a TIFF for its pages alone, whatever its metadata say of a set."""
    import tifffile

    return tifffile.TiffFile(path, is_ome=False, is_mmstack=False, is_ndtiff=False, is_imagej=False)


def _count_pages(member: Path) -> int:
    with TiffLog(member), open_by_itself(member) as tiff:
        return len(tiff.pages)
