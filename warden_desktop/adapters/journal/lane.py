"""One thread with one connection that answers questions in turn, so that none of them blocks the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar, cast

import apsw

from warden_desktop.adapters.journal.faults import UNREADABLE, explain
from warden_desktop.engine.ports import JournalError

T = TypeVar("T")
Question = Callable[[apsw.Connection], Any]

_STEPS = 20_000
"""SQLite operations between two looks at whether anybody still waits for the answer: about a millisecond."""


class Lane:
    """Owns `connection` from now on. Cancelling the one who asks stops the question, also while it runs."""

    def __init__(self, name: str, path: Path, connection: apsw.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._connection = connection
        self._loop = loop
        self._questions: SimpleQueue[tuple[Question, asyncio.Future[Any]] | None] = SimpleQueue()
        self._closed = False
        self._ended: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def ask(self, question: Callable[[apsw.Connection], T]) -> T:
        """What `question` returns, or what it raises; SQLite's errors as JournalError."""
        if self._closed:
            raise JournalError(f"{self._path}: the journal is closed")
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._questions.put((question, answer))
        return cast(T, await answer)

    async def close(self) -> None:
        """Answer what was asked before, then close the connection."""
        if not self._closed:
            self._closed = True
            self._questions.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    def _run(self) -> None:
        while (asked := self._questions.get()) is not None:
            question, answer = asked
            if not answer.cancelled():
                self._tell(_settle, answer, *self._answer(question, answer))
            del asked, question, answer
        self._connection.close()
        self._tell(self._ended.set_result, None)

    def _answer(self, question: Question, answer: asyncio.Future[Any]) -> tuple[object, Exception | None]:
        self._connection.set_progress_handler(answer.cancelled, _STEPS)
        try:
            return question(self._connection), None
        except UNREADABLE as error:
            return None, explain(self._path, error)
        except Exception as error:
            return None, error

    def _tell(self, callback: Callable[..., object], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            return  # The loop is gone, and with it everybody who waited.


def _settle(answer: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
