"""The preferences of the plugin, as napari keeps them; older naparis have the usual values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psygnal import Signal

from napari_channelmix.computing import Computing, compute_with

__all__ = ["PREFERENCES", "Preferences"]

PLUGIN = "napari-channelmix"
MIB = 2**20


@dataclass(frozen=True)
class Preferences:
    """What the user prefers, see ``configurations`` in the manifest.

    Attributes
    ----------
    device : str
        What 'auto' stands for.
    threads : int
        0: each job chooses.
    memory : float
        Most memory in GiB; 0: no cap.
    seed : int
        What seeds begin with.
    keep : bool
        Whether maps, and finished repeats of channel importance, are kept to be used again.
    size : int
        Most memory of the maps that are kept, in MiB.
    """

    device: str = "auto"
    threads: int = 0
    memory: float = 0.0
    seed: int = 0
    keep: bool = True
    size: int = 64

    @property
    def cache_bytes(self) -> int:
        """Memory that kept maps may take."""
        return self.size * MIB if self.keep else 0


class _Source:
    """Asks napari, and tells when the user has changed something.

    Signals
    -------
    changed(Preferences)
    """

    changed = Signal(object)

    def __init__(self) -> None:
        self._now = Preferences()
        self._watched: Any = None

    @property
    def now(self) -> Preferences:
        """The preferences; with the first call all jobs begin to follow them."""
        settings = _settings()
        if settings is not self._watched:
            self._watched = settings
            if settings is not None:
                for part in (settings.computing, settings.cache):
                    part.events.connect(self._read)
            self._read()
        return self._now

    def _read(self, _: object = None) -> None:
        settings = self._watched
        preferences = Preferences()
        if settings is not None:
            computing, cache = settings.computing, settings.cache
            preferences = Preferences(
                computing.device,
                computing.threads,
                computing.memory,
                computing.seed,
                cache.keep,
                cache.size,
            )
        before, self._now = self._now, preferences
        compute_with(Computing(preferences.device, preferences.threads, preferences.memory))
        if preferences != before:
            self.changed.emit(preferences)


def _settings() -> Any:
    """What napari keeps for this plugin, or None where it keeps nothing."""
    try:
        from napari.settings import get_plugin_settings
    except ImportError:
        return None
    try:
        settings = get_plugin_settings(PLUGIN)
        return settings if hasattr(settings, "computing") and hasattr(settings, "cache") else None
    except KeyError:
        # Not installed as a plugin, as where docks are opened by a script.
        return None


#: One for the application: so are napari's.
PREFERENCES = _Source()
