"""Where the bundled resources live: beside the package in a checkout, inside it in a wheel, unpacked in a bundle."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


class ResourcesMissing(FileNotFoundError):
    """The installation is incomplete: a resource that ships with the application is not there."""


def resource_root() -> Path:
    """The directory that holds icons, themes, packs, guardrails and demo data; read-only.

    Raises ResourcesMissing when there is none: the installation is damaged, and installing again mends it.
    """
    places = list(_places())
    for place in places:
        if place.is_dir():
            return place
    searched = ", ".join(str(place) for place in places)
    raise ResourcesMissing(f"the application's resources are missing; looked in {searched}. Install it again.")


def resource(*parts: str) -> Path:
    """The bundled file or directory at `parts` below the root, for instance `resource("sources", "wazuh.yaml")`.

    Raises ResourcesMissing when it does not exist, and ValueError when `parts` lead out of the root.
    """
    root = resource_root()
    path = root.joinpath(*parts)
    if not path.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{'/'.join(parts)} is not below the resource directory")
    if not path.exists():
        raise ResourcesMissing(f"{path} is missing from the installation. Install it again.")
    return path


def _places() -> Iterator[Path]:
    bundle = getattr(sys, "_MEIPASS", None)  # set by PyInstaller's bootloader
    if bundle is not None:
        yield Path(bundle) / "resources"
    yield _PACKAGE / "_resources"  # a wheel
    # Next to site-packages a stray "resources" is someone else's, so a checkout must show that it is one.
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        yield _PACKAGE.parent / "resources"
