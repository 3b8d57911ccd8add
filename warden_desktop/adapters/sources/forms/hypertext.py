"""Words and addresses out of text and HTML, in one pass, whatever it is; nothing is rendered and nothing resolved."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

LONGEST_URL = 2_000

_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'`]{1,2000}", re.IGNORECASE)
_LINK = re.compile(
    r"\b(?:href|src|action|formaction|background|poster|data)\s{0,20}=\s{0,20}"
    r"(?:\"([^\"<>]{1,2000})|'([^'<>]{1,2000})|([^\s\"'<>]{1,2000}))",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)
_REFRESH = re.compile(r"\burl\s{0,20}=\s{0,20}['\"]?((?:https?)://[^\s\"'<>]{1,2000})", re.IGNORECASE)
_UNSEEN = ("style", "script", "head", "title")
_ENDS_A_LINE = ("br", "p", "/p", "div", "/div", "tr", "/tr", "li", "/li", "h1", "/h1", "h2", "/h2", "h3", "/h3")
_BLANKS = re.compile(r"[^\S\n]+")
_CLOSING = ".,;:!?)]}\xbb\u201d\u2019"


def addresses_in(text: str) -> Iterator[str]:
    """The URLs in a text, without the punctuation that follows them."""
    for found in _URL.finditer(text):
        yield found[0].rstrip(_CLOSING)


def addresses_in_html(source: str) -> Iterator[str]:
    """The URLs behind an HTML text's links, images and forms."""
    for found in _LINK.finditer(source):
        url = html.unescape(found[1] or found[2] or found[3]).strip()
        if _SCHEME.match(url):
            yield "".join(url.split())[:LONGEST_URL]  # browsers take out blanks and line ends
    for found in _REFRESH.finditer(source):
        yield html.unescape(found[1])


def words_of(source: str) -> str:
    """The text of an HTML text, a line where it has one."""
    pieces, unseen = [], ""
    for index, piece in enumerate(source.split("<")):
        tag, closed, words = piece.partition(">") if index else ("", "", piece)
        name = tag[:12].lower().split(None, 1)[0].rstrip("/") if tag.strip() else ""
        if name in _UNSEEN:
            unseen = unseen or name
        elif unseen and name == f"/{unseen}":
            unseen = ""
        if not unseen and (closed or not index):
            pieces.append(("\n" if name in _ENDS_A_LINE else "") + words)
    lines = (_BLANKS.sub(" ", line).strip() for line in html.unescape("".join(pieces)).split("\n"))
    return "\n".join(line for line in lines if line)
