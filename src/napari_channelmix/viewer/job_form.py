"""A form for the settings object of a job: a control for each setting, from its declaration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from napari_channelmix.settings import Setting, fields_of

if TYPE_CHECKING:
    from qtpy.QtWidgets import QFormLayout

__all__ = ["JobForm"]

Settings = TypeVar("Settings")

# Beyond this a box for whole numbers does not go.
MOST = 999_999


class JobForm(QObject, Generic[Settings]):
    """Controls for the settings of a job; ``changed`` tells that one was changed.

    Parameters
    ----------
    settings : type
        The class of the settings object.
    parent : QWidget
    controls : mapping of str to QWidget
        Controls of the caller's, where a plain one does not do, as for the network and the device.
    leave_out : collection of str
        Settings that have no control here and keep their usual value.
    labels : mapping of str to str
        Other labels than the declared ones.

    Examples
    --------
    ::

        form = JobForm(ImportanceSettings, self, controls={"device": DeviceBox(session)})
        form.add_to(rows, advanced=False)
        job = importance_job(cells, form.settings)
    """

    changed = Signal()

    def __init__(
        self,
        settings: type[Settings],
        parent: QWidget,
        *,
        controls: Mapping[str, QWidget] | None = None,
        leave_out: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        given = dict(controls or {})
        self.controls: dict[str, QWidget] = {}
        self._fields: dict[str, Setting] = {}
        for field in fields_of(settings):
            if field.about is None or field.kind == "other" or field.name in leave_out:
                continue
            control = given.get(field.name) or _control(field)
            # A control of the caller's may say more.
            if not control.toolTip():
                control.setToolTip(_sentence(field.about.help))
            self.controls[field.name], self._fields[field.name] = control, field
            _connect(control, self.changed.emit)

    def __getitem__(self, name: str) -> Any:
        """The control of a setting."""
        return self.controls[name]

    def add_to(self, rows: QFormLayout, *, advanced: bool) -> None:
        """Add the controls that many people change, or the others, to a form."""
        for name, field in self._fields.items():
            about, control = field.about, self.controls[name]
            if about is None or about.advanced != advanced:
                continue
            # A box to tick has its label beside it.
            if isinstance(control, QCheckBox):
                control.setText(about.label)
                rows.addRow("", control)
            else:
                rows.addRow(about.label, control)

    @property
    def values(self) -> dict[str, Any]:
        """What the controls say, by the name of the setting."""
        return {name: _value(control, self._fields[name]) for name, control in
                self.controls.items()}  # fmt: skip

    @property
    def settings(self) -> Settings:
        """The settings object.

        Raises
        ------
        ModelError
            A value that the control allows and the setting does not.
        """
        return self._settings(**self.values)

    def show(self, values: Mapping[str, Any]) -> None:
        """Set controls to these values; others stay as they are."""
        for name, value in values.items():
            if name in self.controls:
                _show(self.controls[name], value)


def _control(field: Setting) -> QWidget:
    if field.kind == "flag":
        box = QCheckBox()
        box.setChecked(bool(field.default))
        return box
    if field.kind == "choice":
        choice = QComboBox()
        choice.addItems(list(field.choices))
        choice.setCurrentText(str(field.default))
        return choice
    if field.kind == "whole number":
        return _whole(field)
    if field.kind == "number":
        return _number(field)
    line = QLineEdit(str(field.default or ""))
    return line


def _whole(field: Setting) -> QSpinBox:
    assert field.bounds is not None
    box, least = QSpinBox(), int(field.bounds.least)
    # One less than the least stands for 'not given'.
    box.setRange(least - field.optional, int(min(field.bounds.most, MOST)))
    if field.optional:
        box.setSpecialValueText("automatic")
    box.setValue(least - 1 if field.default is None else int(field.default))
    return box


def _number(field: Setting) -> QDoubleSpinBox:
    assert field.bounds is not None
    bounds, box = field.bounds, QDoubleSpinBox()
    share = bounds.between and bounds.most == 1 and (field.default or 0) >= 0.05
    box.setDecimals(2 if share else 6)
    step = 0.05 if share else 10.0**-4
    box.setSingleStep(step)
    edge = step if bounds.between else 0.0
    box.setRange(bounds.least + edge if not field.optional else bounds.least,
                 bounds.most - edge)  # fmt: skip
    if field.optional:
        box.setSpecialValueText("none")
    box.setValue(bounds.least if field.default is None else float(field.default))
    return box


def _connect(control: Any, changed: Callable[[], None]) -> None:
    for name in ("toggled", "currentIndexChanged", "valueChanged", "textChanged"):
        signal = getattr(control, name, None)
        if signal is not None:
            signal.connect(lambda *_: changed())
            return


def _value(control: Any, field: Setting) -> Any:
    if isinstance(control, QCheckBox):
        return control.isChecked()
    if isinstance(control, QComboBox):
        data = control.currentData()
        return control.currentText() if data is None else data
    if isinstance(control, QSpinBox | QDoubleSpinBox):
        if field.optional and control.value() == control.minimum():
            return None
        return control.value()
    text = control.text().strip()
    return None if field.optional and not text else text


def _show(control: Any, value: Any) -> None:
    if isinstance(control, QCheckBox):
        control.setChecked(bool(value))
    elif isinstance(control, QComboBox):
        index = control.findData(value)
        control.setCurrentIndex(index if index >= 0 else control.findText(str(value)))
    elif isinstance(control, QSpinBox):
        control.setValue(control.minimum() if value is None else int(value))
    elif isinstance(control, QDoubleSpinBox):
        control.setValue(control.minimum() if value is None else float(value))
    else:
        control.setText("" if value is None else str(value))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
