"""What is looked at before a body is: who the request says it is for, where it comes from, and what it brings."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from aiohttp import web

from warden_desktop.adapters.webhook.limits import Limits
from warden_desktop.adapters.webhook.refusals import Refusal

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def check_host(request: web.BaseRequest, allowed: Collection[str]) -> None:
    """Refuse a request for another host: a page whose name was made to point here (DNS rebinding) sends that name."""
    given = request.headers.getall("Host", [])
    if len(given) != 1 or _name(given[0]) not in allowed or request.raw_path[:1] != "/":
        raise Refusal(421, "misdirected", "This server does not answer for that host.")


def _name(host: str) -> str:
    """The name in `name`, `name:port`, `[::1]` or `[::1]:port`, in lower case; "" for anything else."""
    name, bracket, rest = host.strip().lower().removeprefix("[").partition("]")
    if bracket:
        return name if host.startswith("[") and _port(rest) else ""
    name, colon, port = name.partition(":")
    return name if not colon or port.isdecimal() else ""


def _port(rest: str) -> bool:
    return not rest or (rest[0] == ":" and rest[1:].isdecimal())


def check_origin(request: web.BaseRequest) -> None:
    """Refuse what a web page in a browser sends: none has business here."""
    headers = request.headers
    if "Origin" in headers or any(name.lower().startswith("sec-fetch-") for name in headers):
        raise Refusal(403, "from_a_web_page", "Web pages are not served here.")


def check_content(request: web.BaseRequest, content_types: Collection[str]) -> None:
    """Refuse a body of another type, and any compressed one: a few KB can expand to gigabytes."""
    if "Content-Encoding" in request.headers:
        raise Refusal(415, "content_encoding", "Send the body as it is, without Content-Encoding.")
    given = request.headers.getall("Content-Type", [])
    if len(given) != 1 or given[0].partition(";")[0].strip().lower() not in content_types:
        raise Refusal(415, "content_type", f"The body must be {' or '.join(content_types)}.")


async def read_body(request: web.BaseRequest, limits: Limits) -> bytes:
    """The body, bounded in size and time."""
    length = request.content_length
    if length is not None and length > limits.body:
        raise _too_large(limits)
    content = request.content
    if content.is_eof():  # small bodies arrive with their headers
        body = content.read_nowait()
        if len(body) > limits.body:
            raise _too_large(limits)
        return body
    await _continue(request)
    try:
        async with asyncio.timeout(limits.body_timeout):
            return await _read(request, limits)
    except web.RequestPayloadError:
        raise Refusal(400, "bad_request", "The body is not sent as HTTP/1.1 has it.") from None
    except TimeoutError:
        raise Refusal(408, "slow_body", f"The body did not arrive within {limits.body_timeout:g} s.") from None


async def _continue(request: web.BaseRequest) -> None:
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


async def _read(request: web.BaseRequest, limits: Limits) -> bytes:
    body = bytearray()
    while chunk := await _chunk(request):
        body += chunk
        if len(body) > limits.body:
            raise _too_large(limits)
    return bytes(body)


async def _chunk(request: web.BaseRequest) -> bytes:
    try:
        return await request.content.readany()
    except RuntimeError as error:  # what aiohttp says of a connection that ended between two requests of one packet
        raise ConnectionResetError(str(error)) from None


def _too_large(limits: Limits) -> Refusal:
    return Refusal(413, "too_large", f"The body is larger than {limits.body} bytes.")
