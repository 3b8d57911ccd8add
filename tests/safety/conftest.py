"""How long to torture: a short form with every run, the long one with `--long`."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="as many kills and damages as the safety document promises")


def _long(config: pytest.Config) -> bool:
    """The option exists only when this folder is named on the command line."""
    return bool(config.getoption("--long", default=False))


@pytest.fixture
def long(pytestconfig: pytest.Config) -> bool:
    """Whether this is the long form."""
    return _long(pytestconfig)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `turn` runs once, and in the long form LONG_TURNS times: each stays short of a hang's limit."""
    if "turn" in metafunc.fixturenames:
        metafunc.parametrize("turn", range(metafunc.module.LONG_TURNS if _long(metafunc.config) else 1))
