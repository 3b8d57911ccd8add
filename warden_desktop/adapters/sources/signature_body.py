"""The secret inside the body, for senders that can neither sign nor set a header: Microsoft Graph's `clientState`.

The body has to be read to find it, with the quick parser and nothing but the one path; what else it says counts only
when the secret was right. Prefer any other scheme the vendor has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, Field

from warden_desktop.adapters.sources.expression import Expression
from warden_desktop.adapters.sources.signature_parts import Claim, any_matches, raw
from warden_desktop.adapters.sources.values import scalars
from warden_desktop.domain.record import Record


def _jmespath(text: str) -> str:
    Expression(text)
    return text


class BodyToken(Record):
    """Whatever is found at `path` (JMESPath; a list may be found) must be a secret, all of it."""

    type: Literal["body_token"]
    path: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_jmespath)]

    def holds(self, claim: Claim, secrets: Sequence[bytes]) -> bool:
        """Whether every token in the body is one of `secrets`, and there is one."""
        given = self._tokens(claim.body)
        right = [any_matches([token], secrets) for token in given]
        return bool(right) and all(right)

    def _tokens(self, body: bytes) -> list[bytes]:
        try:
            found = Expression(self.path).get(orjson.loads(body))
        except orjson.JSONDecodeError:
            return []
        words = [word for _, word in scalars(found)]
        complete = not isinstance(found, list) or len(words) == len(found)
        return [raw(word) if isinstance(word, str) else b"" for word in words] if complete else []
