"""Label images beside images: which belongs to which, by the names that segmentation tools give."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from napari_channelmix.scan.questions import LeftOut

__all__ = ["LabelPairs", "mask_of_files", "pair_label_files"]

# The end of a stem: Cellpose, ilastik, CellProfiler's saved objects, and what people write.
_SUFFIX = re.compile(
    r"[ _.-]("
    r"cp_masks"
    r"|object[ _-]identities"
    r"|stardist(?:[ _-]?(?:masks?|labels?))?"
    r"|(?:(?:nuclei|nucleus|nuclear|cells?|cyto|cytoplasm|instance|label)[ _-]?)?"
    r"(?:masks?|labels?|seg|segmentation|segmented|objects?)"
    r"|label[ _-]?images?"
    r")$",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"^(masks?|labels?|seg|segmentation)[ _.-]", re.IGNORECASE)
_LABEL_FOLDER = re.compile(
    r"^((nuclei|nucleus|nuclear|cells?|cyto|cytoplasm|instance)?[ _-]?"
    r"(masks?|labels?|seg|segmentations?|label[ _-]?images?|objects)"
    r"|gt|ground[ _-]?truth|stardist)$",
    re.IGNORECASE,
)
_IMAGE_FOLDER = re.compile(r"^(images?|imgs?|raws?|inputs?|data|tiffs?)$", re.IGNORECASE)
_IMAGE_SUFFIXES = (".tif", ".tiff", ".btf", ".png", ".jpg", ".jpeg", ".stk", ".lsm", ".bmp")
_SEPARATORS = " _-."

# What segmentation tools write beside their label images, and what to do instead.
_NO_LABELS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"_seg\.npy$", re.IGNORECASE),
        "a pickle of Cellpose, which is never loaded; save its masks as PNG or TIFF "
        "(File > Save masks as PNG/tif, or --save_tif)",
    ),
    (
        re.compile(r"\.npz?$", re.IGNORECASE),
        "arrays of NumPy are not read; save the label image as TIFF",
    ),
    (
        re.compile(r"\.(h5|hdf5|ilp)$", re.IGNORECASE),
        "HDF5 is not read as an image; in ilastik export 'Object Identities' as TIFF",
    ),
    (
        re.compile(r"_cp_(outlines|flows|output)[^/]*$|_cp_outlines\.txt$", re.IGNORECASE),
        "outlines or flows of Cellpose, no label image",
    ),
    (
        re.compile(r"_(flows|dP|cellprob)(_cp_masks)?\.tiff?$", re.IGNORECASE),
        "flows of Cellpose, no label image",
    ),
    (
        re.compile(r"(_rois?|roiset)[^/]*\.(zip|roi)$|\.roi$", re.IGNORECASE),
        "outlines of ImageJ are not read; save them as a label image",
    ),
)


@dataclass(frozen=True, eq=False)
class LabelPairs:
    """Which label image belongs to which image.

    Attributes
    ----------
    kinds : mapping of str to mapping of str to str
        For each way in which label images are named (``"*_cp_masks"``, ``"masks/*"``), image and
        its label image; the way with the most pairs comes first. Several: such as nuclei and
        cells, of which one has to be chosen.
    label_files : frozenset of str
        All files that are label images, paired or not: none of them is an image.
    left_out : tuple of LeftOut
        Label images without an image, and files of segmentation tools that hold no labels.
    """

    kinds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    label_files: frozenset[str] = frozenset()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def masks(self) -> Mapping[str, str]:
        """Image and its label image, of the first kind; empty where there is none."""
        return next(iter(self.kinds.values()), {})


@dataclass(frozen=True)
class _Candidate:
    name: str
    kind: str
    # Where its image would lie, and what its stem would be or begin with.
    folder: tuple[str, ...]
    stem: str


def pair_label_files(names: Iterable[str]) -> LabelPairs:
    """Pair label images with images, by their names alone.

    Understood are suffixes (``x_cp_masks.png`` of Cellpose, ``x_Object Identities.tif`` of ilastik,
    ``x_mask``, ``x_labels``, ``x_seg``, ``x_NucleiObjects``), prefixes (``mask_x``) and folders
    (``masks/x.tif`` or ``labels/x.tif`` beside ``images/x.tif`` or ``x.tif``, as for StarDist).
    Where no image has the stem of a label image, it stands for all whose names go on behind it:
    ``A01_s1_mask.tif`` for ``A01_s1_w1.tif`` and ``A01_s1_w2.tif``. Where all files look like label
    images, they are images. Our definition.

    Parameters
    ----------
    names : iterable of str
        Paths relative to one folder, with ``/`` between folders. No file is opened.

    Returns
    -------
    LabelPairs

    Examples
    --------
    >>> pairs = pair_label_files(["a.tif", "a_cp_masks.tif", "b.tif", "c_cp_masks.tif"])
    >>> dict(pairs.masks)
    {'a.tif': 'a_cp_masks.tif'}
    >>> pairs.left_out[0].path
    'c_cp_masks.tif'
    """
    names = list(dict.fromkeys(names))
    left_out = [
        LeftOut(name, reason) for name in names if (reason := _no_label_image(name)) is not None
    ]
    useless = {item.path for item in left_out}
    pictures = [
        name for name in names if name not in useless and name.lower().endswith(_IMAGE_SUFFIXES)
    ]
    candidates = {name: found for name in pictures if (found := _candidates(name))}
    images = [name for name in pictures if name not in candidates]
    if not images or not candidates:
        return LabelPairs({}, frozenset(), tuple(left_out))
    index = _Images(images)
    kinds: dict[str, dict[str, str]] = defaultdict(dict)
    for name, possible in candidates.items():
        matches, kind = index.of(possible)
        if not matches:
            left_out.append(
                LeftOut(
                    name,
                    f"named like a label image, but there is no image {possible[0].stem!r} to it",
                )
            )
        for image in matches:
            first = kinds[kind].setdefault(image, name)
            if first != name:
                left_out.append(LeftOut(name, f"{image} has the label image {first} already"))
    ordered = sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
    return LabelPairs(dict(ordered), frozenset(candidates), tuple(left_out))


def mask_of_files(masks: Mapping[str, str], files: Iterable[str]) -> tuple[str, ...]:
    """The label images of a field of view, each once; several where its channels have their own.

    Parameters
    ----------
    masks : mapping of str to str
        Image and its label image.
    files : iterable of str
        The files of the field's channels.
    """
    return tuple(dict.fromkeys(masks[file] for file in files if file in masks))


def _no_label_image(name: str) -> str | None:
    for pattern, reason in _NO_LABELS:
        if pattern.search(name):
            return reason
    return None


def _plain_stem(name: str) -> str:
    """A file name without its suffixes, in one form of its letters."""
    stem = PurePosixPath(unicodedata.normalize("NFC", name)).stem
    return re.sub(r"\.ome$", "", stem, flags=re.IGNORECASE)


def _candidates(name: str) -> list[_Candidate]:
    """The ways in which a name may be that of a label image, the surest first."""
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    parts = list(path.parent.parts)
    stem = _plain_stem(path.name)
    # x_mask/y: the deepest folder that says 'labels' counts.
    label_folder = next(
        (place for place in reversed(range(len(parts))) if _LABEL_FOLDER.match(parts[place])), None
    )
    rest = parts if label_folder is None else parts[:label_folder] + parts[label_folder + 1 :]
    folder = tuple(part.casefold() for part in rest)
    found: list[_Candidate] = []
    before = "" if label_folder is None else f"{parts[label_folder]}/"
    suffix, prefix = _SUFFIX.search(stem), _PREFIX.match(stem)
    if suffix and suffix.start():
        kind, base = f"{before}*{suffix[0]}", stem[: suffix.start()]
        found.append(_Candidate(name, kind, folder, _bare(base)))
    if prefix and len(stem) > prefix.end():
        found.append(_Candidate(name, f"{before}{prefix[0]}*", folder, _bare(stem[prefix.end() :])))
    if label_folder is not None:
        found.append(_Candidate(name, f"{before}*", folder, _bare(stem)))
    return found


def _bare(stem: str) -> str:
    # Cellpose keeps the first of two suffixes: x.ome_cp_masks.tif.
    return re.sub(r"\.(ome|tiff?|png)$", "", stem, flags=re.IGNORECASE).casefold()


class _Images:
    """Images by the places in which label images look for them."""

    def __init__(self, images: Iterable[str]) -> None:
        self._exact: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
        self._sorted: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
        for image in images:
            path = PurePosixPath(unicodedata.normalize("NFC", image))
            parts = tuple(part.casefold() for part in path.parent.parts)
            # A folder that only says 'images' has no counterpart among those of label images.
            without = [
                parts[:place] + parts[place + 1 :]
                for place, part in enumerate(parts)
                if _IMAGE_FOLDER.match(part)
            ]
            stem = _plain_stem(path.name).casefold()
            for folder in dict.fromkeys([parts, *without]):
                self._exact[folder, stem].append(image)
                self._sorted[folder].append((stem, image))
        for listed in self._sorted.values():
            listed.sort()

    def of(self, possible: list[_Candidate]) -> tuple[list[str], str]:
        """The images of a label image, and how it is named: the same stem first, then longer."""
        for candidate in possible:
            exact = self._exact.get((candidate.folder, candidate.stem))
            if exact:
                return exact, candidate.kind
        for candidate in possible:
            longer = [
                image
                for stem, image in self._beginning(candidate.folder, candidate.stem)
                if stem[len(candidate.stem)] in _SEPARATORS
            ]
            if longer:
                return longer, candidate.kind
        return [], possible[0].kind

    def _beginning(self, folder: tuple[str, ...], stem: str) -> Iterator[tuple[str, str]]:
        listed = self._sorted.get(folder, [])
        for place in range(bisect_left(listed, (stem, "")), len(listed)):
            if not listed[place][0].startswith(stem):
                return
            if len(listed[place][0]) > len(stem):
                yield listed[place]
