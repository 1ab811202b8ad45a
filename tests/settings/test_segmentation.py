"""Settings of segmentation: what a data-set file says for them."""

from __future__ import annotations

import doctest

from napari_channelmix.settings import ScanSettings, SegmentationSettings, fields_of
from napari_channelmix.settings import segmentation as module
from napari_channelmix.settings.segmentation import segmentation_keys


def test_a_scan_takes_all_settings_of_segmentation() -> None:
    names = {field.name for field in fields_of(SegmentationSettings)}
    assert names < {field.name for field in fields_of(ScanSettings)}
    # Those of the scan itself are no keys of the cells.
    scan = ScanSettings(crop=32, diameter=20, body_channel="actin")
    assert segmentation_keys(scan) == {
        "threshold": 1.0,
        "diameter": 20.0,
        "body_channel": "actin",
    }


def test_the_examples_of_its_documentation_are_right() -> None:
    assert doctest.testmod(module).failed == 0
