"""Whether the log is what it was: its chain, the checkpoints in it, those kept elsewhere, and what was archived."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from pathlib import Path

import apsw

from warden_desktop.adapters.journal import chain, export
from warden_desktop.adapters.journal.chain import Verification
from warden_desktop.adapters.journal.notary import checkpoints
from warden_desktop.adapters.journal.signing import Checkpoint


def verify(
    connection: apsw.Connection, folder: Path, trusted: Collection[bytes], kept: Sequence[Checkpoint] = ()
) -> Verification:
    """Check everything. `trusted` are the public keys that may have signed; `kept` are checkpoints kept elsewhere."""
    begin = chain.beginning(connection)
    found = chain.verify(connection)._replace(archived=begin.seq)
    archives, notes = _archives(connection, folder, trusted, kept)
    problems = [*archives, *_signatures(connection, found, trusted, kept), *_unanchored(connection, begin, trusted)]
    if not found.ok and found.first_bad is not None:
        problems.append((found.first_bad, found.problem))
    signed = len(checkpoints(connection)) + len(kept)
    if not problems:
        return found._replace(checkpoints=signed, notes=notes)
    first_bad, problem = min(problems)
    good = min(found.entries, first_bad - 1)
    return found._replace(ok=False, entries=good, first_bad=first_bad, problem=problem, notes=notes)


Problem = tuple[int, str]


def _signatures(
    connection: apsw.Connection, found: Verification, trusted: Collection[bytes], kept: Sequence[Checkpoint]
) -> Iterable[Problem]:
    """Those that do not fit; what lies between the last one that does and the first that does not, is in doubt."""
    good = 0
    for one in sorted((*kept, *checkpoints(connection)), key=attrgetter("size")):  # Those kept elsewhere come first.
        wrong = _wrong(one, trusted)
        if not wrong and one.size < found.archived:
            continue
        if not wrong and one.size > found.entries:
            if found.ok:
                lost = f"the log ends at entry {found.entries}, but a checkpoint says that it had {one.size}"
                yield found.entries + 1, lost
            continue
        if not wrong and _hash(connection, one.size) != one.head:
            wrong = f"entry {one.size} is not the one that was signed: entries from {good + 1} on were written anew"
        if wrong:
            yield min(good + 1, one.size), wrong
        else:
            good = one.size


def _wrong(one: Checkpoint, trusted: Collection[bytes]) -> str:
    if one.key not in trusted:
        return f"the checkpoint of entry {one.size} is signed by another key, {one.key.hex()}"
    return "" if one.genuine else f"the signature of the checkpoint of entry {one.size} is false"


def _hash(connection: apsw.Connection, seq: int) -> bytes | None:
    begin = chain.beginning(connection)
    return begin.head if seq == begin.seq else chain.hash_of(connection, seq)


def _unanchored(connection: apsw.Connection, begin: chain.Beginning, trusted: Collection[bytes]) -> Iterable[Problem]:
    """A log that follows on from an archive needs a checkpoint that says so."""
    if begin.seq and not any(one.size == begin.seq for one in checkpoints(connection)):
        yield begin.seq, f"nothing signed says that the log begins after entry {begin.seq}"


def _archives(
    connection: apsw.Connection, folder: Path, trusted: Collection[bytes], kept: Sequence[Checkpoint]
) -> tuple[list[Problem], tuple[str, ...]]:
    problems: list[Problem] = []
    notes: list[str] = []
    head, after = chain.GENESIS, 0
    for first, last, sealed, file in connection.execute("SELECT first, last, head, file FROM archive ORDER BY last"):
        if first != after + 1:
            problems.append((after + 1, f"no archive has entries {after + 1} to {first - 1}"))
        path = folder / file
        if path.exists():
            problems += _archive(path, chain.Beginning(first - 1, head), chain.Beginning(last, sealed), trusted, kept)
        else:
            notes.append(f"entries {first} to {last} are in {file}, which is not here and was not checked")
        head, after = sealed, last
    return problems, tuple(notes)


def _archive(
    path: Path, begin: chain.Beginning, end: chain.Beginning, trusted: Collection[bytes], kept: Sequence[Checkpoint]
) -> Iterable[Problem]:
    try:
        wanted = {one.size: one.head for one in kept if begin.seq < one.size <= end.seq}
        with gzip.open(path) as content:
            found = export.check(content, begin, wanted)
    except export.ExportError as error:
        yield error.first_bad, f"{path.name}: {error}"
        return
    except (OSError, EOFError, zlib.error) as error:
        yield begin.seq + 1, f"{path.name} cannot be read: {error}"
        return
    if (found.last, found.head) != end:
        yield begin.seq + 1, f"{path.name} is not the archive of entries {begin.seq + 1} to {end.seq}"
    for one in found.checkpoints:
        if one.key not in trusted:
            yield begin.seq + 1, f"{path.name}: {_wrong(one, trusted)}"
