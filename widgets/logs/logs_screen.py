"""The logs of everybody: newest first, filtered by level, agent and text, with the record at hand in full."""

from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QSplitter, QVBoxLayout, QWidget

from models.domain.log_json import log_json
from models.domain.queries import LogLine
from models.domain.tail import TailPage
from widgets.common.state_view import StateKind, ViewState, no_match
from widgets.common.throttle import Throttle
from widgets.frame.screen_context import ScreenContext
from widgets.logs.record_pane import RecordPane
from widgets.records.agent_names import AgentField, AgentNames
from widgets.records.log_list import LogList
from widgets.records.record_dialog import log_dialog

_NAMES_MS = 2_000
_WIDE_PIXELS = 1_500
"""From this width on the record stands beside the list, else below it."""
_BELOW, _BESIDE = 260, 560
"""First height or width of the record."""


class FleetLogList(LogList):
    """The list, with a filter for agents."""

    guide_wanted = Signal()
    """Somebody wants to read how agents are connected."""

    def __init__(self, context: ScreenContext, names: AgentNames, **options: int) -> None:
        super().__init__(context, names.name, **options)
        names.changed.connect(self.records.names_changed)
        self.who = AgentField(names)
        self.filters.insertWidget(1, self.who)
        self.who.chosen.connect(self.show_agent)
        self.show_agent(0)

    def empty_state(self) -> ViewState:
        if self.filtered or self.agent:
            return no_match(self.clear_filter)
        if not self._range.live:
            return self.none_in_time(self.tr("No log records in this time"))
        hint = self.tr("Agents log with a JSON object on agents/<id>/log; other conventions are read too.")
        sentence, action = self.tr("Nothing has been logged yet"), self.tr("How agents are connected")
        return ViewState(StateKind.EMPTY, sentence, hint, action, self.guide_wanted.emit)

    @Slot()
    def clear_filter(self) -> None:
        """Show all levels, agents and texts."""
        self.who.choose(0)
        super().clear_filter()


class LogsScreen(QWidget):
    """While it is hidden it asks for nothing. GUI thread."""

    agent_wanted = Signal(int)
    """Somebody wants to see this agent."""

    def __init__(self, context: ScreenContext, names: AgentNames, **options: int) -> None:
        super().__init__()
        self._names = names
        self.rows = FleetLogList(context, names, **options)
        self.rows.table.setObjectName("logs")
        self.pane = RecordPane(names, context.themes)
        self.pane.hide()
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("logs-record")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.rows)
        self.splitter.addWidget(self.pane)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([2 * _BELOW, _BELOW])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.splitter)
        self.setFocusProxy(self.rows.table)
        self._refresh_names = Throttle(names.refresh, _NAMES_MS, self)
        self.rows.chosen.connect(self._show_record)
        self.rows.opened.connect(self._open_record)
        self.rows.menu_wanted.connect(self._fill_menu)
        self.rows.search.textChanged.connect(self.pane.mark)
        self.pane.agent_wanted.connect(self.agent_wanted)
        self.pane.closed.connect(self._close_record)
        context.tail.follow(self._take_page)

    def show_only(self, agent: int) -> None:
        """The records of this agent; 0: of everybody."""
        self.rows.who.choose(agent)

    def focus_filter(self) -> None:
        """Put the cursor into the text filter."""
        self.rows.focus_filter()

    @Slot()
    def refresh(self) -> None:
        """Ask for everything again."""
        self.rows.reload()
        if self.isVisible():
            self._names.refresh()

    def _take_page(self, page: TailPage) -> None:
        if page.logs:
            self.rows.rows_added()
        if page.new_names and self.isVisible():
            self._refresh_names.want()

    # ------------------------------------------------------------ the record at hand

    @Slot(object)
    def _show_record(self, line: LogLine) -> None:
        self.pane.show_record(line)
        self.rows.hold(True)
        if self.pane.isHidden():
            self.pane.show()
            self.rows.table.scrollTo(self.rows.table.currentIndex())

    @Slot(object)
    def _open_record(self, line: LogLine) -> None:
        dialog = log_dialog(line, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    @Slot()
    def _close_record(self) -> None:
        self.pane.hide()
        self.rows.hold(False)
        self.rows.table.setFocus()

    @Slot(object, object)
    def _fill_menu(self, menu: QMenu, line: LogLine) -> None:
        menu.addAction(self.tr("Copy as JSON"), self._copy_json)
        menu.addSeparator()
        if line.agent:
            name = self._names.name(line.agent)
            only = menu.addAction(self.tr("Only {agent}").replace("{agent}", name.replace("&", "&&")))
            only.triggered.connect(partial(self.show_only, line.agent))
            only.setEnabled(self.rows.agent != line.agent)
        everybody = menu.addAction(self.tr("All agents"), partial(self.show_only, 0))
        everybody.setEnabled(self.rows.agent != 0)
        if line.agent:
            menu.addAction(self.tr("Go to agent"), partial(self.agent_wanted.emit, line.agent))

    @Slot()
    def _copy_json(self) -> None:
        """One record is laid out to be read, several are one a line."""
        lines = self.rows.selected
        indent = 2 if len(lines) == 1 else None
        texts = [log_json(one, self._names.id_of(one.agent), indent) for one in lines]
        QGuiApplication.clipboard().setText("\n".join(texts))

    # ------------------------------------------------------------ Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.pane.isHidden():
            self._close_record()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._names.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        wide = event.size().width() >= _WIDE_PIXELS
        if (self.splitter.orientation() is across) != wide:
            self.splitter.setOrientation(across if wide else down)
            room, share = (event.size().width(), _BESIDE) if wide else (event.size().height(), _BELOW)
            self.splitter.setSizes([room - share, share])
            self.pane.turn(down if wide else across)
