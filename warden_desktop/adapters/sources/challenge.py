"""How vendors make sure that an address is ours before they send to it, and what they want to hear.

`okta`: once, a GET with the challenge in a header and the secret beside it (help.okta.com, "Event hooks").
`url_verification`: a signed POST of its own kind that is answered with a value of it (Slack's way; docs.slack.dev).
`graph`: a POST with the token in the query, answered in plain text (learn.microsoft.com, "Change notifications").
`aws_sns`: a signed message with an address a person has to open; we never do (docs.aws.amazon.com).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from warden_desktop.adapters.sources.expression import Expression, nothing
from warden_desktop.adapters.sources.signature_parts import HeaderName
from warden_desktop.adapters.sources.sns import CONFIRMATIONS, amazons, read
from warden_desktop.domain.record import Record

LONGEST = 1024
"""Characters of a challenge that are given back."""


def _jmespath(text: str) -> str:
    Expression(text)
    return text


Path = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_jmespath)]


class OktaChallenge(Record):
    """Answered with `{"verification": value}`, to who has the secret."""

    type: Literal["okta"]
    header: HeaderName = "X-Okta-Verification-Challenge"


class UrlVerification(Record):
    """When `when` holds, answered with `{answer: what is at value}`."""

    type: Literal["url_verification"]
    when: Path = "type == 'url_verification'"
    value: Path = "challenge"
    answer: Annotated[str, Field(pattern=r"^[A-Za-z_]{1,64}$")] = "challenge"

    def reply(self, parsed: object) -> dict[str, str] | None:
        """The answer; None when this delivery is no challenge."""
        found = Expression(self.value).get(parsed)
        asked = isinstance(parsed, dict) and not nothing(Expression(self.when).get(parsed))
        return {self.answer: found[:LONGEST]} if asked and isinstance(found, str) else None


class GraphChallenge(Record):
    """The query parameter is given back as text. Microsoft proves nothing here, so neither does the answer."""

    type: Literal["graph"]
    parameter: Annotated[str, Field(pattern=r"^[A-Za-z]{1,64}$")] = "validationToken"


class SnsChallenge(Record):
    """What Amazon SNS sends when a subscription begins or ends."""

    type: Literal["aws_sns"]

    def asks(self, body: bytes) -> str:
        """What a person has to do about this message; "" when it is an ordinary one."""
        message = read(body)
        if message.get("Type") not in CONFIRMATIONS:
            return ""
        topic, url = message.get("TopicArn", "")[:300], message.get("SubscribeURL", "")
        if not amazons(url):
            return f"It names no address of Amazon SNS to confirm the topic {topic}: do not open what it names."
        if message["Type"] == "SubscriptionConfirmation":
            return f"Amazon SNS asks whether the topic {topic} may send here. Confirm by opening this URL: {url}"
        return f"The topic {topic} sends here no more. Was that not you? Open this URL to subscribe again: {url}"


Challenge = Annotated[OktaChallenge | UrlVerification | GraphChallenge | SnsChallenge, Field(discriminator="type")]
