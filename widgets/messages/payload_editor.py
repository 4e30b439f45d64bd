"""Where a payload is written by hand: text, with a word on whether it is JSON; or bytes that no editor can hold, kept as they
are."""

import json

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from widgets.common.numbers import value_text
from widgets.records.record_dialog import as_hex

_TYPING_MS = 150
_SHOWN_BYTES = 4_096
"""Of what cannot be edited."""


class PayloadEditor(QWidget):
    """GUI thread."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._kept: bytes | None = None  # what the editor cannot hold
        self.text = QPlainTextEdit()
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("Payload"))
        self.hint = QLabel()
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        self.hint.setProperty("tone", "muted")
        self._write = QPushButton(self.tr("Write text instead"))
        self._write.setAutoDefault(False)
        self._write.hide()
        row = QHBoxLayout()
        row.addWidget(self.hint, 1)
        row.addWidget(self._write)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.text, 1)
        column.addLayout(row)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self._judge)
        self.text.textChanged.connect(self._edited)
        self._write.clicked.connect(self._begin_text)
        self._judge()

    @property
    def payload(self) -> bytes:
        """What would be published."""
        return self._kept if self._kept is not None else self.text.toPlainText().encode(errors="surrogatepass")

    def show_payload(self, payload: bytes) -> None:
        """Put this in. What an editor would change (bytes that are no text, the line ends of another system) is kept."""
        self._kept = None
        try:
            self.text.setPlainText(payload.decode())
        except UnicodeDecodeError:
            self._kept = payload
        if self._kept is not None or self.payload != payload:
            self._kept = payload
            self.text.setPlainText(as_hex(payload[:_SHOWN_BYTES]))
        self.text.setReadOnly(self._kept is not None)
        self._write.setVisible(self._kept is not None)
        self._judge()
        self.changed.emit()

    @Slot()
    def _begin_text(self) -> None:
        self.show_payload(b"")
        self.text.setFocus()

    @Slot()
    def _edited(self) -> None:
        self._typing.start()
        self.changed.emit()

    @Slot()
    def _judge(self) -> None:
        payload = self.payload
        told = [value_text(len(payload), "By")]
        if self._kept is not None:
            told.insert(0, self.tr("not plain text; sent byte by byte as it came"))
        elif not payload:
            told = [self.tr("empty")]
        else:
            told.insert(0, self._form(self.text.toPlainText()))
        self.hint.setText(" · ".join(told))

    def _form(self, text: str) -> str:
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            if not text.lstrip().startswith(("{", "[")):
                return self.tr("text")
            where = self.tr("not JSON: line {line}, column {column}")
            return where.replace("{line}", str(error.lineno)).replace("{column}", str(error.colno))
        except (ValueError, RecursionError):
            return self.tr("text")
        return self.tr("valid JSON")
