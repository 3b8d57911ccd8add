from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import time
import weakref
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from warden_desktop.loop import WardenLoop, make_loop

CLIENT: contextvars.ContextVar[str] = contextvars.ContextVar("CLIENT", default="nobody")


async def test_callbacks_run_in_the_order_they_were_scheduled(running: WardenLoop) -> None:
    order: list[int] = []
    for number in range(5000):  # more than fits into one slice
        running.call_soon(order.append, number)
    while len(order) < 5000:
        await asyncio.sleep(0)
    assert order == list(range(5000))


async def test_a_callback_scheduled_by_a_callback_waits_its_turn(running: WardenLoop) -> None:
    order: list[str] = []

    def first() -> None:
        order.append("first")
        running.call_soon(order.append, "third")

    running.call_soon(first)
    running.call_soon(order.append, "second")
    await asyncio.sleep(0.001)
    assert order == ["first", "second", "third"]


async def test_a_cancelled_callback_never_runs(running: WardenLoop) -> None:
    ran: list[str] = []
    running.call_soon(ran.append, "cancelled").cancel()
    running.call_later(0.001, ran.append, "cancelled").cancel()
    await asyncio.sleep(0.005)
    assert ran == []


async def test_threads_schedule_without_losing_or_reordering_their_own(running: WardenLoop) -> None:
    seen: list[tuple[int, int]] = []
    done = asyncio.Event()

    def accept(thread: int, number: int) -> None:
        seen.append((thread, number))
        if len(seen) == 4 * 500:
            done.set()

    def schedule(thread: int) -> None:
        for number in range(500):
            running.call_soon_threadsafe(accept, thread, number)

    threads = [threading.Thread(target=schedule, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    await done.wait()
    for thread in threads:
        thread.join()
    for number in range(4):
        assert [n for thread_number, n in seen if thread_number == number] == list(range(500))


async def test_a_sleeping_loop_is_woken_by_a_thread(running: WardenLoop) -> None:
    woken = asyncio.Event()
    timer = threading.Timer(0.02, running.call_soon_threadsafe, [woken.set])
    timer.start()
    await woken.wait()
    timer.join()
    assert woken.is_set()


async def test_a_sleeping_loop_is_woken_by_a_qt_slot(running: WardenLoop) -> None:
    called, due = asyncio.Event(), asyncio.Event()

    def slot() -> None:
        running.call_soon(called.set)
        running.call_later(0.005, due.set)

    QTimer.singleShot(10, slot)
    await called.wait()
    await due.wait()
    assert called.is_set()


async def test_context_variables_follow_a_callback_through_a_thread(running: WardenLoop) -> None:
    seen = running.create_future()

    def schedule() -> None:
        CLIENT.set("analyst")
        running.call_soon_threadsafe(lambda: seen.set_result(CLIENT.get()))

    thread = threading.Thread(target=schedule)
    thread.start()
    assert await seen == "analyst"
    thread.join()
    assert CLIENT.get() == "nobody"


async def test_an_explicit_context_is_used(running: WardenLoop) -> None:
    context = contextvars.copy_context()
    context.run(CLIENT.set, "given")
    seen: list[str] = []
    running.call_soon(lambda: seen.append(CLIENT.get()), context=context)
    running.call_later(0, lambda: seen.append(CLIENT.get()), context=context)
    running.call_soon_threadsafe(lambda: seen.append(CLIENT.get()), context=context)
    await asyncio.sleep(0.005)
    assert seen == ["given"] * 3


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(min_value=0, max_value=0.02), min_size=1, max_size=30))
def test_timers_never_fire_early_and_fire_in_order(delays: list[float]) -> None:
    application = QApplication.instance()
    assert application is not None
    fired: list[tuple[float, float]] = []

    def fire(when: float) -> None:
        fired.append((when, time.monotonic()))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for delay in delays:
            when = loop.time() + delay
            loop.call_at(when, fire, when)
        while len(fired) < len(delays):
            await asyncio.sleep(0.001)

    with asyncio.Runner(loop_factory=lambda: make_loop(application)) as runner:
        runner.run(main())
    assert all(now >= when for when, now in fired)
    assert [when for when, _now in fired] == sorted(when for when, _now in fired)


async def test_an_earlier_timer_overtakes_a_later_one(running: WardenLoop) -> None:
    order: list[str] = []
    running.call_later(0.05, order.append, "late")
    await asyncio.sleep(0.005)
    running.call_later(0.005, order.append, "early")
    await asyncio.sleep(0.08)
    assert order == ["early", "late"]


async def test_cancelled_timers_free_what_they_hold(running: WardenLoop) -> None:
    class Payload:
        pass

    payloads = [Payload() for _ in range(1000)]
    alive = weakref.WeakSet(payloads)
    timers = [running.call_later(3600, id, payload) for payload in payloads]
    kept = running.call_later(3600, id, None)
    for timer in timers:
        timer.cancel()
    handles = weakref.WeakSet(timers)
    timers.clear()
    payloads.clear()
    del timer
    gc.collect()
    assert len(alive) <= 1  # the loop variable of the comprehension above
    assert len(handles) <= 100
    assert not kept.cancelled()
    kept.cancel()


async def test_timers_survive_the_removal_of_cancelled_ones(running: WardenLoop) -> None:
    fired: list[int] = []
    timers = [running.call_later(0.001 + number / 100_000, fired.append, number) for number in range(1000)]
    for number, timer in enumerate(timers):
        if number % 4:
            timer.cancel()
    await asyncio.sleep(0.05)
    assert fired == list(range(0, 1000, 4))


async def test_a_deadline_beyond_what_a_qt_timer_counts_is_accepted(running: WardenLoop) -> None:
    fired: list[str] = []
    timer = running.call_later(400 * 86_400, fired.append, "in a year")
    await asyncio.sleep(0.005)
    assert fired == []
    timer.cancel()


async def test_an_exception_in_a_callback_reaches_the_handler_and_the_loop_goes_on(running: WardenLoop) -> None:
    contexts: list[dict[str, Any]] = []
    running.set_exception_handler(lambda _loop, context: contexts.append(context))
    running.call_soon(lambda: 1 / 0)
    running.call_later(0.001, lambda: [][0])
    running.call_soon_threadsafe(lambda: CLIENT.name.index("missing"))
    await asyncio.sleep(0.01)
    assert [type(context["exception"]) for context in contexts] == [ZeroDivisionError, ValueError, IndexError]


async def test_frames_go_on_while_callbacks_flood(running: WardenLoop) -> None:
    frames = 0
    flooding = True

    def frame() -> None:
        nonlocal frames, flooding
        frames += 1
        flooding = frames < 20

    def flood() -> None:
        if flooding:
            running.call_soon(flood)
            running.call_soon(id, None)

    timer = QTimer()
    timer.timeout.connect(frame)
    timer.start(1)
    flood()
    while flooding:
        await asyncio.sleep(0)
    timer.stop()
    assert frames >= 20


async def test_qt_gets_the_thread_in_the_middle_of_a_long_generation(running: WardenLoop) -> None:
    order: list[str] = []
    timer = QTimer()
    timer.timeout.connect(lambda: order.append("frame"))
    timer.start(1)
    for _ in range(100):
        running.call_soon(time.sleep, 0.001)
        running.call_soon(order.append, "callback")
    while order.count("callback") < 100:
        await asyncio.sleep(0)
    timer.stop()
    between = order[order.index("callback") : 100]
    assert between.count("frame") >= 10


async def test_a_callback_that_stalls_is_named(running: WardenLoop) -> None:
    slow: list[tuple[str, float]] = []
    running.on_slow_callback = lambda name, seconds: slow.append((name, seconds))

    def stalls() -> None:
        time.sleep(0.05)

    async def stalls_too() -> None:
        time.sleep(0.06)

    running.call_soon(stalls)
    async with asyncio.TaskGroup() as group:
        group.create_task(stalls_too(), name="job")
    names = [name for name, seconds in slow if seconds >= 0.05]
    assert names[0].endswith(".stalls")
    assert names[1].startswith("job [") and names[1].endswith(".stalls_too]")
    assert running.longest[1] >= 0.06
    running.longest = ("", 0.0)
    await asyncio.sleep(0)
    assert running.longest[1] < 0.05


async def test_an_error_in_the_stall_watch_is_reported_and_not_fatal(running: WardenLoop) -> None:
    contexts: list[dict[str, Any]] = []
    running.set_exception_handler(lambda _loop, context: contexts.append(context))

    def broken(_name: str, _seconds: float) -> None:
        raise ValueError

    running.on_slow_callback = broken
    running.call_soon(time.sleep, 0.02)
    await asyncio.sleep(0.001)
    running.on_slow_callback = None
    assert [type(context["exception"]) for context in contexts] == [ValueError]
