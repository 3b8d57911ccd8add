"""The pipeline: the engine with its offline adapters, from a recorded alert to an action approved and carried out.

Who builds it hands in the connectors and the latch, so what it can reach in the world is decided outside. The
application puts a door and a window on it; a replay gives it nothing but simulated connectors and a latch that is shut.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from warden_desktop.adapters.analysts.pack import AnalysisPack
from warden_desktop.adapters.analysts.rules import RuleAnalyst
from warden_desktop.adapters.conditions import CelConditions
from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.enrichers.offline import offline_enrichers
from warden_desktop.adapters.journal import SqliteJournal, SqliteReadModel
from warden_desktop.adapters.packs import PackError, line_of, load_pack, load_packs
from warden_desktop.assets import resource
from warden_desktop.domain.action import ProposedAction
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.mode import Mode
from warden_desktop.domain.playbook import Playbook, propose
from warden_desktop.domain.policy import ConditionError, Guardrails
from warden_desktop.domain.record import now
from warden_desktop.engine.approvals import Approvals, connector_for
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.dead_letters import DeadLetters
from warden_desktop.engine.desk import Desk
from warden_desktop.engine.executor import Executor
from warden_desktop.engine.followup import Followup
from warden_desktop.engine.health import Health
from warden_desktop.engine.incidents import Incidents
from warden_desktop.engine.intake import Intake
from warden_desktop.engine.judge import Judge
from warden_desktop.engine.kill_switch import KillSwitch
from warden_desktop.engine.ledger import Ledger
from warden_desktop.engine.operating_mode import OperatingMode
from warden_desktop.engine.ports import JournalError, Latch, Responder
from warden_desktop.engine.recall import Recall
from warden_desktop.engine.tasks import Work
from warden_desktop.engine.triage import Propose, Triage
from warden_desktop.settings import Settings

log = logging.getLogger(__name__)

SAVE_EVERY = 0.25
"""Seconds between saves of the incident table; what is not saved is folded from the log at the next start."""

DEMO_DOMAINS = ("example.test",)


class Pipeline:
    """Built in order: journal, current state, bus, workers. `start`, then publish; `stop` leaves everything on disk."""

    def __init__(
        self,
        journal: SqliteJournal,
        work: Work,
        settings: Settings,
        directory: DataDirectory,
        *,
        responders: Mapping[str, Responder],
        latch: Latch,
        demo: bool = False,
    ) -> None:
        """`directory`: whose packs, lists and inventory apply; only read. `demo`: with its own inventory."""
        self.settings = settings
        self.directory = directory
        self.demo = demo
        self.work = work
        self.journal = journal
        self.responders = responders
        self.health = Health()
        self.mode = OperatingMode(Mode.SUPERVISED if demo else settings.actions.mode)
        self.bus = Bus(journal, memory=settings.journal.memory, patience=settings.journal.patience, health=self.health)
        self.incidents = Incidents(journal, SqliteReadModel(journal))
        self.recall = Recall(lambda incident_id: self.incidents.rows().get(incident_id))
        for fold in (self.incidents.apply, self.recall.apply, self.mode.apply):
            self.bus.attach(fold)
        self.intake = Intake(self.bus, self.incidents, self._window)
        self._build_workers(CelConditions(), latch)

    @property
    def _window(self) -> timedelta:
        return timedelta(minutes=self.settings.intake.dedupe_window)

    def _build_workers(self, conditions: CelConditions, latch: Latch) -> None:
        guardrails = _guardrails(self.directory.packs, conditions.check)
        ledger = Ledger(self.bus, self.incidents)
        judge = Judge(self.bus, self.incidents, guardrails, conditions, self._mode, now)
        self.kill_switch = KillSwitch(self.bus, self.incidents, ledger, latch, spawn=self.work.spawn, clock=now)
        self.triage = self._triage(conditions)
        self.approvals = Approvals(
            self.bus, self.incidents, ledger, judge, self.responders, self.kill_switch.check, now
        )
        self.executor = Executor(
            self.bus,
            self.incidents,
            ledger,
            judge,
            self.kill_switch,
            self.responders,
            now,
            at_once=self.settings.actions.at_once,
        )
        self.followup = Followup(self.bus, ledger, guardrails, self._mode)
        letters = DeadLetters(self.bus, self.journal)
        self.desk = Desk(self.bus, self.incidents, self.approvals, self.kill_switch, self.mode, letters)

    def _triage(self, conditions: CelConditions) -> Triage:
        settings, packs = self.settings.triage, self.directory.packs
        enrichers = offline_enrichers(
            lists=resource("lists"),
            data_dir=self.directory.root,
            inventory=resource("demo") if self.demo else None,
            own_domains=DEMO_DOMAINS if self.demo else settings.own_domains,
            ask=self.recall.past,
        )
        return Triage(
            self.bus,
            self.incidents,
            enrichers,
            RuleAnalyst(load_packs(resource("analysis"), packs / "analysis", AnalysisPack), conditions),
            _proposer(load_packs(resource("playbooks"), packs / "playbooks", Playbook), self.responders),
            conditions,
            timeout=settings.enricher_timeout,
            deadline=settings.phase_timeout,
        )

    def _mode(self) -> Mode:
        return self.mode.current

    # --- running ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Restore the state from the log and start the workers; returns once they run."""
        await self.mode.restore(self.journal)
        await self.incidents.restore(now(), self._window)
        self.recall.learn(self.incidents.rows().values())
        await self.executor.recover()
        self.bus.start(self.work.spawn)
        for work in (self.kill_switch.watch(), self.approvals.run(), self._save_regularly()):
            self.work.spawn(work)

    async def settled(self) -> None:
        """Wait until nothing more follows from what is recorded now."""
        while any(one.depth for one in self.bus.subscriptions):
            for one in self.bus.subscriptions:
                await one.idle()

    async def end(self) -> None:
        """Stop the workers; afterwards everything is on the disk."""
        await self.stop_workers()
        await self.save()

    async def stop_workers(self) -> None:
        """Take no more from the log; what runs is cancelled."""
        await self.bus.stop()
        self.work.end()

    async def save(self) -> None:
        """Bring the incident table on the disk up to date."""
        try:
            await self.incidents.save()
        except JournalError as error:
            log.error("the incident table is not saved; the next start makes it from the log: %s", error)

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            try:
                await self.incidents.save()
            except JournalError as error:
                log.warning("the incident table is not saved: %s", error)


def _guardrails(packs: Path, check: Callable[[str], None]) -> Guardrails:
    """The policy. Raises PackError, also when the own one is a link that leads nowhere: the bundled one is another."""
    own = packs / "guardrails.yaml"
    path = own if own.exists() or own.is_symlink() else resource("guardrails.yaml")
    guardrails = load_pack(path, Guardrails)
    try:
        guardrails.verify(check)
    except ConditionError as error:
        raise PackError(path, line_of(path, "auto_approve", error.index, "when"), "", str(error)) from None
    return guardrails


def _proposer(playbooks: Mapping[str, Playbook], responders: Mapping[str, Responder]) -> Propose:
    def proposer(
        incident: Incident, holds: Callable[[str], bool], cause_id: UUID
    ) -> tuple[str, tuple[ProposedAction, ...]]:
        return propose(playbooks.values(), incident, holds, partial(connector_for, responders), now(), cause_id)

    return proposer
