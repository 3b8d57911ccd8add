"""Everything that decides and acts, wired as in the application, over a real journal and a real latch file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from warden_desktop.adapters.conditions import CelConditions
from warden_desktop.adapters.journal.journal import SqliteJournal
from warden_desktop.adapters.journal.read_model import SqliteReadModel
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.domain.action import ActionState, Level, ProposedAction, Target, Verb
from warden_desktop.domain.alert import Alert, ObservableType, Severity
from warden_desktop.domain.events import ActionsProposed, AnalysisComplete, Event, IncidentCreated, StatusChanged
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.policy import Guardrails
from warden_desktop.domain.record import now
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import TriageAnalysis, Verdict
from warden_desktop.engine.approvals import Approvals
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.executor import Executor
from warden_desktop.engine.followup import Followup
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.judge import Judge
from warden_desktop.engine.kill_switch import KillSwitch
from warden_desktop.engine.ledger import Ledger
from warden_desktop.engine.ports import Journal, Responder

ALICE = "analyst:alice"
BOB = "analyst:bob"


class Clock:
    """The time, and a way to move it on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


class Room:
    """One run of the application's deciding and acting half."""

    def __init__(
        self,
        journal: Journal,
        incidents: Incidents,
        latch: FileLatch,
        responders: Mapping[str, Responder],
        guardrails: Guardrails,
        clock: Clock,
        mode: Mode,
    ) -> None:
        self.mode = mode
        self.clock = clock
        self.journal = journal
        self.incidents = incidents
        self.tasks: set[asyncio.Task[None]] = set()
        self.bus = Bus(journal)
        self.bus.attach(incidents.apply)
        self.ledger = Ledger(self.bus, incidents)
        self.judge = Judge(self.bus, incidents, guardrails, CelConditions(), lambda: self.mode, clock)
        self.kill_switch = KillSwitch(self.bus, incidents, self.ledger, latch, spawn=self.spawn, clock=clock)
        self.approvals = Approvals(
            self.bus, incidents, self.ledger, self.judge, responders, self.kill_switch.check, clock
        )
        self.executor = Executor(
            self.bus, incidents, self.ledger, self.judge, self.kill_switch, responders, clock, at_once=4
        )
        self.followup = Followup(self.bus, self.ledger, guardrails, lambda: self.mode)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def settled(self) -> None:
        """Until every subscriber has handled what is in the log."""
        while True:
            head = self.bus.last_seq
            for subscription in self.bus.subscriptions:
                await subscription.idle()
            if head == self.bus.last_seq:
                return

    async def until(self, holds: Callable[[], object]) -> None:
        """Until `holds` is true; a test that hangs here is ended by pytest's own timeout."""
        async with asyncio.timeout(20):
            while not holds():
                await asyncio.sleep(0.005)

    async def incident(self, **alert: Any) -> UUID:
        """A fresh incident that has been analysed."""
        incident_id = uuid4()
        await self.bus.publish(*opened(incident_id, **alert))
        return incident_id

    async def propose(self, incident_id: UUID, *actions: ProposedAction) -> None:
        await self.bus.publish(
            ActionsProposed(incident_id=incident_id, actor="playbook:test", playbook="test", actions=actions)
        )

    async def waiting(self, connector: str = "generic_http", **proposed: Any) -> Action:
        """An action that waits for a person, in an incident of its own."""
        incident_id = await self.incident()
        action = proposal(incident_id, connector=connector, **proposed)
        await self.propose(incident_id, action)
        await self.until(lambda: self.state(action.id) is not ActionState.PROPOSED)
        return self.action(action.id)

    async def approve(self, action: Action, actor: str = ALICE, level: Level = Level.MANAGER) -> None:
        await self.approvals.approve(action.id, digest=action.digest, actor=actor, level=level)

    def action(self, action_id: UUID) -> Action:
        found = self.incidents.action(action_id)
        assert found is not None
        return found[1]

    def state(self, action_id: UUID) -> ActionState | None:
        found = self.incidents.action(action_id)
        return found[1].state if found else None

    def status(self, incident_id: UUID) -> Status:
        incident = self.incidents.get(incident_id)
        assert incident is not None
        return incident.status

    async def events(self, *kinds: type[Event]) -> list[Event]:
        """What the log has of `kinds`, oldest first."""
        found = await self.bus.read(0, 100_000)
        return [one.event for one in found if not kinds or isinstance(one.event, kinds)]

    def crash(self) -> None:
        """Stop dead: every task is cancelled where it stands."""
        for task in self.tasks:
            task.cancel()


@asynccontextmanager
async def room(
    directory: Path,
    responders: Mapping[str, Responder],
    *,
    guardrails: Guardrails | None = None,
    clock: Clock | None = None,
    mode: Mode = Mode.ASSISTED,
    started: bool = True,
) -> AsyncIterator[Room]:
    """The room over `directory`; opening it again is a restart."""
    journal = SqliteJournal.open(directory / "warden.db", asyncio.get_running_loop())
    incidents = Incidents(journal, SqliteReadModel(journal))
    await incidents.restore(now(), timedelta(days=1))
    latch = FileLatch(directory / "latch")
    try:
        made = Room(journal, incidents, latch, responders, guardrails or Guardrails(), clock or Clock(), mode)
        await made.executor.recover()
        if started:
            made.bus.start(made.spawn)
        try:
            yield made
        finally:
            await made.bus.stop()
            made.crash()
            await asyncio.gather(*made.tasks, return_exceptions=True)
    finally:
        await journal.close()


def opened(incident_id: UUID, verdict: Verdict | None = None, confidence: float = 0.9, **alert: object) -> list[Event]:
    """The events that open an incident and bring it to its analysis."""
    said = {"category": "web_shell", "target": "web-01", **alert}
    first = Alert.model_validate(
        {
            "id": uuid4(), "source": "wazuh", "title": "Web shell", "severity": Severity.HIGH, "occurred_at": now(),
            "received_at": now(), "dedupe_key": str(uuid4()), **said,
        }
    )  # fmt: skip
    made = IncidentCreated(incident_id=incident_id, actor="intake", alert=first)
    steps = [(Status.NEW, Status.ENRICHING), (Status.ENRICHING, Status.ANALYZING)]
    changes = [StatusChanged(incident_id=incident_id, actor="triage", old=old, new=new) for old, new in steps]
    events: list[Event] = [made, *changes]
    if verdict is not None:
        analysis = TriageAnalysis(
            analyst="rules", category=str(said["category"]), verdict=verdict, confidence=confidence, malice=0.9,
            severity=Severity.HIGH, summary="",
        )  # fmt: skip
        events.append(AnalysisComplete(incident_id=incident_id, actor="rules", analysis=analysis))
    return events


def proposal(
    incident_id: UUID,
    verb: Verb = Verb.ISOLATE_HOST,
    target: str = "web-01",
    kind: ObservableType | None = ObservableType.HOST,
    *,
    connector: str = "generic_http",
    minutes: float = 60,
    **fields: object,
) -> ProposedAction:
    """One proposed action."""
    return ProposedAction.model_validate(
        {
            "id": uuid4(), "incident_id": incident_id, "verb": verb, "target": Target(type=kind, value=target),
            "proposed_by": "playbook:test", "connector": connector, "expires_at": now() + timedelta(minutes=minutes),
            **fields,
        }
    )  # fmt: skip


def folded(*events: Event) -> Incident:
    """The incident of these events."""
    incident = Incident.folded(events)
    assert incident is not None
    return incident
