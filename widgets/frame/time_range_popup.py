"""Both ends of the time range by hand, and the range as text to give to a colleague."""

from PySide6.QtCore import QDateTime, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDateTimeEdit, QFormLayout, QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from models.domain.problems import EnvironmentProblem
from widgets.common.words import problem_text
from widgets.frame.time_range import TimeRangeModel
from widgets.frame.tool_buttons import restyle

MOMENT_FORMAT = "yyyy-MM-dd HH:mm:ss"


class TimeRangePopup(QFrame):
    """Opens below its button, closes with Esc or a click beside it. Times are this computer's."""

    def __init__(self, model: TimeRangeModel, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._model = model
        self.setProperty("role", "popup")
        self.setAccessibleName(self.tr("Custom time range"))
        self._since, self._until = self._moment(self.tr("From")), self._moment(self.tr("Until"))
        self._text = QLineEdit()
        self._text.setAccessibleName(self.tr("Time range as text"))
        self._text.setToolTip(
            self.tr(
                "For example: live 15m, 2h..1h, 14:00..14:15, yesterday, or 2026-11-23T14:00:00Z..2026-11-23T14:15:00Z"
            )
        )
        self._text.setMinimumWidth(360)
        self._wrong = QLabel()
        self._wrong.setTextFormat(Qt.TextFormat.PlainText)
        self._wrong.setWordWrap(True)
        self._wrong.setProperty("tone", "error")
        self._wrong.hide()
        self._apply = QPushButton(self.tr("Show this range"))
        self._apply.setProperty("role", "primary")
        copy, paste = QPushButton(self.tr("Copy")), QPushButton(self.tr("Paste and show"))
        form = QFormLayout(self)
        form.setContentsMargins(14, 12, 14, 12)
        form.setVerticalSpacing(8)
        form.addRow(self.tr("&From"), self._since)
        form.addRow(self.tr("&Until"), self._until)
        form.addRow("", self._apply)
        form.addRow(self.tr("As te&xt"), self._text)
        form.addRow("", self._wrong)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(copy)
        buttons.addWidget(paste)
        buttons.addStretch(1)
        form.addRow("", buttons)
        self._apply.clicked.connect(self._show_moments)
        self._text.returnPressed.connect(self._show_text)
        copy.clicked.connect(self._copy)
        paste.clicked.connect(self._paste)

    def open_below(self, button: QWidget) -> None:
        """Show the present range, right edges aligned."""
        shown = self._model.current()
        self._since.setDateTime(QDateTime.fromMSecsSinceEpoch(shown.since_us // 1000))
        self._until.setDateTime(QDateTime.fromMSecsSinceEpoch(shown.until_us // 1000))
        self._text.setText(shown.as_text())
        self._tell("")
        self.adjustSize()
        corner = button.mapToGlobal(QPoint(button.width() - self.sizeHint().width(), button.height() + 4))
        room = button.screen().availableGeometry()
        self.move(max(room.left(), min(corner.x(), room.right() - self.sizeHint().width())), corner.y())
        self.show()
        self._since.setFocus()

    def _moment(self, name: str) -> QDateTimeEdit:
        edit = QDateTimeEdit()
        edit.setDisplayFormat(MOMENT_FORMAT)
        edit.setCalendarPopup(True)
        edit.setAccessibleName(name)
        return edit

    def _show_moments(self) -> None:
        since, until = (edit.dateTime().toMSecsSinceEpoch() * 1000 for edit in (self._since, self._until))
        if since >= until:
            self._tell(self.tr("The range ends before it begins."))
            return
        self._model.zoom(since, until)
        self.close()

    def _show_text(self) -> None:
        try:
            self._model.from_text(self._text.text())
        except EnvironmentProblem as error:
            self._tell(" ".join(problem_text(error.problem)))
            return
        self.close()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._model.as_text())

    def _paste(self) -> None:
        self._text.setText(QGuiApplication.clipboard().text()[:200])
        self._show_text()

    def _tell(self, wrong: str) -> None:
        self._wrong.setText(wrong)
        self._wrong.setVisible(bool(wrong))
        restyle(self._text, state="error" if wrong else "")
        self.adjustSize()
