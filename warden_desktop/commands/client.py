"""Talks to the running application through its control API, or says that none runs."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from warden_desktop.adapters.data_directory import DataDirectory, Endpoint

TIMEOUT = 10.0
"""Seconds after which an application that does not answer counts as not running."""


class NotRunning(Exception):
    """No application answers for this data directory."""


class Refused(Exception):
    """The application refused; the text is its reason."""


class Client:
    """The control API of one data directory's running application."""

    def __init__(self, data_dir: Path) -> None:
        """Raises NotRunning when no application has announced itself there."""
        endpoint = DataDirectory(data_dir).endpoint()
        if endpoint is None:
            raise NotRunning(f"no application is running for {data_dir}")
        self._endpoint: Endpoint = endpoint

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON answer of a GET. Raises NotRunning or Refused."""
        return self._ask("GET", path + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, body: Mapping[str, object], timeout: float = TIMEOUT) -> Any:
        """The JSON answer of a POST, `timeout` in seconds. Raises NotRunning or Refused."""
        return self._ask("POST", path, json.dumps(body).encode(), timeout)

    def deliver(self, source: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Post a delivery to the webhook of `source`, as its vendor would; the status and what was answered."""
        response, said = self._exchange("POST", f"/webhooks/{part(source)}", body, headers)
        return response.status, said.decode("utf-8", "replace")

    def follow(self, after: int) -> Iterator[dict[str, Any]]:
        """Events numbered above `after`, as they happen, until the application ends. Raises NotRunning or Refused."""
        with closing(self._connection(timeout=None)) as connection:
            response = _sent(connection, "GET", "/events", None, {"Last-Event-ID": str(after), **self._token()})
            if response.status >= 400:
                raise _refusal(response, response.read())
            with suppress(OSError, http.client.HTTPException):  # it was killed: the stream ends where it ends
                for line in response:
                    if line.startswith(b"data:"):
                        yield json.loads(line[5:])

    def _ask(self, method: str, path: str, body: bytes | None = None, timeout: float = TIMEOUT) -> Any:
        response, said = self._exchange(method, path, body, self._token(), timeout)
        if response.status >= 400:
            raise _refusal(response, said)
        try:
            return json.loads(said or b"null")
        except ValueError:
            raise NotRunning("what answers there is not this application") from None

    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._endpoint.token}"}

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], timeout: float = TIMEOUT
    ) -> tuple[http.client.HTTPResponse, bytes]:
        with closing(self._connection(timeout)) as connection:
            response = _sent(connection, method, path, body, headers)
            try:
                return response, response.read()
            except (OSError, http.client.HTTPException) as error:
                raise _silent(error) from error

    def _connection(self, timeout: float | None) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._endpoint.host, self._endpoint.port, timeout=timeout)


def _sent(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise _silent(error) from error


def part(text: str) -> str:
    """`text` as one part of a path, whatever is in it."""
    return quote(text, safe="")


def _silent(error: Exception) -> NotRunning:
    return NotRunning(f"the application does not answer: {error or type(error).__name__}")


def _refusal(response: http.client.HTTPResponse, said: bytes) -> Refused:
    try:
        answer = json.loads(said)
    except ValueError:
        answer = None
    detail = answer.get("detail") if isinstance(answer, dict) else None
    return Refused(str(detail or f"{response.status} {response.reason}"))
