"""One settings object per job, the same for Python, command line, window, config and script."""

from napari_channelmix.settings.explain import ExplainSettings, Only
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
from napari_channelmix.settings.latents import LatentsSettings
from napari_channelmix.settings.training import (
    ClassifierSettings,
    Constraint,
    Device,
    NetworkSettings,
    TrainingSettings,
)

__all__ = [
    "About",
    "ClassifierSettings",
    "Constraint",
    "Device",
    "ExplainSettings",
    "ImportanceSettings",
    "LatentsSettings",
    "NetworkSettings",
    "Only",
    "Setting",
    "TrainingSettings",
    "as_dict",
    "fields_of",
    "merged",
    "settings",
    "settings_of",
    "takes_settings",
]
