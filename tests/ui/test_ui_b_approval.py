"""The approval dialog: nothing is approved that was not read, nothing else runs than what was shown."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.gallery_b import HOSTILE, HOSTILE_HOST
from tests.ui.press_b import click, key, look_at, until, write
from tests.ui.world_b import ACTOR, World, world
from warden_desktop.domain import events as ev
from warden_desktop.domain.action import ActionState, Outcome, Result, Verb
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.incident import Action
from warden_desktop.ui.approver import Approver
from warden_desktop.ui.theme import Theme


class Seat:
    """A window with an approver in it, fed with what happens."""

    def __init__(self, qtbot: QtBot, w: World, **options: Any) -> None:
        self.world = w
        self.window = QWidget()
        self.window.resize(600, 400)
        qtbot.addWidget(self.window)
        self.window.show()
        self.approver = Approver(self.window, w.desk, w.start, Theme("dark"), ACTOR, **options)
        self.dialog = self.approver.dialog
        self.bar = self.dialog.decision

    def frame(self) -> None:
        """One frame: the views get what happened."""
        self.approver.on_events(list(self.world.events.drain().events))

    def is_now(self, action_id: UUID, state: ActionState) -> bool:
        self.frame()
        return self.action(action_id).state is state

    async def read(self, action_id: UUID) -> None:
        """Open the dialog and wait until it is armed."""
        self.approver.open_for(action_id)
        await look_at(self.dialog)
        await until(lambda: self.bar.armed, "the dialog is armed")

    async def becomes(self, action_id: UUID, state: ActionState) -> Action:
        await until(lambda: self.is_now(action_id, state), f"the action is {state}")
        self.frame()
        return self.action(action_id)

    def action(self, action_id: UUID) -> Action:
        found = self.world.incidents.action(action_id)
        assert found is not None
        return found[1]

    def words(self) -> str:
        """All that the dialog says."""
        labels = [one.text() for one in self.dialog.findChildren(QLabel) if not one.isHidden()]
        texts = [one.toPlainText() for one in self.dialog.findChildren(QPlainTextEdit)]
        return "\n".join(labels + texts)


async def test_one_click_approves_exactly_what_was_shown_and_shows_the_outcome(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident())
        await seat.read(action_id)
        click(seat.bar.approve)
        await seat.becomes(action_id, ActionState.DONE)
        approved = [one.event for one in w.journal.log if isinstance(one.event, ev.ActionApproved)]
        assert [one.digest for one in approved] == [seat.action(action_id).proposed.digest]
        assert [one.actor for one in approved] == [ACTOR]
        assert [one.id for one in w.vendor.asked] == [action_id]
        assert not seat.dialog.deciding
        assert "Done" in seat.words()
        assert "accepted by the sensor" in seat.words()


async def test_the_buttons_work_only_800_ms_after_the_dialog_has_the_focus(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident())
        seat.approver.open_for(action_id)
        await look_at(seat.dialog)
        assert not seat.bar.approve.isEnabled()
        assert not seat.bar.deny.isEnabled()
        click(seat.bar.approve)
        await w.settle()
        assert seat.action(action_id).state is ActionState.WAITING
        await until(seat.bar.approve.isEnabled, "the button is armed")
        seat.window.activateWindow()
        await until(lambda: not seat.dialog.isActiveWindow(), "the other window is in front")
        assert not seat.bar.approve.isEnabled()
        seat.dialog.hide()


async def test_no_button_is_pressed_by_enter(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident())
        await seat.read(action_id)
        assert not any(one.isDefault() or one.autoDefault() for one in seat.dialog.findChildren(QPushButton))
        key(seat.dialog, Qt.Key.Key_Return)
        await w.settle()
        assert seat.action(action_id).state is ActionState.WAITING
        assert seat.dialog.isVisible()


async def test_what_cannot_be_undone_wants_its_target_typed(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        incident = await w.incident()
        action_id = await w.propose(incident, Verb.RESET_PASSWORD, "m.mustermann", ObservableType.USER)
        await seat.read(action_id)
        typed = seat.dialog.findChild(QLineEdit, "typed target")
        assert typed is not None
        assert not seat.bar.approve.isEnabled()
        write(typed, "m.musterman")
        assert not seat.bar.approve.isEnabled()
        write(typed, "n")
        assert seat.bar.approve.isEnabled()
        click(seat.bar.approve)
        await seat.becomes(action_id, ActionState.DONE)


async def test_denying_wants_a_reason_and_records_it(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident())
        await seat.read(action_id)
        click(seat.bar.deny)
        assert not seat.bar.confirm_deny.isEnabled()
        reason = seat.dialog.findChild(QLineEdit, "reason")
        assert reason is not None
        write(reason, "   ")
        assert not seat.bar.confirm_deny.isEnabled()
        write(reason, "our own scanner")
        click(seat.bar.confirm_deny)
        action = await seat.becomes(action_id, ActionState.DENIED)
        assert action.reason == "our own scanner"
        assert w.vendor.asked == []
        assert "our own scanner" in seat.words()


async def test_a_level_above_analyst_is_stated_by_the_person(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        incident = await w.incident()
        action_id = await w.propose(incident, Verb.ISOLATE_HOST, "web-01", ObservableType.HOST)
        await seat.read(action_id)
        assert not seat.bar.approve.isEnabled()
        vouch = seat.dialog.findChild(QCheckBox)
        assert vouch is not None
        vouch.click()
        click(seat.bar.approve)
        action = await seat.becomes(action_id, ActionState.DONE)
        assert action.reason == "approved as senior"


async def test_a_decision_of_somebody_else_is_shown_in_place(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident())
        await seat.read(action_id)
        await w.desk.deny(action_id, reason="known maintenance", actor="analyst:bob")
        seat.frame()
        assert not seat.dialog.deciding
        assert "Denied by bob" in seat.words()
        assert "known maintenance" in seat.words()


async def test_a_refusal_of_the_desk_is_shown_where_it_was_pressed(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident())
        await seat.read(action_id)
        w.journal.broken = "the disk is full"
        click(seat.bar.approve)
        await until(lambda: "the disk is full" in seat.words(), "the dialog says why it was not done")
        assert "not_recorded" in seat.words()
        assert seat.dialog.deciding
        w.journal.broken = ""
        assert w.vendor.asked == []


async def test_an_unknown_outcome_is_called_unknown(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        w.vendor.answer = Outcome(result=Result.UNKNOWN, detail="no answer after sending")
        action_id = await w.propose(await w.incident())
        await seat.read(action_id)
        click(seat.bar.approve)
        await seat.becomes(action_id, ActionState.UNKNOWN)
        assert "Outcome unknown" in seat.words()
        assert "never sent again by itself" in seat.words()


async def test_a_simulated_action_is_called_simulated_before_and_after(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident(), connector="simulated")
        await seat.read(action_id)
        assert "SIMULATED: this reaches nothing" in seat.words()
        click(seat.bar.approve)
        await seat.becomes(action_id, ActionState.SIMULATED)
        assert "no system was changed" in seat.words()


async def test_while_everything_is_stopped_it_can_be_denied_but_not_approved(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident())
        await seat.read(action_id)
        w.desk.engage(reason="test", actor=ACTOR)
        await w.settle()
        seat.frame()
        assert not seat.bar.approve.isEnabled()
        assert seat.bar.deny.isEnabled()
        assert "kill switch" in seat.words()


async def test_time_that_is_up_forbids_approving(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident(), expires_in=timedelta(seconds=1.5))
        await seat.read(action_id)
        await until(lambda: "The time is up" in seat.words(), "the countdown ends")
        assert not seat.bar.approve.isEnabled()
        await w.approvals.expire()
        seat.frame()
        assert "Expired" in seat.words()


async def test_a_new_approval_opens_without_taking_the_keyboard(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w, opens_itself=True)
        field = QLineEdit(seat.window)
        field.show()
        await look_at(seat.window)
        field.setFocus()
        await w.propose(await w.incident())
        seat.frame()
        assert seat.dialog.isVisible()
        assert seat.dialog.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        await asyncio.sleep(0.2)
        if QApplication.platformName() != "offscreen":  # which hands the keyboard to every new window, asked or not
            assert QApplication.focusWidget() is field
        assert not seat.bar.approve.isEnabled()
        seat.dialog.hide()


async def test_it_does_not_open_by_itself_unless_that_is_wanted(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        await w.propose(await w.incident())
        seat.frame()
        assert not seat.dialog.isVisible()
        assert seat.approver.waiting == 1


async def test_one_at_a_time_and_the_next_on_demand(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        incident = await w.incident()
        first, second, third = [await w.propose(incident, value=f"203.0.113.{n}") for n in (1, 2, 3)]
        seat.frame()
        await seat.read(first)
        assert "2 more waiting" in seat.words()
        click(seat.bar.approve)
        await seat.becomes(first, ActionState.DONE)
        assert seat.dialog.action_id == first
        click(seat.dialog.fate.next)
        assert seat.dialog.action_id == second
        assert not seat.bar.approve.isEnabled()
        click(seat.bar.later)
        assert not seat.dialog.isVisible()
        seat.approver.next()
        assert seat.dialog.action_id == third


async def test_a_request_changed_since_it_was_shown_is_shown_anew(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident())
        await seat.read(action_id)
        asked = next(one.event for one in w.journal.log if isinstance(one.event, ev.ApprovalRequested))
        forged = seat.action(action_id).model_copy(update={"digest": "0" * 64})
        incident = w.incidents.get(asked.incident_id)
        assert incident is not None
        w.incidents._whole[incident.id] = incident.model_copy(update={"actions": (forged,)})
        seat.dialog.on_resync()
        assert "has changed" in seat.words()
        assert "cannot be approved" in seat.words()
        assert not seat.bar.approve.isEnabled()


async def test_hostile_text_stays_text_and_odd_characters_are_named(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        incident = await w.incident(HOSTILE, host=HOSTILE_HOST, analysed=False)
        action_id = await w.propose(incident, Verb.ISOLATE_HOST, HOSTILE_HOST, ObservableType.HOST, reason=HOSTILE)
        await seat.read(action_id)
        words = seat.words()
        assert "<b>bold</b>" in words
        assert "U+202E RIGHT-TO-LEFT OVERRIDE" in words
        assert "U+0430 CYRILLIC SMALL LETTER A" in words
        assert "\u202e" not in words
        assert "\u200b" not in words
        formats = {one.textFormat() for one in seat.dialog.findChildren(QLabel)}
        assert formats == {Qt.TextFormat.PlainText}


@pytest.mark.parametrize("verb", [Verb.ISOLATE_HOST, Verb.COLLECT_FORENSICS])
async def test_it_says_whether_it_can_be_undone(qtbot: QtBot, tmp_path: Path, verb: Verb) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        action_id = await w.propose(await w.incident(), verb, "web-01", ObservableType.HOST)
        await seat.read(action_id)
        undo = "Release host from isolation" if verb is Verb.ISOLATE_HOST else "It cannot be undone."
        assert undo in seat.words()
        assert "owned by team-web" in seat.words()


async def test_enter_presses_nothing_before_the_decision_and_goes_on_after_it(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w)
        incident = await w.incident()
        first, second = [await w.propose(incident, value=f"203.0.113.{n}") for n in (1, 2)]
        seat.frame()
        await seat.read(first)
        key(seat.dialog, Qt.Key.Key_Return)
        await w.settle()
        assert seat.action(first).state is ActionState.WAITING
        click(seat.bar.approve)
        await seat.becomes(first, ActionState.DONE)
        key(seat.dialog, Qt.Key.Key_Return)
        assert seat.dialog.action_id == second
        assert seat.dialog.deciding
        seat.dialog.hide()


async def test_nothing_opens_by_itself_over_what_is_read(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        at_work = [True]
        seat = Seat(qtbot, w, opens_itself=True, reading=lambda: at_work[0])
        incident = await w.incident()
        await w.propose(incident, Verb.ISOLATE_HOST, "web-01", ObservableType.HOST)
        seat.frame()
        assert not seat.dialog.isVisible()
        assert seat.approver.waiting == 1
        at_work.clear()
        at_work.append(False)
        await w.propose(incident, Verb.BLOCK_IP, "203.0.113.1")
        seat.frame()
        assert not seat.dialog.isVisible(), "one more of many, of medium risk"
        grave = await w.propose(incident, Verb.DISABLE_USER, "j.doe", ObservableType.USER)
        seat.frame()
        assert seat.dialog.isVisible()
        assert seat.dialog.action_id == grave
        seat.dialog.hide()


async def test_after_not_now_nothing_opens_by_itself_for_a_while(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        seat = Seat(qtbot, w, opens_itself=True)
        incident = await w.incident()
        await w.propose(incident, Verb.ISOLATE_HOST, "web-01", ObservableType.HOST)
        seat.frame()
        assert seat.dialog.isVisible()
        click(seat.bar.later)
        await w.propose(incident, Verb.DISABLE_USER, "j.doe", ObservableType.USER)
        seat.frame()
        assert not seat.dialog.isVisible()
        assert seat.approver.waiting == 2
