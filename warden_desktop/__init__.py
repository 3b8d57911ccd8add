"""Warden Desktop: a security analyst's console that acts only on what a person approved."""

from __future__ import annotations

__version__ = "0.1.0"
