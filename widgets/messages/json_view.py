"""The JSON tree as one works with it: stays open from message to message, copies values and paths, plots numbers."""

from functools import partial
from typing import Any

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QTreeView

from models.domain.json_path import Path, number_in, path_text
from widgets.common.tall_rows import TallRows
from widgets.common.theme import ThemeHolder
from widgets.messages.json_item_model import JsonModel, plain_text

_OPEN_ROWS = 60
"""A document of up to so many rows is shown opened."""


class JsonView(QTreeView):
    """Ctrl+C copies the value, Enter plots a number. GUI thread."""

    plot_wanted = Signal(object)  # path of a number
    moved = Signal()
    """Another value is at hand."""
    menu_wanted = Signal(QMenu)
    """The menu of the value at hand opens; others may add to it."""

    def __init__(self, theme: ThemeHolder) -> None:
        super().__init__()
        self.document = JsonModel(theme, self)
        self._opened: dict[Path, bool] = {}  # what somebody opened or closed
        self._showing = False
        self.setModel(self.document)
        self.setAccessibleName(self.tr("Payload as a tree"))
        self.setUniformRowHeights(True)
        self.setItemDelegate(TallRows(self))
        self.setIndentation(16)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setColumnWidth(JsonModel.NAME, 220)
        self.expanded.connect(lambda index: self._note(index, opened=True))
        self.collapsed.connect(lambda index: self._note(index, opened=False))
        self.customContextMenuRequested.connect(self._open_menu)
        self.clicked.connect(self._clicked)
        self.doubleClicked.connect(self._double_clicked)
        self.selectionModel().currentChanged.connect(self._current_changed)

    def show_document(self, document: Any) -> None:
        """Show this; what was open and at hand in the document before is so again, where it is there."""
        at_hand, bar = self._path_at_hand(), self.verticalScrollBar()
        place = bar.value()
        self._showing = True
        self.document.show_document(document)
        self._open_again()
        self._showing = False
        index = self.document.index_of(at_hand) if at_hand is not None else QModelIndex()
        if not index.isValid():
            index = self.document.index(0, 0)
        self.setCurrentIndex(index)
        bar.setValue(place)

    @property
    def number_at_hand(self) -> Path | None:
        """Path of the number at hand; None where it is none."""
        index = self.currentIndex()
        if not index.isValid() or self.document.value(index).rest:
            return None
        value = self.document.value(index)
        return value.path if number_in(value.value) is not None else None

    @property
    def path_at_hand(self) -> Path | None:
        """Path of the single value at hand; None where there is none, or it holds others."""
        index = self.currentIndex()
        if not index.isValid() or self.document.value(index).rest:
            return None
        one = self.document.value(index)
        return None if isinstance(one.value, dict | list) else one.path

    @Slot()
    def copy_value(self) -> None:
        """Text as it is, all else as JSON."""
        index = self.currentIndex()
        if index.isValid() and not self.document.value(index).rest:
            QGuiApplication.clipboard().setText(plain_text(self.document.value(index).value))

    @Slot()
    def copy_path(self) -> None:
        path = self._path_at_hand()
        if path is not None:
            QGuiApplication.clipboard().setText(path_text(path))

    @Slot()
    def plot(self) -> None:
        """Plot the number at hand, if it is one."""
        path = self.number_at_hand
        if path is not None:
            self.plot_wanted.emit(path)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_value()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter(self.currentIndex())
        elif event.key() == Qt.Key.Key_Asterisk:
            self.expand(self.currentIndex())  # not everything below, of which there may be very much
        else:
            super().keyPressEvent(event)

    # ------------------------------------------------------------ inner

    def _path_at_hand(self) -> Path | None:
        index = self.currentIndex()
        return self.document.value(index).path if index.isValid() else None

    def _open_again(self) -> None:
        waiting = [self.document.index(row, 0) for row in range(self.document.rowCount())]
        rows = len(waiting)
        while waiting:
            index = waiting.pop(0)
            if not self.document.hasChildren(index):
                continue
            value = self.document.value(index)
            told = self._opened.get(value.path)
            if told is False or (told is None and rows + value.size > _OPEN_ROWS):
                continue
            self.document.fetchMore(index)  # the tree does it when it lays out its rows
            self.expand(index)
            count = self.document.rowCount(index)
            rows += count
            waiting += [self.document.index(row, 0, index) for row in range(count)]

    def _note(self, index: QModelIndex, *, opened: bool) -> None:
        if not self._showing:
            self._opened[self.document.value(index).path] = opened

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, _now: QModelIndex, _before: QModelIndex) -> None:
        self.moved.emit()

    def _enter(self, index: QModelIndex) -> None:
        if not index.isValid():
            return
        if self.document.value(index).rest:
            self.document.show_more(index)
        elif self.document.hasChildren(index.siblingAtColumn(0)):
            self.setExpanded(index.siblingAtColumn(0), not self.isExpanded(index.siblingAtColumn(0)))
        else:
            self.plot()

    @Slot(QModelIndex)
    def _clicked(self, index: QModelIndex) -> None:
        if self.document.value(index).rest:
            self.document.show_more(index)

    @Slot(QModelIndex)
    def _double_clicked(self, index: QModelIndex) -> None:
        if not self.document.hasChildren(index.siblingAtColumn(0)) and not self.document.value(index).rest:
            self.plot()

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        menu = self.make_menu()
        if menu is not None:
            menu.popup(self.viewport().mapToGlobal(where))

    def make_menu(self) -> QMenu | None:
        """What can be done with the value at hand; None: there is none."""
        path = self._path_at_hand()
        if path is None or self.document.value(self.currentIndex()).rest:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Copy value"), self.copy_value)
        menu.addAction(self.tr("Copy path"), self.copy_path)
        number = self.number_at_hand
        if number is not None:
            menu.addSeparator()
            menu.addAction(self.tr("Plot this field"), partial(self.plot_wanted.emit, number))
        self.menu_wanted.emit(menu)
        return menu
