"""A payload in three forms: JSON tree, text, bytes. Each is only made when somebody looks at it."""

from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHeaderView, QPlainTextEdit, QTabWidget

from models.domain.json_path import NOTHING, decode
from models.domain.queries import MessageLine
from widgets.common.pairs_item_model import PairsModel
from widgets.common.plain import visible_lines
from widgets.common.tables import TableView
from widgets.common.theme import ThemeHolder
from widgets.messages.hex_item_model import HexModel
from widgets.messages.json_view import JsonView
from widgets.records.record_dialog import message_fields

LONGEST_LINE = 4_000
"""Longer ones are broken: laying out a single line of a megabyte takes a second and a half."""
JSON, TEXT, BYTES, FIELDS = range(4)


class PayloadPages(QTabWidget):
    """Keeps to the page that somebody chose; where a payload is no JSON, or no text, to the next one. GUI thread."""

    changed = Signal()
    """Another page or another value is at hand."""

    def __init__(self, theme: ThemeHolder) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self._payload = b""
        self._document: Any = NOTHING
        self._chosen = JSON
        self._stale: set[int] = set()
        self._turning = False
        self.json = JsonView(theme)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("Payload as text"))
        self.bytes = HexModel(theme, self)
        table = TableView(self.tr("Payload as bytes"))
        table.setObjectName("payload-bytes")
        metrics = self.text.fontMetrics()
        table.start_with(self.bytes, (metrics.horizontalAdvance("0" * 10), metrics.horizontalAdvance("00 " * 17)))
        table.verticalHeader().setDefaultSectionSize(metrics.height() + 4)
        self.fields = PairsModel(theme, (self.tr("Field"), self.tr("Value")), self)
        fields = TableView(self.tr("Fields and properties"))
        fields.setObjectName("message-fields")
        fields.start_with(self.fields, (170,))
        fields.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        for page, name in (
            (self.json, self.tr("JSON")),
            (self.text, self.tr("Text")),
            (table, self.tr("Bytes")),
            (fields, self.tr("Properties")),
        ):
            self.addTab(page, name)
        self.currentChanged.connect(self._turned)
        self.json.moved.connect(self.changed)

    def show_message(self, line: MessageLine) -> None:
        """Show this payload, as far as the line holds it."""
        self._payload = line.payload
        self._document = decode(line.payload)
        self.fields.show_pairs(message_fields(line))
        self._stale = {JSON, TEXT, BYTES}
        is_json = self._document is not NOTHING
        page = self._chosen
        if page == JSON and not is_json:
            page = TEXT
        if page == TEXT and not is_text(line.payload):
            page = BYTES
        self._turning = True
        self.setTabEnabled(JSON, is_json)
        self.setCurrentIndex(page)
        self._turning = False
        self._fill()

    def turn_to(self, page: int) -> None:
        """As if somebody had chosen this page."""
        self.setCurrentIndex(page)

    @Slot(int)
    def _turned(self, page: int) -> None:
        if not self._turning:
            self._chosen = page
            self._fill()

    def _fill(self) -> None:
        page = self.currentIndex()
        if page in self._stale:
            self._stale.remove(page)
            if page == JSON:
                self.json.show_document(self._document)
            elif page == TEXT:
                self.text.setPlainText(broken(visible_lines(self._payload.decode(errors="backslashreplace"))))
            else:
                self.bytes.show_payload(self._payload)
        self.changed.emit()


def is_text(payload: bytes) -> bool:
    """UTF-8 without the characters that only bytes have (a cut in its last character is forgiven)."""
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        if error.start < len(payload) - 3:
            return False
        text = payload[: error.start].decode()
    return "\0" not in text


def broken(text: str) -> str:
    """Long lines in pieces."""
    if len(text) <= LONGEST_LINE:
        return text
    pieces = (
        line[start : start + LONGEST_LINE]
        for line in text.split("\n")
        for start in range(0, max(1, len(line)), LONGEST_LINE)
    )
    return "\n".join(pieces)
