"""What a connector pack (`connectors/*.yaml`) says: where a vendor is, how it knows us, and one HTTP request per verb.

Values of an action go into a request only as whole values: `{"$": "target.value"}` as a leaf of body, query or header,
and `{target.value}` as one whole segment of a path, where it is percent-encoded. Text is never pasted into text, so
nothing an attacker put into an alert can change what a request means.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from warden_desktop.domain.action import ProposedAction, Target, Verb
from warden_desktop.domain.record import Record

REFERENCE = "$"
"""The key of a reference: {"$": "target.value"}, with {"or": value} for what stands there when it is missing."""

_FIXED = frozenset(
    {"action_id", "incident_id", "verb", "reason", "target", "target.type", "target.value", "parameters"}
)
_SEGMENT = re.compile(r"\{([^{}]+)\}")
_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%-]*")


def _known(name: str) -> str:
    if name not in _FIXED and not re.fullmatch(r"parameters\.[A-Za-z0-9_-]+", name):
        raise ValueError(f"{name!r} is nothing of an action; known are {', '.join(sorted(_FIXED))}, parameters.NAME")
    return name


def _path(path: str) -> str:
    for segment in path.removeprefix("/").split("/"):
        reference = _SEGMENT.fullmatch(segment)
        if reference:
            _known(reference[1])
        elif not _PLAIN_SEGMENT.fullmatch(segment) or segment in (".", ".."):
            raise ValueError(f"segment {segment!r} must be plain text, or one whole reference like {{target.value}}")
    return path


def _checked(structure: JsonValue) -> JsonValue:
    if isinstance(structure, list):
        return [_checked(value) for value in structure]
    if not isinstance(structure, dict):
        return structure
    if REFERENCE in structure:
        name = structure[REFERENCE]
        if not isinstance(name, str) or structure.keys() - {REFERENCE, "or"}:
            raise ValueError('a reference is {"$": "name"}, or {"$": "name", "or": value}')
        _known(name)
        return structure
    return {key: _checked(value) for key, value in structure.items()}


Structure = Annotated[JsonValue, AfterValidator(_checked)]
Path = Annotated[str, Field(pattern=r"^/"), AfterValidator(_path)]


class NoAuth(Record):
    """The vendor asks for nothing."""

    type: Literal["none"] = "none"


class BearerAuth(Record):
    """`Authorization: Bearer` with the secret of that name."""

    type: Literal["bearer"]
    secret: str


class HeaderAuth(Record):
    """The secret in a header of its own."""

    type: Literal["header"]
    header: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    secret: str


class BasicAuth(Record):
    """A user name and the secret as its password."""

    type: Literal["basic"]
    user: str
    secret: str


Auth = Annotated[NoAuth | BearerAuth | HeaderAuth | BasicAuth, Field(discriminator="type")]


class Request(Record):
    """One HTTP request. `idempotent`: the vendor does it once however often the same request arrives."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: Path
    query: dict[str, Structure] = Field(default_factory=dict)
    headers: dict[str, Structure] = Field(default_factory=dict)
    body: Structure = None
    success: tuple[Annotated[int, Field(ge=200, le=299)], ...] = (200, 201, 202, 204)
    idempotent: bool = False
    timeout: float | None = Field(default=None, gt=0, le=600)
    undo: str = ""


class ExpectedRequest(Record):
    """What an example must become; `path` as it goes over the wire, with its query."""

    method: str
    path: str
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue = None


class Example(Record):
    """An action and the request it must become. Every pack carries some, and they are run with the tests."""

    verb: Verb
    target: Target
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    request: ExpectedRequest


class ConnectorPack(Record):
    """One vendor. `every_verb` is the request of all verbs that have none of their own.

    `needs` says what to ask the vendor for, with the least privilege; `allow_link_local` lets it reach link-local and
    metadata addresses, which are refused otherwise.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    needs: str = ""
    base_url: str = ""
    auth: Auth = NoAuth()
    allow_link_local: bool = False
    timeout: float = Field(default=30.0, gt=0, le=600)
    verbs: dict[Verb, Request] = Field(default_factory=dict)
    every_verb: Request | None = None
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _does_something(self) -> ConnectorPack:
        if not self.verbs and self.every_verb is None:
            raise ValueError("a connector needs at least one verb")
        return self

    def request_of(self, action: ProposedAction) -> Request:
        """The request of the action's verb. Raises ValueError when there is none."""
        request = self.verbs.get(action.verb, self.every_verb)
        if request is None:
            raise ValueError(f"{self.title} does not know {action.verb}")
        return request

    def with_base_url(self, base_url: str) -> ConnectorPack:
        """The same pack for one installation of the vendor."""
        return self.model_copy(update={"base_url": base_url})
