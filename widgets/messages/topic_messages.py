"""The messages of what is chosen in the topic tree, of one agent or of all, with a text filter."""

from typing import Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QLineEdit

from widgets.common.state_view import StateKind, ViewState, no_match
from widgets.frame.screen_context import ScreenContext
from widgets.records.agent_names import AgentField, AgentNames
from widgets.records.message_list import MessageList, MessageModel
from widgets.records.record_table import TIME_PIXELS

_TYPING_MS = 250


class TopicMessages(MessageList):
    """`show_topic`, `show_agent` and the text filter narrow it together."""

    def __init__(self, context: ScreenContext, names: AgentNames, **options: Any) -> None:
        super().__init__(context, **options)
        self.table.start_with(self.model, (TIME_PIXELS, 216, 74, 40, 74, 68, 70))
        self.who = AgentField(names)
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(self.tr("Text in topic or payload"))
        self.search.setAccessibleName(self.tr("Text in topic or payload"))
        self.search.setMinimumWidth(180)
        self.filters.setContentsMargins(8, 6, 8, 6)
        self.filters.setSpacing(6)
        self.add_filters(self.who, self.search, stretch=1)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self._search_now)
        self.search.textChanged.connect(self._typed)
        self.search.returnPressed.connect(self._search_now)
        self.who.chosen.connect(self.show_agent)
        self.show_agent(0)

    def show_topic(self, topic: bytes, *, branch: bool) -> None:
        """List this topic, with `branch` also those below it; an empty one without `branch`: all."""
        self.table.setColumnHidden(MessageModel.TOPIC, bool(topic) and not branch)  # also where columns came back
        if (topic, branch) != (self.topic, self.branch):
            self.topic, self.branch = topic, branch
            self.reload()

    def focus_filter(self) -> None:
        """Put the cursor into the text filter."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def empty_state(self) -> ViewState:
        if self.text or self.agent:
            return no_match(self.clear_filter, in_time=not self._range.live)
        if not self._range.live:
            return self.none_in_time(self.tr("No messages in this time"))
        if self.topic or self.branch:
            return ViewState(
                StateKind.EMPTY,
                self.tr("No message of this topic is stored any more"),
                self.tr("Retention has removed what came on it; the topic stays known."),
            )
        hint = self.tr("They appear here by themselves as soon as something is published to the broker.")
        return ViewState(StateKind.EMPTY, self.tr("No messages yet"), hint)

    @Slot()
    def clear_filter(self) -> None:
        """Show everybody's, whatever they hold; the chosen topic stays."""
        self.search.clear()
        self._search_now()
        self.who.choose(0)

    @Slot()
    def _typed(self) -> None:
        self._typing.start()

    @Slot()
    def _search_now(self) -> None:
        self._typing.stop()
        text = self.search.text().strip()
        if text != self.text:
            self.text = text
            self.reload()
