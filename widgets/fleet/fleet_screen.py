"""The fleet screen: one sentence, a filter, and the table of all agents, worst first. GUI thread."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from models.domain.queries import DataSource, Failed, FleetRequest, FleetResult, Result, Ticket
from widgets.common.plain import PlainLabel, visible
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, no_match
from widgets.common.tables import TableView
from widgets.common.theme import ThemeHolder
from widgets.fleet.agent_commands import Target
from widgets.fleet.cell_delegates import AgentDelegate, HourStripDelegate, PresenceDelegate, SparkDelegate, TextDelegate
from widgets.fleet.fleet_item_model import AgentRole, FleetItemModel, HeadingRole, View
from widgets.fleet.fleet_state import Column, in_maintenance, summarise
from widgets.fleet.fleet_texts import sentence

REFRESH_MS = 1_000
_WIDTHS = {
    Column.AGENT: 132, Column.GROUP: 90, Column.PRESENCE: 124, Column.LAST_SEEN: 74, Column.HOUR: 108, Column.CPU: 106,
    Column.MEMORY: 112, Column.RESPONSE: 80, Column.ERROR_RATIO: 122, Column.TASKS: 50, Column.ATTEMPTS: 72,
    Column.SUCCESSES: 46, Column.ERRORS: 54, Column.LOG_ERRORS: 84, Column.MESSAGES: 84,
}  # fmt: skip
_RETIRED = True
"""Stands among the groups, which are texts."""
_FIRST_GROUP = 3
_FIELD_MARGINS = 32
"""Of a field, with its frame."""
_INTO_TABLE = (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter)
"""From the filter to what it found."""
_GROWING = (Column.AGENT, Column.GROUP, Column.PRESENCE, Column.HOUR, Column.CPU, Column.MEMORY)


class FleetScreen(QWidget):
    """Asks once a second while somebody sees it. `at_us` 0 is live; another moment shows the fleet as it was."""

    agent_selected = Signal(int)
    """The current agent changed; 0: none."""
    agent_activated = Signal(int)
    """Enter or double click: open the agent."""
    connect_requested = Signal()

    def __init__(
        self, source: DataSource, theme: ThemeHolder, fill_menu: Callable[[QMenu, Sequence[Target]], object]
    ) -> None:
        """`fill_menu` adds to a context menu what can be done with these agents."""
        super().__init__()
        self._fill_menu = fill_menu
        self._source = source
        self._at_us = 0
        self._connected = True
        self._ticket: Ticket | None = None
        self._kept: tuple[list[int], int] = ([], 0)
        self.model = FleetItemModel()
        self._build(theme)
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)

    @property
    def fleet(self) -> FleetResult | None:
        """What is shown."""
        return self.model.fleet

    @Slot()
    def refresh(self) -> None:
        """Ask for newer figures, unless an answer is still on its way."""
        if self._ticket is None:
            self._ticket = self._source.ask(FleetRequest(self._at_us, with_retired=True), self._take)

    def show_moment(self, at_us: int) -> None:
        """0: live. Otherwise the fleet at that moment, and no further asking."""
        if at_us == self._at_us:
            return
        self._at_us = at_us
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None
        self._run_timer()
        if self.isVisible():
            self.refresh()

    def show_connected(self, *, connected: bool) -> None:
        """Whether the recorder has its broker; decides what the sentence says of unknown agents."""
        if connected != self._connected:
            self._connected = connected
            self._tell()

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self._filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._filter.selectAll()

    def select_agent(self, agent: int) -> None:
        """Make an agent the current row, where it is shown."""
        row = self.model.row_of(agent)
        if row >= 0:
            self.table.setCurrentIndex(self.model.index(row, 0))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run_timer()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._run_timer()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and (self._filter.text() or self.not_well.isChecked()):
            self._clear_filter()
        elif event.key() in _INTO_TABLE and self._filter.hasFocus() and self.model.rowCount():
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)
            if not self.table.selectionModel().hasSelection():
                self.table.setCurrentIndex(self.model.index(0, 0))
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._enlarge()

    # ------------------------------------------------------------------ building

    def _build(self, theme: ThemeHolder) -> None:
        self._sentence = PlainLabel()
        self._sentence.setAccessibleName(self.tr("State of the fleet"))
        self._filter = QLineEdit()
        self._filter.setPlaceholderText(self.tr("Filter agents"))
        self._filter.setToolTip(self.tr("Words of name, id, group or note"))
        self._filter.setMaximumWidth(220)
        self._filter.setAccessibleName(self.tr("Filter agents"))
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(self._filter_changed)
        self._enlarge()
        self.not_well = self._toggle(self.tr("Not well"), self.tr("Show only agents that are not well"))
        self.by_group = self._toggle(self.tr("By group"), self.tr("Put the agents of a group together"))
        self._group = QComboBox()
        self._group.setAccessibleName(self.tr("Group"))
        self._group.addItem(self.tr("All groups"), None)
        self._group.addItem(self.tr("Retired agents"), _RETIRED)
        self._group.insertSeparator(_FIRST_GROUP - 1)
        self._group.currentIndexChanged.connect(self._filter_changed)
        bar = QHBoxLayout()
        bar.setContentsMargins(12, 10, 12, 8)
        bar.setSpacing(6)
        bar.addWidget(self._sentence, 4)
        bar.addWidget(self._filter, 1)
        for widget in (self._group, self.not_well, self.by_group):
            bar.addWidget(widget)
        self._build_table(theme)
        self._stack = StateStack(self.table, theme)
        self.setFocusProxy(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self._stack, 1)

    def _build_table(self, theme: ThemeHolder) -> None:
        self.table = TableView(self.tr("Agents"))
        self.table.setObjectName("fleet")
        # before columns are hidden: Qt loses count of their widths while the last one stretches
        self.table.horizontalHeader().setStretchLastSection(False)
        widths = [_WIDTHS[column] for column in Column]
        self.table.start_with(self.model, widths, (Column.LOG_ERRORS, Column.MESSAGES), _GROWING)
        delegates = {
            Column.AGENT: AgentDelegate(self.model, theme, self.table),
            Column.PRESENCE: PresenceDelegate(self.model, theme, self.table),
            Column.HOUR: HourStripDelegate(self.model, theme, self.table),
            Column.CPU: SparkDelegate(self.model, theme, lambda f: f.cpu_spark, "888.8 %", _cpu_top, self.table),
            Column.MEMORY: SparkDelegate(
                self.model, theme, lambda f: f.memory_spark, "888.8 MiB", lambda *_: None, self.table
            ),
        }
        self.table.setItemDelegate(TextDelegate(self.model, self.table))
        for number, delegate in delegates.items():
            self.table.setItemDelegateForColumn(number, delegate)
        header = self.table.horizontalHeader()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(True)  # a third click brings worst first back
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.sortIndicatorChanged.connect(self._sort_changed)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._open_menu)
        self.table.activated.connect(self._activated)
        self.table.clicked.connect(self._fold)
        self.table.selectionModel().currentRowChanged.connect(self._current_changed)
        self.model.modelAboutToBeReset.connect(self._keep_place)
        self.model.modelReset.connect(self._restore_place)
        self.model.modelReset.connect(self._span_headings)
        self.model.layoutChanged.connect(self._span_headings)

    def _toggle(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "button")
        button.setText(text)
        button.setToolTip(tip)
        button.setCheckable(True)
        button.toggled.connect(self._filter_changed)
        return button

    def _enlarge(self) -> None:
        if hasattr(self, "_filter"):
            font = self.font()
            font.setPixelSize(round(self.fontInfo().pixelSize() * 1.25))
            self._sentence.setFont(font)
            least = self._filter.fontMetrics().horizontalAdvance(self._filter.placeholderText()) + _FIELD_MARGINS
            self._filter.setMinimumWidth(least)  # where room is short, the sentence needs it more

    # ------------------------------------------------------------------ answers

    def _take(self, answer: Result | Failed) -> None:
        self._ticket = None
        if isinstance(answer, Failed):
            if self.fleet is None:
                self._stack.show_state(failed(answer.problem, self.refresh))
            return
        assert isinstance(answer, FleetResult)
        self._fill_groups(answer)
        self.model.show_fleet(answer)
        self._tell()

    def _tell(self) -> None:
        fleet = self.fleet
        if fleet is None:
            return
        self._sentence.set_text(sentence(fleet, summarise(fleet), connected=self._connected))
        if not len(fleet.agent) or (fleet.retired.all() and not self.model.view.retired):
            self._stack.show_state(self._nobody())
        elif self.model.view.retired and not fleet.retired.any():
            hint = self.tr("Retire one by its menu: it is hidden, and its history stays.")
            self._stack.show_state(ViewState(StateKind.EMPTY, self.tr("No agent is retired"), hint))
        elif not self.model.rowCount():
            self._stack.show_state(no_match(self._clear_filter))
        else:
            self._stack.show_content()

    def _nobody(self) -> ViewState:
        if self._connected:
            sentence = self.tr("No agent has been heard yet")
            hint = self.tr("Agents appear here by themselves as soon as they publish to the broker.")
            action = self.tr("Choose a broker…")
        else:
            sentence = self.tr("No broker is connected")
            hint = self.tr("Agents appear here by themselves once their broker is connected.")
            action = self.tr("Connect to a broker…")
        return ViewState(StateKind.EMPTY, sentence, hint, action, self.connect_requested.emit)

    def _fill_groups(self, fleet: FleetResult) -> None:
        present = zip(fleet.group, fleet.retired.tolist(), strict=True)
        groups = sorted({group for group, retired in present if group and not retired}, key=str.casefold)
        known = [self._group.itemData(i) for i in range(_FIRST_GROUP, self._group.count())]
        if groups == known:
            return
        chosen = self._group.currentData()
        with QSignalBlocker(self._group):
            while self._group.count() > _FIRST_GROUP:
                self._group.removeItem(_FIRST_GROUP)
            for group in groups:
                self._group.addItem(visible(group), group)
            if chosen is not _RETIRED:
                self._group.setCurrentIndex(groups.index(chosen) + _FIRST_GROUP if chosen in groups else 0)
        if self._group.currentData() != chosen:
            self._filter_changed()

    # ------------------------------------------------------------------ what the user does

    @Slot()
    def _filter_changed(self) -> None:
        retired = self._group.currentData() is _RETIRED
        view = replace(
            self.model.view,
            text=self._filter.text(),
            group=None if retired else self._group.currentData(),
            retired=retired,
            only_not_well=self.not_well.isChecked(),
            by_group=self.by_group.isChecked(),
        )
        self._show_view(view)

    @Slot(int, Qt.SortOrder)
    def _sort_changed(self, section: int, order: Qt.SortOrder) -> None:
        column = Column(section) if section >= 0 else None
        self._show_view(replace(self.model.view, column=column, descending=order == Qt.SortOrder.DescendingOrder))

    def _show_view(self, view: View) -> None:
        self.model.show_view(view)
        self._tell()

    @Slot()
    def _clear_filter(self) -> None:
        for widget in (self._filter, self._group, self.not_well):
            widget.blockSignals(True)  # one change instead of three
        self._filter.clear()
        self._group.setCurrentIndex(0)
        self.not_well.setChecked(False)
        for widget in (self._filter, self._group, self.not_well):
            widget.blockSignals(False)
        self._filter_changed()

    @Slot(QModelIndex)
    def _activated(self, index: QModelIndex) -> None:
        agent = index.data(AgentRole)
        if agent:
            self.agent_activated.emit(agent)
        else:
            self._fold(index)

    @Slot(QModelIndex)
    def _fold(self, index: QModelIndex) -> None:
        group = index.data(HeadingRole)
        if group is not None:
            self._show_view(replace(self.model.view, folded=self.model.view.folded ^ {group}))

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, current: QModelIndex, _before: QModelIndex) -> None:
        self.agent_selected.emit(current.data(AgentRole) or 0)

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        targets = self.selected()
        if not targets:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if len(targets) == 1:
            menu.addAction(self.tr("Open"), lambda: self._activated(self.table.currentIndex()))
        self.table.add_copy(menu)
        menu.addSeparator()
        self._fill_menu(menu, targets)
        menu.popup(self.table.viewport().mapToGlobal(where))

    def selected(self) -> list[Target]:
        """The agents of the selected rows."""
        fleet = self.fleet
        rows = [i.data(AgentRole) for i in self.table.selectionModel().selectedRows()]
        if fleet is None or not rows:
            return []
        place = {agent: row for row, agent in enumerate(fleet.agent.tolist())}
        pausing = in_maintenance(fleet)
        return [
            Target(
                fleet.id[i], fleet.name[i], fleet.group[i], fleet.note[i], bool(pausing[i]), bool(fleet.retired[i]),
                fleet.convention[i],
            )
            for agent in rows
            if agent and (i := place[agent]) >= 0
        ]  # fmt: skip

    # ------------------------------------------------------------------ place

    @Slot()
    def _keep_place(self) -> None:
        selected = [i.data(AgentRole) for i in self.table.selectionModel().selectedRows()]
        self._kept = ([agent for agent in selected if agent], self.table.verticalScrollBar().value())

    @Slot()
    def _restore_place(self) -> None:
        agents, scroll = self._kept
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        with QSignalBlocker(self.table.selectionModel()):
            for row in (self.model.row_of(agent) for agent in agents):
                if row >= 0:
                    self.table.selectionModel().setCurrentIndex(self.model.index(row, 0), flags)
        self.table.verticalScrollBar().setValue(scroll)

    @Slot()
    def _span_headings(self) -> None:
        """A heading takes the whole width."""
        self.table.clearSpans()
        if self.model.view.by_group:
            for row in range(self.model.rowCount()):
                if not self.model.agent_at(row):
                    self.table.setSpan(row, 0, 1, len(Column))

    def _run_timer(self) -> None:
        if self.isVisible() and not self._at_us:
            self._timer.start()
        else:
            self._timer.stop()


def _cpu_top(fleet: FleetResult, row: int) -> float | None:
    return {"1": 1.0, "%": 100.0}.get(fleet.cpu_unit[row])
