"""Webhook secrets from the terminal, through a keychain, to what the door takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.terminal import Terminal
from tests.journeys.deliveries import web_shell


@pytest.fixture
def with_keychain(terminal: Terminal, tmp_path: Path) -> Terminal:
    terminal.environment |= {
        "PYTHON_KEYRING_BACKEND": "tests.commands.file_keyring.FileKeyring",
        "WARDEN_TEST_KEYRING": str(tmp_path / "keyring.json"),
    }
    return terminal


def test_a_secret_is_set_rotated_used_and_removed(with_keychain: Terminal, tmp_path: Path) -> None:
    terminal, delivery = with_keychain, tmp_path / "delivery.json"
    assert terminal.run("secret", "set", "wazuh", typed="first\n") == (0, "set\n", "")
    assert terminal.run("secret", "rotate", "wazuh", typed="second\n").code == 0

    def sent(number: int, secret: str) -> str:
        delivery.write_text(json.dumps(web_shell(number)))
        given = {"WARDEN_SECRET_WAZUH": secret} if secret else {}
        return terminal.run("send", str(delivery), "--source", "wazuh", **given).out[:3]

    with terminal.application() as console:
        assert console.post(web_shell(1)) == 401
        assert [sent(2, "second"), sent(3, "first"), sent(4, "wrong"), sent(5, "")] == ["202", "202", "401", "202"], (
            "without one given, the keychain's serves"
        )
    assert terminal.run("secret", "remove", "wazuh") == (0, "removed\n", "")
    with terminal.application() as console:
        assert console.post(web_shell(6)) == 202


def test_what_is_no_secret_is_refused(with_keychain: Terminal) -> None:
    assert with_keychain.run("secret", "set", "wazuh", typed="\n").code == 2
    assert with_keychain.run("secret", "set", "../wazuh", typed="first\n").code == 1
    assert with_keychain.run("secret", "keep", "wazuh").code == 2


def test_without_a_keychain_the_environment_is_named(terminal: Terminal) -> None:
    terminal.environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    done = terminal.run("secret", "set", "wazuh", typed="first\n")
    assert (done.code, done.out) == (1, "")
    assert "WARDEN_SECRET_" in done.err and "first" not in done.err
