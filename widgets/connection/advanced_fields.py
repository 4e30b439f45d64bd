"""The settings of a connection that most people never touch."""

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QPlainTextEdit, QSpinBox, QWidget

from models.domain.connection import DEFAULT_FILTERS, Connection, Protocol

FILTER_ROWS = 6
LONGEST_KEEPALIVE_S = 65_535
LONGEST_SESSION_S = 30 * 86_400


class AdvancedFields(QWidget):
    """Protocol, topics, keep-alive, session, prefix. `changed` follows every edit."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.protocol = QComboBox(self)
        for text, value in (
            (self.tr("5, else 3.1.1"), Protocol.AUTO),
            (self.tr("MQTT 5"), Protocol.MQTT_5),
            (self.tr("MQTT 3.1.1"), Protocol.MQTT_311),
        ):
            self.protocol.addItem(text, value)
        self.filters = QPlainTextEdit(self, tabChangesFocus=True)
        self.filters.setToolTip(self.tr("One topic filter a line. Topics that begin with $ need a line of their own."))
        self.filters.setFixedHeight(self.filters.fontMetrics().lineSpacing() * FILTER_ROWS + 14)
        self.keepalive = QSpinBox(self, minimum=5, maximum=LONGEST_KEEPALIVE_S)
        self.keepalive.setSuffix(self.tr(" s"))
        self.session = QSpinBox(self, minimum=0, maximum=LONGEST_SESSION_S)
        self.session.setSuffix(self.tr(" s"))
        for number in (self.keepalive, self.session):
            number.lineEdit().setTextMargins(5, 0, 0, 0)
        self.session.setToolTip(
            self.tr("So long the broker keeps messages for us while nothing records. It holds them in its memory.")
        )
        self.prefix = QLineEdit(self)
        self.prefix.setToolTip(self.tr("First levels of the topics on which agents of our own kind publish."))
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        rows = (
            (self.tr("&Protocol"), self.protocol),
            (self.tr("T&opics"), self.filters),
            (self.tr("&Keep-alive"), self.keepalive),
            (self.tr("Session &lasts"), self.session),
            (self.tr("Pre&fix"), self.prefix),
        )
        for text, field in rows:
            form.addRow(text, field)
            field.setAccessibleName(text.replace("&", ""))
        self.protocol.currentIndexChanged.connect(self.changed)
        self.filters.textChanged.connect(self.changed)
        self.keepalive.valueChanged.connect(self.changed)
        self.session.valueChanged.connect(self.changed)
        self.prefix.textChanged.connect(self.changed)

    def show_connection(self, connection: Connection) -> None:
        """Fill the fields."""
        self.protocol.setCurrentIndex(self.protocol.findData(connection.protocol))
        self.filters.setPlainText("\n".join(connection.filters))
        self.keepalive.setValue(connection.keepalive_s)
        self.session.setValue(connection.session_expiry_s)
        self.prefix.setText(connection.prefix)

    def put_into(self, connection: Connection) -> Connection:
        """The same connection with what the fields say; an empty field means the default."""
        filters = tuple(line.strip() for line in self.filters.toPlainText().splitlines() if line.strip())
        return replace(
            connection,
            protocol=Protocol(self.protocol.currentData()),
            filters=filters or DEFAULT_FILTERS,
            keepalive_s=self.keepalive.value(),
            session_expiry_s=self.session.value(),
            prefix=self.prefix.text().strip().strip("/") or Connection().prefix,
        )
