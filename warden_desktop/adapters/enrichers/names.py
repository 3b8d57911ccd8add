"""Compares domain names as the eye does: skeletons of confusable characters, edit distance, registrable part."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

_SHAPES: Final = {
    "0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "$": "s", "!": "l", "|": "l",
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "һ": "h", "і": "l", "ј": "j", "к": "k", "ӏ": "l", "м": "m",
    "н": "h", "о": "o", "р": "p", "ѕ": "s", "т": "t", "у": "y", "х": "x", "ԛ": "q", "ԝ": "w", "ո": "n", "ս": "u",
    "α": "a", "β": "b", "γ": "y", "ε": "e", "η": "n", "ι": "l", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "τ": "t",
    "υ": "u", "χ": "x", "ω": "w", "ı": "l", "i": "l", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ɡ": "g", "ɑ": "a",
    "ꞌ": "", "·": "",
}  # fmt: skip
"""What a character looks like; after the Unicode confusables data (UTS 39), cut to what domain names use."""

_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))


def skeleton(label: str) -> str:
    """`label` as a glance sees it: confusable characters and letter pairs replaced, accents and case dropped."""
    plain = unicodedata.normalize("NFKD", label.casefold())
    shaped = "".join(_SHAPES.get(one, one) for one in plain if not unicodedata.combining(one))
    for pair, shape in _PAIRS:
        shaped = shaped.replace(pair, shape)
    return shaped


def decoded(domain: str) -> str:
    """`domain` with its xn-- labels in Unicode; a label that does not decode stays as it is."""
    return ".".join(_label(label) for label in domain.lower().rstrip(".").split("."))


def scripts(label: str) -> frozenset[str]:
    """The alphabets `label` is written in, for instance {"LATIN", "CYRILLIC"}."""
    return frozenset(unicodedata.name(one, "?").partition(" ")[0] for one in label if one.isalpha())


def registrable(domain: str, suffixes: Collection[str]) -> str:
    """The part of `domain` somebody registered: one label below a suffix of two labels in `suffixes`, or below the
    last label."""
    labels = domain.lower().strip(".").split(".")
    below = 3 if ".".join(labels[-2:]) in suffixes else 2
    return ".".join(labels[-below:])


def tokens(label: str) -> list[str]:
    """The words of a label, as hyphens and underscores divide it."""
    return [word for word in re.split(r"[-_]", label) if word]


def distance(first: str, second: str, limit: int = 2) -> int:
    """Edits (insert, delete, replace, swap neighbours) between two words; anything over `limit` is `limit + 1`."""
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        earlier, before, row = before, row, [i, *[0] * len(second)]
        for j, b in enumerate(second, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                row[j] = min(row[j], earlier[j - 2] + 1)
    return min(row[-1], limit + 1)


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label
