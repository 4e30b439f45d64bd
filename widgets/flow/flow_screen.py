"""Who talks to whom over the chosen time: as a graph, a matrix and a table, the worst first, and each pair's interactions one by one."""

from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSplitter, QTabWidget, QVBoxLayout, QWidget

from models.domain.flow_queries import FlowRequest, FlowResult, TalkRequest
from models.domain.queries import Failed, Result, Ticket
from models.domain.tail import TailPage
from widgets.common.numbers import count_text, value_text
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading, no_match
from widgets.common.throttle import Throttle
from widgets.flow.conversation_window import ConversationWindow
from widgets.flow.flow_graph import FlowGraph
from widgets.flow.matrix_panel import MatrixPanel
from widgets.flow.pair_table import pair_table
from widgets.flow.pairs import FAILS_FROM, SLOW_FROM_US, Pair, pairs_of
from widgets.flow.talk_list import TalkList, talk_title
from widgets.frame.screen_context import ScreenContext
from widgets.records.agent_names import AgentNames

REFRESH_MS = 1_500
_NAMES_MS = 2_000
_BELOW = 240


class FlowScreen(QWidget):
    """While it is hidden it asks for nothing. At a pinned moment it shows what was said up to it, as wide as the range. GUI thread."""

    agent_wanted = Signal(int)
    talk_wanted = Signal(object)
    """Somebody wants the messages of an interaction (TalkLine)."""
    pair_wanted = Signal(object)
    """Somebody wants to see the request and the reply of this message (MessageLine) beside each other."""

    def __init__(self, context: ScreenContext, names: AgentNames, refresh_ms: int = REFRESH_MS) -> None:
        super().__init__()
        self._source, self._times, self._cursor, self._names = context.source, context.times, context.cursor, names
        self._asked: Ticket | None = None
        self._stale = True
        self._result: FlowResult | None = None
        self._pairs: list[Pair] = []
        self._chosen: tuple[int | None, int | None] = (None, None)
        self.conversation = ConversationWindow(context.source, names, context.themes, self)
        self.conversation.pair_wanted.connect(self.pair_wanted)
        self.filter = QLineEdit(clearButtonEnabled=True)
        self.filter.setPlaceholderText(self.tr("Names of agents"))
        self.filter.setAccessibleName(self.tr("Find agents"))
        self.summary = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.summary.setProperty("tone", "muted")
        self.graph = FlowGraph(context.themes)
        self.table = pair_table(context.themes)
        self.table.setObjectName("flow-pairs")
        self.matrix = MatrixPanel(context.themes)
        self.talk = TalkList(context.source, names, context.themes)
        self.talk.hide()
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.addTab(self.graph, self.tr("Graph"))
        self.tabs.addTab(self.matrix, self.tr("Matrix"))
        self.tabs.addTab(self.table, self.tr("Table"))
        self.stack = StateStack(self.tabs, context.themes)
        self._build()
        self._soon = Throttle(self._ask, refresh_ms, self)
        self._refresh_names = Throttle(names.refresh, _NAMES_MS, self)
        names.changed.connect(self._show)
        self.filter.textChanged.connect(self._show)
        self.graph.chosen.connect(self._choose)
        self.graph.agent_wanted.connect(self.agent_wanted)
        self.matrix.chosen.connect(self._choose)
        self.tabs.currentChanged.connect(self._feed)
        self.table.selectionModel().selectionChanged.connect(self._choose_row)
        self.talk.closed.connect(lambda: self._choose(None, None))
        self.talk.message_wanted.connect(self.talk_wanted)
        self.talk.conversation_wanted.connect(self._show_conversation)
        context.times.changed.connect(self._range_changed)
        context.cursor.pinned.connect(self._range_changed)
        context.tail.follow(self._take_page)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(10, 4, 8, 4)
        head.addWidget(self.summary, 1)
        head.addWidget(self.filter, 1)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("flow-talk")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.stack)
        self.splitter.addWidget(self.talk)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([2 * _BELOW, _BELOW])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.splitter, 1)
        self.setFocusProxy(self.graph)

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    @Slot()
    def refresh(self) -> None:
        """Ask again."""
        self._ask()

    # ------------------------------------------------------------ asking

    def _span(self) -> tuple[int, int]:
        """What is shown; 0: open end."""
        now, pinned_us = self._times.current(), self._cursor.pinned_us
        if pinned_us is not None:
            return pinned_us - now.span_us, pinned_us + 1
        return now.since_us, 0 if now.live else now.until_us

    def _ask(self) -> None:
        if not self.isVisible() or self._asked is not None:
            self._stale = True
            return
        self._stale = False
        self._refresh_names.want()
        self._asked = self._source.ask(FlowRequest(*self._span()), self._take)

    def _take(self, result: Result | Failed) -> None:
        if isinstance(result, Failed):
            self._asked = None
            if self._result is None:
                self.stack.show_state(failed(result.problem, self.refresh))
            return
        assert isinstance(result, FlowResult)
        if result.whole:
            self._asked = None
        self._result = result
        self._show()
        if result.whole and self.talk.isVisible():
            self._list_talk()
        if result.whole and self._stale:
            self._soon.want()

    @Slot(object)
    def _take_page(self, _page: TailPage) -> None:
        if self._times.live:
            self._soon.want()
            if self.conversation.isVisible():
                self.conversation.want_news()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        if self._result is None:
            self.stack.show_state(loading())
        self._cancel()
        self._ask()

    def _cancel(self) -> None:
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    # ------------------------------------------------------------ what is shown

    @Slot()
    def _show(self) -> None:
        if self._result is None:
            return
        pairs = pairs_of(self._result, self._names, self._times.current().span_us)
        words = self.filter.text().casefold().split()
        self._pairs = [
            one for one in pairs if all(word in f"{one.sender_name} {one.receiver_name}".casefold() for word in words)
        ]
        self._feed()
        if self._pairs:
            self.stack.show_content()
        elif pairs:
            self.stack.show_state(no_match(self.filter.clear))
        elif self._result.whole:
            self.stack.show_state(self._empty())

    @Slot()
    def _feed(self) -> None:
        """What is turned up alone: the others are filled when they are."""
        shown = self.tabs.currentWidget()
        if shown is self.graph:
            self.graph.show_pairs(self._pairs)
            self.graph.mark_found(self.filter.text())
        elif shown is self.matrix:
            self.matrix.show_pairs(self._pairs)
        else:
            self.table.show_rows(self._pairs)
        self._summarise()

    def _empty(self) -> ViewState:
        sentence = self.tr("Nobody talked to anybody in this time")
        hint = self.tr("Requests and replies between agents, and tasks that they are given, would be drawn here.")
        return ViewState(StateKind.EMPTY, sentence, hint)

    def _summarise(self) -> None:
        failing = sum(one.ratio is not None and one.ratio >= FAILS_FROM for one in self._pairs)
        slow = sum(one.p95_us is not None and one.p95_us >= SLOW_FROM_US for one in self._pairs)
        told = [
            self.tr("{n} pairs, {rate} interactions a minute")
            .replace("{n}", count_text(len(self._pairs)))
            .replace("{rate}", value_text(sum(one.per_minute for one in self._pairs)))
        ]
        if failing:
            told.append(self.tr("{n} failing").replace("{n}", count_text(failing)))
        if slow:
            told.append(self.tr("{n} slow").replace("{n}", count_text(slow)))
        if self.graph.left_out and self.tabs.currentWidget() is self.graph:
            left = self.tr("{n} agents that talk least are not drawn: the matrix and the table have all")
            told.append(left.replace("{n}", count_text(self.graph.left_out)))
        self.summary.setText(" · ".join(told))

    @Slot()
    def _choose_row(self) -> None:
        chosen = self.table.selected
        if len(chosen) == 1 and (chosen[0].sender, chosen[0].receiver) != self._chosen:
            self._choose(chosen[0].sender, chosen[0].receiver)

    @Slot(object, object)
    def _choose(self, sender: int | None, receiver: int | None) -> None:
        self._chosen = (sender, receiver)
        self.graph.choose(sender, receiver)
        self.matrix.view.choose(sender, receiver)
        self.talk.setVisible(sender is not None)
        if sender is None:
            self.talk.stop()
            return
        self._list_talk()

    def _list_talk(self) -> None:
        sender, receiver = self._chosen
        if sender is None:
            return
        since_us, until_us = self._span()
        if receiver is None:
            peers = {
                one
                for pair in self._pairs
                if sender in (pair.sender, pair.receiver)
                for one in (pair.sender, pair.receiver)
            }
            request = TalkRequest(
                (sender, *sorted(peers - {sender})), ends=(sender,), since_us=since_us, until_us=until_us
            )
        else:
            agents = tuple(dict.fromkeys((sender, receiver)))
            request = TalkRequest(agents, (sender,), (receiver,), since_us=since_us, until_us=until_us)
        title = talk_title(self._names, request)
        self.talk.show_talk(request, title.replace("↔", "→") if receiver is not None else title)

    @Slot()
    def _show_conversation(self) -> None:
        """All that the list is about, both ways."""
        request = self.talk.feed.request
        if request is not None:
            both = replace(request, senders=(), receivers=()) if len(request.agents) == 2 else request
            self.conversation.show_talk(both, talk_title(self._names, both))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._soon.stop()
        self._stale = True
        self._cancel()
        self.talk.stop()
