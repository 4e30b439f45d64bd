"""Why an agent, a series, a log record or a message is there: who read it, from which topics, with which unit."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QFont, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QMenu, QSplitter, QVBoxLayout, QWidget

from models.domain.origins import AgentWhy, MessageWhy, RowOrigin, SeriesOrigin, TopicOrigin
from models.domain.problems import Problem
from models.domain.quantity import format_time
from models.domain.queries import MessageLine
from widgets.common.buttons import plain_button
from widgets.common.numbers import count_text
from widgets.common.plain import PlainLabel, tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateStack, failed, loading
from widgets.common.theme import ThemeHolder
from widgets.common.words import unreadable_word
from widgets.data.titled import titled
from widgets.messages.lesson import Lesson, add_lessons
from widgets.why.why_texts import (
    agent_sentences,
    by_rules,
    kind_of_series,
    may_be_taught,
    message_sentences,
    read_by,
    series_sentences,
    topic_text,
    unit_of,
    what_word,
)

_TEXT_LIMIT = 200

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class WhyWindow(QDialog):
    """Not modal: what is at hand may change behind it. GUI thread."""

    topic_wanted = Signal(bytes)
    """Somebody wants to see the messages of this topic."""
    teach_wanted = Signal(object)
    """Somebody wants to teach what a message means (Lesson)."""
    rules_wanted = Signal()

    def __init__(self, theme: ThemeHolder, parent: QWidget | None = None, teach_refusal: str = "") -> None:
        """`teach_refusal`: why rules cannot be changed here; empty: they can."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Why?"))
        self.setModal(False)
        self._refusal = teach_refusal
        self._why: AgentWhy | MessageWhy | None = None
        self._line: MessageLine | None = None
        self.title = PlainLabel()
        font = QFont(self.title.font())
        font.setBold(True)
        self.title.setFont(font)
        self.text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setAccessibleName(self.tr("Why it is so"))
        self.series = _series_table(lambda: self._why)
        self.rows = _row_table()
        self.topics = _topic_table()
        for table, name in ((self.series, "why-series"), (self.rows, "why-rows"), (self.topics, "why-topics")):
            table.setObjectName(name)
        self._lay_out(theme)
        self.topics.opened.connect(lambda one: self.topic_wanted.emit(one.topic))
        self.series.opened.connect(self._open_series)
        self.topics.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.topics.customContextMenuRequested.connect(self._open_menu)

    def _lay_out(self, theme: ThemeHolder) -> None:
        self._parts = QSplitter(Qt.Orientation.Vertical)
        self._parts.setChildrenCollapsible(False)
        self._series = titled(QLabel(self.tr("Its series")), self.series)
        self._rows = titled(QLabel(self.tr("What it is read as")), self.rows)
        self._topics = titled(QLabel(self.tr("Its topics")), self.topics)
        for part in (self._series, self._rows, self._topics):
            self._parts.addWidget(part)
        self._parts.setSizes([240, 240, 160])
        self._stack = StateStack(self._parts, theme)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.show_topic = plain_button(self.tr("&Show in Messages"), self._show_topic)
        self.teach = plain_button(self.tr("&Teach"), lambda: None)
        self._lessons = QMenu(self)
        self._lessons.aboutToShow.connect(self._fill_lessons)
        self.teach.setMenu(self._lessons)
        self.teach.setEnabled(not self._refusal)
        self.teach.setToolTip(tooltip_text(self._refusal) or self.tr("Say what its messages mean"))
        self.open_rules = plain_button(self.tr("&Mapping rules…"), self.rules_wanted.emit)
        self.copy = plain_button(self.tr("&Copy all"), self._copy)
        for button in (self.copy, self.open_rules, self.teach, self.show_topic):
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        for label in (self.title, self.text):
            label.setContentsMargins(12, 0, 12, 0)  # as the titles of the tables
        column = QVBoxLayout(self)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addWidget(self._stack, 1)
        column.addWidget(buttons)
        self.resize(880, 600)

    # ------------------------------------------------------------ what is shown

    def begin(self, title: str) -> None:
        """Somebody asks about this; the answer comes."""
        self._why = self._line = None
        self.title.set_text(title)
        self.text.setText("")
        self._stack.show_state(loading())
        self._allow()

    def show_agent(self, why: AgentWhy) -> None:
        """Of a whole agent."""
        self._show(why, agent_sentences(why.origin))

    def show_series(self, why: AgentWhy) -> None:
        """Of the series of an agent that are left in it, which have one name."""
        several = len(why.origin.series) > 1
        told = [] if several else series_sentences(why, why.origin.series[0])
        self._show(why, [*told, *agent_sentences(why.origin)[1:2]])

    def show_message(self, why: MessageWhy, line: MessageLine) -> None:
        """Of a message, or of a log record that was read from it."""
        self._line = line
        self._show(why, message_sentences(why))

    def show_problem(self, problem: Problem) -> None:
        """It cannot be told."""
        self._why = None
        self._stack.show_state(failed(problem))
        self._allow()

    def _show(self, why: AgentWhy | MessageWhy, sentences: Sequence[str]) -> None:
        self._why = why
        self.text.setText("\n".join(sentences))
        of_agent = isinstance(why, AgentWhy)
        if isinstance(why, AgentWhy):
            self.series.show_rows(why.origin.series)
            self.topics.show_rows(why.origin.topics)
        else:
            self.rows.show_rows(why.rows)
        self._series.setVisible(of_agent)
        self._topics.setVisible(of_agent)
        self._rows.setVisible(not of_agent)
        self._stack.show_content()
        self._allow()

    @property
    def topic(self) -> bytes:
        """The topic at hand: the selected one, else the first; empty: there is none."""
        if isinstance(self._why, MessageWhy):
            return self._why.topic
        chosen = self.topics.selected or self.topics.records.rows
        return chosen[0].topic if self._why is not None and chosen else b""

    def _allow(self) -> None:
        known = self._why is not None
        self.copy.setEnabled(known)
        self.show_topic.setEnabled(bool(self.topic))
        taught = self._why is not None and may_be_taught(self._why) and bool(self.topic)
        self.teach.setVisible(taught)
        self.open_rules.setVisible(self._why is not None and by_rules(self._why) and not self._refusal)

    # ------------------------------------------------------------ what one can do

    @Slot()
    def _show_topic(self) -> None:
        if self.topic:
            self.topic_wanted.emit(self.topic)

    def _open_series(self, one: SeriesOrigin) -> None:
        if isinstance(self._why, AgentWhy) and (found := self._why.source(one).topics):
            self.topic_wanted.emit(found[0])

    @Slot()
    def _fill_lessons(self) -> None:
        self._lessons.clear()
        lesson = Lesson(line=self._line) if self._line is not None else Lesson(topic=self.topic)
        add_lessons(self._lessons, self.teach_wanted.emit, lesson)

    def _open_menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.show_topic.text(), self._show_topic)
        self.topics.add_copy(menu)
        menu.popup(self.topics.viewport().mapToGlobal(where))

    @Slot()
    def _copy(self) -> None:
        lines = [self.title.text(), self.text.text()]
        if isinstance(self._why, MessageWhy):
            lines += ["\t".join(_row_cells(row)) for row in self._why.rows]
        elif self._why is not None:
            lines += ["\t".join(_series_cells(self._why, one)) for one in self._why.origin.series]
            lines += ["\t".join(_topic_cells(one)) for one in self._why.origin.topics]
        QGuiApplication.clipboard().setText("\n".join(lines))


def _series_cells(why: AgentWhy | MessageWhy | None, one: SeriesOrigin) -> list[str]:
    assert isinstance(why, AgentWhy)
    source = why.source(one)
    topics = ", ".join(map(topic_text, source.topics))
    return [visible(one.name), unit_of(one.unit), kind_of_series(one.kind), read_by(one.source, source.rules), topics]


def _series_table(why: Callable[[], AgentWhy | MessageWhy | None]) -> SortedTable[SeriesOrigin]:
    def cell(place: int) -> Callable[[SeriesOrigin], str]:
        return lambda one: _series_cells(why(), one)[place]

    columns = [
        Column(translate("WhyWindow", "Series"), cell(0), tip=lambda one: tooltip_text(cell(0)(one))),
        Column(translate("WhyWindow", "Unit"), cell(1)),
        Column(translate("WhyWindow", "Kind"), cell(2)),
        Column(translate("WhyWindow", "Read by"), cell(3)),
        Column(translate("WhyWindow", "From"), cell(4), tip=lambda one: tooltip_text(cell(4)(one))),
    ]
    name = translate("WhyWindow", "Series and who read them")
    return SortedTable(name, columns, (210, 110, 64, 190, 220), lambda one: one.name, (0, 4))


def _row_cells(row: RowOrigin) -> list[str]:
    if isinstance(row.value, float):
        value = repr(row.value).removesuffix(".0")  # as an export writes it
    else:
        value = unreadable_word(row.value) if row.what == "unreadable" else visible(row.value, _TEXT_LIMIT)
    return [
        visible(row.agent),
        what_word(row.what, row.value),
        value,
        visible(row.unit),
        read_by(row.source, row.rules),
    ]


def _row_table() -> SortedTable[RowOrigin]:
    def cell(place: int) -> Callable[[RowOrigin], str]:
        return lambda row: _row_cells(row)[place]

    columns = [
        Column(translate("WhyWindow", "Agent"), cell(0)),
        Column(translate("WhyWindow", "Metric, or what it is"), cell(1), tip=lambda row: tooltip_text(cell(1)(row))),
        Column(translate("WhyWindow", "Value"), cell(2), tip=lambda row: tooltip_text(cell(2)(row))),
        Column(translate("WhyWindow", "Unit"), cell(3)),
        Column(translate("WhyWindow", "Read by"), cell(4)),
    ]
    name = translate("WhyWindow", "Rows that the message gives")
    return SortedTable(name, columns, (130, 190, 260, 90, 150), lambda row: (row.agent, row.what, row.value), (1, 2))


def _topic_cells(one: TopicOrigin) -> list[str]:
    return [topic_text(one.topic), count_text(one.messages), format_time(one.last_us)]


def _topic_table() -> SortedTable[TopicOrigin]:
    columns: list[Column[TopicOrigin]] = [
        Column(translate("WhyWindow", "Topic"), lambda one: topic_text(one.topic), tip=lambda one: tooltip_text(topic_text(one.topic))),
        Column(translate("WhyWindow", "Messages"), lambda one: count_text(one.messages), lambda one: one.messages, number=True),
        Column(translate("WhyWindow", "Last"), lambda one: format_time(one.last_us), lambda one: one.last_us),
    ]  # fmt: skip
    return SortedTable(translate("WhyWindow", "Topics"), columns, (360, 90, 170), lambda one: one.topic, (0,))
