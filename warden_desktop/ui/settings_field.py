"""One setting of the form: its words, the control that fits its type, its unit, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLineEdit, QPushButton, QWidget

from warden_desktop.ui.arrange import beside
from warden_desktop.ui.plain_text import label
from warden_desktop.ui.theme import set_role, set_tone
from warden_desktop.ui.words import words

Path = tuple[str, ...]
"""Where a setting stands: the names of its groups, then its own."""

_NAME_WIDTH, _CONTROL_WIDTH = 190, 300


class Declared(NamedTuple):
    """A setting as it is declared."""

    path: Path
    field: FieldInfo

    @property
    def default(self) -> object:
        return self.field.get_default(call_default_factory=True)

    @property
    def unit(self) -> str:
        extra = self.field.json_schema_extra
        return str(extra.get("unit", "")) if isinstance(extra, dict) else ""

    @property
    def searchable(self) -> str:
        return " ".join((*self.path, words(self.path[-1]), self.field.description or "")).casefold()


def declared(model: type[BaseModel], path: Path = ()) -> Iterator[Declared]:
    """Every setting below a model, in the order of declaration, nested groups included."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from declared(kind, (*path, name))
        else:
            yield Declared((*path, name), field)


class SettingField(QWidget):
    """Edits one setting. `edited` carries its path; what it holds is raw, and pydantic judges it."""

    edited = Signal(object)

    def __init__(self, setting: Declared, value: object) -> None:
        super().__init__()
        self.setting = setting
        self._control = _control(setting.field.annotation)
        name = words(setting.path[-1]).replace(" url", " URL")
        self._control.widget.setAccessibleName(name)
        self._control.widget.setAccessibleDescription(setting.field.description or "")
        self._control.widget.setFixedWidth(_CONTROL_WIDTH)
        self._error = label("", tone="danger", wrap=True)
        self._changed = label("", "caption")
        self._reset = QPushButton("Reset")
        set_role(self._reset, "link")
        self._reset.clicked.connect(self.reset)
        self._arrange(label(name, "strong"))
        self.take(value)
        self._control.changed.connect(self._edited)

    def _arrange(self, name: QWidget) -> None:
        name.setFixedWidth(_NAME_WIDTH)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 6, 0, 6)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.addWidget(name, 0, 0)
        beyond = beside(label(self.setting.unit, "muted"), None, self._changed, self._reset)
        grid.addWidget(self._control.widget, 0, 1)
        grid.addLayout(beyond, 0, 2)
        grid.addWidget(label(self.setting.field.description or "", "caption", wrap=True), 1, 1, 1, 2)
        grid.addWidget(self._error, 2, 1, 1, 2)
        grid.setColumnStretch(2, 1)

    @property
    def raw(self) -> object:
        """What the control holds."""
        return self._control.get()

    def holds(self, value: object) -> bool:
        """Whether the control shows `value`."""
        return self.raw == _as_raw(value)

    def take(self, value: object) -> None:
        """Show a value."""
        self._control.put(value)
        self._judge()

    def reset(self) -> None:
        """Go back to the default."""
        self.take(self.setting.default)
        self.edited.emit(self.setting.path)

    def complain(self, text: str) -> None:
        """Say what is wrong; "" when nothing is."""
        self._error.setText(text)
        self._error.setVisible(bool(text))
        set_tone(self._control.widget, "danger" if text else "")

    def _edited(self) -> None:
        self._judge()
        self.edited.emit(self.setting.path)

    def _judge(self) -> None:
        changed = not self.holds(self.setting.default)
        self._changed.setText(f"default: {_spoken(self.setting.default)}" if changed else "")
        self._reset.setVisible(changed)


# --- controls ---------------------------------------------------------------------------------------------------------


class _Control(QObject):
    """A widget and how it is read and written; `changed` when it holds something else."""

    changed = Signal()

    def __init__(self, widget: QWidget, get: Callable[[], object], put: Callable[[object], None]) -> None:
        super().__init__(widget)
        self.widget, self.get, self.put = widget, get, put


class _Calm(QComboBox):
    """A choice that scrolling past does not change."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def _tick() -> _Control:
    box = QCheckBox()
    control = _Control(box, box.isChecked, lambda value: box.setChecked(bool(value)))
    box.toggled.connect(control.changed)
    return control


def _choice(values: tuple[str, ...]) -> _Control:
    combo = _Calm()
    combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    for value in values:
        combo.addItem(words(value), value)
    control = _Control(combo, combo.currentData, lambda value: combo.setCurrentIndex(combo.findData(_as_raw(value))))
    combo.currentIndexChanged.connect(control.changed)
    return control


def _line(*, many: bool) -> _Control:
    edit = QLineEdit()
    if many:
        edit.setPlaceholderText("none; several with commas")

    def get() -> object:
        text = edit.text().strip()
        return [one.strip() for one in text.split(",") if one.strip()] if many else text

    def put(value: object) -> None:
        raw = _as_raw(value)
        edit.setText(", ".join(map(str, raw)) if isinstance(raw, list) else str(raw))

    control = _Control(edit, get, put)
    edit.textChanged.connect(control.changed)
    return control


def _control(kind: Any) -> _Control:
    if kind is bool:
        return _tick()
    if get_origin(kind) is Literal:
        return _choice(tuple(map(str, get_args(kind))))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _choice(tuple(str(one.value) for one in kind))
    return _line(many=get_origin(kind) in (tuple, list, set, frozenset))


def _as_raw(value: object) -> object:
    """A value as a control holds it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, tuple | list | set | frozenset):
        return [str(one) for one in value]
    return str(value.value if isinstance(value, Enum) else value)


def _spoken(value: object) -> str:
    raw = _as_raw(value)
    if isinstance(raw, bool):
        return "on" if raw else "off"
    return ", ".join(raw) or "none" if isinstance(raw, list) else str(raw) or "empty"
