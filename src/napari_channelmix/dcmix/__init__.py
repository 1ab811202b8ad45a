"""DCMIX: channel importance from a mixing layer learnt with the classifier."""

from napari_channelmix.classify.mixing import ChannelMix
from napari_channelmix.dcmix.importance import channel_importance, channel_importance_job
from napari_channelmix.dcmix.result import ChannelImportance

__all__ = ["ChannelImportance", "ChannelMix", "channel_importance", "channel_importance_job"]
