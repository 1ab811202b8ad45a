"""PCIM: which pixels made the classifier say so, and how far the answer can be trusted."""

from napari_channelmix.pcim.attribution import Attribution, MapUpdate
from napari_channelmix.pcim.explain import explain_job
from napari_channelmix.pcim.explain_and_test import explain
from napari_channelmix.pcim.map_reliability import Reliability, reliability, reliability_job
from napari_channelmix.pcim.mean_maps import MeanMaps, mean_maps
from napari_channelmix.pcim.measure import measure_job
from napari_channelmix.pcim.methods import BASELINES, METHODS, MORE_BASELINES

__all__ = [
    "BASELINES",
    "METHODS",
    "MORE_BASELINES",
    "Attribution",
    "MapUpdate",
    "MeanMaps",
    "Reliability",
    "explain",
    "explain_job",
    "mean_maps",
    "measure_job",
    "reliability",
    "reliability_job",
]
