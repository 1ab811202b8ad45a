"""Open a model that was made elsewhere: its channels, its classes, and consent to run its code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.page_parts.base_page import form, no_wider
from napari_channelmix.viewer.widgets.notice import breakable
from napari_channelmix.viewer.widgets.scrolling import bring_into_sight

__all__ = ["ModelForm", "needs_form"]


def needs_form(path: Path) -> bool:
    """Whether a file does not carry its channels and classes itself."""
    suffix = path.suffix.lower()
    return suffix in (".onnx", ".pt", ".pth", ".pt2", ".ts", ".torchscript", PYTHON)


PYTHON = ".py"
# What a model may give: words for the user, and those of `load_model`.
GIVES = (
    ("detected", "auto"),
    ("logits (before the softmax)", "logits"),
    ("probabilities (after the softmax)", "probabilities"),
    ("independent labels, after a sigmoid", "sigmoid"),
    ("independent labels, before a sigmoid", "sigmoid_logits"),
    ("one logit, for the second class", "one_logit"),
    ("one probability, of the second class", "one_probability"),
)


class ModelForm(QWidget):
    """Shown only while a foreign model is being opened."""

    confirmed = Signal(object, dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = Path()
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.name = QLineEdit()
        self.name.setPlaceholderText("such as model")
        self.name.setToolTip(
            "Name of the classifier in the file: one that wrap made, a function that returns one, "
            "a network, an estimator, or a function of crops"
        )
        self.channels = QLineEdit()
        self.channels.setToolTip("Names of the model's channels in its order, with commas between")
        self.classes = QLineEdit()
        self.classes.setToolTip("Names of the model's classes in its order, with commas between")
        self.output = QComboBox()
        for words, name in GIVES:
            self.output.addItem(words, name)
        no_wider(self.output)
        self.output.setToolTip(
            "What the model's numbers mean; you are asked where it cannot be detected from the "
            "first cells"
        )
        self.select = QLineEdit()
        self.select.setPlaceholderText("only where it has several")
        self.select.setToolTip("Name or position (0, 1, ...) of the output with the classes")
        self.consent = QCheckBox("I trust its maker: run the code in this file")
        self.consent.setToolTip(
            "Python, TorchScript and torch.export files can do anything on this computer; ONNX "
            "cannot. "
            "Default: off, for every file"
        )
        self.load = QPushButton("Load")
        self.load.setToolTip("Load the model with these names")
        self.dismiss = QPushButton("Dismiss")
        self.dismiss.setToolTip("Do not open it")
        rows = form()
        rows.addRow("Name in the file", self.name)
        self._rows = rows
        rows.addRow("Channels", self.channels)
        rows.addRow("Classes", self.classes)
        rows.addRow("Output type", self.output)
        rows.addRow("Output", self.select)
        buttons = QHBoxLayout()
        buttons.addWidget(self.load)
        buttons.addWidget(self.dismiss)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.title)
        column.addLayout(rows)
        column.addWidget(self.consent)
        column.addLayout(buttons)
        self.name.textChanged.connect(self._enable)
        self.channels.textChanged.connect(self._enable)
        self.classes.textChanged.connect(self._enable)
        self.consent.toggled.connect(self._enable)
        self.load.clicked.connect(self._confirm)
        self.dismiss.clicked.connect(lambda: self.setVisible(False))
        self._laid_out = QTimer(self)
        self._laid_out.setSingleShot(True)
        self._laid_out.timeout.connect(lambda: bring_into_sight(self.load, self.title))
        self.setVisible(False)

    def ask(self, path: Path, channels: tuple[str, ...], classes: tuple[str, ...]) -> None:
        """Ask for what the file does not say; the names of the session are proposed."""
        self._path = path
        python = self._is_python
        self._rows.setRowVisible(self.name, python)
        self.name.setText("model" if python else "")
        self.title.setText(
            f"{breakable(path.name)}: what is the classifier called there? One made by cm.wrap "
            "knows its channels and classes; of any other, write them here:"
            if python
            else f"{breakable(path.name)} does not name its channels and classes:"
        )
        # A classifier that says them itself refuses others.
        self.channels.setText("" if python else ", ".join(channels))
        self.classes.setText("" if python else ", ".join(classes))
        own = "as the classifier says" if python else ""
        self.channels.setPlaceholderText(own)
        self.classes.setPlaceholderText(own)
        # Never ticked for the user, and asked again for every file.
        self.consent.setChecked(False)
        # Neither is what another model gives.
        self.output.setCurrentIndex(0)
        self.select.clear()
        self.consent.setVisible(path.suffix.lower() != ".onnx")
        self.setVisible(True)
        self._enable()
        # Once there is room for it: it stands below what is known of the classifier in use.
        self._laid_out.start()

    @property
    def _is_python(self) -> bool:
        return self._path.suffix.lower() == PYTHON

    def _enable(self, _: object = None) -> None:
        consent = self.consent.isChecked() or self._path.suffix.lower() == ".onnx"
        named = bool(_names(self.channels.text())) and len(_names(self.classes.text())) > 1
        if self._is_python:
            named = self.name.text().strip().isidentifier()
        self.load.setEnabled(consent and named)

    def _confirm(self) -> None:
        options: dict[str, Any] = {
            "channels": _names(self.channels.text()) or None,
            "classes": _names(self.classes.text()) or None,
            "output": self.output.currentData(),
            "select": self.select.text().strip() or None,
            "allow_code": self.consent.isChecked(),
        }
        self.setVisible(False)
        source = f"{self._path}:{self.name.text().strip()}" if self._is_python else self._path
        self.confirmed.emit(source, options)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
