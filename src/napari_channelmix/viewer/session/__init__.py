"""What one viewer is working on: data sets, classifier, results, selection. It knows no Qt."""

from napari_channelmix.viewer.session.per_viewer import own_viewer
from napari_channelmix.viewer.session.predictions import Predictions
from napari_channelmix.viewer.session.session import Session, session_of
from napari_channelmix.viewer.session.shown import Shown
from napari_channelmix.viewer.session.trained import Trained

__all__ = ["Predictions", "Session", "Shown", "Trained", "own_viewer", "session_of"]
