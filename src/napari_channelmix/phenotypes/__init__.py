"""Classes of cells, questioned: against predictions, within groups, along doses."""

from napari_channelmix.phenotypes.adjusted import Adjusted, HeldOutCalls, adjusted_fractions
from napari_channelmix.phenotypes.confusion import Confusion, confusion_of, matching
from napari_channelmix.phenotypes.doses import DoseResponse, Logistic, as_doses, dose_response
from napari_channelmix.phenotypes.doubt import class_distance, disagreement, margin
from napari_channelmix.phenotypes.fractions import (
    Fractions,
    Grouping,
    fractions_of,
    grouping_of,
    wilson,
)

__all__ = [
    "Adjusted",
    "Confusion",
    "DoseResponse",
    "Fractions",
    "Grouping",
    "HeldOutCalls",
    "Logistic",
    "adjusted_fractions",
    "as_doses",
    "class_distance",
    "confusion_of",
    "disagreement",
    "dose_response",
    "fractions_of",
    "grouping_of",
    "margin",
    "matching",
    "wilson",
]
