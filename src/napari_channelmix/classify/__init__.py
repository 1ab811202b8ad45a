"""Classifiers of cells: networks, training, bundles, and models made elsewhere."""

from napari_channelmix.classify.borders import border_warning
from napari_channelmix.classify.bundle import load_bundle, save_bundle
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.evaluation import Evaluation, evaluate, evaluate_job
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.load import load_model
from napari_channelmix.classify.mixing import ChannelMix, MixedNetwork
from napari_channelmix.classify.networks import NetworkSpec, network_names
from napari_channelmix.classify.predictor import data_shift_job
from napari_channelmix.classify.shift import DataShift
from napari_channelmix.classify.train import train_classifier, train_classifier_job
from napari_channelmix.classify.training_data import TrainingData
from napari_channelmix.classify.training_loop import TrainingSettings
from napari_channelmix.classify.wrapping import wrap

__all__ = [
    "ChannelMix",
    "Classifier",
    "DataShift",
    "Evaluation",
    "ForeignClassifier",
    "MixedNetwork",
    "NetworkSpec",
    "TrainingData",
    "TrainingSettings",
    "border_warning",
    "data_shift_job",
    "evaluate",
    "evaluate_job",
    "load_bundle",
    "load_model",
    "network_names",
    "save_bundle",
    "train_classifier",
    "train_classifier_job",
    "wrap",
]
