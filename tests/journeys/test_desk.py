"""What a person can do at the desk: each act is recorded, and what does not fit is refused with a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from tests.journeys.conftest import Console, OpenConsole, until
from tests.journeys.deliveries import web_shell
from warden_desktop.domain.action import ActionState, Level, Verb
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.status import Status
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.errors import DeskError

ALICE = "analyst:alice"


@asynccontextmanager
async def waiting(open_console: OpenConsole) -> AsyncIterator[tuple[Console, Desk]]:
    """An application with one incident whose actions wait, and its desk."""
    async with open_console() as console:
        await console.post("wazuh", web_shell())
        await until(lambda: [one.status for one in console.incidents()] == [Status.PENDING_APPROVAL])
        yield console, console.application.desk


def only(console: Console) -> Incident:
    (incident,) = console.incidents()
    return incident


@pytest.mark.parametrize("ending", [Status.RESOLVED, Status.FALSE_POSITIVE, Status.DISMISSED, Status.CLOSED])
async def test_an_incident_is_ended_and_reopened(open_console: OpenConsole, ending: Status) -> None:
    async with waiting(open_console) as (console, desk):
        await desk.resolve(only(console).id, resolution=ending, reason="seen to", actor=ALICE)
        assert (only(console).status, only(console).resolution) == (ending, "seen to")
        await until(lambda: only(console).waiting == 0)
        with pytest.raises(DeskError, match="cannot become"):
            await desk.escalate(only(console).id, reason="too late", actor=ALICE)
        await desk.reopen(only(console).id, reason="again", actor=ALICE)
        assert only(console).status is Status.PENDING_REVIEW
        with pytest.raises(DeskError) as refused:
            await desk.reopen(only(console).id, reason="again", actor=ALICE)
        assert refused.value.code == "already_open"


async def test_escalating_assigning_commenting_and_judging_are_remembered(open_console: OpenConsole) -> None:
    async with waiting(open_console) as (console, desk):
        incident_id = only(console).id
        await desk.escalate(incident_id, reason="two hosts", actor=ALICE, level=Level.MANAGER)
        await desk.assign(incident_id, assignee="bob", actor=ALICE)
        await desk.comment(incident_id, text="Owner told.", actor=ALICE)
        await desk.feedback(incident_id, right=False, why="a test", actor=ALICE)
        incident = only(console)
        assert (incident.status, incident.level, incident.assignee) == (Status.ESCALATED, Level.MANAGER, "bob")
        assert [(one.actor, one.text) for one in incident.comments] == [(ALICE, "Owner told.")]
        assert "wrong" in incident.feedback[0]
        assert incident.decided_at is not None


async def test_what_makes_no_sense_is_refused(open_console: OpenConsole) -> None:
    async with waiting(open_console) as (console, desk):
        with pytest.raises(DeskError, match="no such incident"):
            await desk.assign(uuid4(), assignee="bob", actor=ALICE)
        with pytest.raises(DeskError) as empty:
            await desk.comment(only(console).id, text="  \n", actor=ALICE)
        with pytest.raises(DeskError) as no_ending:
            await desk.resolve(only(console).id, resolution=Status.EXECUTING, reason="", actor=ALICE)
        with pytest.raises(DeskError) as unexplained:
            await desk.release(reason=" ", actor=ALICE)
        codes = [one.value.code for one in (empty, no_ending, unexplained)]
        assert codes == ["empty", "not_an_ending", "reason_required"]


async def test_the_mode_changes_and_survives_a_restart(open_console: OpenConsole) -> None:
    async with open_console() as console:
        assert console.application.desk.mode is Mode.ASSISTED
        await console.application.desk.set_mode(Mode.SUPERVISED, actor=ALICE)
    async with open_console() as console:
        assert console.application.desk.mode is Mode.SUPERVISED


async def test_an_undo_is_a_new_action_that_is_asked_for(open_console: OpenConsole) -> None:
    async with waiting(open_console) as (console, desk):
        isolate = next(one for one in only(console).actions if one.verb is Verb.ISOLATE_HOST)
        await desk.approve(isolate.id, digest=isolate.digest, actor=ALICE)
        await until(lambda: only(console).action(isolate.id).state is ActionState.SIMULATED)  # type: ignore[union-attr]
        await desk.propose_undo(isolate.id, actor=ALICE)
        await until(lambda: any(one.verb is Verb.UNISOLATE_HOST for one in only(console).actions))
        undo = next(one for one in only(console).actions if one.verb is Verb.UNISOLATE_HOST)
        await until(lambda: only(console).action(undo.id).state is ActionState.WAITING)  # type: ignore[union-attr]
        assert undo.target == isolate.target
        collect = next(one for one in only(console).actions if one.verb is Verb.COLLECT_FORENSICS)
        with pytest.raises(DeskError, match="cannot be undone"):
            await desk.propose_undo(collect.id, actor=ALICE)
