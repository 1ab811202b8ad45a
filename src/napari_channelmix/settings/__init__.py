"""One settings object per job, the same for Python, command line, window, config and script."""

from napari_channelmix.settings.audit import AuditSettings
from napari_channelmix.settings.channels import (
    ChannelMeansSettings,
    ChannelSettings,
    TransplantSettings,
)
from napari_channelmix.settings.cluster import OF_THE_CLUSTER, ClusterSettings
from napari_channelmix.settings.evaluation import EvaluationSettings
from napari_channelmix.settings.explain import ExplainSettings, MapSettings, Only, Question
from napari_channelmix.settings.export import CellFormat, ExportSettings
from napari_channelmix.settings.fields import (
    About,
    Setting,
    as_dict,
    fields_of,
    merged,
    settings,
    settings_of,
    takes_settings,
)
from napari_channelmix.settings.importance import ImportanceSettings
from napari_channelmix.settings.latents import (
    EncodingSettings,
    FinetuneSettings,
    LatentsSettings,
)
from napari_channelmix.settings.panel import PanelSettings
from napari_channelmix.settings.predict import PredictSettings
from napari_channelmix.settings.scan import ScanSettings
from napari_channelmix.settings.segmentation import SegmentationSettings
from napari_channelmix.settings.training import (
    ClassifierSettings,
    Constraint,
    Device,
    NetworkSettings,
    TrainingSettings,
)
from napari_channelmix.settings.what_if import WhatIfSettings

__all__ = [
    "OF_THE_CLUSTER",
    "About",
    "AuditSettings",
    "CellFormat",
    "ChannelMeansSettings",
    "ChannelSettings",
    "ClassifierSettings",
    "ClusterSettings",
    "Constraint",
    "Device",
    "EncodingSettings",
    "EvaluationSettings",
    "ExplainSettings",
    "ExportSettings",
    "FinetuneSettings",
    "ImportanceSettings",
    "LatentsSettings",
    "MapSettings",
    "NetworkSettings",
    "Only",
    "PanelSettings",
    "PredictSettings",
    "Question",
    "ScanSettings",
    "SegmentationSettings",
    "Setting",
    "TrainingSettings",
    "TransplantSettings",
    "WhatIfSettings",
    "as_dict",
    "fields_of",
    "merged",
    "settings",
    "settings_of",
    "takes_settings",
]
