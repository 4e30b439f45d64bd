"""What stands in the fields of the records that are listed: the most frequent values, and how many have them."""

from collections.abc import Callable, Collection

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QHeaderView,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QTreeWidgetItemIterator,
    QVBoxLayout,
    QWidget,
)

from models.domain.queries import Facet, LogSummaryResult
from models.domain.search.patterns import PATTERN, term_of
from models.domain.search.terms import FieldIs, Not, Place
from widgets.common.numbers import count_text
from widgets.common.plain import PlainLabel, tooltip_text, visible
from widgets.common.theme import ThemeHolder

_VALUE, _COUNT, _WITH, _WITHOUT = range(4)
_ROLE = Qt.ItemDataRole.UserRole
_LONGEST = 80
_MANY = 2_000
_WITH_KEYS = (Qt.Key.Key_Plus, Qt.Key.Key_Equal)
_WITHOUT_KEYS = (Qt.Key.Key_Minus, Qt.Key.Key_Delete)
_SIGN_PIXELS, _COUNT_PIXELS = 22, 50
_OPEN_AT_FIRST = (Place.LEVEL, Place.AGENT)


class FacetTree(QWidget):
    """Fields, and below each its values; Enter or + looks for a value, - or Delete for all but that. GUI thread."""

    wanted = Signal(object)
    """A condition (`Term`) to look for as well."""
    column_wanted = Signal(str)
    """A field to be shown, or no longer shown, as a column of the list."""

    def __init__(self, theme: ThemeHolder, columns: Callable[[], Collection[str]] = tuple) -> None:
        """`columns`: the fields that have a column now."""
        super().__init__()
        self._theme, self._columns = theme, columns
        self._open: set[str] = {*_OPEN_AT_FIRST}
        self._shown: tuple[Facet, ...] = ()
        self.told = PlainLabel()
        self.told.setProperty("tone", "muted")
        self.tree = _Tree()
        self.tree.setColumnCount(4)
        self.tree.setHeaderHidden(True)
        self.tree.setProperty("role", "contents")
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(12)
        self.tree.setItemDelegateForColumn(_VALUE, _Elision(self.tree))
        self.tree.setAccessibleName(self.tr("Fields and their values"))
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(_SIGN_PIXELS)
        header.setSectionResizeMode(_VALUE, QHeaderView.ResizeMode.Stretch)
        for column, pixels in ((_COUNT, _COUNT_PIXELS), (_WITH, _SIGN_PIXELS), (_WITHOUT, _SIGN_PIXELS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, pixels)
        below = QVBoxLayout(self)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(self.told)
        below.addWidget(self.tree, 1)
        self.told.setContentsMargins(8, 4, 8, 4)
        self.tree.itemExpanded.connect(self._expanded)
        self.tree.itemCollapsed.connect(self._collapsed)
        self.tree.itemClicked.connect(self._clicked)
        self.tree.itemActivated.connect(self._activated)
        self.tree.signed.connect(self._signed)
        self.tree.customContextMenuRequested.connect(self._open_menu)
        theme.changed.connect(self._draw)

    def show_result(self, result: LogSummaryResult | None) -> None:
        """List the facets of these records."""
        if result is None:
            return
        sampled = count_text(result.sampled)
        nothing = self.tr("no records")
        text = self.tr("of the newest {n} records") if result.sampled >= _MANY else self.tr("of {n} records")
        self.told.set_text(text.replace("{n}", sampled) if result.sampled else nothing)
        if result.facets != self._shown:
            self._shown = result.facets
            self._draw()

    # ------------------------------------------------------------ drawing

    @Slot()
    def _draw(self) -> None:
        at = self._key_of(self.tree.currentItem())
        place = self.tree.verticalScrollBar().value()
        self.tree.blockSignals(True)
        self.tree.clear()
        for facet in self._shown:
            item = self._field_item(facet)
            self.tree.addTopLevelItem(item)
            last = item.child(item.childCount() - 1)
            if facet.others and last is not None:
                last.setFirstColumnSpanned(True)  # of use only in a tree
            item.setExpanded(facet.field in self._open)
        self.tree.blockSignals(False)
        self._point_at(at)
        self.tree.verticalScrollBar().setValue(place)

    def _field_item(self, facet: Facet) -> QTreeWidgetItem:
        title = self.tr("pattern of the text") if facet.field == PATTERN else visible(facet.field, _LONGEST)
        item = QTreeWidgetItem([title, count_text(facet.records)])
        item.setData(_VALUE, _ROLE, (facet.field, None))
        item.setTextAlignment(_COUNT, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setForeground(_COUNT, QColor(self._theme.theme.muted))
        for value, n in facet.values:
            item.addChild(self._value_item(facet.field, value, n))
        if facet.others:
            text = self.tr("and {n} other values") if facet.others > 1 else self.tr("and 1 other value")
            text = text.replace("{n}", count_text(facet.others))
            more = QTreeWidgetItem([text])
            more.setForeground(_VALUE, QColor(self._theme.theme.muted))
            more.setFlags(Qt.ItemFlag.ItemIsEnabled)
            item.addChild(more)
        return item

    def _value_item(self, field: str, value: str, n: int) -> QTreeWidgetItem:
        signs = ("+", "−") if value else ("", "")  # nothing can be looked for that is empty
        item = QTreeWidgetItem([visible(value, _LONGEST) or self.tr("(empty)"), count_text(n), *signs])
        item.setData(_VALUE, _ROLE, (field, value))
        item.setToolTip(_VALUE, tooltip_text(visible(value)))
        if value:
            item.setToolTip(_WITH, self.tr("Only these"))
            item.setToolTip(_WITHOUT, self.tr("All but these"))
        item.setTextAlignment(_COUNT, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for sign in (_WITH, _WITHOUT):
            item.setTextAlignment(sign, Qt.AlignmentFlag.AlignCenter)
            item.setForeground(sign, QColor(self._theme.theme.accent))
        return item

    @staticmethod
    def _key_of(item: QTreeWidgetItem | None) -> tuple[str, str | None] | None:
        return item.data(_VALUE, _ROLE) if item is not None else None

    def _point_at(self, key: tuple[str, str | None] | None) -> None:
        every = QTreeWidgetItemIterator(self.tree)
        while key is not None and (item := every.value()) is not None:
            if self._key_of(item) == key:
                self.tree.setCurrentItem(item)
            every += 1

    # ------------------------------------------------------------ what one does

    @Slot(QTreeWidgetItem)
    def _expanded(self, item: QTreeWidgetItem) -> None:
        self._open.add(self._key_of(item)[0])  # type: ignore[index] # a field has one

    @Slot(QTreeWidgetItem)
    def _collapsed(self, item: QTreeWidgetItem) -> None:
        self._open.discard(self._key_of(item)[0])  # type: ignore[index] # as above

    @Slot(QTreeWidgetItem, int)
    def _clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column in (_WITH, _WITHOUT):
            self._want(item, negated=column == _WITHOUT)

    @Slot(QTreeWidgetItem, int)
    def _activated(self, item: QTreeWidgetItem, _column: int) -> None:
        self._want(item)

    @Slot(QTreeWidgetItem, bool)
    def _signed(self, item: QTreeWidgetItem, negated: bool) -> None:
        self._want(item, negated=negated)

    def _want(self, item: QTreeWidgetItem | None, *, negated: bool = False) -> None:
        key = self._key_of(item)
        if key is not None and key[1]:
            term = term_of(key[0], key[1])
            self.wanted.emit(Not(term) if negated else term)

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        item = self.tree.itemAt(where)
        key = self._key_of(item)
        if key is None:
            return
        field, value = key
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if value:
            menu.addAction(self.tr("Only these"), lambda: self._want(item))
            menu.addAction(self.tr("All but these"), lambda: self._want(item, negated=True))
        if field != PATTERN:
            menu.addAction(self.tr("Records that have this field"), lambda: self.wanted.emit(FieldIs(field, ("", ""))))
        if field not in {*Place, PATTERN}:
            text = self.tr("Take its column away") if field in self._columns() else self.tr("Show as a column")
            menu.addAction(text, lambda: self.column_wanted.emit(field))
        menu.addSeparator()
        menu.addAction(self.tr("Copy"), lambda: QGuiApplication.clipboard().setText(value or field))
        menu.popup(self.tree.viewport().mapToGlobal(where))


class _Elision(QStyledItemDelegate):
    """Names of a kind differ at their end, so they are cut in the middle; texts are read from their beginning."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        key = index.data(_ROLE)
        is_text = key is not None and key[0] in (PATTERN, Place.TEXT, Place.ERROR)
        option.textElideMode = Qt.TextElideMode.ElideRight if is_text else Qt.TextElideMode.ElideMiddle  # type: ignore[attr-defined]


class _Tree(QTreeWidget):
    """On a value, + and - are not for opening and closing."""

    signed = Signal(QTreeWidgetItem, bool)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if item is not None and not item.childCount() and event.key() in (*_WITH_KEYS, *_WITHOUT_KEYS):
            self.signed.emit(item, event.key() in _WITHOUT_KEYS)
        else:
            super().keyPressEvent(event)
