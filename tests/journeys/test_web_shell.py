"""From a vendor's delivery to an isolated host, decided with real clicks in a real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex

from tests.executor.vendor import vendor_at_work
from tests.journeys.conftest import Console, OpenConsole, until
from tests.journeys.deliveries import web_shell
from warden_desktop.domain.action import ActionState, Verb
from warden_desktop.domain.incident import Action
from warden_desktop.domain.status import Status


def action_of(console: Console, verb: Verb) -> Action | None:
    for incident in console.incidents():
        for action in incident.actions:
            if action.verb is verb:
                return action
    return None


def state_of(console: Console, verb: Verb) -> ActionState | None:
    action = action_of(console, verb)
    return action.state if action else None


async def open_first_row(console: Console) -> None:
    """Click the first row of the queue and open it with the keyboard."""
    queue = console.shell.window.main.queue
    await until(lambda: queue.table.rowCount() == 1)
    cell: QModelIndex = queue.table.index(0, 1)
    view = queue.view
    await console.click(view.viewport(), view.visualRect(cell).center())
    await console.key("Return")


@pytest.mark.usefixtures("needs_display")
async def test_an_analyst_isolates_the_host_of_a_web_shell_with_clicks(open_console: OpenConsole) -> None:
    async with vendor_at_work() as vendor, open_console(vendor=vendor.url, window=True) as console:
        assert await console.post("wazuh", web_shell()) == 202
        await until(lambda: state_of(console, Verb.ISOLATE_HOST) is ActionState.WAITING)
        (incident,) = console.incidents()
        assert incident.analysis is not None
        assert (incident.target, incident.analysis.verdict) == ("web-01", "true_positive")
        assert "T1505.003" in incident.techniques

        await open_first_row(console)
        await console.key("a")
        dialog = console.shell.window.approver.dialog
        await until(lambda: dialog.isVisible() and dialog.deciding)
        isolate = action_of(console, Verb.ISOLATE_HOST)
        assert isolate is not None and dialog.action_id == isolate.id
        assert vendor.received == []

        await until(dialog.decision.approve.isEnabled)
        await console.click(dialog.decision.approve)
        await until(lambda: state_of(console, Verb.ISOLATE_HOST) is ActionState.DONE)

        (request,) = vendor.received
        assert (request.method, request.path) == ("POST", "/actions")
        assert request.headers["Idempotency-Key"] == str(isolate.id)
        assert request.body["verb"] == "isolate_host"
        assert request.body["target"] in ("web-01", {"type": "host", "value": "web-01"})

        main = console.shell.window.main
        main.show_page("actions")
        ledger = main.pages["actions"]
        await until(lambda: "Done" in cells(ledger))
        approved = action_of(console, Verb.ISOLATE_HOST)
        assert approved is not None and approved.decided_by.startswith("analyst:")


def cells(page: object) -> set[str]:
    model = page.model  # type: ignore[attr-defined]
    return {
        str(model.index(row, column).data()) for row in range(model.rowCount()) for column in range(model.columnCount())
    }


async def test_a_restart_shows_the_same_state_from_the_log(open_console: OpenConsole) -> None:
    async with open_console() as console:
        for number in range(12):
            assert await console.post("wazuh", web_shell(number, host=f"web-{number:02}")) == 202
        await until(lambda: sum(one.status is Status.PENDING_APPROVAL for one in console.incidents()) == 12)
        before = dict(console.application.incidents.rows())
    async with open_console() as console:
        assert dict(console.application.incidents.rows()) == before
        assert all(console.application.incidents.get(one) is not None for one in before)
