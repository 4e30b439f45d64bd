"""A conversation of two or more agents: as a sequence diagram and as text, with the payload of the message at hand."""

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication, QHideEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from models.domain.flow_queries import TalkRequest
from models.domain.problems import Problem
from models.domain.queries import DataSource, Failed, MessageLine, MessageRequest, MessageResult, Result, RowKey, Ticket
from models.domain.records import Outcome
from widgets.common.buttons import plain_button
from widgets.common.numbers import count_text
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading
from widgets.common.theme import ThemeHolder
from widgets.common.throttle import Throttle
from widgets.common.words import problem_text
from widgets.flow.sequence import Arrow, conversation_text
from widgets.flow.sequence_view import SequenceView
from widgets.flow.talk_feed import TalkFeed
from widgets.messages.paired_side import PairedSide
from widgets.records.agent_names import AgentNames

_REFRESH_MS = 1_500
_PAYLOAD_MS = 80  # who runs along the arrows does not want each one's


class ConversationWindow(QDialog):
    """Not modal. Begins with the newest, at the end; older ones come as one scrolls up. GUI thread."""

    pair_wanted = Signal(object)
    """Somebody wants to see the request and the reply of this message (MessageLine) beside each other."""

    def __init__(self, source: DataSource, names: AgentNames, themes: ThemeHolder, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModal(False)
        self.resize(1_000, 700)
        self._source, self._names = source, names
        self._ticket: Ticket | None = None
        self.feed = TalkFeed(source, self)
        self.count = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.count.setProperty("tone", "muted")
        self.sequence = SequenceView(names, themes)
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("Conversation as text"))
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.addTab(self.sequence, self.tr("Sequence"))
        self.tabs.addTab(self.text, self.tr("Text"))
        self.payload = PairedSide(themes, self.tr("Message of the arrow at hand"))
        self.payload.show_none(self.tr("Choose an arrow to see its message"))
        self.copy = plain_button(self.tr("&Copy as text"), self._copy)
        self.older = plain_button(self.tr("&Earlier"), self.feed.want_older)
        self.pair = plain_button(self.tr("&Request and reply"), self._want_pair)
        self.pair.setEnabled(False)
        self._build(themes)
        self._soon = Throttle(self._refresh, _REFRESH_MS, self)
        self._payload_soon = QTimer(self, singleShot=True, interval=_PAYLOAD_MS)
        self._payload_soon.timeout.connect(self._ask_payload)
        self.feed.changed.connect(self._show)
        self.feed.failed.connect(self._show_problem)
        names.changed.connect(self._fill_text)
        self.tabs.currentChanged.connect(self._fill_text)
        self.sequence.at_hand_changed.connect(self._payload_soon.start)
        self.sequence.opened.connect(self._open)
        self.sequence.older_wanted.connect(self.feed.want_older)

    def _build(self, themes: ThemeHolder) -> None:
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("conversation")
        self.splitter.setChildrenCollapsible(False)
        self.stack = StateStack(self.tabs, themes)
        self.splitter.addWidget(self.stack)
        self.splitter.addWidget(self.payload)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setSizes([460, 200])
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 6, 10, 8)
        foot.setSpacing(6)
        foot.addWidget(self.count, 1)
        for button in (self.older, self.pair, self.copy, plain_button(self.tr("Close"), self.reject)):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.splitter, 1)
        column.addLayout(foot)

    def show_talk(self, request: TalkRequest, title: str) -> None:
        """Bring the window up with this conversation."""
        self.setWindowTitle(self.tr("Conversation: {who}").replace("{who}", title))
        if self.feed.show(request):
            self.stack.show_state(loading())
            self.sequence.show_lines([], ())
            self._tell_payload(self.tr("Choose an arrow to see its message"))
        self.show()
        self.raise_()
        self.activateWindow()
        self.sequence.setFocus(Qt.FocusReason.OtherFocusReason)

    def want_news(self) -> None:
        """Something was recorded."""
        if self.feed.request is not None and not self.feed.request.until_us:
            self._soon.want()

    def _refresh(self) -> None:
        if self.feed.request is not None:
            self.feed.show(self.feed.request)

    @Slot()
    def _show(self) -> None:
        assert self.feed.request is not None
        self.sequence.show_lines(self.feed.lines, self.feed.request.agents)
        self._fill_text()
        told = self.tr("{n} interactions") if not self.feed.has_older else self.tr("the newest {n} interactions")
        self.count.setText(told.replace("{n}", count_text(len(self.feed.lines))))
        self.older.setEnabled(self.feed.has_older)
        self.copy.setEnabled(bool(self.feed.lines))
        if self.feed.lines:
            self.stack.show_content()
        else:
            self.stack.show_state(ViewState(StateKind.EMPTY, self.tr("They did not talk in this time")))

    @Slot(object)
    def _show_problem(self, problem: Problem) -> None:
        if not self.feed.lines:
            self.stack.show_state(failed(problem, self._refresh))

    @Slot()
    def _fill_text(self) -> None:
        if self.tabs.currentWidget() is self.text:
            bar = self.text.verticalScrollBar()
            at_end, value = bar.value() >= bar.maximum(), bar.value()
            self.text.setPlainText(conversation_text(self.sequence.arrows, self._names))
            bar.setValue(bar.maximum() if at_end else value)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(conversation_text(self.sequence.arrows, self._names))

    # ------------------------------------------------------------ the message at hand

    @Slot()
    def _ask_payload(self) -> None:
        self._stop_asking()
        arrow = self.sequence.at_hand
        if arrow is None:
            return
        key = message_of(arrow)
        if key is None:
            self._tell_payload(
                self.tr("No message completed this interaction: the reply did not come in time"),
                self.tr("Its request stands in Messages, at the time on the left."),
            )
            return
        before = key._replace(seq=key.seq + 1)  # the newest before the one that follows it is itself

        def take(result: Result | Failed) -> None:
            self._ticket = None
            if isinstance(result, Failed):
                self._tell_payload(*problem_text(result.problem))
            elif isinstance(result, MessageResult) and result.rows and result.rows[0].key == key:
                self._show_payload(arrow, result.rows[0])
            else:
                self._tell_payload(*problem_text(Problem("message.gone")))

        self._ticket = self._source.ask(MessageRequest(before=before, limit=1), take)

    def _show_payload(self, arrow: Arrow, line: MessageLine) -> None:
        role = self.tr("Message") if arrow.line.reply_us is None else self.tr("Reply")
        self.payload.show_message(role, line)
        self.pair.setEnabled(True)

    def _tell_payload(self, sentence: str, hint: str = "") -> None:
        self.payload.show_none(sentence, hint)
        self.pair.setEnabled(False)

    @Slot()
    def _want_pair(self) -> None:
        if self.payload.line is not None:
            self.pair_wanted.emit(self.payload.line)

    @Slot(object)
    def _open(self, _arrow: Arrow) -> None:
        """Enter, a double click: both messages at once, as soon as the one is known."""
        if self.pair.isEnabled():
            self._want_pair()

    def _stop_asking(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._soon.stop()
        self._payload_soon.stop()
        self._stop_asking()
        self.feed.stop()


def message_of(arrow: Arrow) -> RowKey | None:
    """The message that completed its interaction; None: there was none."""
    line = arrow.line
    return None if line.outcome is Outcome.TIMEOUT and line.reply_us is None else line.key._replace(seq=line.message)
