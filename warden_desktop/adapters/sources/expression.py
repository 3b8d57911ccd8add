"""JMESPath for packs: compiled once, quick, and unable to raise whatever a delivery contains.

jmespath walks its syntax tree with a visitor, which costs some 4 microseconds an expression and a pack has forty. The
kinds of node that packs are made of (fields, indices, `||`, `&&`, literals, projections) become closures here, ten
times as quick; every other kind is left to jmespath's own interpreter. What an expression cannot make sense of is null.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.parser import Parser
from jmespath.visitor import Options, TreeInterpreter

if TYPE_CHECKING:
    from jmespath.visitor import _TreeNode as Node

Get = Callable[[Any], Any]

_NOT_OURS = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8",
                               "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"))
)  # fmt: skip


class _Functions(Functions):
    """JMESPath's functions, and what packs need besides."""

    @signature({"types": []})
    def _func_internal(self, value: object) -> bool:
        """Whether an address is of a private, shared, loopback or link-local range (documentation ranges are not)."""
        try:
            address = ipaddress.ip_address(value) if isinstance(value, str) else None
        except ValueError:
            return False
        return address is not None and any(address in network for network in _NOT_OURS)

    @signature({"types": []})
    def _func_host_of(self, value: object) -> str | None:
        """The host of a URL, a `host:port` or a `user@host`."""
        if not isinstance(value, str) or not value or len(value) > 4096:
            return None
        try:
            return urlsplit(value if "://" in value else f"//{value}").hostname
        except ValueError:
            return None


_INTERPRETER = TreeInterpreter(Options(custom_functions=_Functions()))


class Branch(NamedTuple):
    """One of the alternatives of `a || b || c`: where it looks, and how."""

    path: str
    get: Get


class Expression:
    """A compiled JMESPath expression. Raises ValueError when `text` is not one."""

    def __init__(self, text: str) -> None:
        self.text = text
        node = _parsed(text)
        self.get: Get = _compiled(node)
        self.roots = frozenset(_roots(node))
        """The top-level fields it reads."""
        self.branches = tuple(Branch(_path(one) or text, _compiled(one)) for one in _alternatives(node))

    def first(self, value: object) -> tuple[str, Any]:
        """The first alternative that finds something: its path and what it finds; ("", None) when none does."""
        for path, get in self.branches:
            found = get(value)
            if not nothing(found):
                return path, found
        return "", None


def nothing(value: object) -> bool:
    """JMESPath's idea of false: null, false, and empty text, list or object. Zero is something."""
    return value is None or value is False or value == "" or value == [] or value == {}


def _parsed(text: str) -> Node:
    try:
        node = Parser().parse(text).parsed
    except JMESPathError as error:
        raise ValueError(f"is not JMESPath: {str(error).splitlines()[0]}") from None
    for name, arguments in _calls(node):
        known = _Functions.FUNCTION_TABLE.get(name)
        if known is None:
            raise ValueError(f"calls {name}(), which does not exist")
        if len(arguments) < len(known["signature"]):
            raise ValueError(f"calls {name}() with too few arguments")
    return node


def _calls(node: Node) -> Iterator[tuple[str, Sequence[Node]]]:
    if node["type"] == "function_expression":
        yield node["value"], node["children"]
    for child in _children(node):
        yield from _calls(child)


def _children(node: Node) -> list[Node]:
    return [child for child in node["children"] if isinstance(child, dict)]


def _alternatives(node: Node) -> list[Node]:
    if node["type"] != "or_expression":
        return [node]
    left, right = node["children"]
    return _alternatives(left) + _alternatives(right)


def _path(node: Node) -> str:
    """A plain path as JMESPath text; "" for anything else."""
    kind = node["type"]
    if kind == "field":
        name: str = node["value"]
        return name if name.isidentifier() and name.isascii() else f'"{name}"'
    if kind in ("subexpression", "index_expression"):
        parts = [_path(child) for child in _children(node)]
        return (
            "".join(f".{part}" if index and part[0] != "[" else part for index, part in enumerate(parts))
            if all(parts)
            else ""
        )
    return f"[{node['value']}]" if kind == "index" else ""


_OF_THE_FIRST = frozenset(
    {"subexpression", "index_expression", "projection", "value_projection", "filter_projection", "flatten", "pipe"}
)


def _roots(node: Node) -> Iterator[str]:
    if node["type"] == "field":
        yield node["value"]
        return
    children = _children(node)
    for child in children[:1] if node["type"] in _OF_THE_FIRST else children:
        yield from _roots(child)


def _compiled(node: Node) -> Get:
    """A function that gives what the node finds in a value."""
    builder = _BUILDERS.get(node["type"])
    return builder(node) if builder else _interpreted(node)


def _interpreted(node: Node) -> Get:
    visit = _INTERPRETER.visit

    def get(value: Any) -> Any:
        try:
            return visit(node, value)
        except Exception:  # functions raise what they like at values nobody foresaw
            return None

    return get


def _field(node: Node) -> Get:
    name = node["value"]
    return lambda value: value.get(name) if type(value) is dict else None


def _index(node: Node) -> Get:
    place: int = node["value"]
    return lambda value: value[place] if type(value) is list and -len(value) <= place < len(value) else None


def _chain(node: Node) -> Get:
    names = _fields(node)
    if not names:
        first, *rest = map(_compiled, node["children"])
        return lambda value: _through(rest, first(value))

    def get(value: Any) -> Any:
        for name in names:
            if type(value) is not dict:
                return None
            value = value.get(name)
        return value

    return get


def _through(steps: Sequence[Get], value: Any) -> Any:
    for step in steps:
        value = step(value)
    return value


def _fields(node: Node) -> tuple[str, ...]:
    """The names of a path of fields only; empty for any other node."""
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return ()
    parts = [_fields(child) for child in node["children"]]
    return tuple(name for part in parts for name in part) if all(parts) else ()


def _or(node: Node) -> Get:
    options = [_compiled(one) for one in _alternatives(node)]

    def get(value: Any) -> Any:
        found = None
        for option in options:
            found = option(value)
            if not nothing(found):
                break
        return found

    return get


def _and(node: Node) -> Get:
    left, right = map(_compiled, node["children"])

    def get(value: Any) -> Any:
        found = left(value)
        return found if nothing(found) else right(value)

    return get


def _not(node: Node) -> Get:
    inner = _compiled(node["children"][0])
    return lambda value: nothing(inner(value))


def _literal(node: Node) -> Get:
    constant = node["value"]
    return lambda value: constant


def _comparator(node: Node) -> Get:
    """`x == 'text'`; the rest of comparing has more rules than are worth repeating."""
    left, right = node["children"]
    if node["value"] != "eq" or right["type"] != "literal" or not isinstance(right["value"], str):
        return _interpreted(node)
    get, wanted = _compiled(left), right["value"]
    return lambda value: get(value) == wanted


def _call(node: Node) -> Get:
    """A call of a function that takes anything, without the interpreter's ceremony."""
    call = _PLAIN_CALLS.get(node["value"])
    if call is None:
        return _interpreted(node)
    argument = _compiled(node["children"][0])
    return lambda value: call(argument(value))


def _projection(node: Node) -> Get:
    """`a[].b`, `a[*].b`, `a[?c].b`: the right side of each element, what is null left out."""
    left, right = (_compiled(child) for child in node["children"][:2])
    kept = _compiled(node["children"][2]) if node["type"] == "filter_projection" else None

    def get(value: Any) -> Any:
        base = left(value)
        if type(base) is not list:
            return None
        found = (right(one) for one in base if kept is None or not nothing(kept(one)))
        return [one for one in found if one is not None]

    return get


def _flatten(node: Node) -> Get:
    inner = _compiled(node["children"][0])

    def get(value: Any) -> Any:
        base = inner(value)
        if type(base) is not list:
            return None
        return [one for element in base for one in (element if type(element) is list else (element,))]

    return get


def _multi_select(node: Node) -> Get:
    parts = [_compiled(child) for child in node["children"]]
    return lambda value: None if value is None else [part(value) for part in parts]


_KINDS = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "boolean"}
_FUNCTIONS = _Functions()
_PLAIN_CALLS: dict[str, Get] = {
    "internal": _FUNCTIONS._func_internal,
    "host_of": _FUNCTIONS._func_host_of,
    "type": lambda value: _KINDS.get(type(value), "null"),
}


_BUILDERS: dict[str, Callable[[Node], Get]] = {
    "field": _field,
    "index": _index,
    "subexpression": _chain,
    "index_expression": _chain,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "literal": _literal,
    "function_expression": _call,
    "comparator": _comparator,
    "projection": _projection,
    "filter_projection": _projection,
    "flatten": _flatten,
    "multi_select_list": _multi_select,
    "pipe": _chain,
    "identity": lambda node: lambda value: value,
    "current": lambda node: lambda value: value,
}
