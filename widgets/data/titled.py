"""A heading over a part of a screen."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget


def titled(label: QLabel, content: QWidget) -> QWidget:
    """Both below each other; the label keeps its text and is made bold."""
    holder = QWidget()
    label.setContentsMargins(12, 6, 12, 6)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    label.setTextFormat(Qt.TextFormat.PlainText)
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(label)
    column.addWidget(content, 1)
    return holder
