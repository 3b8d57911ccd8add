"""What the analyst reads: words for the product's values, ages, and text made safe to look at and to paste.

Everything a vendor sent is hostile: characters that reorder, hide or imitate other text are shown as escapes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from warden_desktop.domain.action import VERBS, ActionState, Target, Verb
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict

CELL_LIMIT = 256
DETAIL_LIMIT = 65_536

_HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Blank on screen though Unicode calls them letters or symbols: Hangul fillers, braille blank, Khmer inherent vowels.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f")
_PLAIN = re.compile(r"[\x20-\x7e]*\Z")
# Latin letters of the European languages; dotless i and long s imitate i and f.
_FAMILIAR = frozenset(chr(code) for code in range(0xC0, 0x17F)) - {"\u0131", "\u00d7", "\u00f7"}
_URL = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*)://(?P<host>[^/?#\s]*)", re.IGNORECASE)
_NAME_DOT = re.compile(r"(?<=[\w\]-])\.(?=[\w\[-])")

_STATUSES: Mapping[Status, str] = {
    Status.PENDING_REVIEW: "To review",
    Status.PENDING_APPROVAL: "To approve",
}
_VERDICTS: Mapping[Verdict, str] = {
    Verdict.TRUE_POSITIVE: "True pos.",
    Verdict.LIKELY_TRUE_POSITIVE: "Likely true",
    Verdict.SUSPICIOUS: "Suspicious",
    Verdict.LIKELY_FALSE_POSITIVE: "Likely false",
    Verdict.FALSE_POSITIVE: "False pos.",
    Verdict.INCONCLUSIVE: "Inconclusive",
}
_OPERATIONS = frozenset({"availability"})
_NO_ATTACK: Mapping[Verdict, str] = {
    Verdict.LIKELY_FALSE_POSITIVE: "Likely no attack",
    Verdict.FALSE_POSITIVE: "No attack",
}
_STATES: Mapping[ActionState, str] = {
    ActionState.WAITING: "Waiting for approval",
    ActionState.SIMULATED: "Simulated",
    ActionState.UNKNOWN: "Outcome unknown",
    ActionState.HELD: "Held by the kill switch",
    ActionState.STALE: "Not executed: it changed",
}
STATE_TONES: Mapping[ActionState, str] = {
    ActionState.WAITING: "warn", ActionState.APPROVED: "accent", ActionState.RUNNING: "accent",
    ActionState.DONE: "good", ActionState.SIMULATED: "simulated", ActionState.FAILED: "danger",
    ActionState.UNKNOWN: "danger", ActionState.HELD: "danger", ActionState.STALE: "warn",
}  # fmt: skip
"""The tone (see theme.set_tone) of each action state; states not named have none."""

_TYPES: Mapping[ObservableType, str] = {
    ObservableType.IP: "Address", ObservableType.URL: "URL", ObservableType.EMAIL: "E-mail",
    ObservableType.MESSAGE_ID: "Message id",
}  # fmt: skip


def shown(text: str, limit: int = CELL_LIMIT, *, lines: bool = False) -> str:
    r"""`text` as it may be looked at: bidi, zero-width, control and unassigned characters as escapes (`\u202e`).

    Cut at `limit` characters with an ellipsis. Line breaks become a visible mark unless `lines` keeps them.
    """
    head = text[:limit]
    if not _PLAIN.match(head):
        head = "".join(_visible(one, lines) for one in head)
    return head if len(text) <= limit else f"{head}…"


def spelled(text: str, limit: int = CELL_LIMIT) -> str:
    """A host, user or address with every character that could imitate another one as an escape as well."""
    head = text[:limit]
    if not _PLAIN.match(head):
        head = "".join(one if " " <= one <= "~" or one in _FAMILIAR else _escape(one) for one in head)
    return head if len(text) <= limit else f"{head}…"


def odd_characters(text: str) -> tuple[str, ...]:
    """The odd characters of `text`, each as `U+0430 CYRILLIC SMALL LETTER A`, once, in order."""
    odd = dict.fromkeys(one for one in text if not (" " <= one <= "~" or one in _FAMILIAR))
    return tuple(f"U+{ord(one):04X} {unicodedata.name(one, 'unnamed')}" for one in odd)


def defanged(text: str) -> str:
    """`text` with addresses nobody can click by mistake: `hxxps://evil[.]example/x`, `a[@]b[.]example`."""

    def scheme_and_host(found: re.Match[str]) -> str:
        scheme = re.sub("tt", "xx", found["scheme"], count=1, flags=re.IGNORECASE)
        return f"{scheme}://{_dotted(found['host'])}"

    if _URL.search(text):
        return _URL.sub(scheme_and_host, text)
    return _dotted(text)


def _dotted(name: str) -> str:
    return _NAME_DOT.sub("[.]", name).replace("@", "[@]")


def age(at: datetime, now: datetime) -> str:
    """How long ago `at` was: `12s`, `4m`, `3h`, `6d`."""
    return span((now - at).total_seconds())


def span(seconds: float) -> str:
    """A length of time in its largest unit: `12s`, `4m`, `3h`, `6d`. Negative ones carry a minus sign."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if rest >= size:
            return f"{sign}{int(rest // size)}{unit}"
    return f"{sign}{int(rest)}s" if int(rest) else "0s"


def moment(at: datetime) -> str:
    """Local date and time to the second."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def clock(at: datetime) -> str:
    """Local time of day to the second."""
    return at.astimezone().strftime("%H:%M:%S")


def utc(at: datetime) -> str:
    """The instant in UTC, for the hover text of a local time."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def words(value: StrEnum | str) -> str:
    """A name of the product as words: `likely_true_positive` is `Likely true positive`."""
    return str(value).replace("_", " ").capitalize()


def status_word(status: Status) -> str:
    return _STATUSES.get(status) or words(status)


def no_attack(verdict: Verdict | None, category: str) -> str:
    """The words for an alert about operations that nobody attacked: the outage is real, so "false" is not the word.

    "" for all others.
    """
    return _NO_ATTACK.get(verdict, "") if verdict and category in _OPERATIONS else ""


def verdict_word(verdict: Verdict | None, category: str = "") -> str:
    """The verdict in full; "Not analysed yet" while there is none."""
    return no_attack(verdict, category) or (words(verdict) if verdict else "Not analysed yet")


def verdict_short(verdict: Verdict | None, confidence: float, category: str = "") -> str:
    """The verdict with its confidence, for a cell: `Likely true 87 %`."""
    if verdict is None:
        return ""
    word = "No attack" if no_attack(verdict, category) else _VERDICTS[verdict]
    return f"{word} {percent(confidence)}"


def state_word(state: ActionState) -> str:
    return _STATES.get(state) or words(state)


def type_word(kind: ObservableType | None) -> str:
    return "Incident" if kind is None else _TYPES.get(kind) or words(kind)


def target_word(target: Target, limit: int = CELL_LIMIT) -> str:
    """The target as it may be looked at; an action on the incident as a whole has no other name for it than an id."""
    return "the incident" if target.type is None else spelled(target.value, limit)


def verb_label(verb: Verb) -> str:
    return VERBS[verb].label


def percent(share: float) -> str:
    """A share of one as `94 %`."""
    return f"{share * 100:.0f} %"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 alert`, `1,234 alerts`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def person(actor: str) -> str:
    """The actor of an event in words: `analyst:alice` is `alice`, `webhook:wazuh` is `wazuh (webhook)`."""
    kind, _, name = actor.partition(":")
    if not name:
        return shown(kind, 64)
    return shown(name, 64) if kind == "analyst" else f"{shown(name, 64)} ({shown(kind, 32)})"


def _visible(one: str, lines: bool) -> str:
    if one in "\n\t":
        return one if lines else ("⏎" if one == "\n" else " ")
    if one in _BLANK or unicodedata.category(one) in _HIDING:
        return _escape(one)
    return one


def _escape(one: str) -> str:
    code = ord(one)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
