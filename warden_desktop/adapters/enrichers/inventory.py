"""Who and what is concerned: assets and users from CSV files in the data directory.

`assets.csv`: name, address, owner, criticality (low, medium, high, critical), tags (separated by `;` or spaces).
`users.csv`: user, name, department, privileged (true or false), manager. Column order does not matter, and columns
beyond these are ignored; `name` of an asset and `user` of a user are needed. A missing file: "not configured".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from warden_desktop.adapters.enrichers.observables import found_observable
from warden_desktop.adapters.enrichers.watched import Watched
from warden_desktop.domain.alert import Observable, ObservableType
from warden_desktop.domain.incident import Incident
from warden_desktop.domain.verdict import Finding

CRITICALITY = ("", "low", "medium", "high", "critical")

Record = Mapping[str, JsonValue]


class Inventory(NamedTuple):
    """Assets by name, short name and address; users by login. Keys are in lower case."""

    assets: Mapping[str, Record]
    users: Mapping[str, Record]


class InventoryEnricher:
    """Implements ports.Enricher. Findings "asset" and "user", the most critical and privileged first; for an address
    that is an asset also its name as an observable, since responses act on names."""

    name = "inventory"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._inventory = Watched(lambda: _files(directory), read_inventory)

    @property
    def configured(self) -> bool:
        """Whether there is a file to read; two look-ups of a directory entry."""
        return bool(_files(self._directory))

    async def enrich(self, incident: Incident) -> Sequence[Finding]:
        inventory = await self._inventory.value()
        found = [finding for one in incident.observables for finding in _about(one, inventory)]
        named = [host for one in incident.observables for host in _named(one, inventory)]
        return [*sorted(found, key=_importance, reverse=True), *named]


def read_inventory(files: Sequence[Path]) -> Inventory:
    """The inventory in assets.csv and users.csv. Raises ValueError naming file and line."""
    assets: dict[str, Record] = {}
    users: dict[str, Record] = {}
    for path in files:
        if path.name == "assets.csv":
            _index(path, _asset, ("name", "address"), assets)
        else:
            _index(path, _user, ("user",), users)
    return Inventory(assets, users)


def _index(
    path: Path, make: Callable[[Mapping[str, str]], Record], keys: tuple[str, ...], into: dict[str, Record]
) -> None:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream)
        if keys[0] not in (rows.fieldnames or ()):
            raise ValueError(f"{path.name}:1: the column {keys[0]!r} is missing; the first line names the columns")
        for row in rows:
            cells = {name: (cell or "").strip() for name, cell in row.items() if isinstance(cell, str | None) and name}
            record = _made(make, cells, path, rows.line_num)
            for key in keys:
                for spelling in _spellings(cells.get(key, "")):
                    into.setdefault(spelling, record)


def _made(make: Callable[[Mapping[str, str]], Record], cells: Mapping[str, str], path: Path, line: int) -> Record:
    try:
        return make(cells)
    except ValueError as error:
        raise ValueError(f"{path.name}:{line}: {error}") from error


def _asset(cells: Mapping[str, str]) -> Record:
    criticality = cells.get("criticality", "").lower()
    if criticality not in CRITICALITY:
        raise ValueError(f"criticality is {criticality!r}, but must be low, medium, high or critical")
    tags: list[JsonValue] = [tag.lower() for tag in re.split(r"[;\s]+", cells.get("tags", "")) if tag]
    return {"name": cells["name"], "owner": cells.get("owner", ""), "criticality": criticality, "tags": tags}


def _user(cells: Mapping[str, str]) -> Record:
    privileged = cells.get("privileged", "").lower() in ("true", "yes", "1")
    told = {name: cells.get(name, "") for name in ("name", "department", "manager")}
    return {"user": cells["user"], **told, "privileged": privileged}


def _about(one: Observable, inventory: Inventory) -> Iterator[Finding]:
    if one.type in (ObservableType.HOST, ObservableType.IP):
        asset = _looked_up(one.value, inventory.assets)
        if asset:
            yield _finding("asset", asset, _asset_said(asset), one)
    elif one.type in (ObservableType.USER, ObservableType.EMAIL):
        user = _looked_up(one.value, inventory.users)
        if user:
            yield _finding("user", user, _user_said(user), one)


def _named(one: Observable, inventory: Inventory) -> Iterator[Finding]:
    asset = _looked_up(one.value, inventory.assets) if one.type is ObservableType.IP else None
    if asset:
        host = Observable(type=ObservableType.HOST, value=str(asset["name"]), role=one.role, path=one.path)
        yield found_observable(host, f"the inventory: it has the address {one.value}")


def _looked_up(value: str, records: Mapping[str, Record]) -> Record | None:
    return next((records[spelling] for spelling in _spellings(value) if spelling in records), None)


def _spellings(value: str) -> Iterator[str]:
    """`value` itself, without its DOMAIN\\ prefix, and its part before @; a host also by its first label."""
    plain = value.strip().lower()
    if not plain:
        return
    yield plain
    bare = plain.rpartition("\\")[2]
    if bare != plain:
        yield bare
    if "@" in bare:
        yield bare.partition("@")[0]
    elif re.search(r"[a-z]", bare) and "." in bare and ":" not in bare:
        yield bare.partition(".")[0]


def _asset_said(asset: Record) -> str:
    owner = f", owned by {asset['owner']}" if asset["owner"] else ""
    tags = asset["tags"]
    tagged = f"; tags: {', '.join(map(str, tags))}" if isinstance(tags, list) and tags else ""
    return f"{asset['name']} is an asset of {asset['criticality'] or 'unstated'} criticality{owner}{tagged}"


def _user_said(user: Record) -> str:
    role = "a privileged account" if user["privileged"] else "an ordinary account"
    place = f" in {user['department']}" if user["department"] else ""
    return f"{user['user']} ({user['name'] or 'no name'}) is {role}{place}"


def _importance(finding: Finding) -> int:
    value = finding.value
    assert isinstance(value, dict)
    if finding.name == "user":
        return 4 if value["privileged"] else 0
    return CRITICALITY.index(str(value["criticality"]))


def _finding(name: str, record: Record, detail: str, one: Observable) -> Finding:
    return Finding(name=name, value=dict(record), detail=detail, observable=one.key, path=one.path)


def _files(directory: Path) -> list[Path]:
    return [path for path in (directory / "assets.csv", directory / "users.csv") if path.is_file()]
