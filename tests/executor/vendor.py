"""A vendor's server on loopback that counts what reaches it, and delays, drops or fails as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal, NamedTuple

from aiohttp import web

Manner = Literal["answer", "hang", "drop", "fail", "refuse", "redirect", "echo"]


class Received(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Vendor:
    """Answers every request in its current `manner`; `received` has them all."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.manner: Manner = "answer"
        self.url = ""
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        body = await request.json() if text else None
        self.received.append(Received(request.method, request.raw_path, dict(request.headers), body))
        self.arrived.set()
        if self.manner == "hang":
            await self.go_on.wait()
        if self.manner == "drop":
            assert request.transport is not None
            request.transport.abort()
        if self.manner == "redirect":
            raise web.HTTPTemporaryRedirect(location=f"{self.url}/elsewhere")
        if self.manner == "echo":
            return web.Response(text=str(request.headers.get("Authorization")))
        status = {"fail": 500, "refuse": 403}.get(self.manner, 200)
        return web.json_response({"key": "INC-7", "url": "https://tickets.example/INC-7"}, status=status)


@asynccontextmanager
async def vendor_at_work() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    application = web.Application()
    application.router.add_route("*", r"/{path:[\s\S]*}", vendor.handle)
    runner = web.AppRunner(application, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vendor.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield vendor
    finally:
        vendor.go_on.set()
        await runner.cleanup()
