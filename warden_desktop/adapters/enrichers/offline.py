"""All enrichers that need no account, built in the order in which their answers are read."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from warden_desktop.adapters.enrichers.address_class import AddressClassEnricher
from warden_desktop.adapters.enrichers.block_list import BlockListEnricher
from warden_desktop.adapters.enrichers.inventory import InventoryEnricher
from warden_desktop.adapters.enrichers.lookalike import LookalikeEnricher, Protected, read_domains
from warden_desktop.adapters.enrichers.mail_authentication import MailAuthenticationEnricher
from warden_desktop.adapters.enrichers.observables import Extractor, ObservableEnricher
from warden_desktop.adapters.enrichers.seen_before import Ask, SeenBeforeEnricher
from warden_desktop.engine.ports import Enricher


def offline_enrichers(
    *, lists: Path, data_dir: Path, inventory: Path | None = None, own_domains: Collection[str] = (), ask: Ask
) -> tuple[Enricher, ...]:
    """`lists`: the bundled resources/lists; `data_dir`: where `lists/` and, unless `inventory` names another directory,
    assets.csv and users.csv of this installation are; `own_domains`: the organisation's; `ask`: Recall.past.

    The inventory comes first: where it knows a machine's name, that name is what responses aim at. Raises OSError when
    the bundled lists cannot be read.
    """
    extractor = Extractor()
    names = lists / "domains"
    brands, suffixes = read_domains(names / "known_brands.txt"), read_domains(names / "public_suffixes.txt")
    protected = Protected(own_domains, brands, suffixes)
    return (
        InventoryEnricher(inventory or data_dir),
        ObservableEnricher(extractor),
        AddressClassEnricher(extractor),
        LookalikeEnricher(extractor, protected),
        MailAuthenticationEnricher(protected),
        BlockListEnricher(extractor, (lists, data_dir / "lists")),
        SeenBeforeEnricher(extractor, ask),
    )
