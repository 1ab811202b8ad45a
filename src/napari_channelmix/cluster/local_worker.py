"""A worker as a process of this machine: ``python -m napari_channelmix.cluster.local_worker``.

It ends when its standard input is closed: also where the process that started it was killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

__all__ = ["main"]


def main() -> None:
    """Work for the scheduler at the address that is the first argument; folder: the second."""
    address, folder = sys.argv[1:3]
    # Ctrl-C in a terminal goes to all of its processes: the one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_work(address, folder))


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


async def _work(address: str, folder: str) -> None:
    from distributed import Worker

    # No limit: a worker that is paused or ended by its own guess of memory is no help.
    async with Worker(
        address,
        nthreads=1,
        memory_limit=0,
        dashboard=False,
        local_directory=folder,
        death_timeout=30,
    ) as worker:
        await worker.finished()


if __name__ == "__main__":
    main()
