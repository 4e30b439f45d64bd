"""Everything one can do or go to, found by typing: Ctrl+K, a few letters, Enter."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from widgets.common.numbers import count_text
from widgets.common.theme import ThemeHolder
from widgets.frame.palette_search import PaletteEntry, PaletteSearch

WIDTH, ROWS = 640, 12
TOP = 72
"""Pixels below the top of the window."""
_ROW_HEIGHT, _ICON, _GAP = 28, 16, 10
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
Index = QModelIndex | QPersistentModelIndex
Typed = Callable[[str], list[PaletteEntry]]
"""Entries made from what was typed, such as a time range; they stand first."""


class _Found(QAbstractListModel):
    """The entries that fit."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.entries: list[PaletteEntry] = []

    def show(self, entries: list[PaletteEntry]) -> None:
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entries[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.title
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join(part for part in (entry.title, entry.detail, entry.shortcut) if part)
        return None


class _Line(QStyledItemDelegate):
    """Icon, title, where it belongs, and its keys at the right."""

    def __init__(self, model: _Found, theme: ThemeHolder, parent: QObject) -> None:
        super().__init__(parent)
        self._model, self._theme = model, theme

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(WIDTH // 2, max(_ROW_HEIGHT, option.fontMetrics.height() + 11))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry = self._model.entries[index.row()]
        opt = QStyleOptionViewItem(option)
        style = opt.widget.style() if opt.widget else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, opt, painter, opt.widget)
        theme = self._theme.theme
        selected = bool(opt.state & QStyle.StateFlag.State_Selected)
        text, muted = (theme.selection_text,) * 2 if selected else (theme.text, theme.muted)
        room = opt.rect.adjusted(_GAP, 0, -_GAP, 0)
        entry.icon.paint(painter, QRect(room.left(), room.center().y() - _ICON // 2 + 1, _ICON, _ICON))
        room.setLeft(room.left() + _ICON + _GAP)
        if entry.shortcut:
            width = opt.fontMetrics.horizontalAdvance(entry.shortcut)
            self._write(
                painter, QRect(room.right() - width, room.top(), width + 1, room.height()), entry.shortcut, muted
            )
            room.setRight(room.right() - width - 2 * _GAP)
        title = opt.fontMetrics.elidedText(entry.title, Qt.TextElideMode.ElideRight, room.width())
        self._write(painter, room, title, text)
        room.setLeft(room.left() + opt.fontMetrics.horizontalAdvance(title) + _GAP)
        detail = opt.fontMetrics.elidedText(entry.detail, Qt.TextElideMode.ElideRight, max(0, room.width()))
        if room.width() > 4 * _GAP:
            self._write(painter, room, detail, muted)

    @staticmethod
    def _write(painter: QPainter, room: QRect, text: str, colour: str) -> None:
        painter.setPen(QColor(colour))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, int(flags) | int(Qt.TextFlag.TextSingleLine), text)


class CommandPalette(QFrame):
    """Opens over its window and keeps the keyboard: arrows choose, Enter runs, Esc or a click beside it closes. GUI thread."""

    def __init__(self, theme: ThemeHolder, used: Callable[[str], object], parent: QWidget) -> None:
        """`used` is told the key of what was run."""
        super().__init__(parent, Qt.WindowType.Popup)
        self._window, self._used = parent, used
        self._search = PaletteSearch([], [])
        self._typed: Typed = lambda _text: []
        self._count = 0
        self.setProperty("role", "popup")
        self.setAccessibleName(self.tr("Command palette"))
        self.line = QLineEdit()
        self.line.setPlaceholderText(self.tr("Command, agent, workspace, or a time range such as 2h"))
        self.line.setAccessibleName(self.tr("Find a command, an agent, a workspace or a time range"))
        self.line.setClearButtonEnabled(True)
        self.line.addAction(theme.icons.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        self._found = _Found(self)
        self.list = QListView()
        self.list.setModel(self._found)
        self.list.setItemDelegate(_Line(self._found, theme, self.list))
        self.list.setAccessibleName(self.tr("What fits"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.viewport().setBackgroundRole(QPalette.ColorRole.Base)
        self._foot = QLabel()
        self._foot.setProperty("tone", "muted")
        self._foot.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 6)
        column.setSpacing(6)
        for widget in (self.line, self.list, self._foot):
            column.addWidget(widget)
        self.line.installEventFilter(self)
        self.line.textChanged.connect(self._find)
        self.line.returnPressed.connect(self._run)
        self.list.clicked.connect(self._run)

    def open_with(self, entries: Sequence[PaletteEntry], recent: Sequence[str], typed: Typed) -> None:
        """Offer these, those that were used last first."""
        self._search, self._typed, self._count = PaletteSearch(entries, recent), typed, len(entries)
        self.line.clear()
        self._find()
        window = self._window
        row = self.list.sizeHintForRow(0)
        self.list.setFixedHeight(max(1, min(ROWS, len(entries))) * max(_ROW_HEIGHT, row))
        self.setFixedWidth(min(WIDTH, window.width() - 32))
        self.adjustSize()
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - self.width()) // 2, corner.y() + min(TOP, window.height() // 8))
        self.show()
        self.line.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.line and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in _MOVES:
                self._move(Qt.Key(event.key()))
                return True
            if event.key() == Qt.Key.Key_Escape:  # else the line would take it to clear itself, on some desktops
                self.close()
                return True
        return super().eventFilter(watched, event)

    def _move(self, key: Qt.Key) -> None:
        count = self._found.rowCount()
        if not count:
            return
        row = self.list.currentIndex().row()
        page = ROWS - 1
        match key:
            case Qt.Key.Key_Up:
                row = (row - 1) % count
            case Qt.Key.Key_Down:
                row = (row + 1) % count
            case Qt.Key.Key_PageUp:
                row = max(0, row - page)
            case _:
                row = min(count - 1, row + page)
        self._choose(row)

    def _choose(self, row: int) -> None:
        index = self._found.index(row, 0)
        self.list.setCurrentIndex(index)
        self.line.setAccessibleDescription(str(index.data(Qt.ItemDataRole.AccessibleTextRole) or ""))

    def _find(self) -> None:
        typed = self.line.text()
        found = [*self._typed(typed), *self._search.find(typed)]
        self._found.show(found)
        if found:
            self._choose(0)
            said = self.tr("{n} of {all} · ↑ ↓ choose · Enter runs · Esc closes")
            self._foot.setText(said.replace("{n}", count_text(len(found))).replace("{all}", count_text(self._count)))
        else:
            self._foot.setText(self.tr("Nothing fits. Type less, or a time range such as 15m or 2h..1h."))

    def _run(self) -> None:
        index = self.list.currentIndex()
        if not index.isValid():
            return
        entry = self._found.entries[index.row()]
        self.close()
        if entry.key:
            self._used(entry.key)
        entry.run()
