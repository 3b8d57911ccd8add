"""Sources: vendors' webhooks as data. A pack says how to verify a delivery and how to map it to alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from warden_desktop.adapters.packs import load_packs
from warden_desktop.adapters.sources import forms
from warden_desktop.adapters.sources.certificates import NO_CERTIFICATES, Certificates
from warden_desktop.adapters.sources.forms import BadForm
from warden_desktop.adapters.sources.forms.envelopes import opened
from warden_desktop.adapters.sources.mapper import Mapper, Unmappable
from warden_desktop.adapters.sources.pack import SourcePack
from warden_desktop.adapters.sources.signature import AwsSns, Claim, authentic
from warden_desktop.adapters.sources.sns import Missing
from warden_desktop.adapters.sources.sns import read as read_sns


class Source:
    """One vendor's webhook, ready to receive."""

    def __init__(self, pack: SourcePack, certificates: Certificates = NO_CERTIFICATES) -> None:
        self.pack = pack
        self.mapper = Mapper(pack)
        self.certificates = certificates

    @property
    def name(self) -> str:
        return self.pack.name

    def authentic(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: float) -> bool:
        """Whether a delivery proves that it comes from who has one of `secrets`; `now` in Unix seconds."""
        return authentic(self.pack.verification, headers, body, secrets, now, self.certificates)

    def from_amazon(self, body: bytes, now: float) -> bool:
        """Whether Amazon SNS signed this, for whatever topic."""
        claim, message = Claim({}, body, now, self.certificates), read_sns(body)
        return any(scheme.from_amazon(claim, message) for scheme in self._sns())

    def missing_certificate(self, body: bytes, secrets: Sequence[bytes], now: float) -> Missing | None:
        """The certificate that would be needed to check this, if that is what is missing."""
        claim = Claim({}, body, now, self.certificates)
        return next((found for scheme in self._sns() if (found := scheme.missing(claim, secrets))), None)

    def _sns(self) -> list[AwsSns]:
        return [scheme for scheme in self.pack.verification if isinstance(scheme, AwsSns)]

    def read(self, body: bytes) -> Any:
        """What a body says, to be mapped. Raises BadForm."""
        return read(self.pack, body)

    def delivery_id(self, headers: Mapping[str, str]) -> str | None:
        """What the headers name the delivery, if they do."""
        return next((headers[name][:512] for name in self.pack.delivery_id.headers if headers.get(name)), None)


def read(pack: SourcePack, body: bytes) -> Any:
    """What a body says, in the pack's form, its envelopes opened. Raises BadForm."""
    return opened(forms.read(pack.form, body), pack.unwrap)


def load_sources(bundled: Path, override: Path | None = None) -> dict[str, Source]:
    """All sources by name; those in `override` replace bundled ones. Certificates are looked for in the directories
    `certificates` beside the two. Raises PackError."""
    places = [one.parent / "certificates" for one in (override, bundled) if one is not None]
    certificates = Certificates(*places)
    return {name: Source(pack, certificates) for name, pack in load_packs(bundled, override, SourcePack).items()}


__all__ = ["BadForm", "Mapper", "Source", "SourcePack", "Unmappable", "load_sources", "read"]
