"""CEL: the expressions of policy, playbooks and analysis, evaluated by common-expression-language.

An expression sees the facts it is given and CEL's own functions, and nothing of Python: no function of ours is in its
context. Its regular expressions are Rust's, whose time is linear in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import cel

LONGEST: Final = 4096
"""Characters an expression may have; the parser itself bounds how deep one nests."""

_CALLABLE: Final = frozenset(
    "size contains startsWith endsWith matches int uint double string bytes timestamp duration has all exists "
    "exists_one map filter getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes "
    "getSeconds".split()
)
"""Functions an expression may call, operators apart."""


class CelConditions:
    """Implements ports.Conditions. Compiled programs are kept, the last `kept` of them."""

    def __init__(self, kept: int = 4096) -> None:
        self._program: Callable[[str], cel.Program] = lru_cache(maxsize=kept)(_compiled)

    def check(self, expression: str) -> None:
        """Raises ValueError, with the parser's own words and position, when `expression` is not an allowed one."""
        self._program(expression)

    def on(self, facts: Mapping[str, object]) -> Callable[[str], bool]:
        """A function that tells whether an expression holds for `facts`; it raises ValueError when it cannot tell.

        Converting the facts is the dear part (about 10 microseconds a list entry) and is done here, once.
        """
        context = cel.Context(variables=dict(facts))

        def holds(expression: str) -> bool:
            return _told(expression, self._program(expression), context)

        return holds


def _told(expression: str, program: cel.Program, context: cel.Context) -> bool:
    try:
        answer = program.execute(context)
    except KeyError as error:
        raise ValueError(f"{_short(expression)}: there is no {error} in the facts; guard it with has(...)") from error
    except Exception as error:
        raise ValueError(f"{_short(expression)}: {_short(str(error))}") from error
    if not isinstance(answer, bool):
        raise ValueError(f"{_short(expression)}: gives {type(answer).__name__}; a condition must give true or false")
    return answer


def _compiled(expression: str) -> cel.Program:
    if len(expression) > LONGEST:
        raise ValueError(f"an expression has at most {LONGEST} characters; this one has {len(expression)}")
    try:
        program = cel.compile(expression)
    except Exception as error:
        raise ValueError(f"{_short(expression)}: {_short(str(error), 400)}") from error
    unknown = sorted(name for name in program.functions() if not _allowed(name))
    if unknown:
        raise ValueError(f"{_short(expression)}: calls {', '.join(unknown)}, which conditions do not have")
    return program


def _allowed(name: str) -> bool:
    return name in _CALLABLE or not name.isidentifier()


def _short(text: str, length: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
