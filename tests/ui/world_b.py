"""A whole engine behind the desk, without door and disk: real bus, policy, approvals, executor, kill switch.

Only the two ends are the test's own: a journal in memory, and a vendor that counts what reaches it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from tests.memory_journal import MemoryJournal, MemoryReadModel
from warden_desktop.adapters.conditions import CelConditions
from warden_desktop.adapters.latch import FileLatch
from warden_desktop.adapters.simulated import SimulatedResponder
from warden_desktop.domain import events as ev
from warden_desktop.domain.action import Level, Outcome, ProposedAction, RequestPreview, Result, Target, Verb
from warden_desktop.domain.alert import Alert, Observable, ObservableType, Severity
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.policy import Guardrails, Protected, ProtectedTargets
from warden_desktop.domain.record import now
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus, Evidence, Finding, TriageAnalysis, Verdict
from warden_desktop.engine.approvals import Approvals
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.dead_letters import DeadLetters
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.executor import Executor
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.judge import Judge
from warden_desktop.engine.kill_switch import KillSwitch
from warden_desktop.engine.ledger import Ledger
from warden_desktop.engine.operating_mode import OperatingMode
from warden_desktop.engine.ports import Responder
from warden_desktop.engine.tasks import Work

ACTOR = "analyst:alice"
HOUR = timedelta(hours=1)


class Vendor:
    """A connector whose other side is this object: it keeps what it was asked, and answers as it is told."""

    name = "acme_edr"
    simulated = False
    verbs = frozenset(Verb)

    def __init__(self) -> None:
        self.asked: list[ProposedAction] = []
        self.answer = Outcome(
            result=Result.SUCCEEDED, detail="accepted by the sensor", status_code=202, response='{"task": "t-4711"}'
        )
        self.hold: asyncio.Event | None = None

    def preview(self, action: ProposedAction) -> RequestPreview:
        return RequestPreview(
            connector=self.name, simulated=False, method="POST",
            url=f"https://edr.acme.example/v2/actions/{action.verb}",
            headers={"Authorization": "Bearer ***", "Content-Type": "application/json"},
            body={"target": action.target.value, "comment": action.reason, "ttl_hours": 24},
            undo="Sends the inverse action to the same sensor.",
        )  # fmt: skip

    async def act(self, action: ProposedAction, gate: Callable[[], None]) -> Outcome:
        gate()
        self.asked.append(action)
        if self.hold is not None:
            await self.hold.wait()
        return self.answer


class World:
    """The desk and what is behind it. `settle` lets everything that is under way come to rest."""

    def __init__(self, latch: Path, work: Work) -> None:
        self.journal = MemoryJournal()
        self.vendor = Vendor()
        self.simulated = SimulatedResponder(delay=0.01)
        responders: dict[str, Responder] = {self.vendor.name: self.vendor, self.simulated.name: self.simulated}
        guardrails = Guardrails(
            protected=ProtectedTargets(
                assets=(
                    Protected(match="dc-*", reason="Domain controllers keep the company running.", needs=Level.SENIOR),
                )
            )
        )
        self.bus = Bus(self.journal)
        self.incidents = Incidents(self.journal, MemoryReadModel(self.journal))
        self.bus.attach(self.incidents.apply)
        mode = OperatingMode(Mode.ASSISTED)
        self.bus.attach(mode.apply)
        ledger = Ledger(self.bus, self.incidents)
        judge = Judge(self.bus, self.incidents, guardrails, CelConditions(), lambda: mode.current, now)
        self.kill_switch = KillSwitch(
            self.bus, self.incidents, ledger, FileLatch(latch), spawn=work.spawn, clock=now
        )  # fmt: skip
        self.approvals = Approvals(
            self.bus, self.incidents, ledger, judge, responders, self.kill_switch.check, now
        )  # fmt: skip
        Executor(self.bus, self.incidents, ledger, judge, self.kill_switch, responders, now)
        letters = DeadLetters(self.bus, self.journal)
        self.desk = Desk(self.bus, self.incidents, self.approvals, self.kill_switch, mode, letters)
        self.start = work.start
        self.events = self.bus.listen()
        self.bus.start(work.spawn)

    async def settle(self, turns: int = 40) -> None:
        """Let everything that is under way come to rest."""
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.sleep(0.03)

    def news(self) -> list[ev.Event]:
        """What happened since the last call, as views get it."""
        return list(self.events.drain().events)  # type: ignore[arg-type]

    async def incident(
        self,
        title: str = "Web shell written to web root",
        *,
        severity: Severity = Severity.HIGH,
        host: str = "web-01",
        analysed: bool = True,
    ) -> UUID:
        """An analysed incident about a host."""
        incident_id = uuid4()
        created = ev.IncidentCreated(incident_id=incident_id, actor="intake", alert=alert(title, severity, host))
        await self.bus.publish(created)
        if analysed:
            await self.bus.publish(*_analysis(incident_id, host))
        return incident_id

    async def propose(
        self,
        incident_id: UUID,
        verb: Verb = Verb.BLOCK_IP,
        value: str = "203.0.113.7",
        kind: ObservableType = ObservableType.IP,
        *,
        connector: str = "acme_edr",
        reason: str = "it commands the web shell on web-01",
        expires_in: timedelta = HOUR,
    ) -> UUID:
        """A proposal of a playbook; policy has decided on it on return."""
        proposed = ProposedAction(
            id=uuid4(), incident_id=incident_id, verb=verb, target=Target(type=kind, value=value), reason=reason,
            evidence=("e1", "e2", "e3"), proposed_by="playbook:web_shell", connector=connector,
            expires_at=now() + expires_in,
        )  # fmt: skip
        await self.bus.publish(
            ev.ActionsProposed(incident_id=incident_id, actor="triage", playbook="web_shell", actions=(proposed,))
        )
        await self.settle()
        return proposed.id


def alert(title: str, severity: Severity, host: str) -> Alert:
    """An alert about a host and the address that attacks it."""
    at = datetime.now(UTC)
    return Alert(
        id=uuid4(), source="wazuh", title=title, severity=severity, occurred_at=at, received_at=at, target=host,
        observables=(
            Observable(type=ObservableType.HOST, value=host, path="agent.name"),
            Observable(type=ObservableType.IP, value="203.0.113.7", path="data.srcip"),
        ),
        techniques=("T1505.003",), dedupe_key=f"{title}/{host}", signed=True,
    )  # fmt: skip


def _analysis(incident_id: UUID, host: str) -> tuple[ev.Event, ...]:
    at = datetime.now(UTC)
    inventory = Enrichment(
        provider="inventory", status=EnrichmentStatus.COMPLETE, as_of=at,
        findings=(
            Finding(name="asset", value=host, observable=f"host:{host}",
                    detail=f"{host} is a public web server of the shop, owned by team-web; 2 services depend on it."),
            Finding(name="address_class", value="public", observable="ip:203.0.113.7",
                    detail="A public address, not one of yours; on the local block list since yesterday."),
        ),
    )  # fmt: skip
    evidence = (
        Evidence(id="e1", statement="A PHP file was written below the web root by the web server's own account.",
                 weight=2.4, source="wazuh", path="syscheck.path", value="/var/www/html/uploads/a.php"),
        Evidence(id="e2", statement="The address that sent the file is on the local block list.", weight=1.6,
                 source="block_list", path="data.srcip", value="203.0.113.7"),
        Evidence(id="e3", statement="The upload happened within the deployment window.", weight=-0.7, source="rules"),
    )  # fmt: skip
    analysis = TriageAnalysis(
        analyst="rules", category="web_shell", verdict=Verdict.LIKELY_TRUE_POSITIVE, confidence=0.94, malice=0.93,
        severity=Severity.HIGH, summary=f"Somebody has a web shell on {host}.", evidence=evidence,
    )  # fmt: skip
    return (
        ev.EnrichmentComplete(incident_id=incident_id, actor="enricher:inventory", enrichment=inventory),
        ev.AnalysisComplete(incident_id=incident_id, actor="analyst_rules", analysis=analysis),
    )


@contextlib.asynccontextmanager
async def world(directory: Path) -> AsyncIterator[World]:
    """A world that ends with everything it started."""
    async with asyncio.TaskGroup() as group:
        work = Work(group)
        made = World(directory / "latch", work)
        try:
            yield made
        finally:
            await made.bus.stop()
            work.end()
