"""How long to torture: a short form with every run, the long one with `--long`."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="as many kills and damages as the safety document promises")


@pytest.fixture
def long(pytestconfig: pytest.Config) -> bool:
    """Whether this is the long form. The option exists only when this folder is named on the command line."""
    return bool(pytestconfig.getoption("--long", default=False))
