"""The newest log records of an agent, with a level and a text filter."""

from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, QTimer, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from models.domain.queries import DataSource, LogLine, LogRequest
from models.domain.records import Level
from widgets.common.plain import tooltip_text, visible
from widgets.common.state_view import StateKind, ViewState, no_match
from widgets.common.theme import ThemeHolder
from widgets.common.words import level_word
from widgets.frame.time_range import TimeCursor, TimeRangeModel
from widgets.records.paged_list import TIME_PIXELS, Page, PagedList
from widgets.records.paged_model import PagedModel

_TYPING_MS = 250
_CELL_LIMIT = 400
_ICONS = {
    Level.TRACE: ("more", "muted"),
    Level.DEBUG: ("wrench", "muted"),
    Level.INFO: ("info", "accent"),
    Level.WARN: ("warning", "warning"),
    Level.ERROR: ("error", "error"),
    Level.FATAL: ("close", "error"),
}


class LogModel(PagedModel):
    """Time, level, logger, text."""

    TIME, LEVEL, LOGGER, TEXT = range(4)

    def __init__(self, time_range: TimeRangeModel, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(time_range, theme, parent)
        self._titles = (self.tr("Time"), self.tr("Level"), self.tr("Logger"), self.tr("Text"))

    def text(self, line: LogLine, column: int) -> str:
        if column == self.TIME:
            return self.moment(line.time_us)
        if column == self.LEVEL:
            return level_word(line.level)
        if column == self.LOGGER:
            return visible(line.logger, _CELL_LIMIT)
        return visible(line.text if not line.error else f"{line.text} · {line.error}", _CELL_LIMIT)

    def look(self, line: LogLine, column: int, role: int) -> Any:
        if column == self.LEVEL and role == Qt.ItemDataRole.DecorationRole:
            return self._theme.icons.icon(*_ICONS[line.level])
        if column == self.LEVEL and role == Qt.ItemDataRole.ForegroundRole:
            return QColor(self._theme.theme.level(line.level))
        if column == self.TEXT and role == Qt.ItemDataRole.ToolTipRole:
            return tooltip_text(visible(line.text))
        return None

    def time_of(self, line: LogLine) -> int:
        return line.time_us


class LogList(PagedList):
    def __init__(
        self, source: DataSource, time_range: TimeRangeModel, cursor: TimeCursor, theme: ThemeHolder, **options: Any
    ) -> None:
        name = QCoreApplication.translate("LogList", "Log records")
        super().__init__(name, LogModel(time_range, theme), source, time_range, cursor, theme, **options)
        self.table.start_with(self.model, (TIME_PIXELS, 92, 150))
        self.level = QComboBox()
        self.level.setAccessibleName(self.tr("Least level"))
        for level, text in (
            (Level.TRACE, self.tr("All levels")),
            (Level.DEBUG, self.tr("debug and above")),
            (Level.INFO, self.tr("info and above")),
            (Level.WARN, self.tr("warn and above")),
            (Level.ERROR, self.tr("error and above")),
        ):
            self.level.addItem(text, int(level))
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(self.tr("Text in message, logger or error"))
        self.search.setAccessibleName(self.tr("Text in message, logger or error"))
        self.search.setMinimumWidth(280)
        self.filters.setSpacing(6)
        self.filters.insertWidget(0, self.level)
        self.filters.insertWidget(1, self.search)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self.reload)
        self.search.textChanged.connect(self._typed)
        self.level.currentIndexChanged.connect(self._level_chosen)

    def request(self, page: Page) -> LogRequest:
        level, text = Level(int(self.level.currentData())), self.search.text().strip()
        return LogRequest(self.agent, level, text, page.before, page.since_us, page.until_us, page.limit, page.after)

    def empty_state(self) -> ViewState:
        if self.level.currentIndex() > 0 or self.search.text().strip():
            return no_match(self.clear_filter)
        if not self._range.live:
            return ViewState(StateKind.EMPTY, self.tr("No log records in this time"))
        hint = self.tr("Agents log with a JSON object on agents/<id>/log; other conventions are read too.")
        return ViewState(StateKind.EMPTY, self.tr("This agent has logged nothing yet"), hint)

    @Slot()
    def clear_filter(self) -> None:
        """Show all levels and texts."""
        self.search.clear()
        self.level.setCurrentIndex(0)
        self._typing.stop()
        self.reload()

    @Slot(str)
    def _typed(self, _text: str) -> None:
        self._typing.start()

    @Slot(int)
    def _level_chosen(self, _index: int) -> None:
        self.reload()
