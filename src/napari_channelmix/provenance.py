"""Where a result came from: versions, settings, seed, and signatures of the data and the model."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

__all__ = ["PACKAGES", "package_version", "provenance"]

PACKAGES = ("napari-channelmix", "torch", "numpy", "scikit-image", "pandas")


def package_version(name: str) -> str | None:
    """Version of an installed package, or None; nothing is imported."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def provenance(**facts: Any) -> dict[str, Any]:
    """Facts about how a result was made, ready for JSON.

    Parameters
    ----------
    **facts
        What the caller knows: ``settings``, ``seed``, ``data`` (a signature), ``model`` (a hash).
    """
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: package_version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "system": platform.system(),
        **facts,
    }
