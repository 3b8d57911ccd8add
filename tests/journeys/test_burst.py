"""Five thousand alerts at once: all there, in order, and the window goes on answering."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from PySide6.QtCore import QTimer

from tests.journeys.conftest import Console, OpenConsole, until
from tests.journeys.deliveries import brute_force

ALERTS = 5_000
SENDERS = 16


class Heartbeat:
    """A timer in the window's thread: how often it beat, as a sign that the window was never shut out."""

    def __init__(self) -> None:
        self.beats = 0
        self._timer = QTimer()
        self._timer.setInterval(20)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        self.beats += 1

    def stop(self) -> None:
        self._timer.stop()


async def send_all(console: Console) -> list[int]:
    """Post all alerts over a few connections; the statuses."""
    numbers = iter(range(ALERTS))
    statuses: list[int] = []

    async def sender(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = json.dumps(brute_force(number))
            headers = {"Content-Type": "application/json"}
            async with session.post(f"{console.url}/webhooks/wazuh", data=body, headers=headers) as answer:
                await answer.read()
                statuses.append(answer.status)

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(SENDERS):
            group.create_task(sender(session))
    return statuses


@pytest.mark.usefixtures("needs_display")
async def test_a_burst_of_five_thousand_alerts_is_all_there_in_order(open_console: OpenConsole) -> None:
    async with open_console(window=True) as console:
        heartbeat = Heartbeat()
        statuses = await send_all(console)
        assert statuses == [202] * ALERTS
        store = console.application.incidents
        await until(lambda: len(store.rows()) == ALERTS)
        heartbeat.stop()
        assert heartbeat.beats > 20, "the window's own timer must go on while alerts stream in"

        queue = console.shell.window.main.queue
        await until(lambda: queue.table.rowCount() + sum(queue.table.pending) >= ALERTS)
        events = await console.application.bus.read(0, 3 * ALERTS * 20, kinds=("alert_received", "incident_created"))
        received = [one.event.id for one in events if one.event.kind == "alert_received"]
        opened = [one.event.cause for one in events if one.event.kind == "incident_created"]
        assert len(received) == ALERTS
        assert opened == received, "incidents open in the order in which their alerts were recorded"
        await console.key("j", "j")
