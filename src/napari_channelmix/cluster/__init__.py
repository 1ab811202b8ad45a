"""Work in chunks: in this process, on workers of this machine, or on a dask cluster."""

from napari_channelmix.cluster.chunks import chunks_job
from napari_channelmix.cluster.report import ChunkReport

__all__ = ["ChunkReport", "chunks_job"]
