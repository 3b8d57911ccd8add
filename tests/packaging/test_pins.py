"""What is declared is pinned, and what is pinned is what runs."""

from __future__ import annotations

import tomllib
from importlib.metadata import distributions
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]


def pins() -> dict[str, str]:
    lines = (CHECKOUT / "packaging" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def declared() -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = chain.from_iterable(project["project"]["optional-dependencies"].values())
    texts = [*project["build-system"]["requires"], *project["project"]["dependencies"], *extras]
    return [wanted for wanted in map(Requirement, texts) if wanted.name != "warden-desktop"]


def test_every_declared_package_is_pinned_to_a_version_it_allows() -> None:
    pinned = pins()
    wrong = [
        str(wanted) for wanted in declared() if pinned.get(canonicalize_name(wanted.name), "") not in wanted.specifier
    ]
    assert wrong == []


def test_every_package_needed_in_turn_is_pinned() -> None:
    pinned = pins()
    needed = {
        canonicalize_name(wanted.name)
        for distribution in distributions()
        if canonicalize_name(distribution.name) in pinned
        for wanted in map(Requirement, distribution.requires or [])
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""})
    }
    assert needed - pinned.keys() == set()


def test_the_installed_versions_are_the_pinned_ones() -> None:
    pinned = pins()
    installed = {canonicalize_name(found.name): found.version for found in distributions()}
    other = {name: version for name, version in installed.items() if pinned.get(name, version) != version}
    assert other == {}
