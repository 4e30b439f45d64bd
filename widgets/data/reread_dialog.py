"""Which history shall be read again with the present rules."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from widgets.data.span_fields import ALL, SpanFields
from widgets.frame.time_range import TimeRangeModel

WIDTH = 480


class RereadDialog(QDialog):
    """GUI thread."""

    wanted = Signal(object, object)
    """From and to, µs UTC; 0: open end."""

    def __init__(self, time_range: TimeRangeModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Read history again"))
        self.setMinimumWidth(WIDTH)
        explained = _wrapped(
            self.tr(
                "Samples, logs, tasks, presence and names of agents are derived once more from the stored messages, with the"
                " rules as they are now. The messages stay as they are, and recording goes on. Until it is done everything"
                " shows what it was; then all of it changes at once."
            )
        )
        self.waits = _wrapped(
            self.tr("Something else is under way on the Data screen; this begins when that has ended.")
        )
        needs = _wrapped(
            self.tr("Files of history are read whole, and take as much room on the disk again until they are replaced.")
        )
        for label in (self.waits, needs):
            label.setProperty("tone", "muted")
        form = QFormLayout()
        form.setVerticalSpacing(6)
        self.span = SpanFields(form, time_range, self)
        self.span.choice.setCurrentIndex(ALL)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.start = QPushButton(self.tr("&Read again"))
        self.start.setProperty("role", "primary")
        self.start.setDefault(True)
        buttons.addButton(self.start, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._start)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(explained)
        column.addLayout(form)
        column.addWidget(needs)
        column.addWidget(self.waits)
        column.addStretch(1)
        column.addWidget(buttons)
        self.span.choice.currentIndexChanged.connect(self._grow)
        self.start.setFocus()

    def begin(self, *, waits: bool) -> None:
        """Opened again; `waits`: other work of this window comes first."""
        self.waits.setVisible(waits)
        self._grow()

    @Slot()
    def _start(self) -> None:
        self.accept()
        self.wanted.emit(*self.span.times())

    @Slot()
    def _grow(self) -> None:
        """Texts that wrap tell a layout too late how high they are."""
        layout = self.layout()
        assert layout is not None
        self.resize(self.width(), layout.totalHeightForWidth(self.width()))


def _wrapped(text: str) -> QLabel:
    return QLabel(text, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
