"""What a person is told when a command fails, and with which exit code. Errors nobody expected keep their traceback."""

from __future__ import annotations

from collections.abc import Iterator

from warden_desktop.adapters.data_directory import DataDirectoryError
from warden_desktop.adapters.packs import PackError
from warden_desktop.adapters.webhook.door import DoorError
from warden_desktop.commands.client import NotRunning, Refused
from warden_desktop.commands.codes import FAILED, USAGE
from warden_desktop.commands.output import complain
from warden_desktop.engine.ports import JournalError
from warden_desktop.settings import SettingsError

_CODES: dict[type[Exception], int] = {
    DataDirectoryError: USAGE,
    SettingsError: USAGE,
    PackError: USAGE,
    DoorError: USAGE,
    JournalError: FAILED,
    NotRunning: FAILED,
    Refused: FAILED,
}


def explain(error: Exception) -> int:
    """Say what is wrong, one line each, and return the exit code. Raises `error` again when it is none we know."""
    causes = list(_causes(error))
    codes = [_code(cause) for cause in causes]
    known = [code for code in codes if code is not None]
    if len(known) < len(causes):
        raise error
    for cause in causes:
        complain(str(cause))
    return max(known)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What a task group gathers, one by one."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _causes(one)
    else:
        yield error


def _code(error: BaseException) -> int | None:
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), None)
