"""The newest log records, of an agent or of everybody, with a level and a text filter."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QCoreApplication, QModelIndex, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from models.domain.queries import LogLine, LogRequest
from models.domain.records import Level
from models.domain.search.matching import texts_of, values_of
from models.domain.search.parsing import joined
from models.domain.search.terms import Anywhere, Comparison, LevelIs, Term
from widgets.common.plain import tooltip_text, visible
from widgets.common.state_view import StateKind, ViewState, no_match
from widgets.common.theme import ThemeHolder
from widgets.common.words import level_word
from widgets.frame.screen_context import ScreenContext
from widgets.frame.time_range import TimeRangeModel
from widgets.records.page import Page
from widgets.records.paged_list import PagedList
from widgets.records.paged_model import PagedModel
from widgets.records.record_table import TIME_PIXELS

_TYPING_MS = 250
_CELL_LIMIT = 400
_TITLE_LIMIT, _FIELD_PIXELS = 40, 130
_TYPED_LIMIT = 500
_ICONS = {
    Level.TRACE: "more",
    Level.DEBUG: "wrench",
    Level.INFO: "info",
    Level.WARN: "warning",
    Level.ERROR: "error",
    Level.FATAL: "close",
}


class LogColumn(IntEnum):
    TIME = 0
    LEVEL = 1
    AGENT = 2
    LOGGER = 3
    TEXT = 4


_WIDTHS = {LogColumn.TIME: TIME_PIXELS, LogColumn.LEVEL: 92, LogColumn.AGENT: 150, LogColumn.LOGGER: 150}


class LogModel(PagedModel):
    """`names` tells what an agent is called; None: the list is that of one agent, and has no column for it."""

    def __init__(
        self,
        time_range: TimeRangeModel,
        theme: ThemeHolder,
        names: Callable[[int], str] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(time_range, theme, parent)
        self._names = names
        titles = {
            LogColumn.TIME: self.tr("Time"), LogColumn.LEVEL: self.tr("Level"), LogColumn.AGENT: self.tr("Agent"),
            LogColumn.LOGGER: self.tr("Logger"), LogColumn.TEXT: self.tr("Text"),
        }  # fmt: skip
        self.columns: Sequence[LogColumn] = [one for one in LogColumn if names or one is not LogColumn.AGENT]
        self._own_titles = tuple(titles[one] for one in self.columns)
        self._fields: dict[str, Callable[[LogLine], list[Any]]] = {}
        self._name_columns()

    @property
    def fields(self) -> tuple[str, ...]:
        """Attributes that have a column of their own, behind the others."""
        return tuple(self._fields)

    def toggle_field(self, field: str) -> None:
        """Give an attribute a column, or take it away."""
        if field in self._fields:
            place = len(self.columns) + list(self._fields).index(field)
            self.beginRemoveColumns(QModelIndex(), place, place)
            del self._fields[field]
            self._name_columns()
            self.endRemoveColumns()
        else:
            place = len(self._titles)
            self.beginInsertColumns(QModelIndex(), place, place)
            self._fields[field] = values_of(field)
            self._name_columns()
            self.endInsertColumns()

    def _name_columns(self) -> None:
        self._titles = (*self._own_titles, *(visible(field, _TITLE_LIMIT) for field in self._fields))

    def text(self, line: LogLine, column: int) -> str:
        if column >= len(self.columns):
            read = self._fields[self.fields[column - len(self.columns)]]
            texts = [text for value in read(line) for text in texts_of(value)]
            return visible(", ".join(texts), _CELL_LIMIT)
        match self.columns[column]:
            case LogColumn.TIME:
                return self.moment(line.time_us)
            case LogColumn.LEVEL:
                return level_word(line.level)
            case LogColumn.AGENT:
                return self._names(line.agent) if self._names else ""
            case LogColumn.LOGGER:
                return visible(line.logger, _CELL_LIMIT)
            case LogColumn.TEXT:
                return visible(line.text if not line.error else f"{line.text} · {line.error}", _CELL_LIMIT)

    def look(self, line: LogLine, column: int, role: int) -> Any:
        if column >= len(self.columns):
            return None
        shown = self.columns[column]
        if shown is LogColumn.LEVEL and role == Qt.ItemDataRole.DecorationRole:
            return level_icon(self._theme, line.level)
        if shown is LogColumn.LEVEL and role == Qt.ItemDataRole.ForegroundRole:
            return QColor(self._theme.theme.level(line.level))
        if shown is LogColumn.TEXT and role == Qt.ItemDataRole.ToolTipRole:
            return tooltip_text(visible(line.text))
        return None

    def time_of(self, line: LogLine) -> int:
        return line.time_us

    @Slot()
    def names_changed(self) -> None:
        """Agents are called something else."""
        if LogColumn.AGENT in self.columns and self.rows:
            column = self.columns.index(LogColumn.AGENT)
            self.dataChanged.emit(self.index(0, column), self.index(len(self.rows) - 1, column))


def level_icon(theme: ThemeHolder, level: Level) -> QIcon:
    """Shape and colour of a level."""
    return theme.icons.level(_ICONS[level], level)


class LogRows(PagedList):
    """Subclasses say what is looked for. `names` as in `LogModel`."""

    def __init__(self, context: ScreenContext, names: Callable[[int], str] | None = None, **options: Any) -> None:
        self.records = LogModel(context.times, context.themes, names)
        name = QCoreApplication.translate("LogList", "Log records")
        super().__init__(name, self.records, context, **options)
        self._theme = context.themes
        self.table.start_with(self.model, [_WIDTHS[one] for one in self.records.columns if one in _WIDTHS])
        self.filters.setSpacing(6)

    def toggle_field(self, field: str) -> None:
        """Give an attribute a column before the text, or take it away."""
        self.records.toggle_field(field)
        header = self.table.horizontalHeader()
        if field in self.records.fields:
            place = len(self.records.columns) + self.records.fields.index(field)
            header.moveSection(header.visualIndex(place), header.visualIndex(len(self.records.columns) - 1))
            self.table.setColumnWidth(place, _FIELD_PIXELS)
            chosen = self.table.selectionModel()  # rows are chosen whole, with the new column
            chosen.select(chosen.selection(), chosen.SelectionFlag.Select | chosen.SelectionFlag.Rows)

    def query(self) -> Term:
        """What a record must meet to be listed."""
        raise NotImplementedError

    def request(self, page: Page) -> LogRequest:
        ends = page.since_us, page.until_us, page.limit, page.after, page.oldest_first
        return LogRequest(self.agent, self.query(), page.before, *ends)


class LogList(LogRows):
    """With a level and a text to look for."""

    def __init__(self, context: ScreenContext, names: Callable[[int], str] | None = None, **options: Any) -> None:
        super().__init__(context, names, **options)
        self.level = QComboBox()
        self.level.setAccessibleName(self.tr("Least level"))
        for level, text in (
            (Level.TRACE, self.tr("All levels")),
            (Level.DEBUG, self.tr("debug and above")),
            (Level.INFO, self.tr("info and above")),
            (Level.WARN, self.tr("warn and above")),
            (Level.ERROR, self.tr("error and above")),
            (Level.FATAL, self.tr("fatal only")),
        ):
            self.level.addItem(text, int(level))
        self._draw_levels()
        context.themes.changed.connect(self._draw_levels)
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setMaxLength(_TYPED_LIMIT)
        self.search.setPlaceholderText(self.tr("Text in message, logger or error"))
        self.search.setAccessibleName(self.tr("Text in message, logger or error"))
        self.search.setMinimumWidth(280)
        self.add_filters(self.level, self.search)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self.reload)
        self.search.textChanged.connect(self._typed)
        self.level.currentIndexChanged.connect(self._level_chosen)

    @property
    def filtered(self) -> bool:
        """Does a level or a text hide something?"""
        return self.level.currentIndex() > 0 or bool(self.search.text().strip())

    def query(self) -> Term:
        level, text = Level(int(self.level.currentData())), self.search.text().strip()
        terms: list[Term] = [LevelIs(Comparison.AT_LEAST, level)] if level > Level.TRACE else []
        return joined([*terms, Anywhere(text)] if text else terms)

    def empty_state(self) -> ViewState:
        if self.filtered:
            return no_match(self.clear_filter, in_time=not self._range.live)
        if not self._range.live:
            return self.none_in_time(self.tr("No log records in this time"))
        hint = self.tr("Agents log with a JSON object on agents/<id>/log; other conventions are read too.")
        return ViewState(StateKind.EMPTY, self.tr("This agent has logged nothing yet"), hint)

    @Slot()
    def clear_filter(self) -> None:
        """Show all levels and texts."""
        self.search.clear()
        self.level.setCurrentIndex(0)
        self._typing.stop()
        self.reload()

    def focus_filter(self) -> None:
        """Put the cursor into the text filter."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    @Slot()
    def _draw_levels(self) -> None:
        for place in range(1, self.level.count()):
            self.level.setItemIcon(place, level_icon(self._theme, Level(int(self.level.itemData(place)))))

    @Slot(str)
    def _typed(self, _text: str) -> None:
        self._typing.start()

    @Slot(int)
    def _level_chosen(self, _index: int) -> None:
        self.reload()
