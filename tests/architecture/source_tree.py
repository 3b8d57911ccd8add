"""Reads the product's source as syntax trees. Every check takes a root, so that it can be shown a bad tree too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PRODUCT = CHECKOUT / "warden_desktop"


@dataclass(frozen=True)
class Source:
    """One Python file; `name` is its path below the root it was found under, with forward slashes."""

    name: str
    text: str

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text, self.name)))

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Each absolute import as (line, dotted module)."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield node.lineno, node.module or ""

    def at(self, line: int, message: str) -> str:
        return f"{self.name}:{line}: {message}"


def sources(root: Path) -> list[Source]:
    paths = sorted(path for path in root.rglob("*.py") if "__pycache__" not in path.parts)
    return [Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


def called_name(call: ast.Call) -> str:
    """The last part of what is called: "exec" for dialog.exec()."""
    return ast.unparse(call.func).rpartition(".")[2]


def write_tree(root: Path, files: dict[str, str]) -> Path:
    """A tree of files for a check to find fault with."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
