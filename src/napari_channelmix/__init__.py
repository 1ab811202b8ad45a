"""Which channels, which pixels, what kind of cell: questions to a classifier of cells.

The names below are imported when they are first used: importing this package imports neither
PyTorch nor Qt.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from napari_channelmix._moved import know_old_names

if TYPE_CHECKING:
    from napari_channelmix.classify import (
        Classifier,
        DataShift,
        Evaluation,
        evaluate,
        load_model,
        network_names,
        train_classifier,
        wrap,
    )
    from napari_channelmix.data import Cells, open_dataset, save_dataset
    from napari_channelmix.data.channel_notes import ChannelNotes, channel_notes
    from napari_channelmix.data.multiplex_sample import multiplex_sample
    from napari_channelmix.data.segmentation import Segmentation, segment
    from napari_channelmix.dcmix import ChannelImportance, channel_importance
    from napari_channelmix.drl import Disentangler, Latents, latents, load_disentangler
    from napari_channelmix.errors import ChannelMixError, DataShiftWarning
    from napari_channelmix.jobs import Progress
    from napari_channelmix.pcim import (
        Attribution,
        MeanMaps,
        Reliability,
        explain,
        mean_maps,
        reliability,
    )
    from napari_channelmix.report.cell_results import CellResults, write_cells
    from napari_channelmix.report.predict_dataset import predict_cells
    from napari_channelmix.run.explain_dataset import explain_cells
    from napari_channelmix.run.export_dataset import export_cells
    from napari_channelmix.run.rerun import run_config
    from napari_channelmix.run.what_if_dataset import what_if_cells
    from napari_channelmix.scan.folder import scan_folder
    from napari_channelmix.scan.open import open
    from napari_channelmix.scan.tables import scan_table
    from napari_channelmix.settings import (
        AuditSettings,
        ChannelMeansSettings,
        ChannelSettings,
        ClassifierSettings,
        ClusterSettings,
        EncodingSettings,
        EvaluationSettings,
        ExplainSettings,
        ExportSettings,
        FinetuneSettings,
        ImportanceSettings,
        MapSettings,
        PanelSettings,
        PredictSettings,
        ScanSettings,
        SegmentationSettings,
        TrainingSettings,
        TransplantSettings,
        WhatIfSettings,
    )
    from napari_channelmix.whatif.audit import audit
    from napari_channelmix.whatif.audit_result import Audit
    from napari_channelmix.whatif.channel_means import channel_means
    from napari_channelmix.whatif.channel_means_result import ChannelMeans
    from napari_channelmix.whatif.channel_shapley import channel_shapley
    from napari_channelmix.whatif.channel_shapley_result import ChannelShapley
    from napari_channelmix.whatif.edit import edit
    from napari_channelmix.whatif.panel import panel
    from napari_channelmix.whatif.panel_result import Panel
    from napari_channelmix.whatif.result import WhatIf
    from napari_channelmix.whatif.transplants import transplant
    from napari_channelmix.whatif.transplants_result import Transplants
    from napari_channelmix.whatif.what_if import what_if

__all__ = [
    "Attribution",
    "Audit",
    "AuditSettings",
    "CellResults",
    "Cells",
    "ChannelImportance",
    "ChannelMeans",
    "ChannelMeansSettings",
    "ChannelMixError",
    "ChannelNotes",
    "ChannelSettings",
    "ChannelShapley",
    "Classifier",
    "ClassifierSettings",
    "ClusterSettings",
    "DataShift",
    "DataShiftWarning",
    "Disentangler",
    "EncodingSettings",
    "Evaluation",
    "EvaluationSettings",
    "ExplainSettings",
    "ExportSettings",
    "FinetuneSettings",
    "ImportanceSettings",
    "Latents",
    "MapSettings",
    "MeanMaps",
    "Panel",
    "PanelSettings",
    "PredictSettings",
    "Progress",
    "Reliability",
    "ScanSettings",
    "Segmentation",
    "SegmentationSettings",
    "TrainingSettings",
    "TransplantSettings",
    "Transplants",
    "WhatIf",
    "WhatIfSettings",
    "audit",
    "channel_importance",
    "channel_means",
    "channel_notes",
    "channel_shapley",
    "edit",
    "evaluate",
    "explain",
    "explain_cells",
    "export_cells",
    "latents",
    "load_disentangler",
    "load_model",
    "mean_maps",
    "multiplex_sample",
    "network_names",
    "open",
    "open_dataset",
    "panel",
    "predict_cells",
    "reliability",
    "run_config",
    "save_dataset",
    "scan_folder",
    "scan_table",
    "segment",
    "train_classifier",
    "transplant",
    "what_if",
    "what_if_cells",
    "wrap",
    "write_cells",
]

_ROOM_OF = {
    "AuditSettings": "settings",
    "ChannelMeansSettings": "settings",
    "ChannelSettings": "settings",
    "ClassifierSettings": "settings",
    "ClusterSettings": "settings",
    "EncodingSettings": "settings",
    "EvaluationSettings": "settings",
    "ExplainSettings": "settings",
    "ExportSettings": "settings",
    "FinetuneSettings": "settings",
    "ImportanceSettings": "settings",
    "MapSettings": "settings",
    "PanelSettings": "settings",
    "PredictSettings": "settings",
    "ScanSettings": "settings",
    "TrainingSettings": "settings",
    "TransplantSettings": "settings",
    "WhatIfSettings": "settings",
    "Progress": "jobs",
    "Reliability": "pcim",
    "reliability": "pcim",
    "Attribution": "pcim",
    "Audit": "whatif.audit_result",
    "CellResults": "report.cell_results",
    "Cells": "data",
    "ChannelImportance": "dcmix",
    "ChannelMeans": "whatif.channel_means_result",
    "ChannelMixError": "errors",
    "ChannelNotes": "data.channel_notes",
    "ChannelShapley": "whatif.channel_shapley_result",
    "Classifier": "classify",
    "DataShift": "classify",
    "DataShiftWarning": "errors",
    "Disentangler": "drl",
    "Evaluation": "classify",
    "Latents": "drl",
    "MeanMaps": "pcim",
    "Panel": "whatif.panel_result",
    "Segmentation": "data.segmentation",
    "SegmentationSettings": "settings",
    "audit": "whatif.audit",
    "Transplants": "whatif.transplants_result",
    "WhatIf": "whatif.result",
    "channel_importance": "dcmix",
    "channel_notes": "data.channel_notes",
    "channel_means": "whatif.channel_means",
    "channel_shapley": "whatif.channel_shapley",
    "edit": "whatif.edit",
    "evaluate": "classify",
    "explain": "pcim",
    "explain_cells": "run.explain_dataset",
    "export_cells": "run.export_dataset",
    "latents": "drl",
    "load_disentangler": "drl",
    "load_model": "classify",
    "mean_maps": "pcim",
    "multiplex_sample": "data.multiplex_sample",
    "network_names": "classify",
    "open": "scan.open",
    "open_dataset": "data",
    "panel": "whatif.panel",
    "predict_cells": "report.predict_dataset",
    "run_config": "run.rerun",
    "save_dataset": "data",
    "scan_folder": "scan.folder",
    "scan_table": "scan.tables",
    "segment": "data.segmentation",
    "train_classifier": "classify",
    "transplant": "whatif.transplants",
    "what_if_cells": "run.what_if_dataset",
    "what_if": "whatif.what_if",
    "wrap": "classify",
    "write_cells": "report.cell_results",
}


know_old_names()


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from napari_channelmix.provenance import package_version

        return package_version("napari-channelmix") or "0+unknown"
    if name in _ROOM_OF:
        return getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
