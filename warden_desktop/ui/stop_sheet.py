"""The sheet beside a stop: asks why while everything already stands still, shows what the stop did, and releases it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QLayout, QLineEdit, QPushButton, QWidget

from warden_desktop.domain.action import VERBS, ActionState
from warden_desktop.domain.events import KillSwitchReceipt
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.kill_switch import EVERYTHING
from warden_desktop.engine.ports import Engagement
from warden_desktop.ui.arrange import beside, framed, held, stacked
from warden_desktop.ui.plain_text import PlainLabel, label, mono
from warden_desktop.ui.theme import Theme, set_role, set_tone
from warden_desktop.ui.turning import Turning
from warden_desktop.ui.words import clock, count, person, shown, spelled
from warden_desktop.ui.work import Start

_LISTED = 6
_WORDS = (
    ("held", "Held", "queued, not started"),
    ("unknown", "Unknown", "cut in flight: check"),
    ("already_sent", "Already sent", "done before the stop"),
    ("milliseconds", "Milliseconds", "until all stood still"),
)


class StopSheet(QDialog):
    """Not modal, and it never takes the stop back by being closed. `approvals_wanted`: see what was held; `released`:
    a stop was lifted here."""

    approvals_wanted = Signal()
    released = Signal()

    def __init__(self, parent: QWidget, desk: Desk, start: Start, theme: Theme, actor: str) -> None:
        super().__init__(parent)
        self._desk, self._start, self._actor = desk, start, actor
        self._receipt: KillSwitchReceipt | None = None
        self._past: KillSwitchReceipt | None = None
        self.setWindowTitle("Kill switch")
        self.setModal(False)
        self.setMinimumWidth(theme.space(165))
        self._heading = label("", "title")
        self._who = label("", wrap=True)
        self._failure = label("", tone="danger", wrap=True)
        self._failure.hide()
        self._numbers: dict[str, PlainLabel] = {}
        self._unknown = mono("", wrap=True)
        self._note = label("", "muted", wrap=True)
        self._said = label("", wrap=True)
        self.reason = _line("Why did you stop? It goes into the record.")
        self.explain = _button("Record the reason", "primary")
        self.why_release = _line("Why is it safe to go on?")
        self.release = _button("Release", "danger")
        self.approvals = _button("Look at what was held", "")
        self._close = _button("Close", "quiet")
        self._arrange()
        self._connect()
        self.refresh()

    def _arrange(self) -> None:
        explaining = beside(self.reason, self.explain)
        self._explaining = held(stacked(label("Why?", "section"), explaining, gap=1))
        releasing = beside(self.why_release, self.release)
        warning = label("Nothing resumes by itself: what was held waits for a choice.", "muted", wrap=True)
        self._releasing = held(stacked(label("Release", "section"), releasing, warning, gap=1))
        self._foot = Turning(self._explaining, self._releasing)
        buttons = beside(self.approvals, None, self._close)
        parts = (self._heading, self._who, self._failure, self._tiles(), self._unknown, self._note)
        page = stacked(*parts, self._foot, self._said, None, buttons, gap=3, margin=5)
        page.setSizeConstraint(QLayout.SizeConstraint.SetMinAndMaxSize)
        self.setLayout(page)
        self._say("", "")

    def _tiles(self) -> QFrame:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(0)
        for column, (name, word, meaning) in enumerate(_WORDS):
            number = label("-", "title")
            number.setAccessibleName(word)
            self._numbers[name] = number
            grid.addWidget(number, 0, column)
            grid.addWidget(label(word, "strong"), 1, column)
            grid.addWidget(label(meaning, "caption"), 2, column)
            grid.setColumnStretch(column, 1)
        return framed(grid)

    def _connect(self) -> None:
        self.explain.clicked.connect(self._explain)
        self.reason.returnPressed.connect(self._explain)
        self.release.clicked.connect(self._release)
        self.why_release.returnPressed.connect(self._release)  # the button was held down for two seconds before
        self.approvals.clicked.connect(self._to_approvals)
        self._close.clicked.connect(self.close)
        self.reason.textChanged.connect(self._judge)
        self.why_release.textChanged.connect(self._judge)
        self._judge()

    # --- showing ------------------------------------------------------------------------------------------------

    def appear(self) -> None:
        """Show it without taking the keyboard: somebody else stopped."""
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, True)
        self.show()
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, False)

    def ask_release(self) -> None:
        """Ask why it is safe to go on."""
        self._say("", "")
        self._foot.turn_to(self._releasing)
        self.refresh()
        self.show()
        self.raise_()
        self.activateWindow()
        self.why_release.setFocus(Qt.FocusReason.OtherFocusReason)

    def tell_failure(self, text: str) -> None:
        """Say that the stop itself did not fully work."""
        self._failure.setText(f"The stop did not work as it should: {text}" if text else "")
        self._failure.setVisible(bool(text))

    def refresh(self) -> None:
        """Show how it stands now."""
        engaged = self._desk.engaged
        everything = engaged.get(EVERYTHING)
        self._heading.setText(_heading(engaged))
        set_tone(self._heading, "danger" if engaged else "good")
        self._who.setText("\n".join(_said(one) for one in engaged.values()) or "Actions may start again.")
        self._foot.setVisible(bool(engaged))
        if everything is None and not engaged:
            self._foot.turn_to(self._explaining)
        self._follow_receipt(bool(engaged))
        self._show_held()

    def _follow_receipt(self, engaged: bool) -> None:
        """The receipt of this stop, not of an earlier one. An empty one, of a press that hit nothing, adds nothing."""
        receipt = self._desk.receipt
        if not engaged:
            self._past, self._receipt = receipt, None
        elif receipt is None or receipt is self._past:
            self._await_receipt()
        elif self._receipt is None or receipt.held or receipt.unknown or receipt.already_sent:
            self._receipt = receipt
            self._show_receipt(receipt)

    def _await_receipt(self) -> None:
        for number in self._numbers.values():
            number.setText("-")
        self._unknown.setVisible(False)

    def _show_receipt(self, receipt: KillSwitchReceipt) -> None:
        for name in ("held", "unknown", "already_sent"):
            self._numbers[name].setText(str(len(getattr(receipt, name))))
        self._numbers["milliseconds"].setText(f"{receipt.milliseconds:.1f}")
        set_tone(self._numbers["unknown"], "danger" if receipt.unknown else "")
        self._unknown.setText("\n".join(self._named(receipt.unknown)))
        self._unknown.setVisible(bool(receipt.unknown))

    def _named(self, ids: Collection[UUID]) -> list[str]:
        found = (self._desk.incidents.action(one) for one in list(ids)[:_LISTED])
        known = [f"unknown: {VERBS[one[1].verb].label} {spelled(one[1].target.value, 120)}" for one in found if one]
        more = len(ids) - len(known)
        return [*known, f"and {more} more"] if more > 0 else known

    def _show_held(self) -> None:
        held_now = sum(action.state is ActionState.HELD for _, action in self._desk.incidents.actions())
        self._note.setText(f"{count(held_now, 'action')} held. Each waits for a choice: approve it again, or deny it.")
        self._note.setVisible(held_now > 0)
        self.approvals.setVisible(held_now > 0)

    # --- what a person does -------------------------------------------------------------------------------------

    def _judge(self) -> None:
        self.explain.setEnabled(bool(self.reason.text().strip()))
        self.release.setEnabled(bool(self.why_release.text().strip()))

    def _explain(self) -> None:
        """A stop is explained by stopping again with the reason: that does no harm and releases nothing."""
        reason = self.reason.text().strip()
        if not reason:
            return
        for scope in tuple(self._desk.engaged):
            self._desk.engage(scope, reason=reason, actor=self._actor)
        self.refresh()
        if all(one.reason == reason for one in self._desk.engaged.values()):
            self.reason.clear()
            self._say("Recorded.", "good")
        else:
            self._say("The stop stands, but it keeps the reason it had.", "warn")

    def _release(self) -> None:
        reason = self.why_release.text().strip()
        for scope in tuple(self._desk.engaged) if reason else ():
            self._start(self._desk.release(scope, reason=reason, actor=self._actor), self._let_go, self._refused)

    def _let_go(self, _: None) -> None:
        self.why_release.clear()
        self._say("Released. Nothing was resumed.", "good")
        self.refresh()
        self.released.emit()

    def _refused(self, error: Exception) -> None:
        self._say(error.detail if isinstance(error, DeskError) else f"Not done: {error}", "danger")

    def _say(self, text: str, tone: str) -> None:
        self._said.setText(text)
        self._said.setVisible(bool(text))
        set_tone(self._said, tone)

    def _to_approvals(self) -> None:
        self.approvals_wanted.emit()
        self.close()


def _heading(engaged: Collection[str]) -> str:
    if EVERYTHING in engaged:
        return "Everything stands still"
    return f"Stopped: {shown(', '.join(engaged), 120)}" if engaged else "Released"


def _said(one: Engagement) -> str:
    scope = "" if one.scope == EVERYTHING else f"{one.scope}: "
    return f"{scope}stopped by {person(one.by)} at {_at(one)}: {one.reason}"


def _at(one: Engagement) -> str:
    """Any process may have written the latch, so the time may be anything."""
    try:
        return clock(datetime.fromisoformat(one.at))
    except ValueError:
        return one.at


def _line(placeholder: str) -> QLineEdit:
    made = QLineEdit()
    made.setMaxLength(1_000)
    made.setPlaceholderText(placeholder)
    made.setAccessibleName(placeholder)
    return made


def _button(text: str, role: str) -> QPushButton:
    made = QPushButton(text)
    made.setAutoDefault(False)
    if role:
        set_role(made, role)
    return made
