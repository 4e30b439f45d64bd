"""One log record whole, beside the list: its text with every line, error and stack, and a table of all its fields."""

from collections.abc import Callable, Collection
from functools import partial

from PySide6.QtCore import QPoint, QRegularExpression, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QMenu,
    QPlainTextEdit,
    QSplitter,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from models.domain.log_json import log_json
from models.domain.quantity import format_time
from models.domain.queries import LogLine
from models.domain.search.terms import FieldIs, Not, Place
from widgets.common.buttons import plain_button
from widgets.common.plain import PlainLabel, visible_lines
from widgets.common.tables import TableView
from widgets.common.theme import ThemeHolder
from widgets.common.words import level_word
from widgets.frame.tool_buttons import FlatButton
from widgets.logs.record_fields import RecordFields
from widgets.records.agent_names import AgentNames

_MOST_MARKS = 500
_MARGIN = 10


class RecordPane(QWidget):
    """Empty until `show_record`. GUI thread."""

    agent_wanted = Signal(int)
    message_wanted = Signal(object)
    """Somebody wants to see the message that this `LogLine` was read from."""
    why_wanted = Signal(object)
    """Somebody asks why this `LogLine` was read as it is."""
    wanted = Signal(object)
    """A condition (`Term`) to look for as well."""
    column_wanted = Signal(str)
    """A field to be shown, or no longer shown, as a column of the list."""
    closed = Signal()

    def __init__(
        self, names: AgentNames, theme: ThemeHolder, parent: QWidget | None = None,
        columns: Callable[[], Collection[str]] = tuple,
    ) -> None:  # fmt: skip
        """`columns`: the fields that have a column in the list now."""
        super().__init__(parent)
        self._names, self._theme, self._columns = names, theme, columns
        self._line: LogLine | None = None
        self._search = ""
        self._title = PlainLabel()
        self._title.setAccessibleName(self.tr("Log record"))
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName(self.tr("Text of the record"))
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.text.setTabChangesFocus(True)
        self.text.document().setDocumentMargin(_MARGIN)
        self.fields = RecordFields(theme, self)
        self.table = TableView(self.tr("Fields of the record"))
        self.table.setObjectName("record-fields")
        self.table.start_with(self.fields, (150,))
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._open_menu)
        self.copy_json = plain_button(self.tr("Copy as &JSON"), self._copy_json)
        self.open_message = plain_button(self.tr("&Show its message"), self._open_message)
        self.open_agent = plain_button(self.tr("Go to age&nt"), self._open_agent)
        self.why = plain_button(self.tr("Wh&y?"), self._ask_why)
        self.why.setToolTip(self.tr("Which convention or rule read this record"))
        close = FlatButton(theme, "close", self.tr("Close the record"))
        close.clicked.connect(self.closed)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.copy_json, self.open_message, self.open_agent, self.why):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(close)
        self._head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._head.setContentsMargins(12, 4, 6, 4)
        self._head.setSpacing(6)
        self._head.addWidget(self._title, 1)
        self._head.addLayout(buttons)
        self.parts = QSplitter()
        self.parts.setChildrenCollapsible(False)
        self.parts.addWidget(self.text)
        self.parts.addWidget(self.table)
        self.parts.setStretchFactor(0, 3)
        self.parts.setStretchFactor(1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head)
        column.addWidget(self.parts, 1)
        theme.changed.connect(self._draw)
        names.changed.connect(self._draw)

    @property
    def record(self) -> LogLine | None:
        """What is shown."""
        return self._line

    def show_record(self, line: LogLine) -> None:
        self._line = line
        self._draw()

    def mark(self, search: str) -> None:
        """Point out where this stands in the text, whatever its case."""
        if search != self._search:
            self._search = search
            self._draw_marks()

    @Slot()
    def _draw(self) -> None:
        line = self._line
        if line is None:
            return
        agent = self._names.title(line.agent)
        told = (level_word(line.level), format_time(line.time_us, digits=3), self._names.name(line.agent), line.logger)
        self._title.set_text(" · ".join(filter(None, told)))
        self.open_agent.setEnabled(line.agent != 0)
        self.open_message.setEnabled(line.message != 0)
        self.why.setEnabled(line.message != 0)
        self.fields.show_record(line, agent, self._names.id_of(line.agent))
        self._write(line)
        self._draw_marks()

    def _write(self, line: LogLine) -> None:
        plain, heading = QTextCharFormat(), QTextCharFormat()
        heading.setForeground(QColor(self._theme.theme.muted))
        heading.setFontWeight(QFont.Weight.DemiBold)
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        cursor.insertText(visible_lines(line.text), plain)
        for title, more in ((self.tr("Error"), line.error), (self.tr("Stack"), line.stack)):
            if more:
                cursor.insertText(f"\n\n{title}\n", heading)
                cursor.insertText(visible_lines(more), plain)
        self.text.moveCursor(QTextCursor.MoveOperation.Start)

    def _draw_marks(self) -> None:
        marks: list[QTextEdit.ExtraSelection] = []
        if self._search:
            look = QTextCharFormat()
            look.setBackground(QColor(self._theme.theme.selection))
            look.setForeground(QColor(self._theme.theme.selection_text))
            option = QRegularExpression.PatternOption.CaseInsensitiveOption
            wanted = QRegularExpression(QRegularExpression.escape(self._search), option)
            document: QTextDocument = self.text.document()
            found = document.find(wanted)
            while not found.isNull() and len(marks) < _MOST_MARKS:
                mark = QTextEdit.ExtraSelection()
                mark.cursor, mark.format = found, look
                marks.append(mark)
                found = document.find(wanted, found)
        self.text.setExtraSelections(marks)

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        index = self.table.currentIndex()
        if not index.isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.table.add_copy(menu)
        term = self.fields.terms[index.row()]
        if term is not None:
            menu.addSeparator()
            menu.addAction(self.tr("Only records with this"), partial(self.wanted.emit, term))
            menu.addAction(self.tr("All but records with this"), partial(self.wanted.emit, Not(term)))
        if isinstance(term, FieldIs) and term.field not in {*Place}:
            there = FieldIs(term.field, ("", ""))
            menu.addAction(self.tr("Records that have this field"), partial(self.wanted.emit, there))
            text = self.tr("Take its column away") if term.field in self._columns() else self.tr("Show as a column")
            menu.addAction(text, partial(self.column_wanted.emit, term.field))
        menu.popup(self.table.viewport().mapToGlobal(where))

    @Slot()
    def _copy_json(self) -> None:
        if self._line is not None:
            QGuiApplication.clipboard().setText(log_json(self._line, self._names.id_of(self._line.agent)))

    @Slot()
    def _open_agent(self) -> None:
        if self._line is not None:
            self.agent_wanted.emit(self._line.agent)

    @Slot()
    def _open_message(self) -> None:
        if self._line is not None:
            self.message_wanted.emit(self._line)

    @Slot()
    def _ask_why(self) -> None:
        if self._line is not None:
            self.why_wanted.emit(self._line)

    def turn(self, orientation: Qt.Orientation) -> None:
        """Text and fields, and in the head title and buttons, beside each other, or one above the other."""
        self.parts.setOrientation(orientation)
        down = orientation is Qt.Orientation.Vertical
        self._head.setDirection(QBoxLayout.Direction.TopToBottom if down else QBoxLayout.Direction.LeftToRight)
