"""What asyncio offers works on the product's loop: sockets, HTTP, streams, processes, signals, threads."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import socket
import sys
import threading
import time

import aiohttp
import pytest
from aiohttp import web

from warden_desktop.loop import WardenLoop

USER: contextvars.ContextVar[str] = contextvars.ContextVar("USER")


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_streams_echo_more_than_the_buffers_hold() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        sent = os.urandom(4_000_000)
        async with asyncio.TaskGroup() as group:
            received = group.create_task(reader.readexactly(len(sent)))
            writer.write(sent)
            await writer.drain()
        assert received.result() == sent
        writer.close()
        await writer.wait_closed()


async def test_many_connections_at_once() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()

    async def talk(number: int) -> bytes:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"%d\n" % number)
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return answer

    async with server:
        answers = await asyncio.gather(*(talk(number) for number in range(100)))
    assert answers == [b"%d\n" % number for number in range(100)]


async def test_raw_sockets_and_datagrams(running: WardenLoop) -> None:
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        await running.sock_sendall(left, b"ping")
        assert await running.sock_recv(right, 10) == b"ping"
        readable = asyncio.Event()
        running.add_reader(left, readable.set)
        await running.sock_sendall(right, b"pong")
        await readable.wait()
        assert running.remove_reader(left)
    received = running.create_future()

    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            received.set_result(data)

    transport, _ = await running.create_datagram_endpoint(Receiver, local_addr=("127.0.0.1", 0))
    transport.sendto(b"datagram", transport.get_extra_info("sockname"))
    assert await received == b"datagram"
    transport.close()
    await asyncio.sleep(0)


async def test_http_round_trips() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"echo": await request.json()})

    application = web.Application()
    application.router.add_post("/", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with aiohttp.ClientSession() as session:

        async def ask(number: int) -> object:
            async with session.post(url, json=number) as response:
                return (await response.json())["echo"]

        answers = await asyncio.gather(*(ask(number) for number in range(50)))
    await runner.cleanup()
    assert answers == list(range(50))


async def test_a_name_is_resolved(running: WardenLoop) -> None:
    addresses = await running.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    assert addresses[0][4][1] == 80


async def test_a_subprocess_is_fed_read_and_reaped() -> None:
    program = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.exit(3)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(b"contained")
    assert (output, process.returncode) == (b"CONTAINED", 3)


async def test_a_signal_reaches_its_handler_while_the_loop_sleeps(running: WardenLoop) -> None:
    arrived = asyncio.Event()
    running.add_signal_handler(signal.SIGUSR1, arrived.set)
    sender = threading.Timer(0.02, os.kill, [os.getpid(), signal.SIGUSR1])
    sender.start()
    await arrived.wait()
    sender.join()
    assert running.remove_signal_handler(signal.SIGUSR1)


async def test_work_in_threads_returns_raises_and_keeps_its_context(running: WardenLoop) -> None:
    USER.set("analyst")
    assert await running.run_in_executor(None, threading.get_ident) != threading.get_ident()
    assert await asyncio.to_thread(USER.get) == "analyst"
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 / 0)
    with pytest.raises(SystemExit):
        await asyncio.to_thread(sys.exit, 4)


async def test_other_tasks_go_on_while_a_thread_works() -> None:
    steps = 0
    async with asyncio.TaskGroup() as group:
        sleeping = group.create_task(asyncio.to_thread(time.sleep, 0.05))
        while not sleeping.done():
            await asyncio.sleep(0.001)
            steps += 1
    assert steps > 1


async def test_a_timeout_cancels_and_a_task_group_collects() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)

    async def fails() -> None:
        raise ValueError

    cancelled = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            cancelled.set()

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(waits())
            group.create_task(fails())

    with pytest.raises(ExceptionGroup) as caught:
        await both()
    assert caught.group_contains(ValueError)
    assert cancelled.is_set()
