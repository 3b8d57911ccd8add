"""How we touch the world: journal, webhook, packs, enrichers, analysts, responders, secrets."""
