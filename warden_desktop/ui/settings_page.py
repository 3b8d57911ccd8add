"""The settings as a form made from their declaration: search, judged in place, what changed, reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QLineEdit, QPushButton, QScrollArea, QWidget

from warden_desktop.engine.desk import Desk
from warden_desktop.engine.ports import Recorded
from warden_desktop.settings import Settings
from warden_desktop.ui.arrange import beside, framed, held, stacked
from warden_desktop.ui.plain_text import label
from warden_desktop.ui.settings_field import Declared, Path, SettingField, declared
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.words import count, words
from warden_desktop.ui.work import Start

_THEMES = ("system", "dark", "light")
_THEME = ("window", "theme")
_WIDEST = 980


class SettingsPage(QWidget):
    """`theme_wanted` carries "system", "dark" or "light" as soon as it is chosen; the rest waits for Save."""

    incident_wanted = Signal(object)
    badge_changed = Signal(object)
    theme_wanted = Signal(object)

    def __init__(
        self,
        desk: Desk,
        start: Start,
        theme: Theme,
        actor: str,
        settings: Settings,
        save: Callable[[Settings], None],
    ) -> None:
        """`save` writes the settings down and raises what a person should read when it cannot."""
        super().__init__()
        self.setObjectName("page")
        self._saved = settings
        self._save_to = save
        self._candidate: Settings | None = settings
        self.fields = {one.path: SettingField(one, _value(settings, one.path)) for one in declared(type(settings))}
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search settings")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search settings")
        self.save = QPushButton("Save")
        set_role(self.save, "primary")
        self.discard = QPushButton("Discard")
        self._note = label("", "muted", wrap=True)
        self._groups: list[tuple[QFrame, list[Path]]] = []
        self._themes = QButtonGroup(self)
        self._arrange()
        self._connect()
        self._judge()

    # --- building -----------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        self.search.setFixedWidth(280)
        head = beside(label("Settings", "title"), None, self._theme_switch(), self.search, gap=3)
        groups = [self._group(name) for name in dict.fromkeys(path[:-1] for path in self.fields)]
        self._nothing = label("No setting has these words.", "muted")
        form = held(stacked(*groups, self._nothing, None, gap=4))
        form.setMaximumWidth(_WIDEST)
        row = beside(form, None)
        row.setStretch(0, 100)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(held(row))
        foot = beside(self._note, self.discard, self.save, gap=3)
        foot.setStretch(0, 1)
        page = stacked(head, scroll, foot, gap=4, margin=5)
        page.setStretch(1, 1)
        self.setLayout(page)

    def _group(self, group: Path) -> QFrame:
        paths = [path for path in self.fields if path[:-1] == group]
        heading = label(" / ".join(map(words, group)) or "General", "heading")
        about = label(self._about(group), "muted", wrap=True)
        frame = framed(stacked(heading, about, *(self.fields[path] for path in paths), gap=1, margin=4))
        self._groups.append((frame, paths))
        return frame

    def _about(self, group: Path) -> str:
        kind: Any = type(self._saved)
        for name in group:
            kind = kind.model_fields[name].annotation
        return (kind.__doc__ or "").strip().splitlines()[0]

    def _theme_switch(self) -> QWidget:
        buttons = [QPushButton(words(name)) for name in _THEMES]
        for at, button in enumerate(buttons):
            set_role(button, "segment")
            button.setCheckable(True)
            button.setAccessibleName(f"Theme: {_THEMES[at]}")
            button.setMinimumWidth(button.fontMetrics().horizontalAdvance("MMMMMMM"))
            self._themes.addButton(button, at)
        buttons[0].setProperty("end", "left")
        buttons[-1].setProperty("end", "right")
        return held(beside(*buttons, gap=0))

    def _connect(self) -> None:
        self.search.textChanged.connect(self._find)
        self.save.clicked.connect(self._save)
        self.discard.clicked.connect(self._discard)
        self._themes.idClicked.connect(self._theme_clicked)
        for field in self.fields.values():
            field.edited.connect(self._edited)

    # --- contract of all pages ----------------------------------------------------------------------------------

    def on_events(self, batch: list[Recorded]) -> None:
        """Nothing that happens changes the settings."""

    def on_resync(self) -> None:
        """Nothing that happens changes the settings."""

    # --- what a person does -------------------------------------------------------------------------------------

    def _edited(self, path: Path) -> None:
        self._judge()
        if path == _THEME:
            self.theme_wanted.emit(self.fields[path].raw)

    def _theme_clicked(self, at: int) -> None:
        if _THEME in self.fields:
            self.fields[_THEME].take(_THEMES[at])  # tells `_edited`
        else:
            self.theme_wanted.emit(_THEMES[at])

    def _judge(self) -> None:
        """Let pydantic judge all of it, and show each objection where it belongs."""
        problems = self._validate()
        for path, field in self.fields.items():
            field.complain(problems.get(path, ""))
        changed = self._changed()
        self.save.setEnabled(bool(changed) and not problems)
        self.discard.setEnabled(bool(changed))
        self._say(changed, problems)
        self.badge_changed.emit(len(changed))
        if _THEME in self.fields:
            chosen = self._themes.button(_THEMES.index(str(self.fields[_THEME].raw)))
            chosen.setChecked(True)

    def _validate(self) -> dict[Path, str]:
        try:
            self._candidate = type(self._saved).model_validate(self._raw())
        except ValidationError as error:
            self._candidate = None
            return {self._owner(one["loc"]): one["msg"] for one in error.errors()}
        return {}

    def _owner(self, loc: tuple[int | str, ...]) -> Path:
        """The setting an objection is about; one about a member of a list is about the list."""
        names = tuple(str(name) for name in loc)
        return next((names[:depth] for depth in range(len(names), 0, -1) if names[:depth] in self.fields), names)

    def _raw(self) -> dict[str, Any]:
        raw: dict[str, Any] = {}
        for path, field in self.fields.items():
            group = raw
            for name in path[:-1]:
                group = group.setdefault(name, {})
            group[path[-1]] = field.raw
        return raw

    def _changed(self) -> list[Path]:
        if self._candidate is not None:
            return [path for path in self.fields if _value(self._candidate, path) != _value(self._saved, path)]
        return [path for path, field in self.fields.items() if not field.holds(_value(self._saved, path))]

    def _say(self, changed: list[Path], problems: dict[Path, str]) -> None:
        set_tone(self._note, "danger" if problems else "")
        if problems:
            self._note.setText(f"{count(len(problems), 'setting')} cannot be saved: " + _listed(list(problems)))
        elif changed:
            later = "" if changed == [_THEME] else " Takes effect at the next start."
            self._note.setText(f"Not saved yet: {_listed(changed)}.{later}")
        else:
            self._note.setText("")

    def _save(self) -> None:
        if self._candidate is None:
            return
        try:
            self._save_to(self._candidate)
        except Exception as error:  # whatever kept it from being written, the person must read it here
            set_tone(self._note, "danger")
            self._note.setText(f"Not saved: {error}")
            return
        self._saved = self._candidate
        self._judge()
        set_tone(self._note, "good")
        self._note.setText("Saved. The theme changes at once, everything else at the next start.")

    def _discard(self) -> None:
        for path, field in self.fields.items():
            if not field.holds(_value(self._saved, path)):
                field.take(_value(self._saved, path))
        self._judge()

    def _find(self, text: str) -> None:
        wanted = text.casefold().split()
        for frame, paths in self._groups:
            found = [path for path in paths if _matches(self.fields[path].setting, wanted)]
            for path in paths:
                self.fields[path].setVisible(path in found)
            frame.setVisible(bool(found))
        self._nothing.setVisible(not any(not frame.isHidden() for frame, _ in self._groups))


def _matches(setting: Declared, wanted: list[str]) -> bool:
    return all(word in setting.searchable for word in wanted)


def _value(settings: Settings, path: Path) -> object:
    value: Any = settings
    for name in path:
        value = getattr(value, name)
    return value


def _listed(paths: list[Path]) -> str:
    names = ", ".join(" ".join(path).replace("_", " ") for path in paths[:4])
    return names + (f" and {len(paths) - 4} more" if len(paths) > 4 else "")
