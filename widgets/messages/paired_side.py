"""One side of a request and its reply: where and when it came, and its payload."""

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QVBoxLayout, QWidget

from models.domain.quantity import format_time
from models.domain.queries import MessageLine
from widgets.common.numbers import value_text
from widgets.common.plain import PlainLabel
from widgets.common.state_view import StateKind, StateStack, ViewState
from widgets.common.theme import ThemeHolder
from widgets.common.words import kind_word, origin_word
from widgets.messages.message_pane import WHOLE_LIMIT
from widgets.messages.payload_pages import PayloadPages


class PairedSide(QWidget):
    """`show_message`, or `show_none` with the reason. GUI thread."""

    def __init__(self, theme: ThemeHolder, name: str) -> None:
        """`name`: the accessible one, translated."""
        super().__init__()
        self.line: MessageLine | None = None
        self.title = PlainLabel()
        font = QFont(self.title.font())
        font.setBold(True)
        self.title.setFont(font)
        self.title.setAccessibleName(name)
        self.topic = PlainLabel()
        self.how = PlainLabel()
        self.how.setProperty("tone", "muted")
        self.pages = PayloadPages(theme)
        self.pages.setAccessibleName(name)
        content = QWidget()
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        for label in (self.title, self.topic, self.how):
            label.setContentsMargins(12, 0, 12, 0)
            inner.addWidget(label)
        inner.addWidget(self.pages, 1)
        self.stack = StateStack(content, theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.stack)

    def show_message(self, role: str, line: MessageLine) -> None:
        """`role`: what the message is, translated."""
        told = [format_time(line.key.received_us, digits=6), kind_word(line.kind), origin_word(line.origin), f"QoS {line.qos}",
                value_text(line.size, "By")]  # fmt: skip
        self.title.set_text(role)
        self.topic.set_text(line.topic.decode(errors="backslashreplace"))
        self.how.set_text(" · ".join(told))
        if self.line is None or self.line.key != line.key:
            self.pages.show_message(line._replace(payload=line.payload[:WHOLE_LIMIT]))
        self.line = line
        self.stack.show_content()

    def show_none(self, sentence: str, hint: str = "") -> None:
        """There is nothing on this side."""
        self.line = None
        self.stack.show_state(ViewState(StateKind.EMPTY, sentence, hint))
