"""Settings of work in chunks: in this process, on workers of this machine, or on a cluster."""

from __future__ import annotations

from typing import Annotated

from napari_channelmix.bounds import Name, Retries, Workers
from napari_channelmix.settings.fields import About, fields_of, settings, settings_of

__all__ = ["OF_THE_CLUSTER", "ClusterSettings"]


@settings
class ClusterSettings:
    """Where the chunks of a job are computed. Results do not depend on it.

    Attributes
    ----------
    workers : int
        Processes that are started on this machine; 0: the process itself.
    scheduler : str
        Address of a dask scheduler that runs, such as ``tcp://host:8786``; its workers are used
        then, and none is started. Empty: none.
    retries : int
        How often a chunk that failed is tried again before it is listed as missing.

    Examples
    --------
    >>> ClusterSettings(workers=4).retries
    2
    """

    workers: Annotated[
        Workers,
        About(
            "Workers",
            "processes to start on this machine; 0: compute in this one",
            metavar="N",
            advanced=True,
        ),
    ] = 0
    scheduler: Annotated[
        Name,
        About(
            "Scheduler",
            "address of a dask scheduler that runs, such as tcp://host:8786",
            metavar="ADDRESS",
            advanced=True,
        ),
    ] = ""
    retries: Annotated[
        Retries,
        About(
            "Retries",
            "times that a chunk which failed is tried again before it is listed",
            metavar="N",
            advanced=True,
        ),
    ] = 2

    @property
    def cluster(self) -> ClusterSettings:
        """Where chunks are computed, without anything else."""
        return settings_of(ClusterSettings, self)


#: Settings that say where a job is computed, not what: no part of what a result was made of.
OF_THE_CLUSTER = tuple(row.name for row in fields_of(ClusterSettings))
