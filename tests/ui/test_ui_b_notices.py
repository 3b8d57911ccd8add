"""What interrupts: the banner for what does not work, and notifications that keep to their budget."""

from __future__ import annotations

from uuid import UUID, uuid4

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.ui.gallery_b import HOSTILE
from tests.ui.press_b import click, until
from warden_desktop.domain.alert import Severity
from warden_desktop.domain.events import FaultRaised
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.banner import Banner
from warden_desktop.ui.notices import Budget, Notice, Notices, digest
from warden_desktop.ui.theme import Theme

SOMEWHERE = UUID(int=1)


def words(banner: Banner) -> str:
    return "\n".join(one.text() for one in banner.findChildren(QLabel) if one.isVisible())


def test_a_fault_shows_its_cause_until_it_is_dismissed(qtbot: QtBot) -> None:
    banner = Banner(Theme("dark"))
    qtbot.addWidget(banner)
    assert banner.isHidden()
    fault = FaultRaised(actor="journal", component="journal", severity=Severity.CRITICAL, detail="The disk is full.")
    banner.on_events([Recorded(1, fault)])
    assert banner.isVisible()
    assert "The disk is full." in words(banner)
    assert banner.property("tone") == "danger"
    click(banner.dismiss)
    assert banner.isHidden()


def test_the_worst_fault_comes_first_and_repeats_are_counted(qtbot: QtBot) -> None:
    banner = Banner(Theme("light"))
    qtbot.addWidget(banner)
    banner.show_fault("journal", "The disk is full.", Severity.CRITICAL)
    banner.show_fault("enricher", "It does not answer.", Severity.LOW)
    banner.show_fault("journal", "The disk is full.", Severity.CRITICAL)
    assert "The disk is full.  (2 times)" in words(banner)
    assert "and 1 more" in words(banner)
    click(banner.dismiss)
    assert "It does not answer." in words(banner)
    assert banner.property("tone") == "warn"


def test_a_storm_of_faults_is_bounded_and_stays_text(qtbot: QtBot) -> None:
    banner = Banner(Theme("dark"))
    qtbot.addWidget(banner)
    for number in range(500):
        banner.show_fault(f"part {number}", HOSTILE, Severity.HIGH)
    assert banner.faults == 50
    assert "<b>bold</b>" in words(banner)
    assert "\u202e" not in words(banner)


def test_the_budget_allows_so_many_in_a_window() -> None:
    budget = Budget(2, window=1_000)
    for now in (0, 100):
        assert budget.wait(now) == 0
        budget.spend(now)
    assert budget.wait(200) == 800
    assert budget.wait(1_000) == 0
    assert Budget(0).wait(0) is None


async def test_what_comes_together_is_told_together(qtbot: QtBot) -> None:
    parent = Theme("dark")
    notices = Notices(1, parent, gather=20)
    told: list[tuple[str, str]] = []
    notices.told.connect(lambda title, text, _: told.append((title, text)))
    notices.add([Notice(True, "Isolate host: web-01", uuid4()), Notice(False, "Ransomware note", uuid4())])
    notices.add([Notice(True, "Block address: 203.0.113.7", uuid4())])
    await until(lambda: told, "a digest is told")
    assert told == [
        (
            "Warden: 2 approvals waiting, 1 critical incident",
            "Isolate host: web-01\nRansomware note\nBlock address: 203.0.113.7",
        )
    ]
    notices.quiet = True
    notices.add([Notice(True, "later", uuid4())])
    assert len(told) == 1


def test_a_notification_holds_no_markup_and_no_trick() -> None:
    title, text = digest([Notice(False, HOSTILE, SOMEWHERE)] * 3)
    assert title == "Warden: 3 critical incidents"
    assert not set("<>&") & set(text)
    assert "\u202e" not in text
    assert len(text) < 800
