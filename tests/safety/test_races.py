"""Many hands on one action of the real application, a journal that fails, and policies that cannot be understood."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from tests.journeys.deliveries import web_shell
from tests.safety.console import Console, Witness, at_work, running, start, warden

ENDED = ("done", "failed", "unknown", "denied", "stale", "held")


@pytest.fixture
async def vendor() -> AsyncIterator[Witness]:
    async with at_work(Witness()) as running_vendor:
        yield running_vendor


async def isolation(console: Console) -> dict[str, object]:
    await console.post("wazuh", web_shell())
    return next(one for one in await console.waiting(3) if one["verb"] == "isolate_host")


async def test_many_approvals_at_once_make_one_call(tmp_path: Path, vendor: Witness) -> None:
    data = tmp_path / "data"
    async with running(data, vendor) as console:
        action = await isolation(console)
        line = ("approvals", "approve", str(action["id"]), "--data-dir", str(data))
        answers, *codes = await asyncio.gather(
            asyncio.gather(*(console.approve(action) for _ in range(20))), *(warden(*line) for _ in range(2))
        )
        assert Counter(status for status, _ in answers)[200] + codes.count(0) == 1
        await console.in_states({"done"}, [str(action["id"])])
        assert [key for _, key in vendor.arrivals] == [action["id"]]


async def test_approving_and_denying_at_once_has_one_outcome(tmp_path: Path, vendor: Witness) -> None:
    async with running(tmp_path / "data", vendor) as console:
        for number in range(8):
            await console.post("wazuh", web_shell(number, f"web-{number}"))
        waiting = await console.waiting(24)
        denial = {"reason": "not this one"}
        outcomes = await asyncio.gather(
            *(console.approve(one) for one in waiting),
            *(console.ask("POST", f"/api/approvals/{one['id']}/deny", denial) for one in waiting),
        )
        after = await console.in_states({"done", "denied"}, [one["id"] for one in waiting])
        assert Counter(status for status, _ in outcomes) == {200: len(waiting), 409: len(waiting)}
        done = sorted(one["id"] for one in waiting if after[one["id"]]["state"] == "done")
        assert sorted(key for _, key in vendor.arrivals) == done


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"digest": "0" * 64}, "changed"),
        ({"digest": ""}, None),
        ({"level": "god"}, "wrong_shape"),
        ({"level": "Manager"}, "wrong_shape"),
        ({"digest": 7}, "wrong_shape"),
    ],
)
async def test_an_approval_of_something_else_is_refused(
    said: dict[str, object], code: str | None, tmp_path: Path, vendor: Witness
) -> None:
    async with running(tmp_path / "data", vendor) as console:
        action = await isolation(console)
        status, answer = await console.approve(action, **said)
        if code is not None:
            assert (status >= 400, answer["error"]) == (True, code)
            await asyncio.sleep(0.2)
            assert vendor.arrivals == []


async def test_while_another_process_holds_the_journal_nothing_starts_and_then_only_what_was_told(
    tmp_path: Path, vendor: Witness
) -> None:
    data = tmp_path / "data"
    async with running(data, vendor, WARDEN_JOURNAL_PATIENCE="1") as console:
        action = await isolation(console)
        lock = apsw.Connection(str(data / "warden.db"))
        try:
            lock.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            lock.close()  # the application does not let anybody else have it: then nobody can hold it either
            return
        status, answer = await console.approve(action)
        await asyncio.sleep(0.5)
        assert (status, vendor.arrivals) == (503, []), answer
        lock.execute("ROLLBACK")
        lock.close()
        after = await console.in_states({"waiting", *ENDED}, [str(action["id"])])
        await asyncio.sleep(1.0)
        after = await console.actions()
        assert after[str(action["id"])]["state"] in ("waiting", "held"), "it ran after it was said not to"
        assert vendor.arrivals == []


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("", "guardrails.yaml"),
        ("# nothing\n", "guardrails.yaml"),
        ("[]\n", "guardrails.yaml"),
        ("name: [\n", "guardrails.yaml:"),
        ("nmae: mine\n", "nmae"),
        ("protected: {asets: []}\n", "asets"),
        ("protected:\n  networks:\n    - {match: 10.0.0.0/33, reason: r}\n", "10.0.0.0/33"),
        ("auto_approve:\n  - {name: a, verbs: [notify], when: 'incident.verdict =='}\n", "guardrails.yaml:2"),
        ("auto_approve:\n  - {name: a, verbs: [notify], when: 'shell(\"id\")'}\n", "shell"),
        ("auto_approve:\n  - {name: a, verbs: [format_disk], when: 'true'}\n", "auto_approve"),
        ("limits: {block_ip: {per_hour: -1}}\n", "per_hour"),
        ("limits: {block_ip: {per_hour: 1}}\nlimits: {}\n", "limits"),
        ("approval_levels: {isolate_host: nobody}\n", "isolate_host"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n", "guardrails.yaml"),
        ("!!python/object/apply:os.system ['id']\n", "guardrails.yaml"),
        ("name: \udcff\n", "guardrails.yaml"),
    ],
)
async def test_a_policy_that_cannot_be_understood_stops_the_start(
    content: str, names: str, tmp_path: Path, vendor: Witness
) -> None:
    (code, said) = await started_with(tmp_path, vendor, content)
    assert code == 2, said
    assert "guardrails" in said
    assert names in said


async def test_a_policy_that_leads_nowhere_stops_the_start(tmp_path: Path, vendor: Witness) -> None:
    packs = tmp_path / "data" / "packs"
    packs.mkdir(parents=True, mode=0o700)
    (tmp_path / "data").chmod(0o700)
    (packs / "guardrails.yaml").symlink_to(tmp_path / "unmounted" / "guardrails.yaml")
    code, said = await started_with(tmp_path, vendor, None)
    assert code == 2, said
    assert "guardrails.yaml" in said


async def started_with(tmp_path: Path, vendor: Witness, content: str | None) -> tuple[int | None, str]:
    """Exit code and words of an application with this guardrails.yaml; it is ended should it start after all."""
    data, ready = tmp_path / "data", tmp_path / "ready"
    (data / "packs").mkdir(parents=True, mode=0o700, exist_ok=True)
    data.chmod(0o700)
    if content is not None:
        (data / "packs" / "guardrails.yaml").write_bytes(content.encode("utf-8", "surrogateescape"))
    process = await start(data, ready, vendor.url, "", {}, stderr=asyncio.subprocess.PIPE)
    async with asyncio.TaskGroup() as group:
        ending = group.create_task(process.communicate())
        while not ending.done() and not ready.exists():
            await asyncio.sleep(0.02)
        if ready.exists():
            process.terminate()
    _, said = ending.result()
    return (0 if ready.exists() else process.returncode), said.decode()
