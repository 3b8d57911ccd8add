"""One line about any event: what happened, in its reader's words. The text is raw; whoever shows it escapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from warden_desktop.domain import events as ev
from warden_desktop.domain.action import VERBS, ProposedAction

_LINES: Mapping[type[ev.Event], Callable[[Any], str]] = {
    ev.AlertReceived: lambda e: f"{e.alert.severity}: {e.alert.title}" + ("" if e.alert.signed else " (unsigned)"),
    ev.IncidentCreated: lambda e: f"{e.alert.severity}: {e.alert.title}",
    ev.AlertCorrelated: lambda e: f"joined by rule {e.rule}: {e.alert.title}",
    ev.EnrichmentComplete: lambda e: f"{e.enrichment.provider}: {_count(len(e.enrichment.findings), 'finding')}",
    ev.EnrichmentFailed: lambda e: f"{e.provider} failed: {e.error}",
    ev.EnrichmentPhaseComplete: lambda e: (
        f"{len(e.complete)} answered, {len(e.failed)} failed, {len(e.not_configured)} not configured"
    ),
    ev.AnalysisComplete: lambda e: (
        f"{_plain(e.analysis.verdict)} {e.analysis.confidence:.0%} by {e.analysis.analyst}: {e.analysis.summary}"
    ),
    ev.AnalysisFailed: lambda e: f"{e.analyst} failed: {e.error}",
    ev.ActionsProposed: lambda e: ", ".join(_action(one) for one in e.actions) or "nothing to do",
    ev.ApprovalRequested: lambda e: f"needs {e.level}: {e.reason}" + _simulated(e.request.simulated),
    ev.ActionApproved: lambda e: " ".join(filter(None, (e.rule and f"by rule {e.rule}", e.reason))) or "approved",
    ev.ActionDenied: lambda e: e.reason,
    ev.ApprovalExpired: lambda _: "nobody decided in time: denied",
    ev.ActionHeld: lambda e: e.reason,
    ev.ActionStale: lambda e: e.reason,
    ev.ActionStarted: lambda e: f"sent through {e.connector}" + _simulated(e.simulated),
    ev.ActionExecuted: lambda e: f"{e.outcome.result}: {e.outcome.detail}" + _simulated(e.simulated),
    ev.StatusChanged: lambda e: f"{_plain(e.old)} to {_plain(e.new)}" + (f": {e.reason}" if e.reason else ""),
    ev.TicketCreated: lambda e: f"{e.system} {e.key}" + _simulated(e.simulated),
    ev.IncidentEscalated: lambda e: f"to {e.level}: {e.reason}",
    ev.IncidentResolved: lambda e: f"{_plain(e.resolution)}: {e.reason}",
    ev.IncidentAssigned: lambda e: f"to {e.assignee or 'nobody'}",
    ev.CommentAdded: lambda e: e.text,
    ev.FeedbackReceived: lambda e: f"{_plain(e.verdict)} is {'right' if e.right else 'wrong'}. {e.why}",
    ev.KillSwitchActivated: lambda e: f"{e.scope} stopped: {e.reason}",
    ev.KillSwitchReceipt: lambda e: (
        f"{len(e.held)} held, {len(e.unknown)} unknown, {len(e.already_sent)} already sent, {e.milliseconds:.1f} ms"
    ),
    ev.KillSwitchReleased: lambda e: f"{e.scope} released: {e.reason}",
    ev.ModeChanged: lambda e: f"{e.old} to {e.new}",
    ev.FaultRaised: lambda e: f"{e.component}: {e.detail}",
    ev.ApplicationStarted: lambda e: f"version {e.version}, {e.mode}",
}


def line(event: ev.Event) -> str:
    """What `event` says, in one line of untrusted text."""
    says = _LINES.get(type(event))
    return says(event) if says else event.kind


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _simulated(simulated: bool) -> str:
    return " [simulated]" if simulated else ""


def _action(action: ProposedAction) -> str:
    return f"{VERBS[action.verb].label} {action.target.value}"
