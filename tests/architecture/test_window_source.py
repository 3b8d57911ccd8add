"""The window never waits, never nests an event loop, and shows attackers' text only as text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import PRODUCT, Source, called_name, sources, write_tree

FACTORY = "plain_text.py"
GUESSES_RICH_TEXT = {"QErrorMessage", "QLabel", "QMessageBox", "QProgressDialog", "QStaticText", "QTextEdit"}
ALWAYS_RICH = {
    "AutoText", "MarkdownText", "QTextBrowser", "RichText",
    "appendHtml", "insertHtml", "insertMarkdown", "setHtml", "setMarkdown",
}  # fmt: skip
TIPS = {"setItemToolTip", "setTabToolTip", "setToolTip", "setWhatsThis"}
NESTS_A_LOOP = {"exec", "exec_"}
STATICS = {
    "QColorDialog": {"getColor"},
    "QFileDialog": {
        "getExistingDirectory", "getExistingDirectoryUrl", "getOpenFileContent", "getOpenFileName", "getOpenFileNames",
        "getOpenFileUrl", "getOpenFileUrls", "getSaveFileName", "getSaveFileUrl", "saveFileContent",
    },
    "QFontDialog": {"getFont"},
    "QInputDialog": {"getDouble", "getInt", "getItem", "getMultiLineText", "getText"},
    "QMessageBox": {"about", "aboutQt", "critical", "information", "question", "warning"},
}  # fmt: skip


def window_findings(root: Path) -> list[str]:
    return [finding for source in sources(root) for finding in (*_waits(source), *_renders(source), *_signals(source))]


def _waits(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.AsyncFunctionDef):
            yield source.at(node.lineno, f"async def {node.name}: a coroutine connected to a signal never runs")
    for call in source.calls():
        if isinstance(call.func, ast.Attribute) and called_name(call) in NESTS_A_LOOP:
            yield source.at(call.lineno, "exec nests an event loop: use open() and finished")
        owner, _, name = ast.unparse(call.func).rpartition(".")
        if name in STATICS.get(owner.rpartition(".")[2], ()):
            yield source.at(call.lineno, f"{owner}.{name} nests an event loop: use open() and finished")


def _renders(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in ALWAYS_RICH:
                yield source.at(node.lineno, f"{name} renders what an attacker wrote")
    if source.name != FACTORY:
        yield from _bypasses_the_factory(source)


def _bypasses_the_factory(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.ClassDef):
            for parent in (ast.unparse(base).rpartition(".")[2] for base in node.bases):
                if parent in GUESSES_RICH_TEXT:
                    yield source.at(node.lineno, f"class {node.name}({parent}) belongs in {FACTORY}")
    factory = _names_from_factory(source)
    for call in source.calls():
        name = called_name(call)
        if name in GUESSES_RICH_TEXT:
            yield source.at(call.lineno, f"{name}() guesses that text is HTML: take it from {FACTORY}")
        elif name == "showText" or (name in TIPS and not _is_plain(call.args[-1], factory)):
            yield source.at(call.lineno, f"{name} renders HTML: give it a literal, or text escaped by {FACTORY}")


def _names_from_factory(source: Source) -> set[str]:
    imports = (node for node in source.nodes if isinstance(node, ast.ImportFrom))
    names = (alias.asname or alias.name for node in imports for alias in node.names if _is_factory(node, alias))
    return set(names)


def _is_factory(node: ast.ImportFrom, alias: ast.alias) -> bool:
    return (node.module or "").endswith("plain_text") or alias.name == "plain_text"


def _is_plain(argument: ast.expr, factory: set[str]) -> bool:
    if isinstance(argument, ast.IfExp):
        return _is_plain(argument.body, factory) and _is_plain(argument.orelse, factory)
    if isinstance(argument, ast.Call):
        return ast.unparse(argument.func).partition(".")[0] in factory
    return isinstance(argument, ast.Constant)


def _signals(source: Source) -> Iterator[str]:
    for call in source.calls():
        if called_name(call) == "Signal" and any(ast.unparse(kind) in {"int", "'int'"} for kind in call.args):
            yield source.at(call.lineno, "Signal(int) wraps at 32 bits: use Signal(object)")


def test_the_window_never_waits_and_renders_only_plain_text() -> None:
    assert window_findings(PRODUCT / "ui") == []


@pytest.mark.parametrize(
    "bad",
    [
        "dialog.exec()",
        "menu.exec_(position)",
        "QMessageBox.warning(None, 'a', 'b')",
        "QtWidgets.QFileDialog.getOpenFileName(self)",
        "QInputDialog.getText(self, 'a', 'b')",
        "async def on_click(): ...",
        "label.setTextFormat(Qt.TextFormat.RichText)",
        "label.setTextFormat(Qt.AutoText)",
        "view.setHtml(text)",
        "cursor.insertHtml(text)",
        "log.appendHtml(text)",
        "view = QTextBrowser()",
        "class View(QtWidgets.QTextBrowser): ...",
        "label = QLabel(text)",
        "class Badge(QLabel): ...",
        "box = QMessageBox(self)",
        "button.setToolTip(alert.title)",
        "button.setToolTip(f'Isolate {host}')",
        "QToolTip.showText(position, text)",
        "changed = Signal(int)",
        "changed = Signal(str, int)",
    ],
)
def test_a_window_that_waits_or_renders_is_found(bad: str, tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"view.py": f"from PySide6.QtCore import Signal\n{bad}\n"})
    (finding, *_) = window_findings(root)
    assert finding.startswith("view.py:2: ")


def test_the_factory_may_build_labels_and_others_may_use_it(tmp_path: Path) -> None:
    files = {
        FACTORY: "def label(): return QLabel()\n",
        "view.py": "from .plain_text import label, tip\nbutton.setToolTip(tip(x))\nbutton.setToolTip('Deny')\n",
        "table.py": "from warden_desktop.ui import plain_text\nlabel.setTextFormat(Qt.TextFormat.PlainText)\n"
        "box.setToolTip(plain_text.tip(x) if x else '')\nchanged = Signal(object)\ndialog.open()\n",
    }
    assert window_findings(write_tree(tmp_path, files)) == []
