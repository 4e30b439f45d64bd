"""The newest messages of an agent, a topic or a branch of topics as they came from the broker."""

from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from models.domain.messages import Origin
from models.domain.queries import MessageLine, MessageRequest
from widgets.common.numbers import value_text
from widgets.common.plain import visible
from widgets.common.state_view import StateKind, ViewState
from widgets.common.theme import ThemeHolder
from widgets.common.words import kind_word, origin_word
from widgets.frame.screen_context import ScreenContext
from widgets.frame.time_range import TimeRangeModel
from widgets.records.page import Page
from widgets.records.paged_list import PagedList
from widgets.records.paged_model import PagedModel
from widgets.records.record_table import TIME_PIXELS

_PREVIEW_BYTES = 240


def preview(payload: bytes) -> str:
    """The beginning of a payload on one line: text where it is UTF-8, else hexadecimal."""
    cut = payload[:_PREVIEW_BYTES]
    try:
        text = cut.decode()
    except UnicodeDecodeError as error:
        # a character cut in two by us is no reason to show bytes
        if len(payload) > len(cut) and error.start >= len(cut) - 3:
            text = cut[: error.start].decode()
        else:
            text = cut.hex(" ")
    return visible(text, _PREVIEW_BYTES) + ("…" if len(payload) > len(cut) else "")


class MessageModel(PagedModel):
    """Time, topic, kind, QoS, retained, origin, size, payload."""

    TIME, TOPIC, KIND, QOS, RETAINED, ORIGIN, SIZE, PAYLOAD = range(8)
    numbers = frozenset({QOS, SIZE})

    def __init__(self, time_range: TimeRangeModel, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(time_range, theme, parent)
        self._titles = (
            self.tr("Time"), self.tr("Topic"), self.tr("Kind"), self.tr("QoS"), self.tr("Retained"), self.tr("Origin"),
            self.tr("Size"), self.tr("Payload"),
        )  # fmt: skip

    def text(self, line: MessageLine, column: int) -> str:
        if column == self.TIME:
            return self.moment(line.key.received_us)
        if column == self.TOPIC:
            return visible(line.topic.decode(errors="backslashreplace"))
        if column == self.KIND:
            word = kind_word(line.kind)
            return self.tr("{kind}, duplicate").replace("{kind}", word) if line.duplicate else word
        if column == self.QOS:
            return str(line.qos)
        if column == self.RETAINED:
            return self.tr("retained") if line.retain else ""
        if column == self.ORIGIN:
            return origin_word(line.origin)
        return value_text(line.size, "By") if column == self.SIZE else preview(line.payload)

    def look(self, line: MessageLine, column: int, role: int) -> Any:  # noqa: ARG002
        if role == Qt.ItemDataRole.ForegroundRole and line.origin is not Origin.LIVE:
            return QColor(self._theme.theme.muted)
        return None


class MessageList(PagedList):
    """`topic`, `branch` and `text` are as in `MessageRequest`; whoever sets them reloads."""

    def __init__(self, context: ScreenContext, **options: Any) -> None:
        name = QCoreApplication.translate("MessageList", "Messages")
        super().__init__(name, MessageModel(context.times, context.themes), context, **options)
        self.table.start_with(self.model, (TIME_PIXELS, 260, 90, 50, 78, 74, 82))
        self.filters.setContentsMargins(8, 0, 8, 0)
        self.topic = b""
        self.branch = False
        self.text = ""

    def request(self, page: Page) -> MessageRequest:
        return MessageRequest(
            self.agent, self.topic, page.before, page.since_us, page.until_us, page.limit, branch=self.branch,
            text=self.text, after=page.after, oldest_first=page.oldest_first,
        )  # fmt: skip

    def empty_state(self) -> ViewState:
        if not self._range.live:
            return self.none_in_time(self.tr("No messages in this time"))
        return ViewState(StateKind.EMPTY, self.tr("No message of this agent is stored"))
