"""Dead letters: events a named subscriber gave up on, for a person to look at, retry or discard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from warden_desktop.domain.alert import Severity
from warden_desktop.domain.events import FaultRaised
from warden_desktop.engine.bus import Bus, PublishError
from warden_desktop.engine.errors import DeskError
from warden_desktop.engine.ports import DeadLetter, Journal, JournalError


class DeadLetters:
    """A letter is known by its subscriber's name and its event's number; it stays until it is retried with success or
    discarded, over any number of restarts.

    Methods raise DeskError: `not_found` for a letter that is gone, `not_recorded` when the journal does not answer.
    """

    def __init__(self, bus: Bus, journal: Journal) -> None:
        self._bus = bus
        self._journal = journal
        self._in_hand: set[tuple[str, int]] = set()

    async def list(self, subscriber: str | None = None) -> list[DeadLetter]:
        """All of them, or those of one subscriber, oldest first."""
        try:
            return await self._journal.dead_letters(subscriber)
        except JournalError as error:
            raise DeskError("not_recorded", str(error)) from error

    async def find(self, subscriber: str, seq: int) -> DeadLetter:
        """One letter, to look into."""
        for letter in await self.list(subscriber):
            if letter.recorded.seq == seq:
                return letter
        raise DeskError("not_found", f"{subscriber} has no dead letter of event {seq}; it may have been dealt with")

    async def retry(self, subscriber: str, seq: int) -> DeadLetter | None:
        """Have the subscriber handle the event once more, in turn with other events of its incident.

        None when it succeeded and the letter is gone; otherwise the letter, with the new error. Raises DeskError
        `not_possible` when the subscriber does not exist or the letter is being retried just now.
        """
        with self._in_turn(subscriber, seq):
            letter = await self.find(subscriber, seq)
            try:
                return await self._bus.subscription(subscriber).retry(letter)
            except LookupError as error:
                raise DeskError("not_possible", f"{error}; its letters can only be discarded") from error
            except JournalError as error:
                raise DeskError("not_recorded", str(error)) from error

    async def discard(self, subscriber: str, seq: int, *, actor: str, reason: str) -> None:
        """Give the event up for good; who did and why is recorded first. Raises DeskError `reason_required`."""
        if not reason.strip():
            raise DeskError("reason_required", "Say why the event need not be handled.")
        with self._in_turn(subscriber, seq):
            letter = await self.find(subscriber, seq)
            try:
                await self._bus.publish(_discarded(letter, actor, reason.strip()))
                await self._journal.remove_dead_letter(subscriber, seq)
            except (PublishError, JournalError) as error:
                raise DeskError("not_recorded", str(error)) from error
            with suppress(LookupError):
                self._bus.subscription(subscriber).forget(letter)

    @contextmanager
    def _in_turn(self, subscriber: str, seq: int) -> Iterator[None]:
        """A letter is dealt with by one person at a time."""
        key = subscriber, seq
        if key in self._in_hand:
            raise DeskError("not_possible", "This letter is being dealt with just now; look again in a moment.")
        self._in_hand.add(key)
        try:
            yield
        finally:
            self._in_hand.remove(key)


def _discarded(letter: DeadLetter, actor: str, reason: str) -> FaultRaised:
    event = letter.recorded.event
    return FaultRaised.because(
        event,
        actor=actor,
        part=f"discarded by {letter.subscriber}",
        component=f"subscriber {letter.subscriber}",
        severity=Severity.LOW,
        detail=f"Event {letter.recorded.seq} ({event.kind}) will not be handled: {reason}",
        context={"seq": letter.recorded.seq, "error": letter.error, "attempts": letter.attempts, "reason": reason},
    )
