"""Files and layers become cells: crops, labels, groups, and where each came from."""

from napari_channelmix.data.cells import Cells
from napari_channelmix.data.dataset import open_dataset, open_dataset_job
from napari_channelmix.data.fields import Field
from napari_channelmix.data.masks import objects_of_mask
from napari_channelmix.data.segment import find_nuclei
from napari_channelmix.data.segmentation import Segmentation, segment_job
from napari_channelmix.data.statistics import ChannelStatistics
from napari_channelmix.data.write_dataset import save_dataset, save_dataset_job

__all__ = [
    "Cells",
    "ChannelStatistics",
    "Field",
    "Segmentation",
    "find_nuclei",
    "objects_of_mask",
    "open_dataset",
    "open_dataset_job",
    "save_dataset",
    "save_dataset_job",
    "segment_job",
]
