"""A small sheet that asks for a reason before a decision. It never stops the window: alerts keep coming in."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from warden_desktop.ui.plain_text import label
from warden_desktop.ui.theme import Theme, set_role


class ReasonSheet(QDialog):
    """Asks why. `decide` gets the reason, which is never blank; a usual reason is filled in, so Enter is enough."""

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        *,
        heading: str,
        about: str,
        verb: str,
        usual: str,
        decide: Callable[[str], None],
        dangerous: bool = False,
    ) -> None:
        super().__init__(parent)
        self._decide = decide
        self.setWindowTitle(heading)
        self.setMinimumWidth(theme.space(120))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        self._reason = QLineEdit(usual)
        self._reason.setMaxLength(1_000)
        self._reason.setAccessibleName("Reason")
        self._reason.setPlaceholderText("Why? The reason is kept with the incident.")
        self._yes = QPushButton(verb)
        set_role(self._yes, "danger" if dangerous else "primary")
        self._arrange(theme, heading, about)
        self._reason.textChanged.connect(self._judge)
        self._judge(usual)
        self._reason.selectAll()

    def _arrange(self, theme: Theme, heading: str, about: str) -> None:
        page = QVBoxLayout(self)
        page.setContentsMargins(*[theme.space(5)] * 4)
        page.setSpacing(theme.space(2))
        page.addWidget(label(heading, "heading"))
        page.addWidget(label(about, "muted", elide=True))
        page.addSpacing(theme.space(1))
        page.addWidget(label("Reason", "section"))
        page.addWidget(self._reason)
        page.addSpacing(theme.space(2))
        page.addLayout(self._buttons(theme))

    def _buttons(self, theme: Theme) -> QHBoxLayout:
        cancel = QPushButton("Cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self._yes.setDefault(True)
        self._yes.clicked.connect(self._confirm)
        row = QHBoxLayout()
        row.setSpacing(theme.space(2))
        row.addStretch()
        row.addWidget(cancel)
        row.addWidget(self._yes)
        return row

    def _judge(self, text: str) -> None:
        self._yes.setEnabled(bool(text.strip()))

    def _confirm(self) -> None:
        self.accept()
        self._decide(self._reason.text().strip())
