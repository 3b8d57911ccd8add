"""The application, made to kill itself (SIGKILL) at one named step: `python -m tests.safety.mortal STEP [options]`.

STEP is "before KIND" (the event is about to be handed to the journal), "after KIND" (it is durable and nobody has been
told), "gate" (the kill switch has been asked and nothing is sent), or "sent" (the request is out).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import aiohttp

from warden_desktop.__main__ import main
from warden_desktop.adapters.journal import SqliteJournal
from warden_desktop.domain.events import Event
from warden_desktop.engine.kill_switch import Flight

STEPS = (
    "before action_approved", "after action_approved", "before action_started", "after action_started", "gate", "sent",
    "before action_executed", "after action_executed",
)  # fmt: skip


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def mortal(step: str) -> None:
    """Arm one step."""
    moment, _, kind = step.partition(" ")
    if moment == "gate":
        _after_the_gate()
    elif moment == "sent":
        _after_the_send()
    else:
        _around_append(moment, kind)


def _around_append(moment: str, kind: str) -> None:
    append = SqliteJournal.append

    def dying(journal: SqliteJournal, events: Sequence[Event]) -> asyncio.Future[Any]:
        meant = any(event.kind == kind for event in events)
        if meant and moment == "before":
            die()
        future = append(journal, events)
        if meant:
            future.add_done_callback(die)
        return future

    SqliteJournal.append = dying  # type: ignore[method-assign, assignment]


def _after_the_gate() -> None:
    gate = Flight.gate

    def dying(flight: Flight) -> None:
        gate(flight)
        die()

    Flight.gate = dying  # type: ignore[method-assign, assignment]


def _after_the_send() -> None:
    send = aiohttp.ClientRequest.send

    async def dying(request: aiohttp.ClientRequest, conn: Any) -> aiohttp.ClientResponse:
        response = await send(request, conn)
        asyncio.get_running_loop().call_later(0.02, die)
        return response

    aiohttp.ClientRequest.send = dying  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    mortal(sys.argv.pop(1))
    sys.exit(main())
