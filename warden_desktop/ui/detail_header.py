"""The head of an incident: what it is, where it stands, and the decisions one can take about it."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.status import Status
from warden_desktop.ui.arrange import beside, stacked
from warden_desktop.ui.decisions import Decisions
from warden_desktop.ui.incident_columns import verdict_tone
from warden_desktop.ui.marks import SeverityMark
from warden_desktop.ui.plain_text import chip, label, mono, set_tooltip
from warden_desktop.ui.shortcuts import key_of
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.words import age, count, moment, percent, spelled, status_word, utc, verdict_word, words

_TITLE_SHOWN = 160


class DetailHeader(QFrame):
    """Shows one incident's head."""

    def __init__(self, theme: Theme, decisions: Decisions) -> None:
        super().__init__()
        set_role(self, "surface")
        self._theme, self._decisions = theme, decisions
        self._incident: Incident | None = None
        self._mark = SeverityMark(theme, Severity.INFO)
        self._title = label("", "heading", wrap=True, limit=_TITLE_SHOWN)
        self._severity, self._status = label("", "strong"), chip("")
        self._verdict, self._count, self._assignee = chip(""), chip(""), chip("")
        self._target = mono("", elide=True)
        self._about = label("", "caption", elide=True)
        self._approve = self._button("Approve…", "approve", self._on_approve)
        set_role(self._approve, "primary")
        self._resolve = self._button("Resolve", "resolve", self._on_resolve)
        self._false = self._button("False positive", "false_positive", self._on_false)
        self._escalate = self._button("Escalate", "escalate", self._on_escalate)
        self._assign = self._button("Take", "assign", self._on_assign)
        self._reopen = self._button("Reopen", "", self._on_reopen)
        self._arrange()

    def _button(self, text: str, key: str, pressed: object) -> QPushButton:
        button = QPushButton(text)
        set_tooltip(button, f"{text}  ({key_of(key)})" if key else text)
        button.clicked.connect(pressed)
        return button

    def _arrange(self) -> None:
        space = self._theme.space
        head = beside(self._mark, self._title, gap=2)
        head.setStretch(1, 1)
        head.setAlignment(self._mark, Qt.AlignmentFlag.AlignTop)
        self._mark.setContentsMargins(0, space(1), 0, 0)
        chips = beside(self._severity, self._status, self._verdict, self._count, self._assignee, None, gap=1.5)
        page = stacked(head, chips, self._target, self._about, self._buttons(), gap=2)
        page.setContentsMargins(space(4), space(3), space(4), space(3))
        self.setLayout(page)

    def _buttons(self) -> QHBoxLayout:
        return beside(
            self._approve, self._resolve, self._false, self._escalate, self._reopen, self._assign, None, gap=1.5
        )

    # --- showing ------------------------------------------------------------------------------------------------

    def show_incident(self, incident: Incident, now: datetime) -> None:
        """Show the incident as it is now."""
        self._incident = incident
        look = self._theme.severity(incident.severity)
        self._mark.set_severity(incident.severity)
        self._title.setText(incident.title)
        set_tooltip(self._title, incident.title if len(incident.title) > _TITLE_SHOWN else "")
        self._severity.setText(look.word)
        self._status.setText(status_word(incident.status))
        set_tone(self._status, "" if incident.status.open else "good")
        self._show_verdict(incident)
        self._count.setText(count(incident.alert_count, "alert"))
        self._assignee.setText(incident.assignee)
        self._assignee.setVisible(bool(incident.assignee))
        self._target.setText(spelled(incident.target))
        self._show_about(incident, now)
        self._offer(incident)

    def _show_verdict(self, incident: Incident) -> None:
        analysis = incident.analysis
        text = verdict_word(analysis.verdict if analysis else None, incident.category)
        self._verdict.setText(f"{text} {percent(analysis.confidence)}" if analysis else text)
        tone = verdict_tone(analysis.verdict, incident.category) if analysis else ""
        set_tone(self._verdict, "" if tone == "muted" else tone)

    def _show_about(self, incident: Incident, now: datetime) -> None:
        kind = words(incident.category) if incident.category else "Uncategorised"
        parts = [kind, f"from {incident.source}", f"{age(incident.created_at, now)} ago"]
        if incident.tickets:
            parts.append("ticket " + ", ".join(incident.tickets))
        if incident.resolution:
            parts.append(incident.resolution)
        self._about.setText("  ·  ".join(parts))
        set_tooltip(self._about, f"{moment(incident.created_at)}\n{utc(incident.created_at)}\n{incident.id}")

    def _offer(self, incident: Incident) -> None:
        open_now = incident.status.open
        self._approve.setVisible(bool(incident.waiting))
        self._approve.setText("Approve…" if incident.waiting == 1 else f"Approve {incident.waiting}…")
        for button in (self._resolve, self._false):
            button.setVisible(open_now)
        self._escalate.setVisible(open_now and incident.status is not Status.ESCALATED)
        self._reopen.setVisible(not open_now)
        mine = incident.assignee == self._decisions.analyst
        self._assign.setText("Give back" if mine else "Take")

    # --- deciding -----------------------------------------------------------------------------------------------

    def _on_approve(self) -> None:
        if self._incident:
            self._decisions.approve(self._incident)

    def _on_resolve(self) -> None:
        if self._incident:
            self._decisions.resolve(self._incident)

    def _on_false(self) -> None:
        if self._incident:
            self._decisions.false_positive(self._incident)

    def _on_escalate(self) -> None:
        if self._incident:
            self._decisions.escalate(self._incident)

    def _on_reopen(self) -> None:
        if self._incident:
            self._decisions.reopen(self._incident)

    def _on_assign(self) -> None:
        if self._incident:
            self._decisions.assign(self._incident)
