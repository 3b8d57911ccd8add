"""Enrich, analyse, propose, on a real bus over a real journal: whatever an enricher or the analyst does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

from tests.triage.room import CONDITIONS, MORNING, alert, analyst, enrichers, seen
from warden_desktop.adapters.journal import FILE_NAME, SqliteJournal, SqliteReadModel
from warden_desktop.domain.action import ProposedAction, Target, Verb
from warden_desktop.domain.alert import Alert, Severity
from warden_desktop.domain.events import AlertCorrelated, EnrichmentPhaseComplete, IncidentCreated, StatusChanged
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.record import now
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import EnrichmentStatus, Finding, TriageAnalysis
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.enrichment import FAILURES_TO_REST, EnrichmentPhase
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.ports import Analyst, Enricher
from warden_desktop.engine.triage import Triage

WEB_SHELL = alert(
    "Web shell", seen("host", "web-01", "victim"), seen("file", "/var/www/upload/a.php"), category="web_shell",
    severity=Severity.HIGH,
)  # fmt: skip


class Says:
    """An enricher that answers at once, counting how often it is asked."""

    configured = True

    def __init__(self, name: str, answer: Callable[[], Sequence[Finding]] = tuple) -> None:
        self.name = name
        self.asked = 0
        self._answer = answer

    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        self.asked += 1
        return self._answer()


class Hangs(Says):
    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        self.asked += 1
        await asyncio.Event().wait()
        return ()


class Absent(Says):
    configured = False


def fails() -> Sequence[Finding]:
    raise RuntimeError("the vendor is on fire")


class Broken:
    name = "broken"

    async def analyse(self, incident: Incident) -> TriageAnalysis:
        raise RuntimeError("no idea")


def isolate(incident: Incident, holds: Callable[[str], bool], cause_id: UUID) -> tuple[str, tuple[ProposedAction, ...]]:
    if not holds("incident.category == 'web_shell'"):
        return "", ()
    action = ProposedAction(
        id=uuid4(), incident_id=incident.id, verb=Verb.ISOLATE_HOST, target=Target(type=None, value="web-01"),
        proposed_by="playbook:test", connector="test", expires_at=now(),
    )  # fmt: skip
    return "test", (action,)


class Room:
    """A bus with triage on it."""

    def __init__(self, journal: SqliteJournal, asked: Sequence[Enricher], judge: Analyst, timeout: float) -> None:
        self.journal = journal
        self.bus = Bus(journal)
        self.incidents = Incidents(journal, SqliteReadModel(journal))
        self.bus.attach(self.incidents.apply)
        self.triage = Triage(
            self.bus, self.incidents, asked, judge, isolate, CONDITIONS, timeout=timeout, deadline=timeout
        )

    async def create(self, one: Alert = WEB_SHELL) -> UUID:
        event = IncidentCreated(actor="intake", at=MORNING, incident_id=uuid4(), alert=one)
        await self.bus.publish(event)
        return event.incident_id

    async def settle(self) -> None:
        before = -1
        while before != self.bus.last_seq:
            before = self.bus.last_seq
            for subscription in self.bus.subscriptions:
                await subscription.idle()

    def incident(self, incident_id: UUID) -> Incident:
        found = self.incidents.get(incident_id)
        assert found is not None
        return found

    async def kinds(self, incident_id: UUID) -> list[str]:
        return [one.event.kind for one in await self.bus.read(0, 1000, incident_id=incident_id)]


@asynccontextmanager
async def triaging(
    path: Path, asked: Sequence[Enricher], judge: Analyst | None = None, timeout: float = 5.0
) -> AsyncIterator[Room]:
    journal = SqliteJournal.open(path / FILE_NAME, asyncio.get_running_loop())
    room = Room(journal, asked, judge or analyst(), timeout)
    await room.incidents.restore(now(), now() - MORNING)
    async with asyncio.TaskGroup() as group:
        room.bus.start(group.create_task)
        yield room
        await room.bus.stop()
    await journal.close()


async def test_an_incident_is_enriched_judged_and_answered(tmp_path: Path) -> None:
    async with triaging(tmp_path, enrichers(tmp_path)) as room:
        one = await room.create()
        await room.settle()
        incident = room.incident(one)
        kinds = await room.kinds(one)
    assert incident.status is Status.ANALYZING  # approvals take over from here
    assert incident.analysis is not None
    assert [action.verb for action in incident.actions] == [Verb.ISOLATE_HOST]
    assert kinds[:2] == ["incident_created", "status_changed"]
    assert kinds[-4:] == ["enrichment_phase_complete", "status_changed", "analysis_complete", "actions_proposed"]
    states = {enrichment.provider: enrichment.status for enrichment in incident.enrichments}
    assert states["inventory"] is EnrichmentStatus.NOT_CONFIGURED


async def test_without_anything_to_propose_a_person_reviews(tmp_path: Path) -> None:
    async with triaging(tmp_path, ()) as room:
        one = await room.create(alert("disk", category="availability"))
        await room.settle()
        assert room.incident(one).status is Status.PENDING_REVIEW
        last = (await room.bus.read(0, 100, incident_id=one))[-1].event
    assert isinstance(last, StatusChanged)
    assert last.reason == "no playbook fits"


async def test_one_enricher_that_fails_or_hangs_holds_nobody_back(tmp_path: Path) -> None:
    fact = Finding(name="fact", value=1, detail="a fact")
    asked = (Says("good", lambda: (fact,)), Says("bad", fails), Hangs("slow"), Absent("absent"))
    async with triaging(tmp_path, asked, timeout=0.05) as room:
        one = await room.create()
        await room.settle()
        incident = room.incident(one)
        phases = await room.bus.read(0, 100, kinds=["enrichment_phase_complete"])
    (phase,) = (recorded.event for recorded in phases)
    assert isinstance(phase, EnrichmentPhaseComplete)
    assert (phase.complete, phase.failed, phase.not_configured) == (("good",), ("bad", "slow"), ("absent",))
    details = {enrichment.provider: enrichment.detail for enrichment in incident.enrichments}
    assert details["bad"] == "RuntimeError: the vendor is on fire"
    assert details["slow"] == "no answer within 0.05 s"
    assert incident.analysis is not None
    assert incident.analysis.missing[0].startswith("bad: failed")


async def test_an_enricher_that_keeps_failing_rests() -> None:
    clock = [0.0]
    bad = Says("bad", fails)
    phase = EnrichmentPhase([bad], timeout=1.0, deadline=1.0, clock=lambda: clock[0])
    incident = Incident.opened_by(IncidentCreated(actor="x", incident_id=uuid4(), alert=WEB_SHELL))
    for _ in range(FAILURES_TO_REST + 3):
        (answer,) = await phase.ask(incident)
    assert bad.asked == FAILURES_TO_REST
    assert answer.error.startswith("rests for up to 30 s")
    clock[0] = 31.0
    await phase.ask(incident)
    assert bad.asked == FAILURES_TO_REST + 1


async def test_an_analyst_that_fails_leaves_it_to_a_person(tmp_path: Path) -> None:
    async with triaging(tmp_path, (), Broken()) as room:
        one = await room.create()
        await room.settle()
        incident = room.incident(one)
    assert incident.status is Status.PENDING_REVIEW
    assert incident.analysis_error == "broken: RuntimeError: no idea"


async def test_a_repeated_delivery_records_everything_once(tmp_path: Path) -> None:
    async with triaging(tmp_path, enrichers(tmp_path)) as room:
        one = await room.create()
        await room.settle()
        once = await room.kinds(one)
        await room.journal.move_cursor("triage", 0)
    async with triaging(tmp_path, enrichers(tmp_path)) as room:
        await room.settle()
        assert await room.kinds(one) == once


async def test_what_a_crash_interrupted_is_done_after_the_restart(tmp_path: Path) -> None:
    slow = Hangs("slow")
    async with triaging(tmp_path, (slow,), timeout=60.0) as room:
        one = await room.create()
        while not slow.asked:
            await asyncio.sleep(0)
        assert room.incident(one).status is Status.ENRICHING
    async with triaging(tmp_path, (Says("slow"),)) as room:
        await room.settle()
        assert room.incident(one).actions
        assert (await room.kinds(one)).count("status_changed") == 2


async def test_a_person_who_decided_first_is_not_overruled(tmp_path: Path) -> None:
    slow = Hangs("slow")
    async with triaging(tmp_path, (slow,), timeout=0.2) as room:
        one = await room.create()
        while not slow.asked:
            await asyncio.sleep(0)
        await room.bus.publish(
            StatusChanged(actor="analyst:alice", incident_id=one, old=Status.ENRICHING, new=Status.FALSE_POSITIVE)
        )
        await room.settle()
        incident = room.incident(one)
    assert incident.status is Status.FALSE_POSITIVE
    assert incident.analysis is None


async def test_worse_news_is_judged_again_and_repeats_no_question(tmp_path: Path) -> None:
    async with triaging(tmp_path, ()) as room:
        one = await room.create()
        await room.settle()
        await room.bus.publish(
            StatusChanged(actor="approvals", incident_id=one, old=Status.ANALYZING, new=Status.PENDING_APPROVAL)
        )
        same, worse = (
            WEB_SHELL.model_copy(update={"id": uuid4(), "techniques": techniques})
            for techniques in ((), ("T1059.004",))
        )
        for again in (same, worse):
            await room.bus.publish(AlertCorrelated(actor="intake", incident_id=one, alert=again, rule="same key"))
        await room.settle()
        kinds = await room.kinds(one)
        incident = room.incident(one)
    assert kinds.count("analysis_complete") == 2
    assert kinds.count("actions_proposed") == 1
    assert incident.analysis is not None
    assert "T1059.004" in incident.analysis.techniques
