"""What the analyst decides about an incident, from whichever key or button: asks for the reason and tells the desk."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any
from uuid import UUID

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from warden_desktop.domain.action import ActionState
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.status import Status
from warden_desktop.engine.desk import Desk
from warden_desktop.ui.reason_sheet import ReasonSheet
from warden_desktop.ui.theme import Theme
from warden_desktop.ui.words import count
from warden_desktop.ui.work import Start


def next_waiting(incident: Incident) -> Action | None:
    """The action of the incident that waits for a person, the first asked for; None when none does."""
    return next((action for action in incident.actions if action.state is ActionState.WAITING), None)


class Decisions(QObject):
    """`decided` carries the id of an incident that the analyst has just ended or handed on; `open_wanted` and
    `deny_wanted` that of an action, for the Approver."""

    decided = Signal(object)
    open_wanted = Signal(object)
    deny_wanted = Signal(object)

    def __init__(self, window: QWidget, desk: Desk, start: Start, theme: Theme, actor: str) -> None:
        super().__init__(window)
        self._window, self._desk, self._start, self._theme = window, desk, start, theme
        self._actor = actor
        self.sheet: ReasonSheet | None = None

    @property
    def analyst(self) -> str:
        """The analyst's own name, as assignee."""
        return self._actor.partition(":")[2] or self._actor

    # --- actions ------------------------------------------------------------------------------------------------

    def approve(self, incident: Incident) -> None:
        """Show the action that waits, to be approved."""
        if action := next_waiting(incident):
            self.open_wanted.emit(action.id)

    def deny(self, incident: Incident) -> None:
        """Deny the action that waits."""
        if action := next_waiting(incident):
            self.deny_wanted.emit(action.id)

    def show_action(self, action_id: UUID) -> None:
        """Show one action, to be approved."""
        self.open_wanted.emit(action_id)

    def deny_action(self, action_id: UUID) -> None:
        """Deny one action."""
        self.deny_wanted.emit(action_id)

    def undo(self, action_id: UUID) -> None:
        """Propose the inverse of an action."""
        self._start(self._desk.propose_undo(action_id, actor=self._actor))

    # --- incidents ----------------------------------------------------------------------------------------------

    def resolve(self, incident: Incident) -> None:
        """End the incident as handled."""
        self._end(incident, Status.RESOLVED, "Resolve", "Contained; nothing further to do")

    def false_positive(self, incident: Incident) -> None:
        """End the incident as a false positive."""
        self._end(incident, Status.FALSE_POSITIVE, "False positive", "Expected activity")

    def _end(self, incident: Incident, ending: Status, verb: str, usual: str) -> None:
        if incident.status.open:
            about = _about(incident)
            if waiting := incident.waiting:
                about = f"{about}  ·  {count(waiting, 'waiting action')} will not run"
            work = partial(self._desk.resolve, incident.id, resolution=ending, actor=self._actor)
            self._ask(incident, verb, about, usual, work)

    def escalate(self, incident: Incident) -> None:
        """Hand the incident to a senior analyst."""
        if incident.status.open and incident.status is not Status.ESCALATED:
            work = partial(self._desk.escalate, incident.id, actor=self._actor)
            self._ask(incident, "Escalate", _about(incident), "Needs a second look", work)

    def reopen(self, incident: Incident) -> None:
        """Put an ended incident back into review."""
        if not incident.status.open:
            work = partial(self._desk.reopen, incident.id, actor=self._actor)
            self._ask(incident, "Reopen", _about(incident), "New information", work)

    def assign(self, incident: Incident) -> None:
        """Take the incident, or give it back when it is the analyst's own."""
        assignee = "" if incident.assignee == self.analyst else self.analyst
        self._start(self._desk.assign(incident.id, assignee=assignee, actor=self._actor))

    def comment(self, incident: Incident, text: str, done: Callable[[], None]) -> None:
        """Add a comment; `done` is called when it is kept."""

        def kept(_: None) -> None:
            done()

        self._start(self._desk.comment(incident.id, text=text, actor=self._actor), kept)

    def judge(self, incident: Incident, *, right: bool) -> None:
        """Say whether the verdict is right."""
        self._start(self._desk.feedback(incident.id, right=right, why="", actor=self._actor))

    def _ask(
        self,
        incident: Incident,
        verb: str,
        about: str,
        usual: str,
        work: Callable[..., Coroutine[Any, Any, None]],
    ) -> None:
        def decide(reason: str) -> None:
            self._start(work(reason=reason), kept)

        def kept(_: None) -> None:
            self.decided.emit(incident.id)

        if self.sheet is not None:
            self.sheet.close()
            self.sheet.deleteLater()
        self.sheet = ReasonSheet(
            self._window, self._theme, heading=verb, about=about, verb=verb, usual=usual, decide=decide
        )
        self.sheet.open()


def _about(incident: Incident) -> str:
    return incident.title
