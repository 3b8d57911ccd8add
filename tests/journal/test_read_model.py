"""The incident table on disk."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.journal.stories import NOON, row
from warden_desktop.adapters.journal import SqliteJournal, SqliteReadModel, open_reader
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.query import parse
from warden_desktop.domain.status import Status
from warden_desktop.engine.ports import JournalError


async def found(model: SqliteReadModel, text: str) -> list[UUID]:
    return await model.search(parse(text), 100)


async def test_rows_come_back_as_they_were(journal: SqliteJournal) -> None:
    model = SqliteReadModel(journal)
    rows = [
        row(),
        row(verdict=None, decided_at=NOON, techniques=(), tags=("a b", 'c"d', "Ü"), created_at=NOON + timedelta(1)),
        row(title="NUL \0 <b>", text="nul", created_at=NOON + timedelta(2), confidence=0.0),
    ]
    await model.update(rows, "projector", 12)
    assert await model.rows() == rows
    assert await journal.cursor("projector") == 12


async def test_a_row_is_replaced_in_place(journal: SqliteJournal) -> None:
    model = SqliteReadModel(journal)
    first, second = row(), row()
    await model.update([first, second], "projector", 1)
    changed = first._replace(status=Status.RESOLVED, severity=Severity.LOW, text="another story")
    await model.update([changed], "projector", 2)
    assert await model.rows() == [changed, second]
    assert await found(model, "another") == [first.id]
    assert await found(model, "203.0.113.7") == [second.id]


async def test_rows_and_cursor_move_together_or_not_at_all(journal: SqliteJournal) -> None:
    model = SqliteReadModel(journal)
    await model.update([row()], "projector", 5)
    before = await model.rows()
    with pytest.raises(JournalError):
        await model.update([row(), row(title=None)], "projector", 9)
    assert await model.rows() == before
    assert await journal.cursor("projector") == 5


async def test_a_bad_update_does_not_fail_what_waits_beside_it(journal: SqliteJournal) -> None:
    model = SqliteReadModel(journal)

    async def fail() -> str:
        try:
            await model.update([row(title=None)], "projector", 9)
        except JournalError as error:
            return str(error)
        return ""

    good = row()
    error, _, _ = await asyncio.gather(fail(), model.update([good], "projector", 4), journal.move_cursor("triage", 3))
    assert "warden.db" in error
    assert await model.rows() == [good]
    assert (await journal.cursor("projector"), await journal.cursor("triage")) == (4, 3)


async def test_clearing_starts_over(journal: SqliteJournal) -> None:
    model = SqliteReadModel(journal)
    await model.update([row(), row()], "projector", 5)
    await model.clear("projector")
    assert await model.rows() == []
    assert await found(model, "web") == []
    assert await journal.cursor("projector") == 0


async def test_the_newest_come_first_in_pages(journal: SqliteJournal) -> None:
    model = SqliteReadModel(journal)
    rows = [row(id=uuid4(), created_at=NOON + timedelta(minutes=n)) for n in range(10)]
    await model.update(rows, "projector", 1)
    newest = [one.id for one in rows[::-1]]
    assert await model.search(parse(""), 4) == newest[:4]
    assert await model.search(parse(""), 4, 8) == newest[8:]


async def test_the_command_line_searches_too(journal: SqliteJournal, path: Path) -> None:
    model = SqliteReadModel(journal)
    rows = [row(), row(target="db-01")]
    await model.update(rows, "projector", 1)
    with open_reader(path) as reader:
        assert reader.rows() == rows
        assert reader.search(parse("host:web* is:open")) == [rows[0].id]
