"""One agent in full: who it is, its linked plots, its log records, tasks and messages."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSplitter, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from models.domain.queries import AgentResult, LogLine, MessageLine, TaskLine
from models.domain.tail import TailPage
from widgets.agent.agent_facts import AgentFacts
from widgets.agent.agent_header import AgentHeader
from widgets.agent.agent_plots import AgentPlots
from widgets.agent.series_picker import SeriesPicker
from widgets.common.state_view import StateKind, StateView, ViewState, failed
from widgets.frame.screen_context import ScreenContext
from widgets.records.log_list import LogList
from widgets.records.message_list import MessageList
from widgets.records.record_dialog import RecordDialog, log_dialog, message_dialog, task_dialog
from widgets.records.task_list import TaskList
from widgets.why.subject import OfAgent

FillMenu = Callable[[QMenu, AgentResult], object]
"""Puts what can be done with an agent (rename, group, note …) into a menu."""

_SECOND_MS = 1_000
_FIRST_HEIGHTS = [640, 360]  # pixels, shared out in this proportion


class AgentScreen(QWidget):
    """`show_agent` says which. While it is hidden it asks for nothing and wants nothing of the tail. GUI thread."""

    why_wanted = Signal(object)
    """Somebody asks why the agent or one of its series is there, and as it is, or a record of it (`Subject`)."""
    fleet_requested = Signal()
    """There is no agent to show, and the user wants to choose one."""

    def __init__(self, context: ScreenContext, fill_menu: FillMenu) -> None:
        super().__init__()
        self._fill_menu = fill_menu
        self.facts = AgentFacts(context.source, context.tail, context.cursor, context.clock, self)
        self.header = AgentHeader(context.themes)
        self.plots = AgentPlots(context)
        self.logs, self.tasks, self.messages = LogList(context), TaskList(context), MessageList(context)
        self._none = StateView(context.themes)
        self._why = self._button(self.tr("Why?"))
        self._why.setToolTip(self.tr("Why it is there and as it is, and who reads each of its series"))
        self._more = self._button(self.tr("More series…"))
        self._menu_button = self._button(self.tr("Actions"))
        self._build()
        self._second = QTimer(self, interval=_SECOND_MS)
        self._second.timeout.connect(self._show_facts)
        self.facts.changed.connect(self._facts_changed)
        context.themes.changed.connect(self._show_facts)
        context.tail.follow(self._take_page)
        self._facts_changed()

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        self.header.buttons.addWidget(button)
        return button

    def _build(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.logs, self.tr("Logs"))
        self.tabs.addTab(self.tasks, self.tr("Tasks"))
        self.tabs.addTab(self.messages, self.tr("Messages"))
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.plots)
        self.splitter.addWidget(self.tabs)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes(_FIRST_HEIGHTS)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.splitter, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(content)
        self._stack.addWidget(self._none)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)
        self._why.clicked.connect(self.ask_why)
        self.plots.why_wanted.connect(self._ask_why_of)
        self._more.clicked.connect(self.pick_series)
        self._menu_button.clicked.connect(self._open_menu)
        self.setFocusProxy(self.tabs)
        self.splitter.setObjectName("agent")
        for name, rows in (("agent-logs", self.logs), ("agent-tasks", self.tasks), ("agent-messages", self.messages)):
            rows.table.setObjectName(name)
            rows.opened.connect(self._open_row)

    # ------------------------------------------------------------ which agent

    def show_agent(self, agent_id: int) -> None:
        """Show this agent (its local id); 0: none."""
        self.facts.show_agent(agent_id)
        for rows in (self.logs, self.tasks, self.messages):
            rows.show_agent(agent_id)
        self._facts_changed()

    @property
    def agent(self) -> int:
        """Id of the agent that is shown; 0: none."""
        return self.facts.agent

    def focus_filter(self) -> None:
        """Put the cursor into the text filter of the logs."""
        self.tabs.setCurrentWidget(self.logs)
        self.logs.focus_filter()

    @Slot()
    def refresh(self) -> None:
        """Ask for everything again."""
        self.facts.refresh()
        self.plots.reload()
        for rows in (self.logs, self.tasks, self.messages):
            rows.reload()

    @Slot()
    def _facts_changed(self) -> None:
        facts = self.facts
        if facts.agent == 0:
            self._none.show_state(
                ViewState(
                    StateKind.EMPTY,
                    self.tr("No agent is chosen"),
                    self.tr("Choose one in the fleet: Enter or a double click opens it here."),
                    self.tr("Go to the fleet"),
                    self.fleet_requested.emit,
                )
            )
        elif facts.result is None and facts.problem is not None:
            self._none.show_state(failed(facts.problem, facts.refresh))
        self._stack.setCurrentIndex(1 if facts.agent == 0 or (facts.result is None and facts.problem) else 0)
        self._more.setEnabled(facts.result is not None and bool(facts.result.series))
        self._menu_button.setEnabled(facts.result is not None)
        self._why.setEnabled(facts.result is not None)
        if facts.result is not None:
            self.plots.show_agent(facts.result)
        self._show_facts()

    @Slot()
    def _show_facts(self) -> None:
        facts = self.facts
        self.header.show_facts(facts.result, facts.presence, facts.told_us, of_now=facts.moment_us is None)

    def _take_page(self, page: TailPage) -> None:
        if page.logs:
            self.logs.rows_added()
        if page.tasks:
            self.tasks.rows_added()
        if page.messages:
            self.messages.rows_added()

    # ------------------------------------------------------------ what one can do

    @Slot()
    def pick_series(self) -> None:
        """Let the user tick further series to plot."""
        if self.facts.result is None:
            return
        picker = SeriesPicker(self.facts.result.series, self.plots.extra_series, self)
        picker.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picker.picked.connect(self.plots.show_extra)
        picker.why_wanted.connect(picker.close)  # it is modal, the answer is not
        picker.why_wanted.connect(self._ask_why_of)
        picker.open()

    @Slot()
    def ask_why(self) -> None:
        """Of the agent; of a record instead where one is at hand in a list that has the focus."""
        rows = self.tabs.currentWidget()
        if isinstance(rows, LogList | MessageList) and rows.table.hasFocus() and rows.selected:
            self.why_wanted.emit(rows.selected[0])
        elif self.facts.result is not None:
            self.why_wanted.emit(OfAgent(self.facts.result.id))

    @Slot(str)
    def _ask_why_of(self, metric: str) -> None:
        if self.facts.result is not None:
            self.why_wanted.emit(OfAgent(self.facts.result.id, metric))

    @Slot()
    def _open_menu(self) -> None:
        if self.facts.result is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._fill_menu(menu, self.facts.result)
        menu.popup(self._menu_button.mapToGlobal(QPoint(0, self._menu_button.height())))

    @Slot(object)
    def _open_row(self, line: LogLine | MessageLine | TaskLine) -> None:
        dialog: RecordDialog
        if isinstance(line, LogLine):
            dialog = log_dialog(line, self)
        elif isinstance(line, MessageLine):
            dialog = message_dialog(line, self)
        else:
            dialog = task_dialog(line, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.facts.set_active(True)
        self._second.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.facts.set_active(False)
        self._second.stop()
