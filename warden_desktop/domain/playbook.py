"""What is proposed for which incident: playbooks as data, and the pure function that turns one into proposed actions.

Theory of operation: of the playbooks whose condition holds, the one of highest priority speaks. Each of its steps picks
targets among the incident's own observables, never from text; what is ours by nature (a private address, a well-known
or own domain) is never picked for blocking; an incident that is judged again gets no more proposals than its steps name
in all; and when the verdict is benign only verbs without any risk remain. The same
cause, verb and target always give the same action id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue, model_validator

from warden_desktop.domain.action import VERBS, ProposedAction, Risk, Target, Verb
from warden_desktop.domain.address import AddressClass, address_class
from warden_desktop.domain.alert import Observable, ObservableType, Role
from warden_desktop.domain.events import derived_id
from warden_desktop.domain.facts import observables_of
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.record import Record
from warden_desktop.domain.verdict import Verdict

Condition = Annotated[str, Field(min_length=1, max_length=4096)]
"""A CEL expression over the facts of facts.py."""

Holds = Callable[[str], bool]

BENIGN = frozenset({Verdict.FALSE_POSITIVE, Verdict.LIKELY_FALSE_POSITIVE})

EVIDENCE_CITED = 8


class Selector(Record):
    """Which observables a step aims at: of one type, in one of `roles` (any when empty), at most `at_most` of them."""

    type: ObservableType
    roles: tuple[Role, ...] = ()
    at_most: int = Field(default=3, ge=1, le=20)


class Step(Record):
    """One proposal of a playbook.

    `target` is a selector, "target" (the incident's target, where it is an observable the verb accepts) or "incident".
    Strings in `parameters` that are exactly "$title", "$summary", "$severity", "$category", "$host", "$user" or
    "$recipient" stand for that value of the incident, as a whole value. `minutes_to_decide` says when it expires.
    """

    verb: Verb
    target: Selector | Literal["target", "incident"]
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    connector: str = ""
    when: Condition = "true"
    reason: str = Field(min_length=1)
    minutes_to_decide: int = Field(default=60, ge=1, le=7 * 24 * 60)

    @model_validator(mode="after")
    def _fits_the_verb(self) -> Step:
        accepted = VERBS[self.verb].targets
        if isinstance(self.target, Selector) and self.target.type not in accepted:
            raise ValueError(f"{self.verb} does not act on a {self.target.type}")
        if (self.target == "incident") != (not accepted):
            wanted = "the incident" if not accepted else " or ".join(sorted(accepted))
            raise ValueError(f"{self.verb} acts on {wanted}")
        return self


class Playbook(Record):
    """For incidents where `when` holds: a checklist for the person and the steps to propose, in order."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    when: Condition
    priority: int = 0
    sla_minutes: int | None = Field(default=None, ge=1)
    checklist: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every expression in it, to be checked when it is loaded."""
        return (self.when, *(step.when for step in self.steps))


def propose(
    playbooks: Iterable[Playbook],
    incident: Incident,
    holds: Holds,
    connector_for: Callable[[Verb], str],
    now: datetime,
    cause_id: UUID,
) -> tuple[str, tuple[ProposedAction, ...]]:
    """The name of the playbook that speaks ("" when none does) and what it proposes, in its order.

    A condition that cannot be evaluated does not hold: its playbook or step stays silent.
    """
    playbook = chosen(playbooks, holds)
    if playbook is None:
        return "", ()
    actions: dict[UUID, ProposedAction] = {}
    for step in playbook.steps:
        if _permitted(step.verb, incident) and _holding(holds, step.when):
            for action in _aimed(step, playbook, incident, connector_for, now, cause_id):
                actions.setdefault(action.id, action)
    return playbook.name, tuple(actions.values())


def chosen(playbooks: Iterable[Playbook], holds: Holds) -> Playbook | None:
    """The playbook of highest priority whose condition holds; of equals the first by name."""
    ordered = sorted(playbooks, key=lambda one: (-one.priority, one.name))
    return next((one for one in ordered if _holding(holds, one.when)), None)


def _holding(holds: Holds, condition: str) -> bool:
    try:
        return holds(condition)
    except ValueError:
        return False


def _permitted(verb: Verb, incident: Incident) -> bool:
    verdict = incident.analysis.verdict if incident.analysis else None
    benign = verdict is None or verdict in BENIGN
    return VERBS[verb].risk is Risk.NONE or not benign


def _aimed(
    step: Step,
    playbook: Playbook,
    incident: Incident,
    connector_for: Callable[[Verb], str],
    now: datetime,
    cause_id: UUID,
) -> Iterator[ProposedAction]:
    for target in _targets(step, incident):
        yield ProposedAction(
            id=derived_id(cause_id, step.verb, target.type or "", target.value),
            incident_id=incident.id,
            verb=step.verb,
            target=target,
            parameters=_filled(step.parameters, incident),
            reason=step.reason,
            evidence=_cited(incident),
            proposed_by=f"playbook:{playbook.name}",
            connector=step.connector or connector_for(step.verb),
            expires_at=now + timedelta(minutes=step.minutes_to_decide),
        )


def _cited(incident: Incident) -> tuple[str, ...]:
    evidence = incident.analysis.evidence if incident.analysis else ()
    return tuple(one.id for one in evidence if one.weight > 0)[:EVIDENCE_CITED]


def _targets(step: Step, incident: Incident) -> Iterator[Target]:
    if step.target == "incident":
        yield Target(type=None, value=str(incident.id))
        return
    fitting = _named([one for one in _candidates(step, incident) if _may_aim(step.verb, one, incident)])
    before = [action for action in incident.actions if action.verb is step.verb]
    known = {(action.target.type, action.target.value) for action in before}
    fresh = [one for one in fitting if (one.type, one.value) not in known]
    limit = step.target.at_most if isinstance(step.target, Selector) else 1
    left = max(0, limit - sum(action.proposed.proposed_by.startswith("playbook:") for action in before))
    yield from (Target(type=one.type, value=one.value) for one in fresh[:left])


def _candidates(step: Step, incident: Incident) -> Iterator[Observable]:
    accepted = VERBS[step.verb].targets
    for one in observables_of(incident):
        if isinstance(step.target, Selector):
            if one.type is step.target.type and (not step.target.roles or one.role in step.target.roles):
                yield one
        elif one.type in accepted and one.value == incident.target:
            yield one


def _named(fitting: list[Observable]) -> list[Observable]:
    """A host is meant by its name where one is known, and by its address only where none is."""
    named = [one for one in fitting if one.type is not ObservableType.HOST or not _is_address(one.value)]
    return named or fitting


def _is_address(value: str) -> bool:
    return address_class(value) is not AddressClass.INVALID


_BLOCKING = frozenset({Verb.BLOCK_IP, Verb.BLOCK_DOMAIN, Verb.BLOCK_SENDER})


def _may_aim(verb: Verb, one: Observable, incident: Incident) -> bool:
    """Blocking is for what is outside: no private address, and nothing an enricher knows to be well known or ours."""
    if verb not in _BLOCKING:
        return True
    if one.type is ObservableType.IP and not address_class(one.value).outside:
        return False
    return not any(
        finding.observable == one.key and finding.name in ("well_known", "allow_list")
        for enrichment in incident.enrichments
        for finding in enrichment.findings
    )


def _filled(parameters: Mapping[str, JsonValue], incident: Incident) -> dict[str, JsonValue]:
    return {name: _leaf(value, incident) for name, value in parameters.items()}


def _leaf(value: JsonValue, incident: Incident) -> JsonValue:
    if isinstance(value, dict):
        return {name: _leaf(one, incident) for name, one in value.items()}
    if isinstance(value, list):
        return [_leaf(one, incident) for one in value]
    word = _WORDS.get(value) if isinstance(value, str) else None
    return word(incident) if word else value


def _first(type: ObservableType, *roles: Role) -> Callable[[Incident], str]:
    def first(incident: Incident) -> str:
        fitting = (one.value for one in observables_of(incident) if one.type is type and one.role in roles)
        return next(fitting, "")

    return first


_WORDS: Mapping[str, Callable[[Incident], str]] = {
    "$title": lambda incident: incident.title,
    "$summary": lambda incident: incident.analysis.summary if incident.analysis else incident.title,
    "$severity": lambda incident: incident.severity.value,
    "$category": lambda incident: incident.category,
    "$host": _first(ObservableType.HOST, Role.VICTIM, Role.UNKNOWN),
    "$user": _first(ObservableType.USER, Role.VICTIM, Role.UNKNOWN),
    "$recipient": _first(ObservableType.EMAIL, Role.VICTIM),
}
