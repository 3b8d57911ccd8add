"""Whole incidents as the application records them, as many as a test or a measurement wants.

The mix is the one of a recorded morning: 18 events an incident, seven of them enrichments, 740 bytes on average.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import apsw

from tests.samples_of_events import ANALYSIS, ISOLATE, RAW, REQUEST, alert
from warden_desktop.adapters.journal import chain, schema, tail
from warden_desktop.adapters.journal.rows import encode, micros
from warden_desktop.domain import events as ev
from warden_desktop.domain.action import Level
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Enrichment, EnrichmentStatus, Finding

SPACE = UUID("5b0b2f3a-6a62-4d5e-9a36-0d7c6b1f2a01")
MORNING = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PROVIDERS = ("address", "domain", "process", "history", "inventory", "lists", "command")
EVENTS = 18
"""Of each incident."""


def incident_id(number: int) -> UUID:
    return _numbered(uuid5(SPACE, "incident"), number)


def case(number: int, *, ended: bool, start: datetime = MORNING) -> list[ev.Event]:
    """The events of incident `number`, which begins `number` seconds after `start`; the last two end it, or assign it
    and comment on it."""
    id, begin = incident_id(number), start + timedelta(seconds=number)
    own = {"id": uuid5(id, "alert"), "title": f"Web shell {number}", "target": f"web-{number}"}
    seen = alert().model_copy(update={**own, "dedupe_key": f"key-{number}", "description": "x" * 300})
    action = ISOLATE.model_copy(update={"id": uuid5(id, "action"), "incident_id": id})

    def of(kind: type[ev.Event], part: str, seconds: float, **fields: object) -> ev.Event:
        told = {"id": uuid5(id, f"{kind.__name__}{part}"), "at": begin + timedelta(seconds=seconds), "actor": "triage"}
        return kind.model_validate({**told, "incident_id": id, **fields})

    def status(old: Status, new: Status, seconds: float) -> ev.Event:
        return of(ev.StatusChanged, new.value, seconds, old=old, new=new)

    finding = Finding(name="address_class", value="documentation", detail="a documentation address " * 4)
    story = [
        ev.AlertReceived(id=seen.id, at=begin, actor="webhook:wazuh", alert=seen, raw=RAW * 8),
        of(ev.IncidentCreated, "", 0.1, alert=seen, cause=seen.id),
        status(Status.NEW, Status.ENRICHING, 0.2),
        *(of(ev.EnrichmentComplete, name, 0.3, enrichment=Enrichment(
            provider=name, status=EnrichmentStatus.COMPLETE, findings=(finding,), as_of=begin)) for name in PROVIDERS),
        of(ev.EnrichmentPhaseComplete, "", 0.4, complete=PROVIDERS),
        status(Status.ENRICHING, Status.ANALYZING, 0.4),
        of(ev.AnalysisComplete, "", 0.5, analysis=ANALYSIS),
        of(ev.ActionsProposed, "", 0.6, playbook="web_shell", actions=(action,)),
        of(ev.ApprovalRequested, "", 0.7, action_id=action.id, level=Level.ANALYST, digest=action.digest,
           request=REQUEST, rule="high risk", reason="isolating stops the host's work"),
        status(Status.ANALYZING, Status.PENDING_APPROVAL, 0.8),
    ]  # fmt: skip
    if ended:
        last = [of(ev.IncidentResolved, "", 60, resolution=Status.RESOLVED, reason="cleaned"),
                status(Status.PENDING_APPROVAL, Status.RESOLVED, 60)]  # fmt: skip
    else:
        last = [of(ev.IncidentAssigned, "", 60, assignee="alice"), of(ev.CommentAdded, "", 61, text="on it")]
    return [*story, *last]


def write(path: Path, incidents: int, still_open: int = 0, start: datetime = MORNING) -> None:
    """A log of so many incidents, of which the newest are open, written straight into a file: 100,000 events/s."""
    schema.open_writer(path).close()
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA synchronous = off; PRAGMA cache_size = -400000; BEGIN")
    last = _insert(connection, incidents, still_open, start)
    connection.execute("COMMIT; PRAGMA wal_checkpoint(truncate)")
    connection.close()
    note = tail.Tail(path)
    note.note(*last)
    note.close()


def _insert(connection: apsw.Connection, incidents: int, still_open: int, start: datetime) -> tuple[int, bytes]:
    templates = {ended: [encode(event).columns for event in case(0, ended=ended)] for ended in (True, False)}
    fixed = {ended: _fixed(templates[ended]) for ended in (True, False)}
    seq, head = 0, chain.GENESIS

    def rows() -> Iterator[chain.Row]:
        nonlocal seq, head
        for number in range(incidents):
            at = micros(start) + number * 1_000_000
            ended = number < incidents - still_open
            for columns in _copied(templates[ended], fixed[ended], number):
                seq += 1
                id, kind, _, incident, version, body = columns
                head = chain.link(head, seq, id, kind, at, incident, version, body)
                yield (seq, id, kind, at, incident, version, body, head)

    connection.executemany(f"INSERT INTO event ({chain.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows())
    return seq, head


_Columns = tuple[bytes, str, int, bytes | None, int, bytes]


def _fixed(columns: Sequence[_Columns]) -> list[UUID]:
    """The ids that each incident needs of its own: the events', the alert's, the action's and the incident's."""
    first = incident_id(0)
    return [first, uuid5(first, "action"), uuid5(first, "alert"), *(UUID(bytes=one[0]) for one in columns)]


def _copied(columns: Sequence[_Columns], fixed: list[UUID], number: int) -> Iterator[_Columns]:
    fresh = {old: _numbered(old, number) for old in fixed}
    words = [(str(old).encode(), str(new).encode()) for old, new in list(fresh.items())[:3]]
    for id, kind, at, incident, version, body in columns:
        old = UUID(bytes=id)
        body = body.replace(str(old).encode(), str(fresh[old]).encode()).replace(b"web-0", b"web-%d" % number)
        for was, now in words:
            body = body.replace(was, now)
        body = body.replace(b'"Web shell 0"', b'"Web shell %d"' % number).replace(b'"key-0"', b'"key-%d"' % number)
        yield fresh[old].bytes, kind, at, fresh[fixed[0]].bytes if incident else None, version, body


def _numbered(id: UUID, number: int) -> UUID:
    return UUID(int=(id.int & ~0xFFFFFFFF) | number)
