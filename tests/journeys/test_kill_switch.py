"""One press, and nothing more is sent; a restart keeps it."""

from __future__ import annotations

import asyncio

from tests.executor.vendor import vendor_at_work
from tests.journeys.conftest import Console, OpenConsole, until
from tests.journeys.deliveries import web_shell
from warden_desktop.domain.action import ActionState, Verb
from warden_desktop.domain.events import KillSwitchReceipt
from warden_desktop.domain.incident import Action
from warden_desktop.ui.kill_switch_button import KillSwitchButton

QUEUED = 3


def isolations(console: Console) -> list[Action]:
    actions = [action for incident in console.incidents() for action in incident.actions]
    return [action for action in actions if action.verb is Verb.ISOLATE_HOST]


def states(console: Console) -> list[ActionState]:
    return sorted(action.state for action in isolations(console))


async def test_the_stop_holds_what_is_queued_and_what_was_in_flight_is_unknown(
    open_console: OpenConsole, needs_display: None
) -> None:
    async with vendor_at_work() as vendor:
        vendor.manner = "hang"
        async with open_console(vendor=vendor.url, window=True, at_once=1) as console:
            for number in range(QUEUED + 1):
                assert await console.post("wazuh", web_shell(number, host=f"web-{number:02}")) == 202
            await until(lambda: states(console) == [ActionState.WAITING] * (QUEUED + 1))
            for action in isolations(console):
                await console.application.desk.approve(action.id, digest=action.digest, actor="analyst:alice")
            await vendor.arrived.wait()

            button = console.shell.window.main.kill_switch
            assert isinstance(button, KillSwitchButton)
            await console.click(button)
            await until(lambda: console.application.desk.receipt is not None)

            vendor.manner = "answer"
            vendor.go_on.set()
            await asyncio.sleep(0.5)
            assert len(vendor.received) == 1, "only what was in flight had been sent"
            assert states(console) == [ActionState.HELD] * QUEUED + [ActionState.UNKNOWN]
            receipt = console.application.desk.receipt
            assert isinstance(receipt, KillSwitchReceipt)
            assert (len(receipt.held), len(receipt.unknown), receipt.already_sent) == (QUEUED, 1, ())
            assert receipt.milliseconds >= 0

        async with open_console(vendor=vendor.url) as console:
            assert "everything" in console.application.desk.engaged
            assert states(console) == [ActionState.HELD] * QUEUED + [ActionState.UNKNOWN]
            waiting = isolations(console)[-1]
            held = next(action for action in isolations(console) if action.state is ActionState.HELD)
            await console.application.desk.release(reason="checked by hand", actor="analyst:alice")
            await asyncio.sleep(0.3)
            assert len(vendor.received) == 1, "nothing resumes by itself"
            await console.application.desk.approve(held.id, digest=held.digest, actor="analyst:alice")
            await until(lambda: len(vendor.received) == 2)
            assert waiting.id != vendor.received[1].headers["Idempotency-Key"] or waiting.id == held.id
