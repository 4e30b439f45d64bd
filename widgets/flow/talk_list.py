"""Interactions of the chosen agents one by one, newest first, fetched as one scrolls down."""

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from models.domain.flow_queries import TalkLine, TalkRequest
from models.domain.problems import Problem
from models.domain.quantity import MISSING, format_time
from models.domain.queries import DataSource
from models.domain.records import Outcome
from widgets.common.buttons import plain_button
from widgets.common.numbers import count_text, duration_text
from widgets.common.plain import visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading
from widgets.common.theme import ThemeHolder
from widgets.common.words import outcome_word
from widgets.flow.talk_feed import TalkFeed
from widgets.records.agent_names import AgentNames

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class TalkList(QWidget):
    """GUI thread."""

    message_wanted = Signal(object)
    """Somebody wants the messages of this interaction (TalkLine)."""
    conversation_wanted = Signal()
    closed = Signal()

    def __init__(self, source: DataSource, names: AgentNames, themes: ThemeHolder) -> None:
        super().__init__()
        self.feed = TalkFeed(source, self)
        self.title = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.table = _table(names, themes)
        self.table.setObjectName("talk")
        self.stack = StateStack(self.table, themes)
        self.conversation = plain_button(self.tr("As co&nversation"), self.conversation_wanted.emit)
        self.conversation.setToolTip(self.tr("What was sent and what came back, as arrows in the order of time"))
        head = QHBoxLayout()
        head.setContentsMargins(10, 4, 8, 4)
        head.setSpacing(6)
        head.addWidget(self.title, 1)
        head.addWidget(self.conversation)
        head.addWidget(plain_button(self.tr("Close"), self.closed.emit))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.stack, 1)
        self.feed.changed.connect(self._show)
        self.feed.failed.connect(self._show_problem)
        self.table.opened.connect(self.message_wanted)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)

    @property
    def lines(self) -> list[TalkLine]:
        """What is listed."""
        return self.feed.lines

    def show_talk(self, request: TalkRequest, title: str) -> None:
        """List what is asked for; the same again only adds what is new at the top."""
        self.title.setText(title)
        if self.feed.show(request):
            self.stack.show_state(loading())

    def stop(self) -> None:
        """Ask for nothing more."""
        self.feed.stop()

    @Slot()
    def _show(self) -> None:
        self.table.show_rows(self.lines)
        if self.lines:
            self.stack.show_content()
        else:
            sentence = self.tr("They did not talk in this time")
            self.stack.show_state(ViewState(StateKind.EMPTY, sentence))

    @Slot(object)
    def _show_problem(self, problem: Problem) -> None:
        if not self.lines:
            self.stack.show_state(failed(problem))

    @Slot(int)
    def _scrolled(self, value: int) -> None:
        if value >= self.table.verticalScrollBar().maximum() - 400:
            self.feed.want_older()


def talk_title(names: AgentNames, request: TalkRequest) -> str:
    """Who talks."""
    told = [names.name(agent) or translate("TalkList", "nobody knows") for agent in request.agents]
    return (
        " ↔ ".join(told) if len(told) < 5 else translate("TalkList", "{n} agents").replace("{n}", count_text(len(told)))
    )


def _table(names: AgentNames, themes: ThemeHolder) -> SortedTable[TalkLine]:
    tr = translate
    columns: list[Column[TalkLine]] = [
        Column(tr("TalkList", "Began"), lambda one: format_time(one.time_us, None, None, 3), lambda one: one.time_us),
        Column(tr("TalkList", "From"), lambda one: names.name(one.sender)),
        Column(tr("TalkList", "To"), lambda one: names.name(one.receiver)),
        Column(tr("TalkList", "Kind"), lambda one: visible(one.kind)),
        Column(
            tr("TalkList", "Outcome"), lambda one: outcome_word(one.outcome), lambda one: one.outcome,
            icon=lambda one: themes.icons.icon(*(("check", "good") if one.outcome is Outcome.OK else ("error", "error"))),
        ),
        Column(
            tr("TalkList", "Reply after"), lambda one: MISSING if one.reply_us is None else duration_text(one.reply_us),
            lambda one: -1 if one.reply_us is None else one.reply_us, number=True,
        ),
        Column(tr("TalkList", "Id"), lambda one: visible(one.id)),
    ]  # fmt: skip
    return SortedTable(
        tr("TalkList", "Interactions"), columns, (182, 140, 140, 140, 110, 92, 220), lambda one: one.key, (6,)
    )
