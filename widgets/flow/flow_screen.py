"""Who talks to whom over the chosen time, live, past or replayed: as a graph, a matrix and a table, the worst first; and each pair's
interactions one by one."""

from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from models.domain.flow_queries import FlowRequest, FlowResult
from models.domain.queries import Failed, Result, Ticket
from models.domain.tail import TailPage
from widgets.common.buttons import plain_button
from widgets.common.numbers import count_text, value_text
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading, no_match
from widgets.common.throttle import Throttle
from widgets.flow.conversation_window import ConversationWindow
from widgets.flow.flow_views import FlowViews
from widgets.flow.hiding import Hiding, named
from widgets.flow.pairs import FAILS_FROM, SLOW_FROM_US, Pair, node_name, pairs_of
from widgets.flow.replay_bar import ReplayBar
from widgets.flow.talk_list import TalkList, talk_title
from widgets.flow.talk_of import talk_of
from widgets.frame.outlet import Taken
from widgets.frame.screen_context import ScreenContext
from widgets.records.agent_names import AgentNames

REFRESH_MS = 1_500
_NAMES_MS = 2_000
_BELOW = 240


class FlowScreen(QWidget):
    """While it is hidden it asks for nothing. At a pinned moment it shows what was said up to it, as wide as the range. GUI thread."""

    at_hand_changed = Signal()
    """Something else is chosen or hidden, or the screen came or went."""
    agent_wanted = Signal(int)
    talk_wanted = Signal(object)
    """Somebody wants the messages of an interaction (TalkLine)."""
    pair_wanted = Signal(object)
    """Somebody wants to see the request and the reply of this message (MessageLine) beside each other."""

    def __init__(self, context: ScreenContext, names: AgentNames, refresh_ms: int = REFRESH_MS) -> None:
        super().__init__()
        self._source, self._times, self._cursor, self._names = context.source, context.times, context.cursor, names
        self._outlet = context.outlet
        self._asked: Ticket | None = None
        self._stale = True
        self._result: FlowResult | None = None
        self._all: list[Pair] = []  # with what is hidden, and what the filter leaves out
        self._pairs: list[Pair] = []
        self._chosen: tuple[int | None, int | None] = (None, None)
        self.conversation = ConversationWindow(context.source, names, context.themes, self)
        self.conversation.pair_wanted.connect(self.pair_wanted)
        self.filter = QLineEdit(clearButtonEnabled=True)
        self.filter.setPlaceholderText(self.tr("Names of agents"))
        self.filter.setAccessibleName(self.tr("Find agents"))
        self.summary = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.summary.setProperty("tone", "muted")
        self.views = FlowViews(context.themes)
        self.replay = ReplayBar(context.themes)
        self.replay_button = QPushButton(self.tr("Re&play"), autoDefault=False)
        self.replay_button.setCheckable(True)
        self.replay_button.setToolTip(self.tr("Go through the chosen time again, step by step"))
        self.grouped = QPushButton(self.tr("By gro&up"), autoDefault=False)
        self.grouped.setCheckable(True)
        self.grouped.setToolTip(self.tr("Agents of one group count as one"))
        self.unhide = plain_button("", self.show_all)
        self.unhide.hide()
        self._hiding = Hiding()
        self._among: list[Pair] | None = None  # of the whole stretch that is replayed
        self.talk = TalkList(context.source, names, context.themes)
        self.talk.hide()
        self.stack = StateStack(self.views, context.themes)
        self._build()
        self._soon = Throttle(self._ask, refresh_ms, self)
        self._refresh_names = Throttle(names.refresh, _NAMES_MS, self)
        names.changed.connect(self._show)
        self.filter.textChanged.connect(self._show)
        self.filter.textChanged.connect(self.at_hand_changed)
        self.views.chosen.connect(self._choose)
        self.views.filled.connect(self._summarise)
        self.views.graph.agent_wanted.connect(self._open_node)
        self.views.hide_node_wanted.connect(self._hide_node)
        self.views.hide_pair_wanted.connect(self._hide_pair)
        self.views.all_wanted.connect(self.show_all)
        self.grouped.toggled.connect(self._range_changed)
        self.grouped.toggled.connect(self._let_go)
        self.replay_button.toggled.connect(self._replay)
        self.replay.moved.connect(self._moved)
        self.replay.ended.connect(lambda: self.replay_button.setChecked(False))
        self.talk.closed.connect(self._let_go)
        self.talk.message_wanted.connect(self.talk_wanted)
        self.talk.conversation_wanted.connect(self.show_conversation)
        context.times.changed.connect(self._range_changed)
        context.cursor.pinned.connect(self._range_changed)
        context.tail.follow(self._take_page)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(10, 4, 8, 4)
        head.setSpacing(6)
        head.addWidget(self.summary, 1)
        for button in (self.unhide, self.grouped, self.replay_button):
            head.addWidget(button)
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
        column.addWidget(self.replay)
        column.addWidget(self.splitter, 1)
        self.setFocusProxy(self.views)

    @property
    def chose(self) -> bool:
        """Is an agent or a pair chosen?"""
        return self._chosen[0] is not None

    @property
    def hides(self) -> bool:
        """Is something hidden, or left out by the filter?"""
        return len(self._hiding) > 0 or bool(self.filter.text())

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    def save_csv(self) -> None:
        """Have the interactions of the time that is seen written to a file, one by one."""
        since_us, until_us = self._span()
        taken = Taken(self.tr("Interactions"), since_us, until_us or self._times.current().until_us)
        self._outlet.dataset_wanted.emit(taken, "interactions")

    @Slot()
    def refresh(self) -> None:
        """Ask again."""
        self._ask()

    # ------------------------------------------------------------ asking

    def _span(self) -> tuple[int, int]:
        """What is shown; 0: open end."""
        if self._among is not None:
            return self.replay.span
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
        self._asked = self._source.ask(FlowRequest(*self._span(), self.grouped.isChecked()), self._take)

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
        if result.whole and self._among is not None:
            self.replay.drawn()
        if result.whole and self._stale:
            self._soon.want()

    @Slot(object)
    def _take_page(self, _page: TailPage) -> None:
        if self._times.live and self._among is None:
            self._soon.want()
            if self.conversation.isVisible():
                self.conversation.want_news()

    @Slot(object)
    def _range_changed(self, _chosen: object) -> None:
        if self._result is None:
            self.stack.show_state(loading())
        if self._among is not None:
            self.replay_button.setChecked(False)  # asks anew
            return
        self._ask_anew()

    def _ask_anew(self) -> None:
        self._cancel()
        self._ask()

    @Slot(bool)
    def _replay(self, on: bool) -> None:
        """What is shown now is gone through again; then it is shown as before."""
        if on:
            since_us, until_us = self._span()
            self._among = self._all
            self.replay.begin(since_us, until_us or self._times.current().until_us)
        else:
            self._among = None
            self.replay.end()
            self._ask_anew()

    @Slot()
    def _moved(self) -> None:
        if self._among is not None:
            self._ask_anew()

    def _cancel(self) -> None:
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    # ------------------------------------------------------------ what is shown

    @Slot()
    def _show(self) -> None:
        if self._result is None:
            return
        since_us, until_us = self._span()
        span_us = until_us - since_us if self._among is not None else self._times.current().span_us
        pairs = pairs_of(self._result, self._names, span_us)
        self._all, self._pairs = pairs, self._left(pairs)
        among = self._left(self._among) if self._among is not None else None
        self.views.show_pairs(self._pairs, self.filter.text(), among)
        if self._pairs or among:
            self.stack.show_content()
        elif pairs:
            self.stack.show_state(no_match(self.show_all))
        elif self._result.whole:
            self.stack.show_state(self._empty())

    def _left(self, pairs: list[Pair]) -> list[Pair]:
        """What is neither hidden nor left out by the filter."""
        words = self.filter.text().casefold().split()
        return [
            one
            for one in self._hiding.left(pairs)
            if all(word in f"{one.sender_name} {one.receiver_name}".casefold() for word in words)
        ]

    def _empty(self) -> ViewState:
        sentence = self.tr("Nobody talked to anybody in this time")
        hint = self.tr("Requests and replies between agents, and tasks that they are given, would be drawn here.")
        return ViewState(StateKind.EMPTY, sentence, hint)

    @Slot()
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
        if self.views.left_out:
            left = self.tr("{n} agents that talk least are not drawn: the matrix and the table have all")
            told.append(left.replace("{n}", count_text(self.views.left_out)))
        self.summary.setText(" · ".join(told))

    @Slot(object, object)
    def _choose(self, sender: int | None, receiver: int | None) -> None:
        self._chosen = (sender, receiver)
        self.talk.setVisible(sender is not None)
        self.at_hand_changed.emit()
        if sender is None:
            self.talk.stop()
            return
        self._list_talk()

    @Slot()
    def _let_go(self) -> None:
        self.views.choose(None, None)
        self._choose(None, None)

    def _list_talk(self) -> None:
        sender, receiver = self._chosen
        if sender is None:
            return
        if self._result is None or min(sender, receiver or 0) < -len(self._result.groups):
            return  # a group that is no more
        request = talk_of(
            self._result, self._left(self._among) if self._among else self._pairs, sender, receiver, self._span()
        )
        first, *other = (
            node_name(self._result, self._names, node) or self.tr("nobody knows")
            for node in (sender, receiver)
            if node is not None
        )
        alone = self.tr("{name}, and whom it talks with").replace("{name}", first)
        title = f"{first} → {other[0]}" if other else alone
        self.talk.show_talk(request, title)

    @Slot(int)
    def _open_node(self, node: int) -> None:
        """An agent is shown; a group falls into its agents."""
        if node < 0:
            self.grouped.setChecked(False)
        else:
            self.agent_wanted.emit(node)

    # ------------------------------------------------------------ hiding

    @Slot(int)
    def _hide_node(self, node: int) -> None:
        self._hiding.hide_node(node, named(self._pairs, node))
        self._hidden_changed()

    @Slot(object)
    def _hide_pair(self, pair: Pair) -> None:
        self._hiding.hide_pair(pair)
        self._hidden_changed()

    @Slot()
    def show_all(self) -> None:
        """Draw again what was hidden, and what the filter leaves out."""
        self._hiding.clear()
        self.filter.clear()
        self._hidden_changed()

    def _hidden_changed(self) -> None:
        self.views.hidden = len(self._hiding)
        self.unhide.setText(self.tr("&Show {n} hidden").replace("{n}", count_text(len(self._hiding))))
        self.unhide.setVisible(len(self._hiding) > 0)
        self._let_go()
        self._show()

    @Slot()
    def show_conversation(self) -> None:
        """All that the list is about, both ways."""
        request = self.talk.feed.request
        if request is not None:
            both = replace(request, senders=(), receivers=()) if len(request.agents) == 2 else request
            title = talk_title(self._names, both) if both is not request else self.talk.title.text()
            self.conversation.show_talk(both, title)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.at_hand_changed.emit()
        if self._stale:
            self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._soon.stop()
        self._stale = True
        self._cancel()
        self.talk.stop()
        self.at_hand_changed.emit()
