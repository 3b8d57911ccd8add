"""The weights of the offline analyst as data: one file per category in resources/analysis, and `any_incident` for all.

Weights are log-odds (natural logarithm): +0.7 doubles the odds that the incident is malicious, +2.3 makes them ten
times as high. A negative weight may rest only on what an attacker cannot write: our own lists and inventory, the
vendor's structured fields, address classes, past decisions. Never on words in the alert's text.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.playbook import Condition
from warden_desktop.domain.record import Record

ANY = "any_incident"


class Rule(Record):
    """One reason for or against.

    `statement` is a template: {name} stands for a word of words.py, set in quotation marks. The evidence carries the
    path and value of the word `cites` names (default: the first in the statement), or `path` when that is given. Of the
    rules in one `group`, which see the same thing, the strongest counts whole, the next half, the next a quarter.
    `technique` is an ATT&CK id that holds with the rule; `category` is what the incident turns out to be with it.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    when: Condition
    weight: float = Field(ge=-5, le=5)
    statement: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    cites: str = ""
    path: str = ""
    group: str = ""
    technique: str = Field(default="", pattern=r"^(?:T\d{4}(?:\.\d{3})?)?$")
    category: str = ""


class Recognition(Record):
    """How an incident whose source names no known category gets one: of those that hold, that of highest base rate."""

    when: Condition
    category: str


class Alternative(Record):
    """Another explanation that was weighed. Told when `when` holds."""

    when: Condition = "true"
    text: str = Field(min_length=1)


class AnalysisPack(Record):
    """What is known about one category, or (named "any_incident") about all.

    `base_rate`: log-odds that an alert of this category is malicious, before anything else is known, and why that.
    `impact`: how bad it is when true, on an ordinary asset. `summaries`: templates for the sentence that says what
    happened; the first whose words are all known is used, and `benign` follows it when the verdict is. `techniques`
    hold when the incident is not benign and neither the vendor nor a rule names one.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    base_rate: float = Field(default=0.0, ge=-6, le=6)
    base_rate_reason: str = ""
    impact: Severity = Severity.MEDIUM
    techniques: tuple[str, ...] = ()
    summaries: tuple[str, ...] = ()
    benign: str = ""
    rules: tuple[Rule, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    recognise: tuple[Recognition, ...] = ()

    @property
    def conditions(self) -> Iterator[str]:
        """Every expression in it, to be checked when it is loaded."""
        yield from (rule.when for rule in self.rules)
        yield from (one.when for one in self.alternatives)
        yield from (one.when for one in self.recognise)
