"""Analysts: what turns an enriched incident into a verdict with evidence."""
