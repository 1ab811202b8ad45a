"""Doses with units become numbers of one unit."""

import pytest

from napari_channelmix.scan.doses import doses_in_one_unit


@pytest.mark.parametrize(
    ("texts", "numbers", "unit"),
    [
        (["10nM", "5 nM", "0nM"], ["10", "5", "0"], "nM"),
        (["10nM", "0.5uM", "0p25 µM", "1mM"], ["0.01", "0.5", "0.25", "1000"], "µM"),
        (["0,5μM", "100µM"], ["0.5", "100"], "µM"),
        (["2mg", "500ug"], ["2000", "500"], "µg"),
        (["1M"], ["1"], "M"),
    ],
)
def test_numbers_by_hand(texts, numbers, unit):
    assert doses_in_one_unit(texts) == (numbers, unit)


@pytest.mark.parametrize("texts", [["10nM", "5mg"], ["high"], ["10"], ["nM"], ["10%"], ["450nm"]])
def test_what_has_no_common_unit_stays(texts):
    assert doses_in_one_unit(texts) is None
