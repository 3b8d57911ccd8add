"""What earlier incidents had in common with a new one."""

from __future__ import annotations

from uuid import UUID, uuid4

from tests.triage.room import MORNING, alert, seen
from warden_desktop.domain.alert import Alert
from warden_desktop.domain.events import AlertCorrelated, IncidentCreated
from warden_desktop.domain.incident import Incident, IncidentRow
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict
from warden_desktop.engine import recall as recall_module
from warden_desktop.engine.ports import Recorded
from warden_desktop.engine.recall import Past, Recall


class Desk:
    """Rows by id, as the incident store has them, and the recall that reads them."""

    def __init__(self) -> None:
        self.rows: dict[UUID, IncidentRow] = {}
        self.recall = Recall(self.rows.get)

    def open(self, one: Alert, status: Status = Status.PENDING_REVIEW, verdict: Verdict | None = None) -> UUID:
        event = IncidentCreated(actor="intake", at=MORNING, incident_id=uuid4(), alert=one)
        self.recall.apply(Recorded(1, event))
        self.rows[event.incident_id] = Incident.opened_by(event).row._replace(status=status, verdict=verdict)
        return event.incident_id


WEB = alert("w", seen("host", "web-01"), category="web_shell")
SCAN = alert("s", seen("host", "WEB-01"), category="port_scan")


def test_how_earlier_incidents_ended_is_told() -> None:
    desk = Desk()
    desk.open(WEB, Status.FALSE_POSITIVE, Verdict.SUSPICIOUS)
    desk.open(WEB, Status.RESOLVED, Verdict.TRUE_POSITIVE)
    desk.open(SCAN, Status.FALSE_POSITIVE)
    desk.open(SCAN, Status.PENDING_APPROVAL, Verdict.LIKELY_TRUE_POSITIVE)
    assert desk.recall.past("web-01", uuid4(), "web_shell") == Past(4, 2, 1, 1, 1)


def test_an_incident_is_not_its_own_past() -> None:
    desk = Desk()
    own = desk.open(WEB)
    assert desk.recall.past("web-01", own, "web_shell") == Past()
    assert desk.recall.past("elsewhere", own, "web_shell") == Past()


def test_what_joins_an_incident_later_counts_too() -> None:
    desk = Desk()
    first = desk.open(WEB)
    more = AlertCorrelated(
        actor="intake", incident_id=first, alert=alert("w", seen("ip", "203.0.113.9")), rule="same key"
    )
    desk.recall.apply(Recorded(2, more))
    assert desk.recall.past("203.0.113.9", uuid4(), "web_shell").incidents == 1


def test_rows_from_before_the_start_are_learnt() -> None:
    desk = Desk()
    before = desk.open(WEB, Status.RESOLVED, Verdict.TRUE_POSITIVE)
    restarted = Recall(desk.rows.get)
    restarted.learn(desk.rows.values())
    assert restarted.past("web-01", uuid4(), "web_shell").confirmed == 1
    assert restarted.past("web-01", before, "web_shell") == Past()


def test_memory_is_bounded() -> None:
    desk = Desk()
    for _ in range(recall_module.INCIDENTS_PER_KEY + 50):
        desk.open(WEB)
    assert desk.recall.past("web-01", uuid4(), "web_shell").incidents == recall_module.INCIDENTS_PER_KEY
