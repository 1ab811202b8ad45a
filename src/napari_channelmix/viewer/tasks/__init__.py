"""Run jobs in worker threads, and show how far they are."""

from napari_channelmix.viewer.tasks.task import Task, Update

__all__ = ["Task", "Update"]
