"""The log as a file that anybody can check without this program: JSON lines, described in resources/help/audit.md.

    header       {"format", "first", "before", "key"}: the first entry's seq, the hash it follows on from, and the key
                 that signs here, in hex
    entry        {"seq", "version", "at", "id", "incident", "kind", "body", "hash"}, for each entry; the body is text,
                 or in "body64" when it is not UTF-8
    checkpoint   {"format", "size", "head", "at", "key", "signature"}, right after the entry it is about
    end          {"end", "head", "checkpoints"}: the last seq and its hash, so that a file that was cut short shows

Nothing here needs more memory than a line.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import apsw
import orjson

from warden_desktop.adapters.journal import chain
from warden_desktop.adapters.journal.notary import checkpoints
from warden_desktop.adapters.journal.signing import FORMAT as CHECKPOINT
from warden_desktop.adapters.journal.signing import Checkpoint, parse

FORMAT = "warden-desktop audit export 1"


class Contents(NamedTuple):
    """What a file holds, once all of it was checked."""

    first: int
    last: int
    head: bytes
    key: bytes
    checkpoints: tuple[Checkpoint, ...]


class ExportError(Exception):
    """The file is not what it should be; `first_bad` is the seq from which on it cannot be trusted."""

    def __init__(self, problem: str, first_bad: int) -> None:
        super().__init__(problem)
        self.first_bad = first_bad


def lines(connection: apsw.Connection, begin: chain.Beginning, upto: int | None, key: bytes) -> Iterator[bytes]:
    """The export of the entries after `begin`, up to entry `upto`. Wants a read transaction around it."""
    yield _line({"format": FORMAT, "first": begin.seq + 1, "before": begin.head.hex(), "key": key.hex()})
    last, head = begin
    signed = {one.size: one for one in checkpoints(connection, begin.seq, upto)}
    for row in chain.rows(connection, begin.seq, upto):
        yield _line(_fields(row))
        last, head = row[0], row[7]
        if last in signed:
            yield _line(signed[last].as_fields())
    yield _line({"end": last, "head": head.hex(), "checkpoints": len(signed)})


def check(
    content: Iterable[bytes], begin: chain.Beginning | None = None, kept: Mapping[int, bytes] | None = None
) -> Contents:
    """Check every line; that it follows on from `begin`, if given; and that the entries numbered in `kept` have those
    hashes. Raises ExportError."""
    told = _parsed(content)
    header = next(told, {})
    if header.get("format") != FORMAT:
        raise ExportError(f"its first line does not say {FORMAT!r}", begin.seq + 1 if begin else 1)
    return _Checker(header, begin, kept or {}).check(told)


class _Checker:
    def __init__(self, header: dict[str, Any], begin: chain.Beginning | None, kept: Mapping[int, bytes]) -> None:
        try:
            self._first = int(header["first"])
            self._head = bytes.fromhex(header["before"])
            self._key = bytes.fromhex(header["key"])
        except (KeyError, TypeError, ValueError) as error:
            raise ExportError(f"its first line is not a header: {error!r}", 1) from error
        self._seq = self._first - 1
        if begin is not None and (self._seq, self._head) != begin:
            raise ExportError(f"it does not follow on from entry {begin.seq}", begin.seq + 1)
        self._kept = kept
        self._signed: list[Checkpoint] = []

    def check(self, told: Iterator[dict[str, Any]]) -> Contents:
        for line in told:
            if "hash" in line:
                self._entry(line)
            elif line.get("format") == CHECKPOINT:
                self._signed.append(self._checkpoint(line))
            else:
                return self._end(line, told)
        raise ExportError("its end is missing", self._seq + 1)

    def _entry(self, line: dict[str, Any]) -> None:
        expected = self._seq + 1
        try:
            row = _row(line)
            found = chain.check([row], self._seq, self._head)
        except (KeyError, TypeError, ValueError) as error:
            raise ExportError(f"entry {expected} is not in the form of an entry: {error!r}", expected) from error
        if not found.ok:
            raise ExportError(found.problem, expected)
        self._seq, self._head = found.entries, found.head
        if self._kept.get(self._seq, self._head) != self._head:
            raise ExportError(f"entry {expected} is not the one in the checkpoint kept elsewhere", self._first)

    def _checkpoint(self, line: dict[str, Any]) -> Checkpoint:
        try:
            one = parse(orjson.dumps(line).decode())
        except ValueError as error:
            raise ExportError(f"a checkpoint cannot be read: {error}", self._trusted) from error
        if not one.genuine or (one.size, one.head) != (self._seq, self._head):
            raise ExportError(f"the checkpoint of entry {one.size} does not fit what is before it", self._trusted)
        return one

    @property
    def _trusted(self) -> int:
        return self._signed[-1].size + 1 if self._signed else self._first

    def _end(self, line: dict[str, Any], told: Iterator[dict[str, Any]]) -> Contents:
        stated = (line.get("end"), line.get("head"), line.get("checkpoints"))
        if stated != (self._seq, self._head.hex(), len(self._signed)):
            raise ExportError("its last line does not fit what is before it", self._seq + 1)
        if next(told, None) is not None:
            raise ExportError("something follows its last line", self._seq + 1)
        return Contents(self._first, self._seq, self._head, self._key, tuple(self._signed))


def _fields(row: chain.Row) -> dict[str, object]:
    seq, id, kind, at, incident, version, body, hash = row
    owner = None if incident is None else incident.hex()
    fields = {"seq": seq, "version": version, "at": at, "id": id.hex(), "incident": owner, "kind": kind}
    return {**fields, **_body(body), "hash": hash.hex()}


def _body(body: bytes) -> dict[str, object]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body64": base64.b64encode(body).decode()}


def _row(line: dict[str, Any]) -> chain.Row:
    incident = None if line["incident"] is None else bytes.fromhex(line["incident"])
    body = line["body"].encode() if "body" in line else base64.b64decode(line["body64"], validate=True)
    sealed = bytes.fromhex(line["hash"])
    return line["seq"], bytes.fromhex(line["id"]), line["kind"], line["at"], incident, line["version"], body, sealed


def _parsed(content: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(content, 1):
        try:
            told = orjson.loads(line)
        except ValueError as error:
            raise ExportError(f"line {number} is not JSON: {error}", number) from error
        if not isinstance(told, dict):
            raise ExportError(f"line {number} is not a JSON object", number)
        yield told


def _line(fields: dict[str, object]) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
