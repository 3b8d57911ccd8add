"""The delivery is shown as it came, to the character, and never all of a megabyte at once."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication, QPushButton

from tests.ui.morning import STORIES, raw_of, story
from tests.ui.rows import NOW
from warden_desktop.domain import events as ev
from warden_desktop.domain.incident import Incident
from warden_desktop.engine.bus import Bus
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.detail_raw import DetailRaw, indented
from warden_desktop.ui.theme import Theme


def opened(raw: str) -> DetailRaw:
    """The tab over one incident whose delivery is `raw`."""
    _, events = story(STORIES[1], NOW)
    received = events[0]
    assert isinstance(received, ev.AlertReceived)
    answer = Recorded(1, received.model_copy(update={"raw": raw}))

    class OneDelivery:
        def find(self, event_id: object) -> Recorded | None:
            return answer if event_id == received.id else None

    def start(work: object, done: object = None, failed: object = None) -> None:
        done(work)  # type: ignore[operator]

    bus: Bus = OneDelivery()  # type: ignore[assignment]
    page = DetailRaw(bus, start, Theme("dark"))
    incident = Incident.folded(events)
    assert incident is not None
    page.show_incident(incident)
    return page


def test_a_delivery_is_indented_and_a_cited_field_marked(qapp: QApplication) -> None:
    page = opened(raw_of("Web shell", "web-01"))
    assert '\n  "rule": {\n' in page.text
    page.cite("rule.mitre.id[0]")
    assert page.selected == '"id": ['


def test_what_is_no_json_is_shown_as_it_is(qapp: QApplication) -> None:
    assert opened("<b>not json</b>").text == "<b>not json</b>"


def test_keys_written_twice_and_long_numbers_stay(qapp: QApplication) -> None:
    text = opened('{"a": 1, "a": 12345678901234567890.10, "b": [], "c": {}, "d": null}').text
    assert text == '{\n  "a": 1,\n  "a": 12345678901234567890.10,\n  "b": [],\n  "c": {},\n  "d": null\n}'


def test_a_megabyte_is_cut_and_more_can_be_shown(qapp: QApplication) -> None:
    page = opened("x" * 1_000_000)
    assert len(page.text) < 70_000
    assert max(map(len, page.text.split("\n"))) <= 2_000
    more = next(one for one in page.findChildren(QPushButton) if one.text() == "Show more")
    assert not more.isHidden()
    more.click()
    assert len(page.text) > 200_000


def test_what_hides_in_a_delivery_is_shown_as_an_escape(qapp: QApplication) -> None:
    assert opened("abc\u202edef\x1b[0m").text == "abc\\u202edef\\x1b[0m"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=80, deadline=None)
@given(JSON)
def test_indenting_changes_nothing_but_white_space(value: object) -> None:
    assert json.loads(indented(json.dumps(value))) == value
