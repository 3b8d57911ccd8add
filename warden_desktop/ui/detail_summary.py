"""The Summary tab: what happened in a sentence, what we believe, and every reason with the field it rests on."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QPushButton, QSizePolicy, QWidget

from warden_desktop.domain.incident import Incident
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Evidence, TriageAnalysis
from warden_desktop.ui.arrange import Item, beside, framed, held, stacked
from warden_desktop.ui.decisions import Decisions
from warden_desktop.ui.incident_columns import verdict_tone
from warden_desktop.ui.plain_text import chip, label, menu_text, set_tooltip
from warden_desktop.ui.scrolled import Scrolled
from warden_desktop.ui.theme import Theme, set_role
from warden_desktop.ui.weight_bar import ShareBar, WeightBar
from warden_desktop.ui.words import percent, verdict_word, words

_REASONS_SHOWN = 40
_PATH_SHOWN = 60


class DetailSummary(Scrolled):
    """`cited` carries the path of a field of the delivery the analyst wants to see."""

    cited = Signal(object)

    def __init__(self, theme: Theme, decisions: Decisions) -> None:
        super().__init__(theme, "Summary")
        self._decisions = decisions
        self._shown: object = None
        self._incident: Incident | None = None

    def show_incident(self, incident: Incident) -> None:
        """Show what is believed of the incident; rebuilt only when that changed."""
        self._incident = incident
        seen = (incident.id, incident.analysis, incident.analysis_error, incident.status, incident.feedback)
        if seen != self._shown:
            self._shown = seen
            self.fill(*self._items(incident))

    def _items(self, incident: Incident) -> list[Item]:
        analysis = incident.analysis
        if analysis is None:
            return self._without_analysis(incident)
        return [
            label(analysis.summary, wrap=True),
            self._verdict(analysis, incident),
            *self._reasons(analysis),
            *_listing("Considered and rejected", analysis.considered),
            *_listing("Could not be asked", analysis.missing),
            *_techniques(incident.techniques),
        ]

    def _without_analysis(self, incident: Incident) -> list[Item]:
        alert = incident.alerts[0]
        said = label(alert.description or alert.title, wrap=True, limit=4_096)
        if incident.analysis_error:
            head = label("The analysis failed", "strong", tone="danger")
            state = label(incident.analysis_error + "\nDecide from the evidence, or send the alert again.", wrap=True)
            return [said, framed(stacked(head, state, gap=1, margin=3), tone="danger"), *_techniques(alert.techniques)]
        at_work = incident.status in (Status.NEW, Status.ENRICHING, Status.ANALYZING)
        state = label(
            "Not analysed yet. The verdict and its reasons appear here." if at_work else "There is no analysis.",
            "muted", wrap=True,
        )  # fmt: skip
        return [said, state, *_techniques(alert.techniques)]

    def _verdict(self, analysis: TriageAnalysis, incident: Incident) -> QFrame:
        tone = verdict_tone(analysis.verdict, incident.category)
        word = label(verdict_word(analysis.verdict, incident.category), "heading", tone="" if tone == "muted" else tone)
        sure = label(f"{percent(analysis.confidence)} sure", "heading")
        bar = ShareBar(self._theme)
        bar.set_share(analysis.confidence, tone)
        says = f"Judged by {analysis.analyst}: {percent(analysis.malice)} likely to be malicious."
        by = label(says, "caption", wrap=True)
        rows: list[Item] = [beside(word, None, sure), bar, by]
        rows += [label(one, "caption", wrap=True) for one in incident.feedback]
        judged = label("Is this verdict right?", "caption")
        rows.append(beside(judged, self._judge("Right", self._right), self._judge("Wrong", self._wrong), None, gap=1.5))
        return framed(stacked(*rows, gap=2, margin=3))

    def _judge(self, text: str, pressed: object) -> QPushButton:
        button = QPushButton(text)
        set_role(button, "view")
        set_tooltip(button, f"Say that this verdict is {text.lower()}; it is kept with the incident")
        button.clicked.connect(pressed)
        return button

    def _right(self) -> None:
        if self._incident:
            self._decisions.judge(self._incident, right=True)

    def _wrong(self) -> None:
        if self._incident:
            self._decisions.judge(self._incident, right=False)

    def _reasons(self, analysis: TriageAnalysis) -> list[Item]:
        heaviest = sorted(analysis.evidence, key=lambda one: -abs(one.weight))
        rows: list[Item] = [label("Why", "section")]
        if not heaviest:
            rows.append(label("No evidence was cited.", "muted"))
        rows += [self._reason(one) for one in heaviest[:_REASONS_SHOWN]]
        if len(heaviest) > _REASONS_SHOWN:
            rows.append(label(f"and {len(heaviest) - _REASONS_SHOWN} lighter ones", "caption"))
        return [stacked(*rows, gap=2)]

    def _reason(self, evidence: Evidence) -> QWidget:
        bar = WeightBar(self._theme, evidence.weight)
        set_tooltip(bar, f"{'For' if evidence.weight > 0 else 'Against'} malicious, weight {evidence.weight:+.1f}")
        said = label(evidence.statement, wrap=True, limit=1_024)
        row = beside(bar, stacked(said, self._rests_on(evidence), gap=0.5), gap=3)
        row.setStretch(1, 1)
        row.setAlignment(bar, Qt.AlignmentFlag.AlignTop)
        return held(row)

    def _rests_on(self, evidence: Evidence) -> Item:
        source = label(_named(evidence.source), "caption")
        if not evidence.path:
            return beside(source, None)
        link = PathLink(evidence.path)
        link.wanted.connect(self.cited)
        row = beside(source, link, None, gap=2)
        return row


class PathLink(QPushButton):
    """The path of a field of the delivery; pressing it carries the path in `wanted`."""

    wanted = Signal(object)

    def __init__(self, path: str) -> None:
        super().__init__(menu_text(path, _PATH_SHOWN))
        self._path = path
        set_role(self, "link")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        set_tooltip(self, f"Show {path} in the delivery")
        self.clicked.connect(self._pressed)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def _pressed(self) -> None:
        self.wanted.emit(self._path)


def _named(source: str) -> str:
    """`rule:office_hours` as `Rule: office hours`."""
    return words(source).replace(":", ": ")


def _listing(heading: str, entries: tuple[str, ...]) -> list[Item]:
    if not entries:
        return []
    return [stacked(label(heading, "section"), *(label(f"· {one}", "muted", wrap=True) for one in entries), gap=1)]


def _techniques(techniques: tuple[str, ...]) -> list[Item]:
    if not techniques:
        return []
    chips = beside(*(chip(one, "accent") for one in techniques[:8]), None, gap=1.5)
    return [stacked(label("ATT&CK techniques", "section"), chips, gap=1.5)]
