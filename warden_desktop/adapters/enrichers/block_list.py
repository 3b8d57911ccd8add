"""Looks observables up in local lists of known bad (and known good) addresses, networks, domains and hashes.

A list is a text file `NAME.txt`: one entry a line, `#` begins a comment, which is shown with a match. Headers in the
first lines: `# kind: block` (default) or `# kind: allow`, `# about: what the list is`. A domain covers its subdomains.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from warden_desktop.adapters.enrichers.observables import Extractor
from warden_desktop.adapters.enrichers.watched import Watched
from warden_desktop.domain.address import Address, unwrapped
from warden_desktop.domain.alert import Observable, ObservableType
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding

BYTES_AT_MOST = 64 * 1024 * 1024
OBSERVABLES_AT_MOST = 200

_HEADER = re.compile(r"^#\s*(kind|about)\s*:\s*(.{1,200})$")
_HASH = re.compile(r"^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})$")


class Entry(NamedTuple):
    """Where an entry stands and what its line says beside it."""

    list: str
    allows: bool
    line: int
    note: str


class Lists:
    """All lists, indexed: names and hashes by their text, networks by prefix length."""

    def __init__(self) -> None:
        self._texts: dict[str, list[Entry]] = {}
        self._networks: dict[tuple[int, int], dict[int, list[Entry]]] = {}

    def add(self, text: str, entry: Entry) -> None:
        """Add one entry. Raises ValueError when `text` is no address, network, domain or hash."""
        text = text.lower()
        if _HASH.match(text):
            self._texts.setdefault(text, []).append(entry)
        elif re.fullmatch(r"[0-9.]+(?:/\d+)?|[0-9a-f:.]*:[0-9a-f:.]*(?:/\d+)?", text):
            network = ipaddress.ip_network(text, strict=False)
            key = (network.version, network.prefixlen)
            self._networks.setdefault(key, {}).setdefault(int(network.network_address), []).append(entry)
        elif re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", text):
            self._texts.setdefault(text, []).append(entry)
        else:
            raise ValueError(f"{text[:80]!r} is no address, network, domain or hash")

    def matches(self, one: Observable) -> Iterator[Entry]:
        """The entries that cover `one`."""
        value = one.value.strip().lower()
        if one.type is ObservableType.IP:
            yield from self._covering(value)
        elif one.type is ObservableType.HASH:
            yield from self._texts.get(value.rpartition(":")[2], ())
        elif one.type is ObservableType.DOMAIN:
            labels = value.strip(".").split(".")
            for index in range(len(labels) - 1):
                yield from self._texts.get(".".join(labels[index:]), ())

    def _covering(self, value: str) -> Iterator[Entry]:
        try:
            address: Address = unwrapped(ipaddress.ip_address(value))
        except ValueError:
            return
        width = address.max_prefixlen
        for (version, length), networks in self._networks.items():
            if version == address.version:
                start = int(address) >> (width - length) << (width - length)
                yield from networks.get(start, ())


class BlockListEnricher:
    """Implements ports.Enricher. Findings "block_list" and "allow_list" (value: the list's name) per match."""

    name = "block_list"
    configured = True

    def __init__(self, extractor: Extractor, directories: Sequence[Path]) -> None:
        """`directories` hold `*.txt` lists; one that does not exist is empty."""
        self._extractor = extractor
        self._lists = Watched(lambda: _files(directories), read_lists)

    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        lists = await self._lists.value()
        observables = self._extractor.observables(incident)[:OBSERVABLES_AT_MOST]
        return tuple(_finding(one, entry) for one in observables for entry in lists.matches(one))


def read_lists(files: Sequence[Path]) -> Lists:
    """The lists in `files`. Raises ValueError naming file and line of an entry that is none."""
    lists = Lists()
    for path in files:
        if path.stat().st_size > BYTES_AT_MOST:
            raise ValueError(f"{path.name} is larger than {BYTES_AT_MOST >> 20} MiB, the limit for a list")
        _read(path, lists)
    return lists


def _read(path: Path, lists: Lists) -> None:
    allows = False
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            allows = allows or (header[1] == "kind" and header[2].strip() == "allow")
            continue
        text, _, note = line.partition("#")
        if text.strip():
            _add(lists, text.strip(), Entry(path.stem, allows, number, note.strip()[:200]), path)


def _add(lists: Lists, text: str, entry: Entry, path: Path) -> None:
    try:
        lists.add(text, entry)
    except ValueError as error:
        raise ValueError(f"{path.name}:{entry.line}: {error}; correct or remove the line") from error


def _files(directories: Sequence[Path]) -> list[Path]:
    return [path for directory in directories if directory.is_dir() for path in sorted(directory.glob("*.txt"))]


def _finding(one: Observable, entry: Entry) -> Finding:
    name = "allow_list" if entry.allows else "block_list"
    note = f": {entry.note}" if entry.note else ""
    detail = f"{one.value} is on the list {entry.list} (line {entry.line}{note})"
    return Finding(name=name, value=entry.list, detail=detail, observable=one.key, path=one.path)
