"""Where webhook secrets are kept, and what happens where they cannot be."""

from __future__ import annotations

import pytest

from warden_desktop.adapters.keychain import Backend, Keychain, KeychainError


class MemoryBackend:
    """A keyring backend that keeps its entries in memory."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        del self.entries[service, username]

    def _open(self) -> None:
        if self.locked:
            raise RuntimeError("the collection is locked")


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


def keychain(backend: Backend | None, **environment: str) -> Keychain:
    return Keychain(environment, lambda: backend)


def test_a_secret_that_is_set_is_found_by_the_next_run(backend: MemoryBackend) -> None:
    keychain(backend).set("wazuh", "s3cret")
    assert keychain(backend).get("wazuh") == (b"s3cret",)
    assert [service for service, _ in backend.entries] == ["warden-desktop"]


def test_while_it_is_rotated_both_secrets_are_good(backend: MemoryBackend) -> None:
    kept = keychain(backend)
    kept.set("wazuh", "one")
    kept.rotate("wazuh", "two")
    assert kept.get("wazuh") == (b"two", b"one")
    kept.rotate("wazuh", "three")
    assert kept.get("wazuh") == (b"three", b"two")
    kept.set("wazuh", "four")
    assert kept.get("wazuh") == (b"four",)


def test_a_secret_that_is_removed_is_gone_and_removing_none_is_no_error(backend: MemoryBackend) -> None:
    kept = keychain(backend)
    kept.set("wazuh", "one")
    kept.remove("wazuh")
    kept.remove("wazuh")
    assert (kept.get("wazuh"), backend.entries) == ((), {})


def test_the_environment_serves_where_there_is_no_keychain() -> None:
    kept = keychain(None, WARDEN_SECRET_WAZUH="from outside", WARDEN_SECRET_MY_SOURCE="x")
    assert (kept.get("wazuh"), kept.get("my-source"), kept.get("generic")) == ((b"from outside",), (b"x",), ())
    assert not kept.usable
    assert "WARDEN_SECRET_<SOURCE>" in kept.description


def test_the_environment_comes_before_the_keychain(backend: MemoryBackend) -> None:
    keychain(backend).set("wazuh", "kept")
    assert keychain(backend, WARDEN_SECRET_WAZUH="given").get("wazuh") == (b"given",)


@pytest.mark.parametrize("change", ["set", "rotate"])
def test_without_a_keychain_nothing_is_kept_anywhere(change: str) -> None:
    with pytest.raises(KeychainError, match="there is no keychain"):
        getattr(keychain(None), change)("wazuh", "x")


@pytest.mark.parametrize(
    ("source", "secret"), [("wazuh", ""), ("", "x"), ("../x", "x"), ("WAZUH", "x"), ("a" * 33, "x")]
)
def test_what_makes_no_sense_is_not_kept(backend: MemoryBackend, source: str, secret: str) -> None:
    with pytest.raises(KeychainError):
        keychain(backend).set(source, secret)
    assert not backend.entries


def test_a_locked_keychain_does_not_pass_for_an_empty_one(backend: MemoryBackend) -> None:
    kept = keychain(backend)
    kept.set("wazuh", "one")
    backend.locked = True
    for call in (kept.get, kept.remove):
        with pytest.raises(KeychainError, match="locked"):
            call("wazuh")
    with pytest.raises(KeychainError, match="locked"):
        kept.set("wazuh", "two")
    assert "locked" in kept.description


def test_loading_never_raises_and_keeps_what_was_known(backend: MemoryBackend) -> None:
    kept = keychain(backend)
    kept.set("wazuh", "one")
    kept.load(["wazuh", "generic"])
    keychain(backend).rotate("wazuh", "two")
    assert kept.get("wazuh") == (b"one",)
    backend.locked = True
    kept.load(["wazuh", "generic", "suricata"])
    assert (kept.get("wazuh"), kept.get("generic")) == ((b"one",), ())
    backend.locked = False
    kept.load(["wazuh"])
    assert kept.get("wazuh") == (b"two", b"one")


def test_an_entry_of_another_form_is_not_an_empty_one(backend: MemoryBackend) -> None:
    backend.entries["warden-desktop", "wazuh"] = "not ours"
    with pytest.raises(KeychainError):
        keychain(backend).get("wazuh")


def test_a_keychain_that_cannot_even_be_found_is_none() -> None:
    def broken() -> Backend | None:
        raise OSError("no bus")

    kept = Keychain({}, broken)
    assert (kept.usable, kept.get("wazuh")) == (False, ())
    assert "no bus" in kept.description


def test_the_systems_own_keychain_can_always_be_asked_about() -> None:
    kept = Keychain({})
    assert kept.usable in (True, False)
    assert kept.description
