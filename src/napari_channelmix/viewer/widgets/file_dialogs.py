"""Ask for a file or folder; the only dialogs of the pages."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

__all__ = ["ask_files", "ask_folder", "ask_open", "ask_save"]


def ask_open(parent: QWidget, title: str, kinds: str) -> Path | None:
    """A file to read, or None."""
    name, _ = QFileDialog.getOpenFileName(parent, title, "", kinds)
    return Path(name) if name else None


def ask_files(parent: QWidget, title: str, kinds: str) -> tuple[Path, ...]:
    """Files to read; none where nothing was chosen."""
    names, _ = QFileDialog.getOpenFileNames(parent, title, "", kinds)
    return tuple(map(Path, names))


def ask_save(parent: QWidget, title: str, proposal: str, kinds: str) -> Path | None:
    """A file to write, or None."""
    name, _ = QFileDialog.getSaveFileName(parent, title, proposal, kinds)
    return Path(name) if name else None


def ask_folder(parent: QWidget, title: str) -> Path | None:
    """A folder, or None."""
    name = QFileDialog.getExistingDirectory(parent, title)
    return Path(name) if name else None
