"""Tasks: those that were given from here and those that agents tell of, by state, with their figures and each in full."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from models.domain.queries import Failed, Result, Ticket
from models.domain.tail import TailPage
from models.domain.task_queries import TaskItem, TasksRequest, TasksResult, TaskStoryRequest, TaskStoryResult
from models.domain.tasks.work import Reason
from widgets.common.numbers import count_text
from widgets.common.plain import visible
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading, no_match
from widgets.common.throttle import Throttle
from widgets.frame.outlet import Taken
from widgets.frame.screen_context import ScreenContext
from widgets.tasks.command_list import CommandList
from widgets.tasks.state_chips import StateChips
from widgets.tasks.task_doings import can_cancel, can_retry
from widgets.tasks.task_figures import TaskFigures
from widgets.tasks.task_pane import TaskPane
from widgets.tasks.task_table import TaskTable
from widgets.tasks.task_timeline import TaskTimeline

REFRESH_MS = 1_500
_BELOW = 280


class TasksScreen(QWidget):
    """While it is hidden it asks for nothing. GUI thread."""

    give_wanted = Signal()
    at_hand_changed = Signal()
    """Another task is at hand, or others are selected."""
    cancel_wanted = Signal(list)
    """Somebody wants an end of these tasks (ids)."""
    retry_wanted = Signal(list)
    """As above, another try."""

    def __init__(self, context: ScreenContext, refresh_ms: int = REFRESH_MS) -> None:
        super().__init__()
        self._source, self._times, self._cursor = context.source, context.times, context.cursor
        self._outlet = context.outlet
        self._items: Sequence[TaskItem] = ()
        self._whole = True
        self._asked: Ticket | None = None
        self._story: Ticket | None = None
        self._stale = True
        self.chips = StateChips(context.themes)
        self.filter = QLineEdit(clearButtonEnabled=True)
        self.filter.setPlaceholderText(self.tr("Type, agent, id or words"))
        self.filter.setAccessibleName(self.tr("Filter tasks"))
        self.tree = QPushButton(self.tr("T&ree"), autoDefault=False)
        self.tree.setCheckable(True)
        self.tree.setToolTip(self.tr("List parts under their whole; Left and Right fold them"))
        self.give = QPushButton(self.tr("Give a tas&k…"), autoDefault=False)
        self.banner = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.banner.setProperty("tone", "warning")
        self.banner.setContentsMargins(10, 2, 10, 4)
        self.table = TaskTable(self.tr("Tasks"), context.themes)
        self.table.setObjectName("tasks")
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.timeline = TaskTimeline(context)
        self.figures = TaskFigures(context)
        self.commands = CommandList(context, refresh_ms)
        self.pane = TaskPane(context.themes)
        self.pane.hide()
        self.stack = StateStack(self.table, context.themes)
        self._over_time = StateStack(self.timeline, context.themes)
        self._found: Sequence[TaskItem] = ()
        self._shown: Sequence[TaskItem] = ()
        self._build()
        self._soon = Throttle(self._ask, refresh_ms, self)
        self.give.clicked.connect(self.give_wanted)
        self.chips.changed.connect(self._list)
        self.filter.textChanged.connect(self._list)
        self.tree.toggled.connect(self.table.set_tree)
        self.table.selectionModel().selectionChanged.connect(self._choose)
        self.table.opened.connect(self._open)
        self.table.customContextMenuRequested.connect(self._open_menu)
        self.timeline.surface.chosen.connect(self.show_task)
        self.timeline.surface.opened.connect(self._open)
        self.tabs.currentChanged.connect(self._show_tab)
        self.pane.part_wanted.connect(self.show_task)
        context.times.changed.connect(self._range_changed)
        context.cursor.pinned.connect(self._range_changed)
        context.tail.follow(self._take_page)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 4)
        head.setSpacing(6)
        head.addWidget(self.chips)
        head.addStretch(1)
        head.addWidget(self.filter, 2)
        head.addWidget(self.tree)
        head.addWidget(self.give)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("tasks-pane")
        self.splitter.setChildrenCollapsible(False)
        self.tabs = QTabWidget(documentMode=True)
        self.splitter.addWidget(self.tabs)
        self.splitter.addWidget(self.pane)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([2 * _BELOW, _BELOW])
        self.tabs.addTab(self.stack, self.tr("Tasks"))
        self.tabs.addTab(self._over_time, self.tr("Timeline"))
        self.tabs.addTab(self.figures, self.tr("Figures"))
        self.tabs.addTab(self.commands, self.tr("Commands"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.banner)
        column.addWidget(self.splitter, 1)
        self.banner.hide()
        self.setFocusProxy(self.table)

    @property
    def item(self) -> TaskItem | None:
        """The task at hand."""
        return self.pane.item if self.pane.isVisible() else None

    def to_do(self, fits: Callable[[TaskItem], bool]) -> list[str]:
        """Ids of the selected tasks, of several or of the one at hand, with which this can be done now."""
        if self._cursor.pinned_us is not None:
            return []
        chosen = self.table.selected if self.tabs.currentWidget() is self.stack else []
        at_hand = [self.item] if self.item is not None else []
        return [one.task for one in (chosen if len(chosen) > 1 else at_hand) if fits(one)]

    @property
    def types(self) -> list[str]:
        """Types of the tasks that are listed, the most frequent first."""
        return [word for word, _ in Counter(one.type for one in self._items if one.type).most_common()]

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    def save_csv(self) -> None:
        """Have the tasks of the time that is seen written to a file."""
        now, pinned_us = self._times.current(), self._cursor.pinned_us
        since_us, until_us = (
            (now.since_us, now.until_us) if pinned_us is None else (pinned_us - now.span_us, pinned_us + 1)
        )
        self._outlet.dataset_wanted.emit(Taken(self.tr("Tasks"), since_us, until_us), "tasks")

    @Slot()
    def refresh(self) -> None:
        """Ask again."""
        self._ask()
        self.commands.refresh()

    @Slot(object)
    def show_task(self, item: TaskItem) -> None:
        """Show one in full."""
        self.pane.show_item(item, past=self._cursor.pinned_us is not None)
        self.pane.show()
        self.timeline.surface.take_in_hand(item)
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
        now, pinned_us = self._times.current(), self._cursor.pinned_us
        request = TasksRequest(now.since_us, 0 if now.live else now.until_us)
        if pinned_us is not None:
            request = TasksRequest(pinned_us - now.span_us, pinned_us + 1, at_us=pinned_us)
        self._asked = self._source.ask(request, self._take)

    def _take(self, result: Result | Failed) -> None:
        self._asked = None
        if isinstance(result, Failed):
            if not self._items:
                self._show_state(failed(result.problem, self.refresh))
            return
        assert isinstance(result, TasksResult)
        same = bool(self._items) and (result.items, result.whole) == (self._items, self._whole)
        self._items, self._whole = result.items, result.whole
        if not same or self.tabs.currentWidget() is not self.stack:  # over time, the present moves on
            self._list()
        if self.pane.isVisible() and self.pane.item is not None:
            found = next((one for one in self._items if one.task == self.pane.item.task), None)
            if found is not None or self._cursor.pinned_us is None:
                self.show_task(found or self.pane.item)
            else:  # by then it was not given yet
                self.pane.item = None
                self.pane.hide()
                self.at_hand_changed.emit()
        if self._stale:
            self._soon.want()

    def _take_story(self, result: Result | Failed) -> None:
        self._story = None
        if isinstance(result, TaskStoryResult):
            self.pane.show_story(result, self._cursor.pinned_us or 0)
            self.at_hand_changed.emit()

    @Slot(object)
    def _take_page(self, _page: TailPage) -> None:
        if self._times.live and self._cursor.pinned_us is None:
            self._soon.want()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        if not self._items:
            self._show_state(loading())
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None
        self._ask()

    # ------------------------------------------------------------ what is listed

    @Slot()
    def _list(self) -> None:
        words = self.filter.text().casefold().split()
        self._found = (
            [one for one in self._items if all(word in _words(one) for word in words)] if words else self._items
        )
        self.chips.show_counts(Counter(one.state for one in self._found))
        chosen = self.chips.chosen
        self._shown = [one for one in self._found if one.state in chosen] if chosen else self._found
        self._tell_nobody()
        self._show_tab()
        if self._shown:
            self.stack.show_content()
            self._over_time.show_content()
        elif self._items:
            self._show_state(no_match(self._clear))
        else:
            self._show_state(self._empty())

    @Slot()
    def _show_tab(self) -> None:
        """Only what is seen is arranged."""
        at_hand = self.tabs.currentWidget()
        self.tree.setVisible(at_hand is self.stack)
        self.pane.setVisible(self.pane.item is not None and at_hand in (self.stack, self._over_time))
        if at_hand is self.stack:
            self.table.show_rows(self._shown)
        elif at_hand is self._over_time:
            self.timeline.surface.show_items(self._shown, self._now_us())
        elif at_hand is self.figures:
            self.figures.show_items(self._found)
        self.at_hand_changed.emit()

    def _now_us(self) -> int:
        return self._cursor.pinned_us or self._times.current().until_us

    def _show_state(self, state: ViewState) -> None:
        for stack in (self.stack, self._over_time):
            stack.show_state(state)

    def _clear(self) -> None:
        self.chips.clear()
        self.filter.clear()

    def _empty(self) -> ViewState:
        if self._cursor.pinned_us is not None:
            return ViewState(StateKind.EMPTY, self.tr("There was no task by then"))
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
        else:
            self.at_hand_changed.emit()

    @Slot(QPoint)
    def _open_menu(self, where: QPoint) -> None:
        chosen = self.table.selected
        if not chosen:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.table.add_copy(menu)
        menu.addSeparator()
        for text, fits, wanted in (
            (self.tr("Try again"), can_retry, self.retry_wanted),
            (self.tr("Cancel"), can_cancel, self.cancel_wanted),
        ):
            ids = self.to_do(fits)
            said = f"{text} ({count_text(len(ids))})" if len(chosen) > 1 and ids else text
            menu.addAction(said, partial(wanted.emit, ids)).setEnabled(bool(ids) and self.give.isEnabled())
        if len(chosen) == 1:
            answer = menu.addAction(self.tr("Answer…"), self.pane.answer.click)
            answer.setEnabled(not self.pane.answer.isHidden() and self.pane.answer.isEnabled())
            menu.addAction(self.tr("Its logs"), self.pane.logs.click)
            menu.addAction(self.tr("Copy its id"), partial(QGuiApplication.clipboard().setText, chosen[0].task))
        menu.popup(self.table.viewport().mapToGlobal(where))

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
