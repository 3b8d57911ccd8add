"""The Raw tab: the delivery as it came, to the character, searchable, and cut where it is long."""

from __future__ import annotations

import json
import re
from uuid import UUID

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton, QWidget

from warden_desktop.domain.events import AlertReceived
from warden_desktop.domain.incident import Incident
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.arrange import beside, stacked
from warden_desktop.ui.plain_text import label, menu_text, text_view
from warden_desktop.ui.theme import Theme, set_role
from warden_desktop.ui.words import DETAIL_LIMIT, moment, shown
from warden_desktop.ui.work import Start

_LONGEST_LINE = 2_000  # Qt lays a longer line out slowly
_LONGEST_INDENTED = 262_144  # indenting more would hold the window up
_STEP = re.compile(r"\w+")


class DetailRaw(QWidget):
    """Shows one delivery of the incident at a time."""

    def __init__(self, bus: Bus, start: Start, theme: Theme) -> None:
        super().__init__()
        self._bus, self._start = bus, start
        self._alerts: tuple[UUID, ...] = ()
        self._wanted: UUID | None = None
        self._raw, self._limit, self._cited = "", DETAIL_LIMIT, ""
        self._which = QComboBox()
        self._which.setAccessibleName("Delivery")
        self._which.currentIndexChanged.connect(self._chosen)
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search in the delivery, Enter for the next")
        self._search.setAccessibleName("Search in the delivery")
        self._search.returnPressed.connect(self._find_next)
        self._pretty = QCheckBox("Pretty")
        self._pretty.setChecked(True)
        self._pretty.toggled.connect(self._render)
        self._view = text_view()
        self._view.setAccessibleName("The delivery as it came")
        self._note = label("", "caption")
        self._more = QPushButton("Show more")
        set_role(self._more, "view")
        self._more.clicked.connect(self._show_more)
        top = beside(self._which, self._search, self._pretty, gap=2)
        top.setStretch(1, 1)
        self.setLayout(stacked(top, self._view, beside(self._note, None, self._more), gap=2, margin=3))

    def show_incident(self, incident: Incident) -> None:
        """Offer the incident's deliveries and read the first, or the one that is chosen."""
        alerts = tuple(alert.id for alert in incident.alerts)
        if alerts == self._alerts:
            return
        kept = self._wanted if self._wanted in alerts else alerts[0]
        self._alerts = alerts
        with QSignalBlocker(self._which):
            self._which.clear()
            for alert in incident.alerts:
                self._which.addItem(menu_text(f"{moment(alert.received_at)}  {alert.source}"))
            self._which.setCurrentIndex(alerts.index(kept))
        self._which.setVisible(len(alerts) > 1)
        if kept != self._wanted:
            self._read(kept)

    def cite(self, path: str) -> None:
        """Show the field a reason rests on, in the first delivery."""
        self._cited = path
        self._which.setCurrentIndex(0)
        self._pretty.setChecked(True)
        self._show_cited()

    @property
    def text(self) -> str:
        """What is shown."""
        return self._view.toPlainText()

    @property
    def selected(self) -> str:
        """What is marked, for instance the field that was cited."""
        return self._view.textCursor().selectedText()

    # --- reading ------------------------------------------------------------------------------------------------

    def _chosen(self, place: int) -> None:
        if 0 <= place < len(self._alerts):
            self._read(self._alerts[place])

    def _read(self, alert_id: UUID) -> None:
        self._wanted, self._raw, self._limit = alert_id, "", DETAIL_LIMIT
        self._render()
        self._start(self._bus.find(alert_id), self._found, self._failed)

    def _found(self, recorded: Recorded | None) -> None:
        event = recorded.event if recorded else None
        if isinstance(event, AlertReceived) and event.id == self._wanted:
            self._raw = event.raw
            self._render()
            self._show_cited()
        elif event is None:
            self._say("This delivery is not in the log any more.")

    def _failed(self, error: Exception) -> None:
        self._say(f"The log could not be read: {error}")

    def _say(self, text: str) -> None:
        self._view.setPlainText("")
        self._note.setText(text)

    # --- showing ------------------------------------------------------------------------------------------------

    def _render(self) -> None:
        pretty = self._pretty.isChecked() and len(self._raw) <= _LONGEST_INDENTED
        whole = indented(self._raw) if pretty else self._raw
        text = _broken(shown(whole, self._limit, lines=True))
        self._view.setPlainText(text)
        cut = len(whole) > self._limit
        self._more.setVisible(cut)
        size = f"{len(self._raw.encode('utf-8', 'replace')):,} bytes"
        self._note.setText(f"{size}; the first {self._limit:,} characters are shown" if cut else size)

    def _show_more(self) -> None:
        self._limit *= 4
        self._render()

    def _find_next(self) -> None:
        self._find(self._search.text())

    def _find(self, text: str) -> bool:
        if not text or self._view.find(text):
            return bool(text)
        self._view.moveCursor(QTextCursor.MoveOperation.Start)
        return self._view.find(text)

    def _show_cited(self) -> None:
        """Walk down the path's names in the pretty text; the last one found is what is meant."""
        if not self._cited or not self._raw:
            return
        names, self._cited = [name for name in _STEP.findall(self._cited) if not name.isdigit()], ""
        self._view.moveCursor(QTextCursor.MoveOperation.Start)
        for name in names:
            self._view.find(f'"{name}"', QTextDocument.FindFlag.FindCaseSensitively)
        cursor = self._view.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.EndOfLine, QTextCursor.MoveMode.KeepAnchor)
        self._view.setTextCursor(cursor)
        self._view.centerCursor()


def indented(raw: str) -> str:
    """`raw` as indented JSON; as it is when it is none. Only white space changes, so keys written twice stay."""
    try:
        pairs = json.loads(raw, object_pairs_hook=_Pairs, parse_int=_Literal, parse_float=_Literal)
    except (ValueError, RecursionError):
        return raw
    return "".join(_written(pairs, ""))


class _Pairs(list[tuple[str, object]]):
    """An object of the delivery: its members in order, repeated keys included."""


class _Literal(str):
    """A number, as it was written."""


def _written(value: object, indent: str) -> list[str]:
    deeper = indent + "  "
    if isinstance(value, _Literal):
        return [value]
    if isinstance(value, _Pairs | list) and not value:
        return ["{}" if isinstance(value, _Pairs) else "[]"]
    if isinstance(value, _Pairs):
        members = [[f"{deeper}{_word(name)}: ", *_written(one, deeper)] for name, one in value]
        return ["{\n", *_joined(members), f"\n{indent}}}"]
    if isinstance(value, list):
        return ["[\n", *_joined([[deeper, *_written(one, deeper)] for one in value]), f"\n{indent}]"]
    return [_word(value)]


def _word(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _joined(members: list[list[str]]) -> list[str]:
    return [piece for place, member in enumerate(members) for piece in ((",\n", *member) if place else member)]


def _broken(text: str) -> str:
    """`text` with lines no longer than Qt lays out quickly."""
    return "\n".join(
        piece
        for one in text.split("\n")
        for piece in ([one[at : at + _LONGEST_LINE] for at in range(0, len(one), _LONGEST_LINE)] or [""])
    )
