"""What was done, written down so that it can be done again: as JSON, as a script, as a command."""

from napari_channelmix.config.file import read_config, write_config
from napari_channelmix.config.schema import (
    SCHEMA,
    AuditPart,
    ClassifierPart,
    Config,
    DataPart,
    DataSetConfig,
    ExplanationPart,
    ImportancePart,
    LatentsPart,
    ModelChannelsPart,
    PredictionsPart,
    TrainingPart,
    TransplantsPart,
    WhatIfPart,
)
from napari_channelmix.config.script import script_of

__all__ = [
    "SCHEMA",
    "AuditPart",
    "ClassifierPart",
    "Config",
    "DataPart",
    "DataSetConfig",
    "ExplanationPart",
    "ImportancePart",
    "LatentsPart",
    "ModelChannelsPart",
    "PredictionsPart",
    "TrainingPart",
    "TransplantsPart",
    "WhatIfPart",
    "read_config",
    "script_of",
    "write_config",
]
