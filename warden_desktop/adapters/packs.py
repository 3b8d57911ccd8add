"""Packs: vendors and rules as YAML. Reads one strictly, and says in which file, line and field it is wrong.

The YAML is a narrow one, so that a pack means what it looks like: no duplicate keys, no anchors (a few lines of them
expand to gigabytes), no `yes`/`no` booleans, no dates, no octal or base-60 numbers. Only `true`/`false`, numbers and
null are not text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 256 * 1024
MAX_DEPTH = 40
ERRORS_SHOWN = 10


class PackError(Exception):
    """A pack cannot be used. The text is one `file:line: field: problem` a line; `line` 0 means the whole file."""

    def __init__(self, path: Path, line: int, field: str, problem: str, *, further: Sequence[str] = ()) -> None:
        self.path, self.line, self.field = path, line, field
        super().__init__("\n".join((_said(path, line, field, problem), *further)))


def load_packs(bundled: Path, override: Path | None, model: type[M]) -> dict[str, M]:
    """All `*.yaml` of `bundled`, by name; one in `override` replaces the bundled one of its name. Both may be absent.

    Raises PackError for the first file that is wrong, and for one whose `name` is not its file's.
    """
    packs: dict[str, M] = {}
    for directory in (bundled, override):
        for path in _files(directory):
            packs[path.stem] = _named(path, load_pack(path, model))
    return packs


def load_pack(path: Path, model: type[M]) -> M:
    """The pack in `path`, validated by `model`. Raises PackError."""
    return parse_pack(_text(path), model, path)


def line_of(path: Path, *field: int | str) -> int:
    """The line on which a field of the pack in `path` stands. Raises PackError."""
    return _document(_text(path), path).line(field)


def parse_pack(text: str, model: type[M], path: Path) -> M:
    """The pack in `text`, for instance one being edited; `path` only names it in errors. Raises PackError."""
    document = _document(text, path)
    try:
        return model.model_validate(document.value)
    except ValidationError as wrong:
        raise _pack_error(wrong, document, path) from None


def _files(directory: Path | None) -> list[Path]:
    if directory is None or not directory.is_dir():
        return []
    for path in directory.glob("*.yml"):
        raise PackError(path, 0, "", "packs end in .yaml; rename it")
    return sorted(directory.glob("*.yaml"))


def _named(path: Path, pack: M) -> M:
    name = getattr(pack, "name", None)
    if name != path.stem:
        raise PackError(path, 0, "name", f"is {name!r}, but must be the file's: {path.stem!r}")
    return pack


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise PackError(path, 0, "", "is not a file")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise PackError(path, 0, "", f"cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise PackError(path, 0, "", f"is larger than {MAX_BYTES // 1024} KiB, the limit for a pack")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PackError(path, line, "", "is not UTF-8 text") from None


class _Document:
    """The values of a YAML text, and where each of them stands."""

    def __init__(self, root: yaml.Node | None, value: object) -> None:
        self.root = root
        self.value = value

    def line(self, loc: Sequence[int | str]) -> int:
        """The line of the field at a pydantic location. Steps that are no keys (a union's tags) are passed over."""
        node, line = self.root, _line(self.root)
        for step in loc:
            found = _child(node, step)
            if found is not None:
                node, line = found
        return line


def _child(node: yaml.Node | None, step: int | str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], _line(node.value[step])
    if isinstance(node, yaml.MappingNode):
        return next(((value, _line(key)) for key, value in node.value if key.value == str(step)), None)
    return None


def _line(node: yaml.Node | None) -> int:
    return node.start_mark.line + 1 if node is not None and node.start_mark is not None else 1


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """SafeLoader without the guesses of YAML 1.1 and without duplicate keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own contract

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if not isinstance(name, Hashable) or name in seen:
                problem = f"the key {name!r} is there twice" if isinstance(name, Hashable) else "a key must be plain"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(name)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def _resolve(tag: str, pattern: str, first: Sequence[str]) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


_resolve("bool", "true|false", "tf")
_resolve("null", "null|~|", ["n", "~", ""])
_resolve("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789")
_resolve("float", r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?", "-+0123456789")


def _document(text: str, path: Path) -> _Document:
    try:
        _refuse_bombs(text, path)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            return _Document(root, loader.construct_document(root) if root is not None else None)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PackError(path, mark.line + 1 if mark else 0, "", f"{error.problem or error}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise PackError(path, 0, "", f"is not YAML: {' '.join(str(error).split())}") from None


def _refuse_bombs(text: str, path: Path) -> None:
    """Events come one by one, so depth and anchors are seen before libyaml's composer could overflow C's stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        if depth > MAX_DEPTH:
            raise PackError(path, line, "", f"is nested deeper than {MAX_DEPTH} levels")
        if getattr(event, "anchor", None) is not None:
            raise PackError(path, line, "", "anchors and aliases (& and *) are not used in packs; write it out")


def _pack_error(wrong: ValidationError, document: _Document, path: Path) -> PackError:
    found = [
        (document.line(error["loc"]), ".".join(map(str, error["loc"])), error["msg"].removeprefix("Value error, "))
        for error in wrong.errors(include_url=False, include_input=False, include_context=False)
    ]
    found.sort()
    further = [_said(path, *one) for one in found[1:ERRORS_SHOWN]]
    if len(found) > ERRORS_SHOWN:
        further.append(f"{path.name}: and {len(found) - ERRORS_SHOWN} more")
    return PackError(path, *found[0], further=further)


def _said(path: Path, line: int, field: str, problem: str) -> str:
    place = f"{path.name}:{line}" if line else path.name
    return f"{place}: {field}: {problem}" if field else f"{place}: {problem}"
