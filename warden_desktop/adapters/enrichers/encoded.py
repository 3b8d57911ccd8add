"""Reads what PowerShell command lines hide in base64."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

DECODED_KEPT: Final = 4096
"""Characters kept of a decoded command."""

_ENCODED_COMMAND = re.compile(r"[-/]e[ncodedma]{0,13}[\s:]{1,8}[\"']?([A-Za-z0-9+/=]{16,16384})", re.IGNORECASE)
_FROM_BASE64 = re.compile(r"frombase64string\(\s{0,8}[\"']([A-Za-z0-9+/=]{16,16384})[\"']", re.IGNORECASE)


def decoded_commands(text: str, at_most: int = 4) -> Iterator[str]:
    """What the -EncodedCommand arguments (UTF-16) and FromBase64String literals (UTF-16 or UTF-8) of `text` say."""
    found = (*_ENCODED_COMMAND.findall(text), *_FROM_BASE64.findall(text))
    for encoded in found[:at_most]:
        decoded = _decoded(encoded)
        if decoded:
            yield decoded[:DECODED_KEPT]


def _decoded(encoded: str) -> str:
    try:
        content = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    wide = content[1::2].count(0) * 4 > len(content)
    text = content.decode("utf-16-le" if wide else "utf-8", errors="replace")
    readable = sum(character.isprintable() or character.isspace() for character in text)
    return text if text and readable >= 0.9 * len(text) and "\ufffd" not in text else ""
