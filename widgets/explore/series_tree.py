"""The searchable tree of agents and series, and what leads from it into a panel: Enter, double click, drag."""

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from models.domain.layouts.layout import Plotted
from widgets.common.buttons import plain_button
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading, no_match
from widgets.common.tall_rows import TallRows
from widgets.common.theme import ThemeHolder
from widgets.explore.known_series import KnownSeries
from widgets.explore.series_item_model import SeriesModel

_TYPING_MS = 120
_LEAST_WIDTH = 180
_EXPANDED_AT_ONCE = 30
"""So many agents are opened by a search; more of them are a list to choose from."""
_MOST_KEPT = 200
"""So many selected rows stay selected when more series come."""


class SeriesTree(QWidget):
    """`added` carries the selected series by name, and whether they want a panel of their own. GUI thread."""

    added = Signal(list, bool)
    selection_changed = Signal()
    heat_wanted = Signal()
    """A heat-map of the series at hand, of all agents."""

    def __init__(self, known: KnownSeries, theme: ThemeHolder) -> None:
        super().__init__()
        self._known = known
        self._version = -1  # of the index, as it is shown
        self.model = SeriesModel(known.index, theme, self)
        self.view = _View(self.model, self.tr("Agents and series"))
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(self.tr("Search agents and series"))
        self.search.setAccessibleName(self.search.placeholderText())
        self._stack = StateStack(self.view, theme)
        self._stack.setMinimumWidth(_LEAST_WIDTH)  # the sentence of an empty list may be wrapped
        self._add = plain_button(self.tr("Add"), lambda: self.add(own_panel=False))
        self._add.setToolTip(self.tr("Show the selected series in the panel at hand (Enter)"))
        self._add_apart = plain_button(self.tr("Add as a panel"), lambda: self.add(own_panel=True))
        self._add_apart.setToolTip(self.tr("Show the selected series in a panel of their own (Shift+Enter)"))
        self._build()
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self.search_now)
        self.search.textChanged.connect(self._typing.start)
        self.search.returnPressed.connect(self._into_tree)
        self.view.entered_rows.connect(lambda own: self.add(own_panel=own))
        self._selected: list[QModelIndex] | None = None
        self.view.selectionModel().selectionChanged.connect(self._forget_rows)  # first: others ask what is selected
        self.model.modelReset.connect(self._forget_rows)
        self.view.selectionModel().selectionChanged.connect(self._selection_changed)
        self.view.menu_wanted.connect(self._open_menu)
        known.changed.connect(self._known_changed)
        self._selection_changed()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top = QVBoxLayout()
        top.setContentsMargins(8, 6, 8, 6)
        top.addWidget(self.search)
        foot = QHBoxLayout()
        foot.setContentsMargins(8, 6, 8, 6)
        foot.addWidget(self._add, 1)
        foot.addWidget(self._add_apart, 1)
        column.addLayout(top)
        column.addWidget(self._stack, 1)
        column.addLayout(foot)
        self.setFocusProxy(self.search)

    def focus_filter(self) -> None:
        """Put the cursor into the search."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def selected(self) -> list[Plotted]:
        """The selected series, by name."""
        return self.model.plotted(self._rows())

    def selected_agents(self) -> list[str]:
        """Ids of the agents that are selected or have a selected series."""
        return self.model.agents(self._rows())

    def series_at_hand(self) -> Plotted | None:
        """The selected series that stands first, or that an agent was found by; None: there is none."""
        rows = self._rows()
        if rows and (self.search.text().strip() or all(self.model.row_at(one) >= 0 for one in rows)):
            return next(iter(self.model.plotted(rows[:1])), None)
        return None

    def add(self, *, own_panel: bool) -> None:
        """Ask for the selected series to be shown."""
        if some := self.selected():
            self.added.emit(some, own_panel)

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        """What can be done with what is selected."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu)
        menu.popup(where)

    def fill_menu(self, menu: QMenu) -> None:
        """Put in what can be done with what is selected."""
        some = bool(self._rows())
        for text, run, fits in (
            (self.tr("Add to the panel at hand\tEnter"), lambda: self.add(own_panel=False), some),
            (self.tr("Add as a panel\tShift+Enter"), lambda: self.add(own_panel=True), some),
            (self.tr("Heat-map of all agents\tF9"), self.heat_wanted.emit, self.series_at_hand() is not None),
            (self.tr("Copy\tCtrl+C"), self.view.copy, some),
        ):
            menu.addAction(text, run).setEnabled(fits)

    @Slot()
    def search_now(self) -> None:
        """Show what fits what is typed."""
        self._typing.stop()
        typed = self.search.text()
        self.model.show_fitting(typed)
        if typed.strip() and self.model.rowCount() <= _EXPANDED_AT_ONCE:
            for row in range(self.model.rowCount()):
                self.view.expand(self.model.index(row, 0))
        self._show_state()
        self._selection_changed()

    def _rows(self) -> list[QModelIndex]:
        """Found once for each selection: among thousands of rows it takes long, and much asks."""
        if self._selected is None:
            self._selected = [index for index in self.view.selectionModel().selectedRows(0) if index.isValid()]
        return self._selected

    @Slot()
    def _forget_rows(self) -> None:
        self._selected = None

    @Slot()
    def _into_tree(self) -> None:
        self.search_now()
        if self.model.rowCount():
            first = self.model.index(0, 0)
            inner = self.model.index(0, 0, first) if self.view.isExpanded(first) else first
            self.view.setCurrentIndex(inner)
            self.view.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down goes on from the search into the tree; Esc takes back what was typed."""
        if event.key() == Qt.Key.Key_Down and self.search.hasFocus():
            self._into_tree()
        elif event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _known_changed(self) -> None:
        """More of them: what is open and selected stays so."""
        if self._version == self._known.index.version:
            self._show_state()
            return
        self._version = self._known.index.version
        agents = (self.model.index(row, 0) for row in range(self.model.rowCount()))
        kept = set(self.model.agents([agent for agent in agents if self.view.isExpanded(agent)]))
        rows = self._rows() if len(self._rows()) <= _MOST_KEPT else []
        selected = set(self.model.plotted([one for one in rows if self.model.row_at(one) >= 0]))
        chosen = set(self.model.agents([one for one in rows if self.model.row_at(one) < 0]))
        place = self.view.verticalScrollBar().value()
        self.model.show_fitting(self.model.typed)
        for row in range(self.model.rowCount()) if kept or chosen else ():
            agent = self.model.index(row, 0)
            (id_,) = self.model.agents([agent])
            if id_ in chosen:
                self._select(agent)
            if id_ in kept:
                self.view.expand(agent)
                self._select_again(agent, selected)
        self.view.verticalScrollBar().setValue(place)
        self._show_state()

    def _select_again(self, agent: QModelIndex, selected: set[Plotted]) -> None:
        for row in range(self.model.rowCount(agent)) if selected else ():
            one = self.model.index(row, 0, agent)
            if self.model.plotted([one])[0] in selected:
                self._select(one)

    def _select(self, index: QModelIndex) -> None:
        """Beside what is selected, and at hand for the keys where nothing is."""
        selection = self.view.selectionModel()
        flags = selection.SelectionFlag
        if not selection.currentIndex().isValid():
            selection.setCurrentIndex(index, flags.NoUpdate)
        selection.select(index, flags.Select | flags.Rows)

    def _show_state(self) -> None:
        if self._known.problem is not None:
            self._stack.show_state(failed(self._known.problem, self._known.refresh))
        elif not self._known.loaded or (self._known.index.newest and not self._known.index.agents):
            self._stack.show_state(loading())
        elif self.model.rowCount():
            self._stack.show_content()
        elif self.search.text().strip():
            self._stack.show_state(no_match(self.search.clear))
        else:
            hint = self.tr("They stand here as soon as a message of one is recorded.")
            self._stack.show_state(ViewState(StateKind.EMPTY, self.tr("No agents yet"), hint))

    @Slot()
    def _selection_changed(self) -> None:
        some = bool(self._rows())
        self._add.setEnabled(some)
        self._add_apart.setEnabled(some)
        self.selection_changed.emit()


class _View(QTreeView):
    """Enter on series tells `entered_rows` (with Shift: true); on one agent it opens or closes it."""

    entered_rows = Signal(bool)
    menu_wanted = Signal(QPoint)
    """At this place of the screen."""

    def __init__(self, model: SeriesModel, name: str) -> None:
        super().__init__()
        self.setModel(model)
        self._model = model
        self.setAccessibleName(name)
        self.setUniformRowHeights(True)
        self.setItemDelegate(TallRows(self))
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.setIndentation(14)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setExpandsOnDoubleClick(True)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        self.setColumnWidth(1, 72)
        header.setSectionsMovable(False)
        self.doubleClicked.connect(self._double_clicked)

    @Slot(QModelIndex)
    def _double_clicked(self, index: QModelIndex) -> None:
        if self._model.row_at(index) >= 0:
            self.entered_rows.emit(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        rows = self.selectionModel().selectedRows(0)
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            own = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            if len(rows) == 1 and self._model.row_at(rows[0]) < 0 and not own:
                self.setExpanded(rows[0], not self.isExpanded(rows[0]))
            else:
                self.entered_rows.emit(own)
        elif event.key() == Qt.Key.Key_Asterisk:
            self.expand(self.currentIndex())  # not everything, of which there may be very much
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        at = (
            self.visualRect(self.currentIndex()).bottomLeft()
            if by_key
            else self.viewport().mapFromGlobal(event.globalPos())
        )
        self.menu_wanted.emit(self.viewport().mapToGlobal(at))

    def copy(self) -> None:
        """What is selected, a line each: agent, metric, labels."""
        rows = self.selectionModel().selectedRows(0)
        QGuiApplication.clipboard().setText(self._model.mimeData(rows).text())
