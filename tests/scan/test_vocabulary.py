"""Words that names hold are known for what they are, and no others."""

import pytest

from napari_channelmix.scan import vocabulary


@pytest.mark.parametrize(
    "text",
    ["DAPI", "alexa488", "Alexa Fluor 594", "Alexa_488", "Hoechst 33342", "Cy5", "mCherry", "BF"],
)
def test_stains_are_channels(text):
    assert vocabulary.is_channel(text)


@pytest.mark.parametrize("text", ["A01", "treated", "s1", "2024", "cells", "Exp1", "w1"])
def test_other_words_are_none(text):
    assert not vocabulary.is_channel(text)


@pytest.mark.parametrize("text", ["10nM", "0.5 uM", "0p5µM", "2_mM", "5mg", "10ug/ml", "2Gy"])
def test_doses(text):
    assert vocabulary.dose_like(text)


@pytest.mark.parametrize("text", ["450nm", "20um", "5mm", "10", "M", "10x", "B02"])
def test_lengths_and_wavelengths_are_no_doses(text):
    assert not vocabulary.dose_like(text)


def test_dates_are_days_that_can_be():
    assert all(map(vocabulary.is_date, ["2024-01-15", "20240115", "1999.12.31"]))
    assert not any(map(vocabulary.is_date, ["20241315", "12345678", "2024-01"]))


def test_what_belongs_together_is_one_part():
    text = vocabulary.protected("x_Alexa_488 2024-01-15_0.5 uM_field 3")
    parts = [vocabulary.restored(part) for part in text.split("_")]
    assert parts[:2] == ["x", "Alexa_488 2024-01-15"]
    assert vocabulary.prefixed("TimePoint_12") == ("timepoint", "12")
    assert vocabulary.prefixed("C=0") == ("c", "0")
    assert vocabulary.prefixed("12") is None
