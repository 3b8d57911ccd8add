"""Ports with nothing behind them, for the demo and the first run. They say so wherever they are seen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from warden_desktop.domain.action import VERBS, Outcome, ProposedAction, RequestPreview, Result, Verb


class SimulatedResponder:
    """Implements ports.Responder for every verb, and never does anything. `delay`: seconds an action seems to take."""

    name = "simulated"
    title = "Simulated (nothing is done)"
    simulated = True
    configured = True
    missing = ""
    verbs = frozenset(Verb)

    def __init__(self, delay: float = 0.4) -> None:
        self._delay = delay

    def preview(self, action: ProposedAction) -> RequestPreview:
        """What would be asked of a connector, if there were one."""
        facts, target = VERBS[action.verb], action.target
        return RequestPreview(
            connector=self.name, simulated=True, method="SIMULATE",
            body={"verb": action.verb.value, "target": target.model_dump(mode="json"),
                  "parameters": dict(action.parameters)},
            undo=f"{VERBS[facts.inverse].label}, as a new action" if facts.inverse else "",
        )  # fmt: skip

    async def act(self, action: ProposedAction, gate: Callable[[], None]) -> Outcome:
        """Pass the gate as a real connector would, wait a little, and report a success labelled as simulated."""
        gate()
        await asyncio.sleep(self._delay)
        label = VERBS[action.verb].label
        return Outcome(
            result=Result.SUCCEEDED, detail=f"simulated: nothing was done ({label})", response=_answer(action)
        )


def _answer(action: ProposedAction) -> str:
    answer: dict[str, object] = {"simulated": True}
    if action.verb is Verb.CREATE_TICKET:
        answer["key"] = f"SIM-{action.id.int % 10_000:04d}"
    return json.dumps(answer)
