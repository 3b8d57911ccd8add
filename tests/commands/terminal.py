"""A person's terminal: runs the command line in processes of its own, and the application beside it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from warden_desktop.commands.client import Client

CHECKOUT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds after which something that does not happen has failed to. Not a measurement."""

T = TypeVar("T")


class Said(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What `--json` printed: one object a line, nothing else."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def steers(self) -> list[str]:
        """Characters printed that could steer a terminal or turn its text round."""
        kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
        return [char for char in self.out + self.err if unicodedata.category(char) in kinds and char != "\n"]


def eventually(look: Callable[[], T]) -> T:
    """The first true answer of `look`; fails when there is none."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


class Terminal:
    """Commands on one data directory."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WARDEN_")}
        self.environment = {**kept, **(environment or {})}

    def arguments(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "warden_desktop", "--data-dir", str(self.data_dir), *words]

    def run(self, *words: str, typed: str = "", **environment: str) -> Said:
        """Run a command to its end."""
        done = subprocess.run(
            self.arguments(*words),
            input=typed,
            env=self.environment | environment,
            cwd=CHECKOUT,
            text=True,
            encoding="utf-8",
            capture_output=True,
            timeout=PATIENCE,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a command that goes on."""
        return subprocess.Popen(
            self.arguments(*words), env=self.environment, cwd=CHECKOUT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    @contextmanager
    def application(self, *words: str) -> Iterator[Console]:
        """The application, headless, until the end of the block."""
        ready_file = self.data_dir.with_name(self.data_dir.name + ".ready")
        ready_file.unlink(missing_ok=True)
        with open(self.data_dir.with_name(self.data_dir.name + ".err"), "w+") as said:
            process = subprocess.Popen(
                self.arguments("--headless", "--port", "0", "--ready-file", str(ready_file), *words),
                env=self.environment, cwd=CHECKOUT, stdout=said, stderr=said,
            )  # fmt: skip
            try:
                eventually(lambda: ready_file.exists() or process.poll() is not None)
                said.seek(0)
                assert process.poll() is None, said.read()
                yield Console(process, json.loads(ready_file.read_text()), self.data_dir)
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGCONT)
                    process.terminate()
                process.wait(PATIENCE)


class Console:
    """The running application."""

    def __init__(self, process: subprocess.Popen[bytes], ready: dict[str, Any], data_dir: Path) -> None:
        self.process = process
        self.ready = ready
        self.api = Client(data_dir)

    def post(self, delivery: Mapping[str, Any], source: str = "wazuh") -> int:
        """Deliver as the product would; returns the status."""
        connection = http.client.HTTPConnection(self.ready["host"], self.ready["port"], timeout=PATIENCE)
        headers = {"Content-Type": "application/json"}
        with closing(connection):
            connection.request("POST", f"/webhooks/{source}", json.dumps(delivery).encode(), headers)
            return connection.getresponse().status

    def waiting(self, number: int) -> list[dict[str, Any]]:
        """The actions that wait for a person, once there are at least `number`."""

        def look() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = self.api.get("/api/approvals")["approvals"]
            return found if len(found) >= number else []

        return eventually(look)

    def settled(self) -> None:
        """Wait until nothing more follows from what was posted."""
        eventually(lambda: not any(self._behind()))

    def _behind(self) -> list[float]:
        """How far each subscriber is behind, as /metrics has it."""
        connection = http.client.HTTPConnection(self.ready["host"], self.ready["port"], timeout=PATIENCE)
        with closing(connection):
            connection.request("GET", "/metrics")
            told = connection.getresponse().read().decode()
        found = [float(number) for number in re.findall(r"^\w+_(?:behind|depth)(?:\{.*\})? (\S+)$", told, re.MULTILINE)]
        assert found, told
        return found

    def stop(self) -> int:
        """Ask it to end, as a service manager does; its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
