"""What one viewer is working on: data sets, classifier, results, selection. It knows no Qt."""

from napari_channelmix.viewer.session.session import (
    Predictions,
    Session,
    Shown,
    Trained,
    own_viewer,
    session_of,
)

__all__ = ["Predictions", "Session", "Shown", "Trained", "own_viewer", "session_of"]
