"""Interactions of the chosen agents one by one, newest first, fetched as one scrolls down."""

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from models.domain.flow_queries import TalkLine, TalkRequest, TalkResult
from models.domain.quantity import MISSING, format_time
from models.domain.queries import DataSource, Failed, Result, Ticket
from models.domain.records import Outcome
from widgets.common.numbers import count_text, duration_text
from widgets.common.plain import visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading
from widgets.common.theme import ThemeHolder
from widgets.common.words import outcome_word
from widgets.records.agent_names import AgentNames

PAGE = 200
translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class TalkList(QWidget):
    """GUI thread."""

    message_wanted = Signal(object)
    """Somebody wants the messages of this interaction (TalkLine)."""
    closed = Signal()

    def __init__(self, source: DataSource, names: AgentNames, themes: ThemeHolder) -> None:
        super().__init__()
        self._source, self._names = source, names
        self._request: TalkRequest | None = None
        self._ticket: Ticket | None = None
        self._lines: list[TalkLine] = []
        self._result: TalkResult | None = None
        self.title = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.table = _table(names, themes)
        self.table.setObjectName("talk")
        self.stack = StateStack(self.table, themes)
        close = QPushButton(self.tr("Close"), autoDefault=False)
        close.clicked.connect(self.closed)
        head = QHBoxLayout()
        head.setContentsMargins(10, 4, 8, 4)
        head.addWidget(self.title, 1)
        head.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.stack, 1)
        self.table.opened.connect(self.message_wanted)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)

    @property
    def lines(self) -> list[TalkLine]:
        """What is listed."""
        return self._lines

    def show_talk(self, request: TalkRequest, title: str) -> None:
        """List what is asked for; the same again only adds what is new at the top."""
        anew = self._request is None or request != self._request
        self._request = request
        self.title.setText(title)
        if anew:
            self._lines = []
            self.stack.show_state(loading())
        self.stop()
        self._ticket = self._source.ask(request, self._take_first)

    def stop(self) -> None:
        """Ask for nothing more."""
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def _take_first(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            if not self._lines:
                self.stack.show_state(failed(result.problem))
            return
        assert isinstance(result, TalkResult)
        known = {line.key for line in self._lines}
        new = [line for line in result.rows if line.key not in known]
        if len(new) == len(result.rows):  # nothing of it is listed: begin anew
            self._lines, self._result = list(result.rows), result
        else:
            self._lines = new + self._lines
        self._show()

    def _take_more(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, TalkResult):
            self._lines += result.rows
            self._result = result
            self._show()

    def _show(self) -> None:
        self.table.show_rows(self._lines)
        if self._lines:
            self.stack.show_content()
        else:
            sentence = self.tr("They did not talk in this time")
            self.stack.show_state(ViewState(StateKind.EMPTY, sentence))

    @Slot(int)
    def _scrolled(self, value: int) -> None:
        bar = self.table.verticalScrollBar()
        more = self._result.reach.searched if self._result is not None else None
        if self._ticket is None and more is not None and self._request is not None and value >= bar.maximum() - 400:
            from dataclasses import replace

            self._ticket = self._source.ask(replace(self._request, before=more), self._take_more)


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
