"""Tasks: those that were given from here and those that agents tell of, by state, with their figures and each in full."""

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QSplitter, QTabWidget, QVBoxLayout, QWidget

from models.domain.queries import Failed, Result, Ticket
from models.domain.tail import TailPage
from models.domain.task_queries import TaskItem, TasksRequest, TasksResult, TaskStoryRequest, TaskStoryResult
from models.domain.tasks.work import Reason
from widgets.common.numbers import count_text
from widgets.common.plain import visible
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading, no_match
from widgets.common.throttle import Throttle
from widgets.frame.screen_context import ScreenContext
from widgets.tasks.command_list import CommandList
from widgets.tasks.state_chips import StateChips
from widgets.tasks.task_pane import TaskPane
from widgets.tasks.task_statistics import figures_of, statistics_table
from widgets.tasks.task_table import task_table

REFRESH_MS = 1_500
_BELOW = 280


class TasksScreen(QWidget):
    """While it is hidden it asks for nothing. GUI thread."""

    give_wanted = Signal()
    at_hand_changed = Signal()
    """Another task is at hand."""

    def __init__(self, context: ScreenContext, refresh_ms: int = REFRESH_MS) -> None:
        super().__init__()
        self._source, self._times = context.source, context.times
        self._items: Sequence[TaskItem] = ()
        self._whole = True
        self._asked: Ticket | None = None
        self._story: Ticket | None = None
        self._stale = True
        self.chips = StateChips(context.themes)
        self.filter = QLineEdit(clearButtonEnabled=True)
        self.filter.setPlaceholderText(self.tr("Type, agent, id or words"))
        self.filter.setAccessibleName(self.tr("Filter tasks"))
        self.give = QPushButton(self.tr("&Give a task…"), autoDefault=False)
        self.banner = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.banner.setProperty("tone", "warning")
        self.banner.setContentsMargins(10, 2, 10, 4)
        self.table = task_table(self.tr("Tasks"), context.themes)
        self.table.setObjectName("tasks")
        self.figures = statistics_table()
        self.figures.setObjectName("task-figures")
        self.commands = CommandList(context, refresh_ms)
        self.pane = TaskPane(context.themes)
        self.pane.hide()
        self.stack = StateStack(self.table, context.themes)
        self._build()
        self._soon = Throttle(self._ask, refresh_ms, self)
        self.give.clicked.connect(self.give_wanted)
        self.chips.changed.connect(self._list)
        self.filter.textChanged.connect(self._list)
        self.table.selectionModel().selectionChanged.connect(self._choose)
        self.table.opened.connect(self._open)
        self.pane.part_wanted.connect(self.show_task)
        context.times.changed.connect(self._range_changed)
        context.tail.follow(self._take_page)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 4)
        head.setSpacing(6)
        head.addWidget(self.chips)
        head.addStretch(1)
        head.addWidget(self.filter, 2)
        head.addWidget(self.give)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("tasks-pane")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.stack)
        self.splitter.addWidget(self.pane)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([2 * _BELOW, _BELOW])
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.addTab(self.splitter, self.tr("Tasks"))
        self.tabs.addTab(self.figures, self.tr("Figures"))
        self.tabs.addTab(self.commands, self.tr("Commands"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.banner)
        column.addWidget(self.tabs, 1)
        self.banner.hide()
        self.setFocusProxy(self.table)

    @property
    def item(self) -> TaskItem | None:
        """The task at hand."""
        return self.pane.item if self.pane.isVisible() else None

    @property
    def types(self) -> list[str]:
        """Types of the tasks that are listed, the most frequent first."""
        return [word for word, _ in Counter(one.type for one in self._items if one.type).most_common()]

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    @Slot()
    def refresh(self) -> None:
        """Ask again."""
        self._ask()
        self.commands.refresh()

    @Slot(object)
    def show_task(self, item: TaskItem) -> None:
        """Show one in full."""
        self.pane.show_item(item)
        self.pane.show()
        if self._story is not None:
            self._story.cancel()
        request = TaskStoryRequest(item.task, "" if item.given else item.agent)
        self._story = self._source.ask(request, self._take_story)
        self.at_hand_changed.emit()

    # ------------------------------------------------------------ asking

    def _ask(self) -> None:
        if not self.isVisible() or self._asked is not None:
            self._stale = True
            return
        self._stale = False
        now = self._times.current()
        request = TasksRequest(now.since_us, 0 if now.live else now.until_us)
        self._asked = self._source.ask(request, self._take)

    def _take(self, result: Result | Failed) -> None:
        self._asked = None
        if isinstance(result, Failed):
            if not self._items:
                self.stack.show_state(failed(result.problem, self.refresh))
            return
        assert isinstance(result, TasksResult)
        self._items, self._whole = result.items, result.whole
        self._list()
        if self.pane.isVisible() and self.pane.item is not None:
            self.show_task(next((one for one in self._items if one.task == self.pane.item.task), self.pane.item))
        if self._stale:
            self._soon.want()

    def _take_story(self, result: Result | Failed) -> None:
        self._story = None
        if isinstance(result, TaskStoryResult):
            self.pane.show_story(result)
            self.at_hand_changed.emit()

    @Slot(object)
    def _take_page(self, _page: TailPage) -> None:
        if self._times.live:
            self._soon.want()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        if not self._items:
            self.stack.show_state(loading())
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None
        self._ask()

    # ------------------------------------------------------------ what is listed

    @Slot()
    def _list(self) -> None:
        words = self.filter.text().casefold().split()
        found = [one for one in self._items if all(word in _words(one) for word in words)]
        self.chips.show_counts(Counter(one.state for one in found))
        chosen = self.chips.chosen
        shown = [one for one in found if not chosen or one.state in chosen]
        self.table.show_rows(shown)
        self.figures.show_rows(figures_of(found, self._times.current().span_us))
        self._tell_nobody()
        if shown:
            self.stack.show_content()
        elif self._items:
            self.stack.show_state(no_match(self._clear))
        else:
            self.stack.show_state(self._empty())

    def _clear(self) -> None:
        self.chips.clear()
        self.filter.clear()

    def _empty(self) -> ViewState:
        sentence = self.tr("No tasks in this time")
        hint = self.tr("Give one to an agent; what agents report on agents/<id>/task is listed as well.")
        return ViewState(StateKind.EMPTY, sentence, hint, self.tr("Give a task…"), self.give_wanted.emit)

    def _tell_nobody(self) -> None:
        """Types that no agent serves, and that not all are listed."""
        waiting = Counter(visible(one.type) for one in self._items if one.reason == Reason.NOBODY and not one.ended_us)
        told = [
            self.tr("No agent serves {type} at present: {n} waiting.")
            .replace("{type}", type_)
            .replace("{n}", count_text(n))
            for type_, n in waiting.most_common(3)
        ]
        if not self._whole:
            told.append(self.tr("Only the newest {n} are listed.").replace("{n}", count_text(len(self._items))))
        self.banner.setText(" ".join(told))
        self.banner.setVisible(bool(told))

    @Slot()
    def _choose(self) -> None:
        chosen = self.table.selected
        if len(chosen) == 1 and chosen[0] != self.pane.item:
            self.show_task(chosen[0])

    @Slot(object)
    def _open(self, item: TaskItem) -> None:
        self.show_task(item)
        self.pane.tabs.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._soon.stop()
        self._stale = True
        for ticket in (self._asked, self._story):
            if ticket is not None:
                ticket.cancel()
        self._asked = self._story = None


def _words(item: TaskItem) -> str:
    return f"{item.type} {item.agent} {item.task} {item.requester} {item.parent} {item.reason} {item.error}".casefold()
