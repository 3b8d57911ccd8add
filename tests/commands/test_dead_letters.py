"""`dead-letters`: what could not be handled, listed while the application runs or not, retried and discarded."""

from __future__ import annotations

import asyncio

import pytest

from tests.commands.conftest import hostile
from tests.commands.terminal import Terminal
from tests.journeys.deliveries import web_shell
from warden_desktop.adapters.data_directory import DataDirectory
from warden_desktop.adapters.journal import SqliteJournal
from warden_desktop.engine.ports import DeadLetter

ERROR = "OSError: \x1b[2J the ticket system is away"


@pytest.fixture
def unhandled(terminal: Terminal) -> Terminal:
    """A log in which triage gave up on the first incident, and a worker that is no more on the second."""
    with terminal.application() as console:
        assert console.post(web_shell()) == 202
        assert console.post(hostile(), "generic") == 202
        console.settled()
    asyncio.run(_bury(terminal))
    return terminal


async def _bury(terminal: Terminal) -> None:
    journal = SqliteJournal.open(DataDirectory(terminal.data_dir).database, asyncio.get_running_loop())
    first, second = await journal.read(0, 2, kinds=("incident_created",))
    await journal.bury(DeadLetter("triage", first, ERROR, 4))
    await journal.bury(DeadLetter("retired_worker", second, ERROR, 4))
    await journal.close()


def names(terminal: Terminal) -> list[str]:
    return [one["id"] for one in terminal.run("dead-letters", "list", "--json").rows]


def test_they_are_listed_and_shown_while_it_is_down(unhandled: Terminal) -> None:
    triage, retired = unhandled.run("dead-letters", "list", "--json").rows
    assert (triage["subscriber"], triage["attempts"], triage["kind"]) == ("triage", 4, "incident_created")
    assert triage["id"] == f"triage-{triage['seq']}" and triage["event"]["seq"] == triage["seq"]
    listed = unhandled.run("dead-letters", "list")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["id", triage["id"], retired["id"]]
    assert "the ticket system is away" in listed.out
    told = unhandled.run("dead-letters", "show", retired["id"])
    assert told.code == 0 and "Titre é" in told.out
    assert unhandled.run("dead-letters", "show", triage["id"], "--json").rows == [triage]
    assert not listed.steers and not told.steers
    for words in (("retry",), ("discard", "--reason", "not wanted")):
        done = unhandled.run("dead-letters", *words, triage["id"])
        assert (done.code, done.out) == (1, "")
        assert "no application is running" in done.err


def test_one_is_retried_and_one_discarded_while_it_runs(unhandled: Terminal) -> None:
    triage, retired = names(unhandled)
    with unhandled.application() as console:
        assert names(unhandled) == [triage, retired]
        assert console.api.get(f"/api/dead-letters/{triage}")["subscriber"] == "triage"
        assert unhandled.run("dead-letters", "retry", triage) == (0, "handled\n", "")
        assert names(unhandled) == [retired]
        nobody = unhandled.run("dead-letters", "retry", retired)
        assert nobody.code == 1 and "retired_worker" in nobody.err and "Traceback" not in nobody.err
        assert unhandled.run("dead-letters", "discard", retired).code == 2
        done = unhandled.run("dead-letters", "discard", retired, "--reason", "that worker is gone", "--json")
        assert (done.code, done.rows) == (0, [{"discarded": True}])
        assert names(unhandled) == []
        told = unhandled.run("events", "--kind", "FaultRaised", "--json").rows
        assert "that worker is gone" in told[-1]["detail"] and told[-1]["actor"].startswith("cli:")
    assert names(unhandled) == []


def test_one_that_is_not_there(terminal: Terminal) -> None:
    with terminal.application():
        for name in ("triage-999999", "triage", "../kill-switch", "-1", "a-\x1b[2J", "triage-" + "9" * 40):
            _is_refused(terminal, name)


def _is_refused(terminal: Terminal, name: str) -> None:
    for words in (("show",), ("retry",), ("discard", "--reason", "why")):
        done = terminal.run("dead-letters", *words, "--", name)
        assert (done.code, done.out) == (1, ""), done
        assert done.err and not done.steers and "Traceback" not in done.err


def test_which_one(terminal: Terminal) -> None:
    for do in ("show", "retry", "discard"):
        done = terminal.run("dead-letters", do)
        assert (done.code, done.out) == (2, "") and "required: id" in done.err
