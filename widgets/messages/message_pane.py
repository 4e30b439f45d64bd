"""One message whole, beside the list: where and how it came, its payload as tree, text and bytes, its properties."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from models.domain.problems import Problem
from models.domain.quantity import format_time
from models.domain.queries import DataSource, MessageLine, Ticket
from widgets.common.buttons import plain_button
from widgets.common.numbers import value_text
from widgets.common.plain import PlainLabel, visible
from widgets.common.theme import ThemeHolder
from widgets.common.words import kind_word, origin_word, problem_text
from widgets.frame.tool_buttons import FlatButton
from widgets.messages.payload_pages import JSON, PayloadPages
from widgets.messages.whole_payload import ask_whole

WHOLE_LIMIT = 4 * 1024 * 1024
"""Of a payload that is shown; of a longer one, its beginning."""


class MessagePane(QWidget):
    """Empty until `show_message`. Asks for what a list leaves out of a long payload. GUI thread."""

    plot_wanted = Signal(object)  # path of a number
    publish_wanted = Signal()
    why_wanted = Signal()
    closed = Signal()

    def __init__(self, source: DataSource, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._line: MessageLine | None = None
        self._ticket: Ticket | None = None
        self._title = PlainLabel()
        self._title.setAccessibleName(self.tr("Message"))
        self._how = PlainLabel()
        self._how.setProperty("tone", "muted")
        self.pages = PayloadPages(theme)
        self._plot = plain_button(self.tr("Plot this &field"), self.pages.json.plot)
        self._plot.setToolTip(self.tr("Plot the number at hand over the whole history of this topic (Enter)"))
        self._publish = plain_button(self.tr("Publish a&gain…"), self.publish_wanted.emit)
        self._publish.setToolTip(self.tr("Open the form for publishing, filled from this message"))
        self._why = plain_button(self.tr("Wh&y?"), self.why_wanted.emit)
        self._why.setToolTip(self.tr("What this message is read as, and which convention or rule does it"))
        close = FlatButton(theme, "close", self.tr("Close the message"))
        close.clicked.connect(self.closed)
        head = QHBoxLayout()
        head.setContentsMargins(12, 4, 6, 0)
        head.setSpacing(6)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._title)
        words.addWidget(self._how)
        head.addLayout(words, 1)
        for button in (self._plot, self._publish, self._why, close):
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.pages, 1)
        self.pages.json.plot_wanted.connect(self.plot_wanted)
        self.pages.changed.connect(self._allow_plot)
        self._allow_plot()

    @property
    def message(self) -> MessageLine | None:
        """What is shown, with as much of its payload as is known."""
        return self._line

    def show_message(self, line: MessageLine) -> None:
        """Show it; a payload that the list holds in part is asked for."""
        if self._line is not None and self._line.key == line.key:
            return
        self._cancel()
        self._show(line, "")
        if len(line.payload) < min(line.size, WHOLE_LIMIT):
            self._tell(self.tr("loading the rest…"))
            self._ticket = ask_whole(self._source, line, self._take_whole, self.tell_problem, WHOLE_LIMIT)

    def _show(self, line: MessageLine, note: str) -> None:
        self._line = line
        self._title.set_text(
            f"{format_time(line.key.received_us, digits=3)} · {line.topic.decode(errors='backslashreplace')}"
        )
        self._tell(note)
        self.pages.show_message(line)

    def _tell(self, note: str) -> None:
        line = self._line
        assert line is not None
        told = [
            kind_word(line.kind),
            origin_word(line.origin),
            f"QoS {line.qos}",
            self.tr("retained") if line.retain else "",
            self.tr("duplicate") if line.duplicate else "",
            value_text(line.size, "By"),
            visible((line.properties.content_type or "") if line.properties else "", 80),
            self.tr("a secret was hidden") if line.properties is not None and line.properties.masked else "",
            note,
        ]
        self._how.set_text(" · ".join(filter(None, told)))

    def _take_whole(self, found: MessageLine) -> None:
        self._ticket = None
        shown = ""
        if len(found.payload) < found.size:
            shown = self.tr("the first {n} are shown").replace("{n}", value_text(len(found.payload), "By"))
        self._show(found, shown)

    def tell_problem(self, problem: Problem) -> None:
        """Why something could not be done with the message that is shown."""
        self._ticket = None
        self._tell(" ".join(problem_text(problem)))

    def _cancel(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    @Slot()
    def _allow_plot(self) -> None:
        self._plot.setEnabled(self.pages.currentIndex() == JSON and self.pages.json.number_at_hand is not None)
