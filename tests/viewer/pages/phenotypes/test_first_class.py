"""Which class is looked at first."""

from __future__ import annotations

import numpy as np

from napari_channelmix.viewer.pages.phenotypes.first_class import first_class

DOSES = [0.0, 1.0, 10.0, 100.0]


def test_it_rises_with_the_dose_wherever_it_stands_in_the_alphabet() -> None:
    rising = np.array([0.0, 0.2, 0.7, 1.0])
    shares = np.column_stack([rising, 1 - rising])
    assert first_class(("cytoplasm", "nucleus"), shares, DOSES) == "cytoplasm"
    assert first_class(("cytoplasm", "nucleus"), shares[:, ::-1], DOSES) == "nucleus"
    # A group without cells, and one without a dose, say nothing.
    shares = np.vstack([shares, [np.nan, np.nan], [1.0, 0.0]])
    assert first_class(("a", "b"), shares, [*DOSES, 1000.0, np.nan]) == "a"


def test_a_negative_control_comes_last_without_doses_too() -> None:
    shares = np.full((4, 2), 0.5)
    assert first_class(("treated", "untreated"), shares) == "treated"
    assert first_class(("DMSO", "drug"), shares, DOSES) == "drug"
    assert first_class(("untreated",), shares[:, :1]) == "untreated"
    assert first_class((), shares[:, :0]) == ""
