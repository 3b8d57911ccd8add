"""An incident is the fold of its events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples_of_events import BLOCK, COLLECT, INCIDENT, ISOLATE, QUARANTINE, SAMPLES, STALE, alert
from warden_desktop.domain import events as ev
from warden_desktop.domain.action import VERBS, ActionState, Outcome, Result, Verb
from warden_desktop.domain.incident import ALERTS_KEPT, Incident
from warden_desktop.domain.status import ENDED, TRANSITIONS, Status, may_follow

OF_INCIDENT = [event for event in SAMPLES if event.incident_id == INCIDENT]


def folded() -> Incident:
    incident = Incident.folded(OF_INCIDENT)
    assert incident is not None
    return incident


def state_of(incident: Incident, action_id: object) -> ActionState:
    return next(action.state for action in incident.actions if action.id == action_id)


def test_the_story_ends_as_it_was_told() -> None:
    incident = folded()
    assert incident.status is Status.RESOLVED
    assert incident.alert_count == 2
    assert incident.assignee == "alice"
    assert incident.analysis is not None and incident.analysis.verdict == "true_positive"
    assert [enrichment.provider for enrichment in incident.enrichments] == ["address_class", "inventory"]
    assert state_of(incident, ISOLATE.id) is ActionState.DONE
    assert state_of(incident, BLOCK.id) is ActionState.DENIED
    assert state_of(incident, COLLECT.id) is ActionState.HELD
    assert state_of(incident, QUARANTINE.id) is ActionState.EXPIRED
    assert state_of(incident, STALE.id) is ActionState.STALE


@given(st.lists(st.sampled_from(OF_INCIDENT), max_size=60))
def test_any_order_of_events_folds_without_error_and_deterministically(events: list[ev.Event]) -> None:
    first = Incident.folded([OF_INCIDENT[0], *events])
    assert first == Incident.folded([OF_INCIDENT[0], *events])


@given(st.lists(st.sampled_from(list(Status)), max_size=20))
def test_status_only_moves_along_the_table(goals: list[Status]) -> None:
    incident = Incident.folded([OF_INCIDENT[0]])
    assert incident is not None
    for goal in goals:
        before = incident.status
        incident = incident.after(ev.StatusChanged(incident_id=INCIDENT, actor="t", old=before, new=goal))
        assert incident.status in ({goal} if may_follow(before, goal) else {before})


def test_every_status_has_a_way_out_and_every_ending_can_be_reopened() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert all(TRANSITIONS[status] for status in Status)
    assert all(may_follow(ended, Status.PENDING_REVIEW) for ended in ENDED)


def test_a_duplicate_counts_and_wipes_nothing() -> None:
    incident = folded()
    again = ev.AlertCorrelated(incident_id=INCIDENT, actor="intake", alert=alert("third"), rule="same key")
    after = incident.after(again)
    assert after.alert_count == incident.alert_count + 1
    assert (after.comments, after.assignee, after.actions) == (incident.comments, incident.assignee, incident.actions)


def test_a_storm_of_repeats_keeps_the_first_alert_and_the_newest() -> None:
    incident = Incident.folded([OF_INCIDENT[0]])
    assert incident is not None
    for number in range(300):
        joined = alert(f"repeat {number}")
        incident = incident.after(
            ev.AlertCorrelated(incident_id=INCIDENT, actor="intake", alert=joined, rule="same key")
        )
    assert incident.alert_count == 301
    assert len(incident.alerts) == ALERTS_KEPT
    assert incident.alerts[0].id == alert().id
    assert incident.alerts[-1].id == alert("repeat 299").id


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_action_is_never_done(simulated: bool) -> None:
    events = [event for event in OF_INCIDENT if not isinstance(event, ev.ActionExecuted)]
    started = next(at for at, event in enumerate(events) if isinstance(event, ev.ActionStarted))
    executed = ev.ActionExecuted(
        incident_id=INCIDENT,
        action_id=ISOLATE.id,
        actor="executor",
        outcome=Outcome(result=Result.SUCCEEDED, detail="ok"),
        simulated=simulated,
    )
    incident = Incident.folded([*events[: started + 1], executed])
    assert incident is not None
    assert state_of(incident, ISOLATE.id) is (ActionState.SIMULATED if simulated else ActionState.DONE)


def test_an_outcome_without_a_start_changes_nothing() -> None:
    incident = Incident.folded([event for event in OF_INCIDENT if not isinstance(event, ev.ActionStarted)])
    assert incident is not None
    assert state_of(incident, ISOLATE.id) is ActionState.APPROVED


def test_changing_any_bound_field_changes_the_digest() -> None:
    changed = (
        {"verb": Verb.DISABLE_USER},
        {"target": ISOLATE.target.model_copy(update={"value": "web-02"})},
        {"parameters": {"full": True}},
        {"evidence": ("e2",)},
        {"expires_at": COLLECT.expires_at.replace(year=2030)},
    )
    digests = {ISOLATE.model_copy(update=change).digest for change in changed}
    assert len(digests | {ISOLATE.digest}) == len(changed) + 1


def test_inverse_verbs_undo_each_other() -> None:
    for verb, facts in VERBS.items():
        if facts.inverse is not None:
            assert VERBS[facts.inverse].inverse is verb
    assert set(VERBS) == set(Verb)


def test_events_derived_twice_have_one_id() -> None:
    cause = OF_INCIDENT[0]
    first = ev.CommentAdded.because(cause, actor="t", text="a")
    second = ev.CommentAdded.because(cause, actor="t", text="a")
    other = ev.CommentAdded.because(cause, actor="t", part="other", text="a")
    assert first.id == second.id != other.id
    assert first.cause == cause.id and first.incident_id == cause.incident_id
    assert STALE.id != ISOLATE.id
