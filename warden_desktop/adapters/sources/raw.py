"""A delivery as text, to the byte: the log keeps text, and not every mail is UTF-8.

Text that is UTF-8 is kept as it is, anything else as a `data:` URL (RFC 2397). Text that itself begins as such a URL
does is kept as one too, so there is never a doubt which of the two it is.
"""

from __future__ import annotations

import base64

_MARK = "data:application/octet-stream;base64,"


def raw_text(body: bytes) -> str:
    """The text that stands for `body`."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = _MARK
    return _MARK + base64.b64encode(body).decode() if text.startswith(_MARK) else text


def raw_bytes(text: str) -> bytes:
    """The body that `text` stands for. Raises ValueError for what `raw_text` never gives."""
    if text.startswith(_MARK):
        return base64.b64decode(text.removeprefix(_MARK), validate=True)
    return text.encode()
