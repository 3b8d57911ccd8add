"""The strict JSON parser, under the name the door's own modules use."""

from __future__ import annotations

from warden_desktop.adapters.strict_json import DEEPEST, BadJson, parse

__all__ = ["DEEPEST", "BadJson", "parse"]
