"""Pictures of a report as data URIs: nothing is fetched when it is read."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.evidence_colors import evidence_rgba, map_limit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from napari_channelmix.evidence_colors import EvidenceView

__all__ = [
    "cell_picture",
    "cell_strip",
    "data_uri",
    "map_picture",
    "png_of",
    "shrunk",
    "svg_of",
]

FloatArray = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

# Side of a cell on the page, in pixels; small crops are drawn in whole multiples of theirs.
SIDE = 144
THUMBNAIL = 64
GAP = 4


def data_uri(kind: str, content: bytes) -> str:
    """Bytes as a URI that holds them; ``kind`` is such as ``image/png``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def svg_of(figure: Figure) -> bytes:
    """A figure as SVG, the same bytes for the same figure."""
    import matplotlib as mpl

    # By default names inside the file are drawn at random, and the date stands in it.
    with mpl.rc_context({"svg.hashsalt": "napari-channelmix"}):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def png_figure(figure: Figure) -> bytes:
    """A figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def png_of(pixels: npt.NDArray[Any]) -> bytes:
    """Pixels (H, W), (H, W, 3), or (H, W, 4) with opacity, uint8, as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(
        buffer, format="PNG", optimize=True
    )
    return buffer.getvalue()


def cell_picture(picture: npt.NDArray[Any]) -> bytes:
    """A cell as PNG: grey (H, W), or colours (H, W, 3), 0 to 1 or uint8."""
    return png_of(_enlarged(_colored(picture), SIDE))


def map_picture(grey: FloatArray, attribution: FloatArray, view: EvidenceView) -> bytes:
    """A cell in grey (H, W), 0 to 1, with its map or magnitude (H, W) over it, as PNG.

    Up to the strongest 2 % of its pixels, for and against on one scale.
    """
    limit = map_limit(attribution)
    tint = evidence_rgba(attribution / (limit if limit > 0 else 1), view)
    over = _colored(grey) * (1 - tint[..., 3:]) + tint[..., :3] * tint[..., 3:]
    return png_of(_enlarged(over, SIDE))


def _colored(picture: npt.NDArray[Any]) -> FloatArray:
    """Grey (H, W) or colours (H, W, 3) as colours, 0 to 1."""
    levels = picture / np.float32(255) if picture.dtype == np.uint8 else picture
    colors = np.repeat(levels[..., None], 3, axis=2) if levels.ndim == 2 else levels
    return np.asarray(colors, np.float32)


def cell_strip(pictures: npt.NDArray[Any]) -> bytes:
    """Cells (n, H, W, 3), 0 to 1 or uint8, side by side, as PNG."""
    drawn = [_enlarged(_colored(picture), THUMBNAIL) for picture in pictures]
    height = max(len(image) for image in drawn)
    # Clear between them, on light and on dark ground.
    gap = np.zeros((height, GAP, 4), np.uint8)
    parts: list[Bytes] = []
    for image in drawn:
        opaque = np.full((*image.shape[:2], 1), 255, np.uint8)
        parts += [np.concatenate([image, opaque], axis=-1), gap]
    return png_of(np.concatenate(parts[:-1], axis=1))


def shrunk(png: bytes, width: int = 1500) -> bytes:
    """A PNG no wider than ``width``, with 256 colours where that is much smaller."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    if image.width > width:
        size = (width, round(image.height * width / image.width))
        image = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.quantize(256).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue() if len(buffer.getvalue()) < len(png) else png


def _enlarged(pixels: npt.NDArray[Any], side: int) -> Bytes:
    """Values 0..1 as bytes; small pictures in whole multiples, large ones as they are."""
    factor = max(1, side // max(pixels.shape[:2]))
    whole = np.round(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    return np.asarray(whole.repeat(factor, axis=0).repeat(factor, axis=1))
