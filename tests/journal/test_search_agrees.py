"""The same query finds the same incidents in memory and on disk, whatever is asked of whatever rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st

from tests.journal.stories import NOON, row
from warden_desktop.adapters.journal import incidents, schema
from warden_desktop.adapters.journal.search import compile_tree
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.incident import IncidentRow
from warden_desktop.domain.query import Query, QuerySyntaxError, parse, quoted
from warden_desktop.domain.query_terms import FIELDS, NAMES, FieldType
from warden_desktop.domain.status import Status
from warden_desktop.domain.verdict import Verdict

PIECES = (
    "web", "WEB-01", "we", "b", "Straße", "STRASSE", "É", "é", "İ", "ﬁ", "[a]", "*", "?", "_", "%", '"', "'", "\\",
    "\0", "\uffff", "\U0001f600", "T1059", ".001", "alice", "10.0.0.1", "2001:db8::1", " ", "-", "(", ")", ":",
)  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=4).map("".join) | st.text(max_size=6)
instants = st.integers(0, 10_000_000_000).map(lambda micros: NOON - timedelta(microseconds=micros))
rows = st.builds(
    IncidentRow, id=st.uuids(), title=texts, severity=st.sampled_from(Severity), status=st.sampled_from(Status),
    target=texts, source=texts, category=texts, verdict=st.none() | st.sampled_from(Verdict),
    confidence=st.sampled_from([0.0, 0.5, 0.8, 0.94, 1.0]) | st.floats(0, 1), assignee=texts, alerts=st.integers(0, 9),
    waiting=st.integers(0, 3), created_at=instants, updated_at=instants, decided_at=st.none() | instants,
    techniques=st.lists(texts, max_size=3).map(tuple), tags=st.lists(texts, max_size=3).map(tuple), text=texts,
)  # fmt: skip

comparison = st.sampled_from([">=", "<=", ">", "<", "=", ""])
numbers = st.sampled_from(["0", "1", "3", "0.5", "0.8", "80%", "94%", "0.94"])
times = st.sampled_from(["0s", "90s", "15m", "2h", "1.5h", "1d", "1w"])


def _value(name: str) -> st.SearchStrategy[str]:
    field = NAMES[name]
    if field.type is FieldType.NUMBER:
        return st.builds(str.__add__, comparison, numbers) | st.builds("{}..{}".format, numbers, numbers)
    if field.type is FieldType.DURATION:
        return st.builds(str.__add__, comparison, times) | st.builds("{}..{}".format, times, times)
    if field.type is FieldType.CHOICE:
        chosen = st.sampled_from(field.values)
        return chosen | st.builds(str.__add__, comparison, chosen) | chosen.map(lambda value: value[:3] + "*")
    if field.type is FieldType.FLAG:
        return st.sampled_from(field.values)
    return texts.map(quoted) | texts | st.builds("{}*{}".format, texts, texts)


terms = st.one_of(
    texts.map(quoted),
    texts,
    st.builds("{}*{}".format, texts, texts),
    st.sampled_from(sorted(NAMES)).flatmap(lambda name: _value(name).map(lambda value: f"{name}:{value}")),
)
queries = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.builds("{} {}".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("({} AND {})".format, inner, inner),
        inner.map("NOT ({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=5,
)

_FOLDER = TemporaryDirectory()
_PATH = Path(_FOLDER.name) / "warden.db"


def on_disk(stored: list[IncidentRow], query: Query, now: datetime) -> set[object]:
    connection = schema.open_writer(_PATH)
    try:
        connection.execute("PRAGMA synchronous = off; BEGIN")
        incidents.update(connection, stored, "projector", 1)
        found = incidents.search(connection, query, now, -1, 0)
        connection.execute("ROLLBACK")
    finally:
        connection.close()
    assert len(found) == len(set(found))
    return set(found)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(rows, max_size=6, unique_by=lambda row: row.id), queries)
@example([row(text="straße"), row(text="strasse")], "STRASSE")
@example([row(target="a\0b"), row(target="a\ufffdb")], 'host:"a\0b"')
@example([row(text="ab\0cdef")], "cdef")
@example([row(text='he said "run"')], '"""run"""')
@example([row(verdict=None), row()], "-verdict:true_positive")
@example([row(techniques=("T1059.001", "T1003"))], "technique:T1059*1003")
@example([row(created_at=NOON - timedelta(hours=2))], "age:<=2h -age:<2h")
def test_memory_and_disk_agree(stored: list[IncidentRow], text: str) -> None:
    try:
        query = parse(text)
    except QuerySyntaxError:
        reject()
    in_memory = {row.id for row in stored if query.matches(row, NOON)}
    assert on_disk(stored, query, NOON) == in_memory


@given(rows)
def test_a_clicked_value_finds_its_own_row(one: IncidentRow) -> None:
    for name, field in FIELDS.items():
        if field.type is FieldType.TEXT and field.column != "id":
            assert parse(f"{name}:{quoted(getattr(one, field.column))}").matches(one, NOON)
    assert parse(f"id:{one.id}").matches(one, NOON)
    assert parse(quoted(one.text)).matches(one, datetime.now(UTC))


def test_a_hundred_terms_are_not_too_much_for_the_database() -> None:
    stored = [row(), row(title="other", text="other")]
    wide = " OR ".join(["title:*web*"] * 100)
    deep = "NOT " * 28 + "web"
    for text in (wide, deep, " ".join(["203"] * 100)):
        query = parse(text)
        assert on_disk(stored, query, NOON) == {one.id for one in stored if query.matches(one, NOON)}


def test_search_uses_the_index_and_not_every_text() -> None:
    connection = schema.open_writer(_PATH)
    condition, bindings = compile_tree(parse("203.0.113.7").tree, 0)
    plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT id FROM incident WHERE {condition}", bindings).fetchall()
    connection.close()
    assert any("incident_text VIRTUAL TABLE INDEX" in str(step) for step in plan)
    assert not any(str(step[3]) == "SCAN incident" for step in plan)
