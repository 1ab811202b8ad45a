"""Memory: batches that fit, and what counts as having run out."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix.classify.callables import is_out_of_memory
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.batch_size import cells_at_once
from napari_channelmix.pcim.model_adapter import subject_of


class Wide(nn.Module):
    """Keeps ``width`` maps of each image for its gradients."""

    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.conv(x)).mean(dim=(2, 3))[:, :2]


def at_once(width, side, mode="autograd", room=0):
    crops = np.zeros((1, 1, side, side), np.float32)
    subject = subject_of(Wide(width), crops)
    return cells_at_once(subject, subject.prepare(crops), mode, room)


def test_larger_networks_and_images_go_in_smaller_batches():
    sizes = [at_once(4, 16), at_once(64, 128), at_once(256, 128), at_once(256, 256)]
    assert sizes[0] == 64
    assert sizes == sorted(sizes, reverse=True)
    assert 1 <= sizes[-1] < sizes[1] < 64


def test_a_black_box_needs_no_gradients():
    assert at_once(256, 256, "blackbox") == 64


def test_cells_of_a_black_box_share_a_gibibyte():
    sizes = [at_once(4, 16, "blackbox", room) for room in (2**20, 2**26, 2**29, 2**31)]
    assert sizes == [64, 16, 2, 1]


class Square(nn.Module):
    """Keeps the image, and nothing else, for its gradients."""

    def forward(self, x):
        mean = (x**2).mean(dim=(1, 2, 3))
        return torch.stack([-mean, mean], dim=1)


@pytest.mark.parametrize(("side", "cells"), [(512, 16), (384, 28)])
def test_two_versions_of_each_cell_fit_into_32_megabytes(side, cells):
    # An image of 512 x 512 pixels takes 1 MiB.
    crops = np.ones((1, 1, side, side), np.float32)
    subject = subject_of(Square(), crops)
    assert cells_at_once(subject, subject.prepare(crops), "autograd") == cells


def wrapped(cause):
    error = ModelError("the function failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (torch.OutOfMemoryError("CUDA"), True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory"), True),
        (wrapped(MemoryError()), True),
        (RuntimeError("shapes differ"), False),
        (wrapped(RuntimeError("shapes differ")), False),
        (ModelError("the function ran out of memory of what was asked"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_told_from_other_errors(error, is_one):
    assert is_out_of_memory(error) is is_one
