"""Small packs for the door's tests: one for each way of signing, each form and each challenge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from warden_desktop.adapters.sources import Source, SourcePack
from warden_desktop.adapters.sources.certificates import Certificates

MAP: dict[str, Any] = {"title": "title", "severity": {"from": "severity", "default": "medium"}, "dedupe_key": ["title"]}
OF_FORM: dict[str, dict[str, Any]] = {
    "cef": {"title": "name", "attributes": {"src": "extension.src"}},
    "leef": {"title": "eventId", "attributes": {"src": "attributes.src"}},
    "mail": {
        "title": "subject",
        "observables": [{"type": "email", "role": "actor", "from": "from[].address"}, {"type": "url", "from": "urls"}],
    },
}


def packed(certificates: Path | None = None, **fields: Any) -> Source:
    """A source called "demo" with these fields."""
    mapping = MAP | OF_FORM.get(fields.get("form", "json"), {})
    base = {"name": "demo", "title": "Demo", "vendor": "us", "docs": "none", "map": mapping}
    pack = SourcePack.model_validate({**base, "examples": [{"about": "x", "delivery": {}, "expect": []}], **fields})
    return Source(pack, Certificates(certificates) if certificates else Certificates())
