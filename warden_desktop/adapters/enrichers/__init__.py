"""Enrichers that need no account and no network, one file per kind."""
