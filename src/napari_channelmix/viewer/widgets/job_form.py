"""A form for the settings object of a job: a control for each setting, from its declaration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
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
        A tick box may stand for a choice of two: as it is handed over, it says the usual one.
    leave_out : collection of str
        Settings that have no control here and keep their usual value.

    Examples
    --------
    ::

        form = JobForm(ImportanceSettings, self, controls={"device": DeviceBox(session)})
        form.add_to(rows, ["seeds"])
        form.add_to(more_rows)
        job = importance_job(cells, form.value)
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
        supplied = dict(controls or {})
        self.controls: dict[str, QWidget] = {}
        self._fields: dict[str, Setting] = {}
        self._placed: set[str] = set()
        # Of tick boxes that stand for a choice of two: what they say, not ticked and ticked.
        self._pairs: dict[str, tuple[str, str]] = {}
        for field in fields_of(settings):
            if field.about is None or field.kind == "other" or field.name in leave_out:
                continue
            # An empty list counts as false in PyQt, so it has to be asked for by name.
            control = supplied[field.name] if field.name in supplied else _control(field)
            # A control of the caller's may say more.
            tip = control.toolTip() or _sentence(field.about.help)
            control.setToolTip(f"{tip}. Default: {_default_text(field, control)}")
            self.controls[field.name], self._fields[field.name] = control, field
            if isinstance(control, QCheckBox) and field.choices:
                self._pairs[field.name] = _pair(control, field)
            _connect(control, self.changed.emit)

    def __getitem__(self, name: str) -> Any:
        """The control of a setting."""
        return self.controls[name]

    def add_to(self, rows: QFormLayout, names: Iterable[str] | None = None) -> None:
        """Add the controls of these settings to a form; None: those that no form has yet."""
        chosen = [name for name in self.controls if name not in self._placed]
        for name in chosen if names is None else names:
            control, about = self.controls[name], self._fields[name].about
            self._placed.add(name)
            # A box to tick has its label beside it.
            tick = isinstance(control, QCheckBox)
            rows.addRow("" if tick or about is None else about.label, control)

    def leave(self, *names: str) -> None:
        """These controls are placed by the caller."""
        self._placed.update(names)

    @property
    def values(self) -> dict[str, Any]:
        """What the controls say, by the name of the setting."""
        values = {
            name: _value(control, self._fields[name]) for name, control in self.controls.items()
        }
        return {**values, **{name: pair[values[name]] for name, pair in self._pairs.items()}}

    @property
    def value(self) -> Settings:
        """The settings object as the controls say.

        Raises
        ------
        ModelError
            A value that the control allows and the setting does not.
        """
        return self._settings(**self.values)

    def show(self, values: Mapping[str, Any]) -> None:
        """Set controls to these values; others stay as they are."""
        for name, value in values.items():
            if name in self._pairs:
                value = value == self._pairs[name][True]
            if name in self.controls:
                _show(self.controls[name], value)


def _control(field: Setting) -> QWidget:
    if field.kind == "flag":
        box = QCheckBox("" if field.about is None else field.about.label)
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


def _pair(box: QCheckBox, field: Setting) -> tuple[str, str]:
    """What a tick box says of a choice of two, not ticked and ticked."""
    first, second = field.choices
    usual, other = (first, second) if field.default == first else (second, first)
    return (other, usual) if box.isChecked() else (usual, other)


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
    box.setRange(bounds.least + edge if not field.optional else bounds.least, bounds.most - edge)
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


def _default_text(field: Setting, control: Any) -> str:
    """The default, as a control shows it that was just made."""
    if isinstance(control, QCheckBox):
        return "on" if control.isChecked() else "off"
    if isinstance(control, QSpinBox | QDoubleSpinBox):
        # Not its text: a number is shorter in words than with all of its decimals.
        special = control.value() == control.minimum() and control.specialValueText()
        return special or f"{control.value():g}"
    return str(field.default or "none")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
