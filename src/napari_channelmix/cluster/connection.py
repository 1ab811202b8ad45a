"""A scheduler and its workers: started on this machine, or reached, checked, and left again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from napari_channelmix.cluster.worker_task import Facts, import_there, own_facts, refuse_other
from napari_channelmix.errors import ClusterError
from napari_channelmix.wording import shown_error

if TYPE_CHECKING:
    from napari_channelmix.settings.cluster import ClusterSettings

__all__ = ["Connection", "quiet_logs"]

# Seconds until a scheduler that does not answer is given up, until a worker must be there, and
# until one that was started here must be: Python may have to be read over a network first.
CONNECT, WORKERS, STARTED = 8.0, 30.0, 120.0
MODULE = "napari_channelmix.cluster.local_worker"
# Loggers of dask.distributed and of what it stands on.
LOGGERS = ("distributed", "tornado", "bokeh")
# Workers of this machine that may die one after the other while no chunk is finished.
DEATHS = 6


class Connection:
    """A client of a scheduler, and the workers of this machine that were started for it.

    Parameters
    ----------
    settings : ClusterSettings
    modules : sequence of str
        What the chunks need: all workers import it at once when they are there. What is shared
        would otherwise be imported by one worker after the other, as it is handed on.
    """

    def __init__(self, settings: ClusterSettings, modules: Sequence[str] = ()) -> None:
        self._settings, self._modules = settings, tuple(modules)
        self.client: Any = None
        self.dashboard = ""
        self._cluster: Any = None
        self._folder: Path | None = None
        self._processes: list[subprocess.Popen[bytes]] = []
        self._deaths, self._settled = 0, 0
        #: Workers of this machine that died and were started anew, in all.
        self.replaced = 0
        self._closed = threading.Event()

    @property
    def where(self) -> str:
        """What messages call it."""
        return self._settings.scheduler or "the local cluster"

    @property
    def lost(self) -> bool:
        """Whether the scheduler does not answer any more."""
        return bool(self.client.status != "running")

    def open(self) -> None:
        """Connect, start workers where they are to be started, and check them; takes seconds.

        Raises
        ------
        ClusterError
            No dask.distributed here, no scheduler, no workers, workers that do not fit.
        """
        if find_spec("distributed") is None:
            raise ClusterError(
                "workers need dask.distributed: pip install 'napari-channelmix[cluster]'"
            )
        try:
            if self._settings.scheduler:
                self._connect(self._settings.scheduler)
            else:
                self._start()
            self._await_workers()
            self._refuse_others()
            self.client.run(import_there, self._modules)
        except ClusterError:
            self.close()
            raise
        except Exception as error:
            # A worker or the scheduler that goes away meanwhile: anything from dask.
            self.close()
            raise ClusterError(
                f"{self.where} was lost while its workers were looked at ({shown_error(error)}); "
                "try again"
            ) from error

    def _connect(self, address: str) -> None:
        from distributed import Client

        make: Any = Client
        try:
            asyncio.run(self._greet(address))
            self.client = make(address, timeout=CONNECT, set_as_default=False)
        # Anything from OSError to ValueError for an address that is none.
        except Exception as error:
            text = shown_error(error).partition(" Traceback")[0]
            if isinstance(error, MemoryError):
                # The first bytes of another service, taken for a length.
                text = "what answers there is no dask scheduler"
            raise ClusterError(
                f"no scheduler answers at {address} ({text}); start one with: dask scheduler"
            ) from error
        if find_spec("bokeh") is not None:
            self.dashboard = str(self.client.dashboard_link or "")

    async def _greet(self, address: str) -> None:
        """Exchange greetings with a scheduler, and hang up.

        A client waits without end for those of a port that is open but says nothing, as at the end
        of a dead tunnel.

        Raises
        ------
        TimeoutError
            No answer in time.
        """
        from distributed.comm.core import connect
        from distributed.security import Security

        call, security = cast("Any", connect), cast("Any", Security)
        # Certificates, where dask's configuration has some.
        args = security().get_connection_args("client")
        greeting = asyncio.ensure_future(call(address, timeout=CONNECT, **args))
        begun = time.monotonic()
        while not greeting.done() and time.monotonic() - begun < CONNECT:
            if self._closed.is_set():
                break
            await asyncio.wait([greeting], timeout=0.05)
        if not greeting.done():
            greeting.cancel()
            raise TimeoutError(f"no answer within {CONNECT:.0f} s")
        greeting.result().abort()

    def _start(self) -> None:
        from distributed import Client, LocalCluster

        make_client: Any = Client
        make_cluster: Any = LocalCluster
        try:
            # The scheduler alone, in a thread of this process. The workers are started below: as
            # children of multiprocessing they would run the user's script once more.
            self._cluster = make_cluster(
                n_workers=0,
                processes=False,
                host="127.0.0.1",
                protocol="tcp://",
                # Any port that is free: the usual one may be another cluster's.
                dashboard_address="127.0.0.1:0",
            )
            self.client = make_client(self._cluster, timeout=CONNECT, set_as_default=False)
        except Exception as error:
            raise ClusterError(f"no scheduler could be started ({shown_error(error)})") from error
        if find_spec("bokeh") is not None:
            self.dashboard = str(self._cluster.dashboard_link or "")
        self._folder = Path(tempfile.mkdtemp(prefix="napari-channelmix-workers-"))
        for _ in range(self._settings.workers):
            self._start_worker()

    def _start_worker(self) -> None:
        assert self._folder is not None
        address, number = self._cluster.scheduler_address, len(list(self._folder.glob("*.log")))
        one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        # Modules of the user's script are found as they are here.
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        with (self._folder / f"{number}.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    MODULE,
                    address,
                    str(self._folder),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, **one, "PYTHONPATH": path},
            )
        self._processes.append(process)

    def _await_workers(self) -> None:
        """Wait for the first worker; those of this machine are awaited all, but not for long."""
        wanted, begun = max(self._settings.workers, 1), time.monotonic()
        while (there := len(self.client.nthreads())) < wanted:
            if self._closed.is_set():
                raise ClusterError("stopped")
            if any(process.poll() is not None for process in self._processes):
                raise ClusterError(f"a worker could not be started ({self._last_words()})")
            waited = time.monotonic() - begun
            if self._settings.scheduler and waited > WORKERS:
                raise ClusterError(
                    f"{self.where} has no workers after {WORKERS:.0f} s; start some with: "
                    f"dask worker {self.where} --nthreads 1"
                )
            if there and waited > WORKERS:
                # The others join while these are at work.
                return
            if waited > STARTED:
                raise ClusterError(
                    f"{wanted} workers were started, but none is there after {STARTED:.0f} s; "
                    "try fewer of them"
                )
            time.sleep(0.05)

    def _last_words(self) -> str:
        """The last line that a worker of this machine left."""
        assert self._folder is not None
        lines = [
            line
            for path in sorted(self._folder.glob("*.log"))
            for line in path.read_text("utf-8", errors="replace").splitlines()
            if line.strip()
        ]
        return lines[-1].strip()[:300] if lines else "it said nothing"

    def _refuse_others(self) -> None:
        """Refuse workers of another version of Python, or of this package, or without it."""
        ours, described = own_facts(), self.client.get_versions()["workers"]
        for address, versions in described.items():
            python = ".".join(str(versions["host"]["python"]).split(".")[:2])
            refuse_other((ours[0], python), ours, f"the worker {address}")

        # By value, not by name: a worker may not have the package.
        def version_there() -> str:
            from importlib import metadata

            try:
                return metadata.version("napari-channelmix")
            except metadata.PackageNotFoundError:
                return ""

        for address, version in self.client.run(version_there).items():
            there: Facts = (version, ours[1])
            refuse_other(there, ours, f"the worker {address}")

    def replace_dead(self, settled: int) -> None:
        """Start workers of this machine anew that died; ``settled`` chunks are through.

        Raises
        ------
        ClusterError
            Where they die again and again, and no chunk is finished.
        """
        if settled != self._settled:
            self._deaths, self._settled = 0, settled
        for process in [one for one in self._processes if one.poll() is not None]:
            self._processes.remove(process)
            _released(process)
            self._deaths += 1
            self.replaced += 1
            if self._deaths > DEATHS + len(self._processes):
                raise ClusterError(
                    f"workers die again and again ({self._last_words()}); try fewer of them"
                )
            self._start_worker()

    def close(self) -> None:
        """End the workers of this machine at once, and leave the scheduler; takes no second."""
        self._closed.set()
        for process in self._processes:
            process.kill()
        for process in self._processes:
            _released(process)
        self._processes.clear()
        # What is left may take longer, and nobody has to wait for it.
        closing = threading.Thread(target=self._leave, daemon=True)
        closing.start()
        closing.join(0.7)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _leave(self) -> None:
        with contextlib.suppress(Exception):
            if self.client is not None:
                self.client.close(timeout=5)
        with contextlib.suppress(Exception):
            if self._cluster is not None:
                self._cluster.close(timeout=5)


def _released(process: subprocess.Popen[bytes]) -> None:
    """Let go of a process that has ended."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)


@contextlib.contextmanager
def quiet_logs() -> Iterator[Callable[[], None]]:
    """Keep dask.distributed from writing on the terminal: what matters is said in our lines.

    Gives a function that does the same for loggers that were made since.
    """
    silenced: list[logging.Logger] = []

    def silence() -> None:
        for name in [*logging.root.manager.loggerDict, *LOGGERS]:
            logger = logging.getLogger(name)
            if name.split(".")[0] in LOGGERS and not logger.disabled:
                logger.disabled = True
                silenced.append(logger)

    silence()
    try:
        yield silence
    finally:
        for logger in silenced:
            logger.disabled = False
