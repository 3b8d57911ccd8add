"""A message as RFC 5322 and MIME have it, for instance one that a user reported as phishing. Nothing is rendered.

    message_id, subject, date             text
    from, sender, reply_to, to, cc        lists of {name, address}
    return_path                           an address
    received                              the Received headers, the newest first
    authentication                        {spf, dkim, dmarc, results}: what the first Authentication-Results says, which
                                          is the last gateway's; those below it came with the mail and may be forged
    text, html_text                       the text parts; the words of the HTML parts
    urls                                  addresses in both, and behind links
    attachments                           {name, content_type, size, sha256, md5}
    attached                              messages within the message, in this same form: how many tools report one
    headers                               every header by its name in small letters, a list of values each

Whoever wrote the mail chose all of it, the sizes too. Python's parser for headers takes a tenth of a second over a
kilobyte made for it, and each part has headers: so headers are cut, and read by expressions that take one pass. What
else would take long (very many lines, parts, or nested parts) is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import EmailPolicy
from typing import Any

from warden_desktop.adapters.sources.forms.errors import BadForm
from warden_desktop.adapters.sources.forms.hypertext import addresses_in, addresses_in_html, words_of

CODE = "bad_mail"
LONGEST_HEADER = 4_000
LONGEST_PARAMETERS = 1_000
"""Of a header that says how a part is made: it is read again for every question."""
MOST_HEADERS = 200
MOST_LISTS = 10
"""Headers with people in them."""
MOST_LINES = 40_000
MOST_PARTS = 400
MOST_NESTED = 40
MOST_ATTACHMENTS = 100
MOST_PEOPLE = 200
MOST_URLS = 200
LONGEST_TEXT = 64 * 1024
DEEPEST = 3
"""Messages within messages."""

_BOUNDARY_LINE = re.compile(rb"(?:^|[\r\n])--")
_NESTING = re.compile(rb"multipart|rfc822|message[^a-z\r\n]{0,20}/", re.IGNORECASE)
_VERDICT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-zA-Z]{1,20})")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.){0,200}"|\([^()]*\)|<[^<>]*>|[,;]|[^",;<(]+|.')
_SURROGATE = re.compile("[\ud800-\udfff]")
_CHARSET = re.compile(
    r"(?:utf-?(?:8|16|32)|us-ascii|ascii|iso-?8859|windows-|cp\d|koi8|gb|big5|shift|sjis|euc|iso-2022|mac|ks_c|tis).*"
)
"""Charsets whose decoding takes no more than its time and gives only text; Python knows others."""


class _Bounded(EmailPolicy):
    """The default policy, but headers are texts of a bounded length; no header is too odd to be one: it is evidence."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse([line[:LONGEST_HEADER] for line in sourcelines[:LONGEST_HEADER]])
        longest = LONGEST_PARAMETERS if name[:8].lower() == "content-" else LONGEST_HEADER
        return name[:200], value[:longest]

    def header_fetch_parse(self, name: str, value: str) -> str:
        return _storable(value)


_POLICY = _Bounded()


def mail(body: bytes) -> dict[str, Any]:
    """What a mail says. Raises BadForm."""
    _refuse_what_takes_long(body)
    try:
        read = _read(message_from_bytes(body, policy=_POLICY), DEEPEST)
    except Exception as error:  # Python's mail parser stumbles in many ways over what it did not expect
        raise BadForm(CODE, f"the message cannot be taken apart ({type(error).__name__})") from None
    if not (read["from"] or read["subject"] or read["message_id"]):
        raise BadForm(CODE, "it has none of the headers From, Subject and Message-ID")
    return read


def _refuse_what_takes_long(body: bytes) -> None:
    if max(body.count(b"\n"), body.count(b"\r")) > MOST_LINES:
        raise BadForm(CODE, f"more than {MOST_LINES} lines")
    if sum(1 for _ in _BOUNDARY_LINE.finditer(body)) > MOST_PARTS:
        raise BadForm(CODE, f"more than {MOST_PARTS} parts")
    if sum(1 for _ in _NESTING.finditer(body)) > MOST_NESTED:
        raise BadForm(CODE, f"more than {MOST_NESTED} nested parts")


def _read(message: Message, depth: int) -> dict[str, Any]:
    parts = list(_parts(message))
    text = "\n".join(_text(part) for part in parts if _is_text(part, "plain"))[:LONGEST_TEXT]
    pages = [_text(part) for part in parts if _is_text(part, "html")]
    words = "\n".join(map(words_of, pages))[:LONGEST_TEXT]
    within = [one for part in parts for one in _inner(part)]
    return {
        **_envelope(message),
        "text": text,
        "html_text": words,
        "urls": _urls(text, words, pages),
        "attachments": [_attachment(part) for part in parts if _is_attachment(part)][:MOST_ATTACHMENTS],
        "attached": [_read(one, depth - 1) for one in within[:MOST_NESTED]] if depth > 1 else [],
    }


# --- headers ----------------------------------------------------------------------------------------------------------


def _envelope(message: Message) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    people: dict[str, list[dict[str, str]]] = {name: [] for name in ("from", "sender", "reply-to", "to", "cc")}
    for name, raw in list(message.raw_items())[:MOST_HEADERS]:
        headers.setdefault(_line(name).lower(), []).append(_decoded(raw))
        if name.lower() in people and len(headers[name.lower()]) <= MOST_LISTS:
            people[name.lower()] += _people(raw)
    return {
        **{name.replace("-", "_"): headers.get(name, [""])[0] for name in ("message-id", "subject", "date")},
        **{name.replace("-", "_"): found[:MOST_PEOPLE] for name, found in people.items()},
        "return_path": headers.get("return-path", [""])[0].strip("<> "),
        "received": headers.get("received", []),
        "authentication": _authentication(headers),
        "headers": headers,
    }


def _people(value: str) -> Iterator[dict[str, str]]:
    """The people of an address list: who is named, and the address that counts, which is the one in brackets."""
    words: list[str] = []
    for token in (*_TOKEN.findall(_line(value)), ","):
        if token not in ",;":
            words.append(token)
            continue
        brackets = [word[1:-1].strip() for word in words if word[0] == "<" and word[-1] == ">"]
        plain = "".join(word for word in words if word[0] not in "<(")
        address = brackets[-1] if brackets else plain.strip()
        name = _decoded(plain.replace('"', "").replace("\\", "")) if brackets else ""
        if name or address:
            yield {"name": name, "address": _line(address)}
        words = []


def _decoded(value: str) -> str:
    """A header's text, with what was encoded in it."""
    try:
        return _line(str(make_header(decode_header(value)))) if "=?" in value else _line(value)
    except Exception:  # a charset nobody has, or half an encoding
        return _line(value)


def _authentication(headers: dict[str, list[str]]) -> dict[str, Any]:
    results = headers.get("authentication-results", [])
    said: dict[str, str] = {}
    for method, verdict in _VERDICT.findall(results[0].lower() if results else ""):
        said.setdefault(method, verdict)
    if "spf" not in said and headers.get("received-spf"):
        said["spf"] = headers["received-spf"][0].partition(" ")[0].lower()[:20]
    return {"spf": "", "dkim": "", "dmarc": "", **said, "results": results}


def _line(value: str) -> str:
    return " ".join(_storable(value).split())[:LONGEST_HEADER]


def _storable(value: str) -> str:
    """Eight-bit bytes as the UTF-8 they mostly are; nothing that is no character."""
    try:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", value)


# --- parts ------------------------------------------------------------------------------------------------------------


def _parts(message: Message) -> Iterator[Message]:
    """The parts that hold something, in order; a message within is one."""
    if message.get_content_maintype() != "multipart" or not _inner(message):
        yield message
        return
    for part in _inner(message):
        yield from _parts(part)


def _inner(part: Message) -> list[Message]:
    content = part.get_payload()
    return [one for one in content if isinstance(one, Message)] if isinstance(content, list) else []


def _is_text(part: Message, subtype: str) -> bool:
    return part.get_content_type() == f"text/{subtype}" and part.get_content_disposition() != "attachment"


def _is_attachment(part: Message) -> bool:
    named = part.get_content_disposition() == "attachment" or bool(_name(part))
    return named or part.get_content_maintype() not in ("text", "multipart", "message")


def _attachment(part: Message) -> dict[str, Any]:
    content = _content(part)
    return {
        "name": _name(part),
        "content_type": _line(part.get_content_type())[:200],
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }


def _name(part: Message) -> str:
    try:
        return _line(part.get_filename() or "")[:255]
    except Exception:  # RFC 2231 has corners nobody thought through
        return ""


def _content(part: Message) -> bytes:
    """The bytes of a part; of a message within a message, as Python writes it."""
    try:
        content = b"".join(map(bytes, _inner(part))) if part.is_multipart() else part.get_payload(decode=True)
    except Exception:  # an encoding that lies
        content = str(part.get_payload()).encode("utf-8", "replace")
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    content = _content(part)[: 4 * LONGEST_TEXT]
    try:
        charset = part.get_content_charset("utf-8")
        text = content.decode(charset if _CHARSET.fullmatch(charset) else "utf-8", "replace")
    except Exception:  # a charset that does not exist, or whose name cannot be read
        text = content.decode("utf-8", "replace")
    return _storable(text).replace("\r\n", "\n")


def _urls(text: str, words: str, pages: list[str]) -> list[str]:
    found: dict[str, None] = {}
    for urls in (*map(addresses_in_html, pages), addresses_in(text), addresses_in(words)):
        for url in urls:
            found.setdefault(url)
            if len(found) >= MOST_URLS:
                return list(found)
    return list(found)
