"""Connectors that act on the world: HTTP ones are packs over one engine."""
