"""Talks to the running application through its control API, or says that none runs."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from warden_desktop.adapters.data_directory import DataDirectory, Endpoint

TIMEOUT = 10.0


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

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """The JSON answer of a POST. Raises NotRunning or Refused."""
        return self._ask("POST", path, json.dumps(body))

    def follow(self, after: int) -> Iterator[dict[str, Any]]:
        """Events numbered above `after`, as they happen, until the connection ends."""
        response = self._send("GET", "/events", None, {"Last-Event-ID": str(after)}, timeout=None)
        for line in response:
            if line.startswith(b"data:"):
                yield json.loads(line[5:])

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        response = self._send(method, path, body, {}, timeout=TIMEOUT)
        answer = json.loads(response.read() or b"null")
        if response.status >= 400:
            raise Refused(str(answer.get("detail", answer)) if isinstance(answer, dict) else response.reason)
        return answer

    def _send(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str], timeout: float | None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._endpoint.host, self._endpoint.port, timeout=timeout)
        sent = {"Authorization": f"Bearer {self._endpoint.token}", "Content-Type": "application/json", **headers}
        try:
            connection.request(method, path, body, sent)
            return connection.getresponse()
        except (ConnectionError, OSError) as error:
            raise NotRunning(f"the application does not answer: {error}") from error
