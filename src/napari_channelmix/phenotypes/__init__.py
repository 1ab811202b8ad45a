"""Classes of cells, questioned: against predictions, within groups, along doses."""

from napari_channelmix.phenotypes.adjusted import Adjusted, HeldOutCalls, adjusted_fractions
from napari_channelmix.phenotypes.confusion import Confusion, confusion_of, matching
from napari_channelmix.phenotypes.control_wells import ControlQuality, control_quality
from napari_channelmix.phenotypes.dose_response import (
    DoseResponse,
    Logistic,
    as_doses,
    dose_response,
)
from napari_channelmix.phenotypes.fractions import (
    Fractions,
    Grouping,
    fractions_of,
    grouping_of,
)
from napari_channelmix.phenotypes.label_quality import class_distance, disagreement, margin
from napari_channelmix.phenotypes.plate import Plate, plates_of
from napari_channelmix.phenotypes.wilson import wilson

__all__ = [
    "Adjusted",
    "Confusion",
    "ControlQuality",
    "DoseResponse",
    "Fractions",
    "Grouping",
    "HeldOutCalls",
    "Logistic",
    "Plate",
    "adjusted_fractions",
    "as_doses",
    "class_distance",
    "confusion_of",
    "control_quality",
    "disagreement",
    "dose_response",
    "fractions_of",
    "grouping_of",
    "margin",
    "matching",
    "plates_of",
    "wilson",
]
