"""The MQTT 5 properties of a message that is written by hand."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLineEdit, QPlainTextEdit, QWidget

from models.domain.messages import Properties


class PropertyFields(QWidget):
    """User properties are written as lines `name=value`. GUI thread."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.content_type, self.response_topic, self.correlation = QLineEdit(), QLineEdit(), QLineEdit()
        self.content_type.setPlaceholderText("application/json")
        self.correlation.setPlaceholderText(self.tr("hexadecimal, such as 01 fe"))
        self.user = QPlainTextEdit()
        self.user.setTabChangesFocus(True)
        self.user.setPlaceholderText(self.tr("name=value, one a line"))
        self.user.setFixedHeight(3 * self.fontMetrics().lineSpacing() + 14)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        for label, field in (
            (self.tr("Content t&ype"), self.content_type),
            (self.tr("Response top&ic"), self.response_topic),
            (self.tr("C&orrelation"), self.correlation),
            (self.tr("&User properties"), self.user),
        ):
            form.addRow(label, field)
            field.setAccessibleName(label.replace("&", ""))
            field.textChanged.connect(self.changed)

    def show_properties(self, properties: Properties | None) -> None:
        """Fill the fields. How long the message has left to live is not among them: that time is over."""
        found = properties or Properties()
        self.content_type.setText(found.content_type or "")
        self.response_topic.setText(found.response_topic or "")
        self.correlation.setText((found.correlation or b"").hex(" "))
        self.user.setPlainText("\n".join(f"{name}={value}" for name, value in found.user))

    def properties(self) -> Properties | None:
        """What the fields say; None where they are all empty. Raises `ValueError` where the correlation is not hexadecimal."""
        lines = [line for line in self.user.toPlainText().split("\n") if line.strip()]
        found = Properties(
            self.content_type.text().strip() or None,
            self.response_topic.text() or None,
            bytes.fromhex(self.correlation.text()) or None,
            None,
            tuple((name, value) for name, _, value in (line.partition("=") for line in lines)),
        )
        return None if found == Properties() else found
