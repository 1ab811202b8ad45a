"""Which channel shows nuclei, told by its name."""

from __future__ import annotations

import doctest

import pytest

from napari_channelmix.data import nuclear_channel as module
from napari_channelmix.data.nuclear_channel import nuclear_channel


@pytest.mark.parametrize(
    "name",
    [
        "DNA",
        "dapi",
        "Hoechst 33342",
        "Hoechst33342",
        "ch5-DNA",
        "FileName_OrigDNA",
        "nuclei",
        "Nucleus (blue)",
        "DRAQ5",
        "SYTOX Green",
        "PI",
        "propidium iodide",
        "H2B-mCherry",
        "histone 2B",
        "TO-PRO-3",
        "DAPI_405",
        "SiR-DNA",
        "Hematoxylin",
        "haematoxylin (layer 1)",
        "methyl green",
        "MethylGreen",
        "Feulgen",
    ],
)
def test_names_of_nuclear_stains_are_known(name: str) -> None:
    assert nuclear_channel(["GFP", name, "actin"]) == name


@pytest.mark.parametrize(
    "name",
    ["cDNA", "mtDNA", "PI3K", "PI(4,5)P2", "pi", "DNA-PK", "DNA damage", "nucleoli", "RNA", ""],
)
def test_names_that_only_look_alike_are_not_taken(name: str) -> None:
    assert nuclear_channel([name, "GFP"]) is None


def test_a_stain_of_dna_goes_before_a_structure_and_a_fusion_protein() -> None:
    assert nuclear_channel(["H2B-GFP", "nuclei", "DAPI"]) == "DAPI"
    assert nuclear_channel(["H2B-GFP", "nuclei"]) == "nuclei"
    assert nuclear_channel(["PI", "H2B-GFP"]) == "H2B-GFP"


def test_two_names_that_fit_equally_well_are_a_question() -> None:
    assert nuclear_channel(["DAPI", "Hoechst"]) is None
    assert nuclear_channel([]) is None


def test_the_examples_of_its_documentation_are_right() -> None:
    assert doctest.testmod(module).failed == 0
