"""A source's allowance."""

from __future__ import annotations

from warden_desktop.adapters.webhook.limits import Quota


def test_an_allowance_fills_up_again_and_is_each_sources_own() -> None:
    clock = [0.0]
    quota = Quota(rate=2, burst=4, clock=lambda: clock[0])
    assert [quota.charge("a") for _ in range(5)] == [0, 0, 0, 0, 1]
    assert quota.charge("b") == 0
    clock[0] = 1.0
    assert [quota.charge("a") for _ in range(3)] == [0, 0, 1]
    clock[0] = 100.0
    assert [quota.charge("a", 4), quota.charge("a")] == [0, 1]


def test_a_delivery_larger_than_the_whole_allowance_waits_for_a_full_one() -> None:
    clock = [0.0]
    quota = Quota(rate=1, burst=4, clock=lambda: clock[0])
    assert quota.charge("a", 10) == 0
    assert quota.charge("a", 1) == 7
    clock[0] = 9.0
    assert quota.charge("a", 10) == 1
    clock[0] = 10.0
    assert quota.charge("a", 10) == 0
