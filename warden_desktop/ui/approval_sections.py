"""What the approval dialog shows, section by section, in the order in which a decision needs it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QGridLayout, QLayout, QSizePolicy, QWidget

from warden_desktop.domain.action import VERBS, ActionState, RequestPreview, Risk
from warden_desktop.domain.incident import Action, Incident
from warden_desktop.domain.verdict import Evidence
from warden_desktop.ui.action_columns import RISK_TONES
from warden_desktop.ui.approval_facts import Blast, cited, decisive, known_of_target, needed, oddities
from warden_desktop.ui.arrange import beside, framed, held, stacked
from warden_desktop.ui.plain_text import chip, label, mono, text_view
from warden_desktop.ui.words import (
    age,
    count,
    moment,
    percent,
    person,
    state_word,
    target_word,
    type_word,
    verdict_word,
    words,
)

EVIDENCE_SHOWN = 5
_LINES_SHOWN = 16


def target_section(action: Action) -> QWidget:
    """What would be done, to what, through what; every odd character of the target by its code point."""
    facts = VERBS[action.verb]
    target = mono(target_word(action.target, 4_096), wrap=True, limit=8_192)
    target.setStyleSheet(f"font-size: {QApplication.font().pointSizeF() * 1.25:.2f}pt; font-weight: 600;")
    target.setAccessibleName("Target")
    risk = chip(f"{words(facts.risk)} risk", RISK_TONES.get(facts.risk, ""))
    marks = [risk, *([chip("Simulated", "simulated")] if _simulated(action) else [])]
    heading = beside(label(facts.label, "title"), *marks, None)
    kind = label(f"{type_word(action.target.type)}, through the connector {action.proposed.connector}", "muted")
    odd = oddities(action.target.value) if action.target.type else ()
    return framed(stacked(heading, target, kind, *([_odd(odd)] if odd else []), gap=1.5, margin=4))


def _odd(odd: Iterable[str]) -> QWidget:
    note = label("Not what it seems? Odd characters: " + "; ".join(odd), tone="warn", wrap=True)
    note.setAccessibleName("Odd characters of the target")
    return note


def why_section(incident: Incident, action: Action, link: QWidget) -> QWidget:
    """Who asks, for which incident, and the evidence the proposal cites."""
    proposed = action.proposed
    asks = f"{person(proposed.proposed_by)} asks: {proposed.reason or 'no reason was given'}"
    analysis = incident.analysis
    verdict = (
        f"{verdict_word(analysis.verdict, incident.category)}, {percent(analysis.confidence)} sure. {analysis.summary}"
        if analysis
        else "Nothing has analysed this incident yet."
    )
    evidence = cited(incident, action)
    rows = [_evidence(one) for one in evidence[:EVIDENCE_SHOWN]]
    more = len(evidence) - len(rows)
    if not rows:
        rows = [label("The proposal cites no evidence.", tone="warn")]
    if more > 0:
        rows.append(label(f"and {count(more, 'lighter one')}, in the incident", "muted"))
    return _section("Why", label(asks, "strong", wrap=True), link, label(verdict, wrap=True), *rows)


def _evidence(one: Evidence) -> QWidget:
    speaks = chip("supports" if one.weight >= 0 else "against", "danger" if one.weight >= 0 else "good")
    speaks.setFixedWidth(72)
    told = not one.value or one.value in one.statement
    source = (one.path if told else f"{one.path} = {one.value}") if one.path else one.source
    lines = stacked(label(one.statement, wrap=True), mono(source, wrap=True, limit=512), gap=0)
    row = beside(speaks, lines, gap=3)
    row.setAlignment(speaks, Qt.AlignmentFlag.AlignTop)
    row.setStretch(1, 1)
    return held(row)


def blast_section(incident: Incident, action: Action, reach: Blast, now: datetime) -> QWidget:
    """How far it reaches: what policy says, whose it is, how often it was done, what happened here last time."""
    asked = action.reason if action.state is ActionState.WAITING else ""  # later it is the reason of the decision
    policy = ": ".join(part for part in (action.rule and f"Rule {action.rule}", asked) if part)
    often = f"{count(reach.this_hour, 'time')} in the last hour, {count(reach.this_day, 'time')} in the last day" + (
        f"; {reach.under_way} under way now" if reach.under_way else ""
    )
    rows: list[tuple[str, QWidget]] = [
        ("Policy", label(policy or "No rule was recorded.", wrap=True)),
        ("Known", label("\n".join(_known(incident, action)), wrap=True)),
        ("This verb", label(often, wrap=True)),
        ("This target", label("\n".join(_before(reach, now)), wrap=True)),
    ]
    return _section("Blast radius", _grid(rows))


def _known(incident: Incident, action: Action) -> list[str]:
    known = list(dict.fromkeys(finding.detail for finding in known_of_target(incident, action)))
    return known[:_LINES_SHOWN] or ["No enricher knows this target: its owner and what depends on it are not known."]


def _before(reach: Blast, now: datetime) -> list[str]:
    return [_last(one, now) for one in reach.before] or ["Nothing was done to it before, as far as memory goes."]


def _last(action: Action, now: datetime) -> str:
    ended = f" ({action.outcome.detail})" if action.outcome and not action.simulated else ""
    when = age(action.started_at, now) if action.started_at else "some time"
    return f"{VERBS[action.verb].label} {when} ago, {state_word(action.state).lower()}{ended}"


def request_section(action: Action) -> QWidget:
    """Exactly what will be sent. A simulated request says so first."""
    if action.request is None or not decisive(action):
        changed = "What would run is not what approval was asked for. It cannot be approved."
        return _section("Exactly what will be sent", label(changed, tone="danger", wrap=True))
    view = text_view(preview_text(action.request))
    view.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    lines = min(view.document().blockCount(), _LINES_SHOWN)
    view.setFixedHeight(view.fontMetrics().lineSpacing() * (lines + 1) + 16)
    view.setAccessibleName("Request")
    notice = [simulated_notice()] if _simulated(action) else []
    return _section("Exactly what will be sent", *notice, view)


def preview_text(request: RequestPreview) -> str:
    """A request as it goes over the wire: first line, headers, body."""
    head = " ".join(part for part in (request.method, request.url) if part) or f"{request.connector}: no request"
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    body = [] if request.body is None else ["", _body(request.body)]
    return "\n".join([head, *headers, *body])


def _body(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=True)


def simulated_notice() -> QWidget:
    """The line that keeps anybody from taking a rehearsal for the real thing."""
    says = label("SIMULATED: this reaches nothing. No system is changed.", "chip", tone="simulated")
    says.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return says


def undo_section(action: Action) -> QWidget:
    """Whether and how it can be undone."""
    inverse = VERBS[action.verb].inverse
    how = action.request.undo if action.request else ""
    if inverse is None:
        harmless = VERBS[action.verb].risk.rank < Risk.MEDIUM.rank
        says = label("It cannot be undone.", "strong", tone="" if harmless else "danger", wrap=True)
    else:
        says = label(f"Yes: {VERBS[inverse].label}, proposed from the ledger with one click.", wrap=True)
    return _section("Undo", says, *([label(how, wrap=True)] if how else []))


def who_section(action: Action, actor: str) -> QWidget:
    """Who must approve, who asked when, and as whom the decision would be recorded."""
    asked = f", asked for at {moment(action.asked_at)}" if action.asked_at else ""
    yours = "" if action.state.final else f" Your decision is recorded as {person(actor)}."
    says = f"{words(needed(action))} level{asked}.{yours}"
    return _section("Who must approve", label(says, wrap=True))


def _simulated(action: Action) -> bool:
    return action.request.simulated if action.request else action.simulated


def _section(title: str, *content: QWidget | QLayout) -> QWidget:
    return held(stacked(label(title, "section"), *content, gap=1.5))


def _grid(rows: list[tuple[str, QWidget]]) -> QFrame:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(16)
    grid.setColumnStretch(1, 1)
    for at, (name, content) in enumerate(rows):
        grid.addWidget(label(name, "muted"), at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(content, at, 1)
    return framed(grid, role="plain")
