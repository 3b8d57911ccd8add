"""Sources: vendors' webhooks as data. A pack says how to verify a delivery and how to map it to alerts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from warden_desktop.adapters.packs import load_packs
from warden_desktop.adapters.sources.mapper import Mapper, Unmappable
from warden_desktop.adapters.sources.pack import SourcePack


class Source:
    """One vendor's webhook, ready to receive."""

    def __init__(self, pack: SourcePack) -> None:
        self.pack = pack
        self.mapper = Mapper(pack)

    @property
    def name(self) -> str:
        return self.pack.name

    def delivery_id(self, headers: Mapping[str, str]) -> str | None:
        """What the headers name the delivery, if they do."""
        return next((headers[name][:512] for name in self.pack.delivery_id.headers if headers.get(name)), None)


def load_sources(bundled: Path, override: Path | None = None) -> dict[str, Source]:
    """All sources by name; those in `override` replace bundled ones. Raises PackError."""
    return {name: Source(pack) for name, pack in load_packs(bundled, override, SourcePack).items()}


__all__ = ["Mapper", "Source", "SourcePack", "Unmappable", "load_sources"]
