"""One stored row in full: its fields, then its text, JSON or bytes. Everything is plain text."""

import json
import math
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from models.domain.quantity import format_time
from models.domain.queries import LogLine, MessageLine, TaskLine
from widgets.common.numbers import value_text
from widgets.common.plain import PlainLabel, visible_lines
from widgets.common.words import kind_word, level_word, origin_word, task_word

_HEX_WIDTH = 16
_HEX_LIMIT = 65_536


class RecordDialog(QDialog):
    """`fields` are (label, value) pairs, `pages` (title, text); labels and titles are translated, the rest is outside text."""

    def __init__(
        self,
        title: str,
        fields: Sequence[tuple[str, str]],
        pages: Sequence[tuple[str, str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(720, 540)
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        for label, value in fields:
            if value:
                form.addRow(label, PlainLabel(value))
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for name, text in pages:
            page = QPlainTextEdit(visible_lines(text))
            page.setReadOnly(True)
            page.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
            page.setAccessibleName(name)
            self.tabs.addTab(page, name)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        for button in buttons.buttons():
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.tabs, 1)
        column.addWidget(buttons)

    def _copy(self) -> None:
        page = self.tabs.currentWidget()
        if isinstance(page, QPlainTextEdit):
            QGuiApplication.clipboard().setText(page.toPlainText())


translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


def log_dialog(line: LogLine, parent: QWidget, agent: str = "") -> RecordDialog:
    """A log record in full; `agent`: what to call who wrote it, where that is not plain."""
    fields = [
        (translate("RecordDialog", "Time"), format_time(line.time_us, digits=6)),
        (translate("RecordDialog", "Received"), format_time(line.key.received_us, digits=6)),
        (translate("RecordDialog", "Level"), level_word(line.level)),
        (translate("RecordDialog", "Agent"), agent),
        (translate("RecordDialog", "Logger"), line.logger),
        (translate("RecordDialog", "Error"), line.error),
    ]
    pages = [(translate("RecordDialog", "Text"), line.text)]
    if line.stack:
        pages.append((translate("RecordDialog", "Stack"), line.stack))
    if line.attributes:
        pages.append((translate("RecordDialog", "Attributes"), as_json(line.attributes.encode()) or line.attributes))
    return RecordDialog(translate("RecordDialog", "Log record"), fields, pages, parent)


def message_fields(line: MessageLine) -> list[tuple[str, str]]:
    """What a message tells beside its payload, its MQTT 5 properties last; absent ones have an empty value."""
    fields = [
        (translate("RecordDialog", "Received"), format_time(line.key.received_us, digits=6)),
        (translate("RecordDialog", "Topic"), line.topic.decode(errors="backslashreplace")),
        (translate("RecordDialog", "Kind"), kind_word(line.kind)),
        (translate("RecordDialog", "Origin"), origin_word(line.origin)),
        (
            translate("RecordDialog", "QoS"),
            f"{line.qos}" + (", " + translate("RecordDialog", "retained") if line.retain else ""),
        ),
        (translate("RecordDialog", "Size"), value_text(line.size, "By")),
    ]
    properties = line.properties
    if properties is not None:
        correlation = properties.correlation
        fields += [
            (translate("RecordDialog", "Content type"), properties.content_type or ""),
            (translate("RecordDialog", "Response topic"), properties.response_topic or ""),
            (translate("RecordDialog", "Correlation"), correlation.hex(" ") if correlation else ""),
            (
                translate("RecordDialog", "Expires after"),
                "" if properties.expiry_s is None else value_text(properties.expiry_s, "s"),
            ),
            *(
                (translate("RecordDialog", "Property {name}").replace("{name}", one[0]), one[1])
                for one in properties.user
            ),
        ]
    return fields


def message_dialog(line: MessageLine, parent: QWidget) -> RecordDialog:
    """A message in full: payload as text, as JSON where it is, and as bytes."""
    fields = message_fields(line)
    if len(line.payload) < line.size:
        shown = translate("RecordDialog", "the first {n} are here").replace("{n}", value_text(len(line.payload), "By"))
        fields.append((translate("RecordDialog", "Payload"), shown))
    pages = []
    pretty = as_json(line.payload)
    if pretty is not None:
        pages.append((translate("RecordDialog", "JSON"), pretty))
    pages.append((translate("RecordDialog", "Text"), line.payload.decode(errors="backslashreplace")))
    pages.append((translate("RecordDialog", "Bytes"), as_hex(line.payload)))
    return RecordDialog(translate("RecordDialog", "Message"), fields, pages, parent)


def task_dialog(line: TaskLine, parent: QWidget) -> RecordDialog:
    """A task as last reported, in full."""
    fields = [
        (translate("RecordDialog", "Task"), line.task),
        (translate("RecordDialog", "Type"), line.type),
        (translate("RecordDialog", "State"), task_word(line.state)),
        (translate("RecordDialog", "Parent"), line.parent),
        (translate("RecordDialog", "Requester"), line.requester),
        (translate("RecordDialog", "Submitted"), format_time(line.submitted_us, digits=3) if line.submitted_us else ""),
        (translate("RecordDialog", "Started"), format_time(line.started_us, digits=3) if line.started_us else ""),
        (translate("RecordDialog", "Ended"), format_time(line.ended_us, digits=3) if line.ended_us else ""),
        (translate("RecordDialog", "Attempt"), str(line.attempt) if line.attempt else ""),
        (translate("RecordDialog", "Progress"), "" if math.isnan(line.progress) else value_text(line.progress, "1")),
    ]
    pages = [(translate("RecordDialog", "Result"), as_json(line.result.encode()) or line.result)]
    if line.error:
        pages.insert(0, (translate("RecordDialog", "Error"), line.error))
    return RecordDialog(translate("RecordDialog", "Task"), fields, pages, parent)


def as_json(payload: bytes) -> str | None:
    """Indented JSON, keys in their order; None where it is none (or nested deeper than Python reads)."""
    if payload[:64].lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def as_hex(payload: bytes) -> str:
    """Offset, sixteen bytes, and what is ASCII of them, a line each; the first 64 KiB."""
    lines = []
    for start in range(0, min(len(payload), _HEX_LIMIT), _HEX_WIDTH):
        part = payload[start : start + _HEX_WIDTH]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<{3 * _HEX_WIDTH}} {letters}")
    return "\n".join(lines)
