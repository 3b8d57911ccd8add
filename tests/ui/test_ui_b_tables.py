"""The pages of actions and events: complete, in order, calm under change, and only ever text."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from tests.ui.gallery_b import HOSTILE, HOSTILE_HOST
from tests.ui.press_b import click, key, until
from tests.ui.world_b import ACTOR, World, world
from warden_desktop.domain import events as ev
from warden_desktop.domain.action import ActionState, ProposedAction, Target, Verb
from warden_desktop.domain.alert import ObservableType
from warden_desktop.domain.incident import Action
from warden_desktop.domain.record import now
from warden_desktop.engine.ports import Recorded
from warden_desktop.ui.action_columns import LEDGER_COLUMNS, CellLooks
from warden_desktop.ui.action_model import ActionModel, ActionRow
from warden_desktop.ui.actions_page import ActionsPage
from warden_desktop.ui.approvals_page import ApprovalsPage
from warden_desktop.ui.live_model import LiveModel
from warden_desktop.ui.live_page import LivePage
from warden_desktop.ui.theme import Theme

STRICT = QAbstractItemModelTester.FailureReportingMode.Fatal


def batch(w: World) -> list[Recorded]:
    return list(w.events.drain().events)


def cells(model: QAbstractItemModel) -> list[list[str]]:
    columns = range(model.columnCount())
    return [[str(model.index(row, column).data()) for column in columns] for row in range(model.rowCount())]


def a_row(number: int, state: ActionState) -> ActionRow:
    proposed = ProposedAction(
        id=UUID(int=number + 1), incident_id=uuid4(), verb=Verb.BLOCK_IP,
        target=Target(type=ObservableType.IP, value=f"203.0.113.{number}"), proposed_by="playbook:x", connector="acme",
        expires_at=now() + timedelta(hours=1),
    )  # fmt: skip
    return ActionRow(Action(proposed=proposed, state=state, asked_at=now()), proposed.incident_id, f"incident {number}")


def test_the_model_keeps_qts_promises_through_a_storm_of_changes(qtbot: QtBot) -> None:
    theme = Theme("dark")
    model = ActionModel(LEDGER_COLUMNS, CellLooks(theme, LEDGER_COLUMNS), theme)
    tester = QAbstractItemModelTester(model, STRICT)
    dice, states = random.Random(7), list(ActionState)
    model.sort(0, Qt.SortOrder.DescendingOrder)
    wanted = frozenset(states[:6])
    model.show_only(lambda row: row.action.state in wanted)
    for _ in range(600):
        model.put(a_row(dice.randrange(40), dice.choice(states)))
        if dice.random() < 0.02:
            model.sort(dice.randrange(len(LEDGER_COLUMNS)), dice.choice(list(Qt.SortOrder)))
    shown = [model.row(position) for position in range(model.rowCount())]
    assert {row.action.id for row in shown} == {
        row.action.id for row in model.everything() if row.action.state in wanted
    }
    assert all(model.position(row.action.id) == position for position, row in enumerate(shown))
    assert tester.model() is model


def test_the_table_stays_sorted_while_rows_change(qtbot: QtBot) -> None:
    theme = Theme("dark")
    model = ActionModel(LEDGER_COLUMNS, CellLooks(theme, LEDGER_COLUMNS), theme)
    dice, states = random.Random(3), list(ActionState)
    for order in Qt.SortOrder:
        model.sort(0, order)
        for _ in range(200):
            model.put(a_row(dice.randrange(30), dice.choice(states)))
        ranks = [states.index(model.row(position).action.state) for position in range(model.rowCount())]
        assert ranks == sorted(ranks, reverse=order is Qt.SortOrder.DescendingOrder)


async def test_approvals_lists_what_waits_most_urgent_first(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        page = ApprovalsPage(w.desk, w.start, Theme("dark"), ACTOR)
        qtbot.addWidget(page)
        counts: list[int] = []
        page.badge_changed.connect(counts.append)
        incident = await w.incident()
        later = await w.propose(incident, value="203.0.113.1", expires_in=timedelta(hours=2))
        sooner = await w.propose(incident, value="203.0.113.2", expires_in=timedelta(minutes=5))
        page.on_events(batch(w))
        assert [page.model.row(at).action.id for at in range(2)] == [sooner, later]
        assert counts[-1] == 2
        await w.desk.deny(sooner, reason="no", actor=ACTOR)
        page.on_events(batch(w))
        assert [row[2] for row in cells(page.model)] == ["203.0.113.1"]
        assert counts[-1] == 1


async def test_the_keys_of_approvals_open_and_deny(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        action_id = await w.propose(await w.incident())
        page = ApprovalsPage(w.desk, w.start, Theme("dark"), ACTOR)
        qtbot.addWidget(page)
        page.show()
        said: list[tuple[str, object]] = []
        page.open_wanted.connect(_noting(said, "open"))
        page.deny_wanted.connect(_noting(said, "deny"))
        for which in (Qt.Key.Key_Return, Qt.Key.Key_A, Qt.Key.Key_D):
            key(page.table, which)
        assert said == [("open", action_id), ("open", action_id), ("deny", action_id)]


def _noting(said: list[tuple[str, object]], word: str) -> Callable[[object], None]:
    return lambda what: said.append((word, what))


async def test_what_a_stop_held_is_listed_for_a_choice(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        page = ApprovalsPage(w.desk, w.start, Theme("dark"), ACTOR)
        qtbot.addWidget(page)
        w.desk.engage("connector:acme_edr", reason="test", actor=ACTOR)
        action_id = await w.propose(await w.incident())
        found = w.incidents.action(action_id)
        assert found is not None
        await w.desk.approve(action_id, digest=found[1].digest, actor=ACTOR)
        await w.settle()
        page.on_events(batch(w))
        assert [row[-1] for row in cells(page.model)] == ["Held by the kill switch"]


async def test_the_ledger_shows_every_action_and_filters_by_state(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        page = ActionsPage(w.desk, w.start, Theme("dark"), ACTOR)
        qtbot.addWidget(page)
        incident = await w.incident()
        denied, waiting = await w.propose(incident, value="203.0.113.1"), await w.propose(incident, value="203.0.113.2")
        await w.desk.deny(denied, reason="a partner's address", actor="analyst:bob")
        page.on_events(batch(w))
        assert sorted((row[0], row[2]) for row in cells(page.model)) == [
            ("Denied", "203.0.113.1"),
            ("Waiting for approval", "203.0.113.2"),
        ]
        page.chips.chosen.emit(frozenset({ActionState.DENIED}))
        assert [(row[0], row[5], row[7]) for row in cells(page.model)] == [("Denied", "bob", "a partner's address")]
        page.chips.chosen.emit(frozenset(ActionState))
        page.search.setText("113.2")
        assert [page.model.row(0).action.id, page.model.rowCount()] == [waiting, 1]


async def test_undo_proposes_the_inverse_as_a_new_action(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        action_id = await w.propose(await w.incident())
        found = w.incidents.action(action_id)
        assert found is not None
        await w.desk.approve(action_id, digest=found[1].digest, actor=ACTOR)
        await w.settle()
        page = ActionsPage(w.desk, w.start, Theme("dark"), ACTOR)
        qtbot.addWidget(page)
        page.show()
        page.go_to(action_id)
        click(page.detail.undo)
        await w.settle()
        page.on_events(batch(w))
        undo = next(row.action for row in page.model.everything() if row.action.verb is Verb.UNBLOCK_IP)
        assert undo.state is ActionState.WAITING
        assert undo.target.value == "203.0.113.7"
        assert undo.proposed.proposed_by == ACTOR


async def test_hostile_strings_stay_plain_and_short_in_every_cell(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        incident = await w.incident(HOSTILE, host=HOSTILE_HOST, analysed=False)
        await w.propose(incident, Verb.ISOLATE_HOST, HOSTILE_HOST, ObservableType.HOST, reason=HOSTILE)
        live = LivePage(w.desk, w.start, Theme("dark"), ACTOR)
        qtbot.addWidget(live)
        await until(lambda: live.model.total, "the tail is loaded")
        texts = [cell for row in cells(live.model) for cell in row]
        for kind in (ApprovalsPage, ActionsPage):
            page = kind(w.desk, w.start, Theme("dark"), ACTOR)
            qtbot.addWidget(page)
            texts += [cell for row in cells(page.model) for cell in row]
        assert any("<b>bold</b>" in text for text in texts)
        assert not any(bad in text for text in texts for bad in ("\u202e", "\u200b", "\x07", "\n"))
        assert max(map(len, texts)) < 2_000


def story(number: int) -> list[Recorded]:
    said = (ev.CommentAdded(incident_id=uuid4(), actor=ACTOR, text=f"word {seq % 3}") for seq in range(1, number + 1))
    return [Recorded(seq, event) for seq, event in enumerate(said, start=1)]


def test_the_tail_is_bounded_and_keeps_the_newest(qtbot: QtBot) -> None:
    theme = Theme("dark")
    model = LiveModel(theme, lambda _: "", theme, kept=100)
    tester = QAbstractItemModelTester(model, STRICT)
    events = story(350)
    for start in range(0, 350, 35):
        model.append(events[start : start + 35])
    assert model.rowCount() == model.total == 100
    assert [model.at(row).seq for row in (0, 99)] == [251, 350]
    model.show_only(frozenset(), "WORD 2")
    assert {model.at(row).seq % 3 for row in range(model.rowCount())} == {2}
    model.append(story(400)[350:])
    assert model.oldest == 301
    assert model.at(0).seq >= 301
    assert tester.model() is model


async def test_live_loads_the_past_follows_the_present_and_can_pause(qtbot: QtBot, tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.incident("before")
        page = LivePage(w.desk, w.start, Theme("dark"), ACTOR)
        qtbot.addWidget(page)
        page.show()
        await until(lambda: page.model.total == 3, "the past is loaded")
        batch(w)
        await w.incident("after")
        page.on_events(batch(w))
        assert [page.model.at(row).seq for row in range(6)] == [1, 2, 3, 4, 5, 6]
        click(page.pause)
        await w.incident("meanwhile")
        page.on_events(batch(w))
        assert page.model.total == 6
        click(page.pause)
        assert page.model.total == 9
        page.kinds.setCurrentIndex(page.kinds.findData("incident_created"))
        assert [row[5] for row in cells(page.model)] == ["high: before", "high: after", "high: meanwhile"]
