"""A door on a real socket, in front of a fake intake, and clients that say exactly the bytes they are told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from warden_desktop.adapters.keychain import KeychainError
from warden_desktop.adapters.webhook import Door, Quarantine
from warden_desktop.domain.alert import Alert
from warden_desktop.engine.bus import PublishError
from warden_desktop.engine.intake import DeliveryConflict, Receipt

GOOD = {"title": "something happened", "severity": "high"}


class FakeIntake:
    """Remembers alerts in a dict. `failing` and `gate` make it refuse and wait."""

    def __init__(self) -> None:
        self.alerts: dict[UUID, Alert] = {}
        self.raw: dict[UUID, str] = {}
        self.failing = False
        self.gate: asyncio.Event | None = None

    async def receive(self, alerts: Sequence[Alert], raw: str) -> Sequence[Receipt]:
        if self.gate is not None:
            await self.gate.wait()
        if self.failing:
            raise PublishError("the disk is full", 3.2)
        if any(self.raw.get(alert.id, raw) != raw for alert in alerts):
            raise DeliveryConflict
        receipts = [Receipt(alert.id, alert.id, alert.id in self.alerts) for alert in alerts]
        for alert in alerts:
            self.alerts.setdefault(alert.id, alert)
            self.raw.setdefault(alert.id, raw)
        return receipts


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Raw:
    """One connection that sends what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Reply(int(head[0].split()[1]), headers, body)

    async def closed(self) -> bool:
        """Whether the other side ends the connection without another word."""
        with contextlib.suppress(ConnectionError):
            return await self.reader.read(1) == b""
        return True

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


class Bench:
    """A door that is open, and how to talk to it."""

    def __init__(self, door: Door, intake: FakeIntake, quarantine: Quarantine, secrets: dict[str, tuple[bytes, ...]]):
        self.door = door
        self.intake = intake
        self.quarantine = quarantine
        self.secrets = secrets
        self.locked = False
        self.causes: dict[str, str] = {}
        self.host = ""
        self.port = 0
        self._open: list[Raw] = []

    def secrets_of(self, source: str) -> tuple[bytes, ...]:
        if self.locked:
            raise KeychainError("locked")
        return self.secrets.get(source, ())

    async def connect(self) -> Raw:
        connection = Raw(*await asyncio.open_connection(self.host, self.port))
        self._open.append(connection)
        return connection

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, host: str = ""
    ) -> Reply:
        """One request on a connection of its own."""
        connection = await self.connect()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'{self.host}:{self.port}'}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        await connection.send("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        return await connection.reply()

    async def post(self, delivery: Any = GOOD, source: str = "generic", **headers: str) -> Reply:
        """A delivery, as bytes or as what becomes JSON; header names with `_` for `-`."""
        body = delivery if isinstance(delivery, bytes) else orjson.dumps(delivery)
        given = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return await self.ask("POST", f"/webhooks/{source}", body, given)

    async def close(self) -> None:
        for connection in self._open:
            await connection.close()
        await self.door.stop()


Open = Callable[..., Awaitable[Bench]]
"""Opens a door with the given limits and further parameters."""
