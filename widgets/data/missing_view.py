"""What history misses and why: gaps by cause and one by one, and topics whose messages could not be read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from models.domain.quantity import format_time
from models.domain.queries import GapColumns, GapsResult, UnreadableResult, UnreadableTopic
from models.domain.records import GapCause
from models.domain.sparkplug_nodes import SparkplugNode, node_of_topic
from widgets.common.numbers import count_text, duration_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateKind, StateStack, ViewState
from widgets.common.theme import ThemeHolder
from widgets.common.words import gap_sentence, gap_word, unreadable_sentence, unreadable_word
from widgets.data.titled import titled
from widgets.records.agent_names import AgentNames
from widgets.records.message_list import preview

MOST_GAPS = 5_000
_SHORTEST_US = 10_000_000

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class GapRow(NamedTuple):
    since_us: int
    until_us: int
    cause: GapCause
    agent: int
    missing: int


@dataclass(frozen=True, slots=True)
class CauseRow:
    """All gaps of one cause. `covered_us`: their lengths together, overlaps counted each time."""

    cause: GapCause
    gaps: int
    missing: int
    covered_us: int
    last_us: int


class MissingView(QWidget):
    """A choice among the causes narrows the list of gaps. GUI thread."""

    span_wanted = Signal(object, object)
    """Somebody wants to look at this time (µs)."""
    message_wanted = Signal(object)
    """Somebody wants to see the message with this `RowKey`, and its topic."""
    teach_wanted = Signal(object)
    """Somebody wants to teach what the message with this `RowKey` means."""
    births_wanted = Signal(list)
    """Somebody wants these `SparkplugNode`s asked for their birth certificates."""

    def __init__(self, names: AgentNames, theme: ThemeHolder) -> None:
        super().__init__()
        self._gaps: list[GapRow] = []
        self.causes: SortedTable[CauseRow] = _cause_table()
        self.gaps: SortedTable[GapRow] = _gap_table(names)
        self.topics: SortedTable[UnreadableTopic] = _topic_table()
        self._gaps_title, self._topics_title = QLabel(), QLabel()
        self._causes_title = QLabel(self.tr("Why something is missing"))
        self._gap_stack, self._topic_stack = StateStack(self.gaps, theme), StateStack(self.topics, theme)
        self._build()
        names.changed.connect(lambda: self.gaps.viewport().update())
        self.causes.selectionModel().selectionChanged.connect(self._narrow)
        self.gaps.opened.connect(self._open_gap)
        self.topics.opened.connect(lambda one: self.message_wanted.emit(one.key))
        self.teach = QPushButton(self.tr("&Teach…"), autoDefault=False)
        self.teach.setToolTip(self.tr("Make a rule of what the chosen topic sends"))
        self.teach.clicked.connect(self._teach)
        self.topics.selectionModel().selectionChanged.connect(self._allow_teaching)
        self.births = QPushButton(self.tr("Ask for &birth certificates…"), autoDefault=False)
        self.births.setToolTip(self.tr("Ask the Sparkplug nodes of the chosen topics to announce everything again"))
        self.births.clicked.connect(self._ask_births)
        self._foot.addWidget(self.teach)
        self._foot.addWidget(self.births)
        self._foot.addStretch(1)
        self._allow_teaching()

    def show_gaps(self, result: GapsResult) -> None:
        """List these."""
        self._gaps = rows_of(result.gaps)
        self.causes.show_rows(by_cause(self._gaps))
        self._narrow()

    def show_repeated(self, messages: int) -> None:
        """How many messages came again; they are stored once, and miss nowhere."""
        text = self.tr("Why something is missing")
        if messages:
            again = self.tr("came again and counted once: {n}").replace("{n}", count_text(messages))
            text = f"{text} · {again}"
        self._causes_title.setText(text)

    def show_unreadable(self, result: UnreadableResult) -> None:
        """List these."""
        self.topics.show_rows(result.topics)
        messages = sum(one.messages for one in result.topics)
        text = self.tr("Topics with unreadable messages: {n} ({messages} messages)")
        self._topics_title.setText(
            text.replace("{n}", count_text(len(result.topics))).replace("{messages}", count_text(messages))
        )
        if result.topics:
            self._topic_stack.show_content()
        else:
            hint = self.tr("A message that is stored but yields no figures or words is counted here, with the reason.")
            self._topic_stack.show_state(ViewState(StateKind.EMPTY, self.tr("Every message could be read"), hint))

    def _build(self) -> None:
        self.causes.setObjectName("data-causes")
        self.gaps.setObjectName("data-gaps")
        self.topics.setObjectName("data-unreadable")
        across = QSplitter(Qt.Orientation.Horizontal)
        across.setObjectName("data-missing-gaps")
        across.setChildrenCollapsible(False)
        across.addWidget(titled(self._causes_title, self.causes))
        across.addWidget(titled(self._gaps_title, self._gap_stack))
        across.setSizes([556, 630])
        down = QSplitter(Qt.Orientation.Vertical)
        down.setObjectName("data-missing")
        down.setChildrenCollapsible(False)
        down.addWidget(across)
        unread = titled(self._topics_title, self._topic_stack)
        self._foot = QHBoxLayout()
        self._foot.setContentsMargins(12, 0, 12, 8)
        self._foot.setSpacing(6)
        layout = unread.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addLayout(self._foot)
        down.addWidget(unread)
        down.setSizes([360, 240])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(down)

    @Slot()
    def _teach(self) -> None:
        for one in self.topics.selected[:1]:
            self.teach_wanted.emit(one.key)

    @Slot()
    def _allow_teaching(self) -> None:
        self.teach.setEnabled(len(self.topics.selected) == 1)
        self.births.setEnabled(bool(self._nodes()))

    def _nodes(self) -> list[SparkplugNode]:
        found = (node_of_topic(one.topic) for one in self.topics.selected)
        return list(dict.fromkeys(filter(None, found)))

    @Slot()
    def _ask_births(self) -> None:
        self.births_wanted.emit(self._nodes())

    @Slot()
    def _narrow(self) -> None:
        chosen = {row.cause for row in self.causes.selected}
        shown = [row for row in self._gaps if not chosen or row.cause in chosen]
        self.gaps.show_rows(shown[:MOST_GAPS])
        text = self.tr("Gaps: {n}") if len(shown) <= MOST_GAPS else self.tr("Gaps: the newest {most} of {n}")
        self._gaps_title.setText(text.replace("{n}", count_text(len(shown))).replace("{most}", count_text(MOST_GAPS)))
        if shown:
            self._gap_stack.show_content()
        else:
            hint = self.tr("Times without a recorder or a broker, and what was dropped, would stand here.")
            self._gap_stack.show_state(ViewState(StateKind.EMPTY, self.tr("Nothing is missing"), hint))

    @Slot(object)
    def _open_gap(self, row: GapRow) -> None:
        margin = max(_SHORTEST_US, (row.until_us - row.since_us) // 5)
        self.span_wanted.emit(row.since_us - margin, row.until_us + margin)


def rows_of(gaps: GapColumns) -> list[GapRow]:
    """The newest first."""
    rows = zip(
        gaps.since_us.tolist(),
        gaps.until_us.tolist(),
        gaps.cause,
        gaps.agent.tolist(),
        gaps.missing.tolist(),
        strict=True,
    )
    return [GapRow(*row) for row in rows][::-1]


def by_cause(gaps: list[GapRow]) -> list[CauseRow]:
    """Summed up, the most frequent first."""
    found = []
    for cause in {row.cause for row in gaps}:
        some = [row for row in gaps if row.cause is cause]
        covered_us = sum(row.until_us - row.since_us for row in some)
        missing, last_us = sum(row.missing for row in some), max(row.until_us for row in some)
        found.append(CauseRow(cause, len(some), missing, covered_us, last_us))
    return sorted(found, key=lambda row: (-row.gaps, row.cause))


def _count(number: int) -> str:
    return count_text(number) if number else ""


def _moment(at: Callable[[GapRow], int]) -> Callable[[GapRow], str]:
    return lambda row: format_time(at(row))


def _cause_table() -> SortedTable[CauseRow]:
    columns: list[Column[CauseRow]] = [
        Column(translate("MissingView", "Cause"), lambda row: gap_word(row.cause), tip=lambda row: gap_sentence(row.cause)),
        Column(translate("MissingView", "Gaps"), lambda row: count_text(row.gaps), lambda row: row.gaps, number=True),
        Column(translate("MissingView", "Messages"), lambda row: _count(row.missing), lambda row: row.missing, number=True),
        Column(translate("MissingView", "Time"), lambda row: duration_text(row.covered_us), lambda row: row.covered_us, number=True),
        Column(translate("MissingView", "Last"), lambda row: format_time(row.last_us)[:16], lambda row: row.last_us),
    ]  # fmt: skip
    name = translate("MissingView", "Causes of gaps")
    return SortedTable(name, columns, (174, 54, 78, 104, 140), lambda row: row.cause, (0,))


def _gap_table(names: AgentNames) -> SortedTable[GapRow]:
    columns: list[Column[GapRow]] = [
        Column(translate("MissingView", "Since"), _moment(lambda row: row.since_us), lambda row: row.since_us),
        Column(translate("MissingView", "Until"), _moment(lambda row: row.until_us), lambda row: row.until_us),
        Column(
            translate("MissingView", "Lasted"), lambda row: duration_text(row.until_us - row.since_us),
            lambda row: row.until_us - row.since_us, number=True,
        ),
        Column(translate("MissingView", "Cause"), lambda row: gap_word(row.cause), tip=lambda row: gap_sentence(row.cause)),
        Column(translate("MissingView", "Agent"), lambda row: names.name(row.agent)),
        Column(translate("MissingView", "Messages"), lambda row: _count(row.missing), lambda row: row.missing, number=True),
    ]  # fmt: skip
    name = translate("MissingView", "Gaps")
    return SortedTable(name, columns, (150, 150, 92, 186, 110, 78), lambda row: row, (3, 4), (1,))


def _topic_table() -> SortedTable[UnreadableTopic]:
    columns: list[Column[UnreadableTopic]] = [
        Column(translate("MissingView", "Topic"), lambda one: visible(one.topic.decode(errors="backslashreplace"))),
        Column(translate("MissingView", "Messages"), lambda one: count_text(one.messages), lambda one: one.messages, number=True),
        Column(translate("MissingView", "Last"), lambda one: format_time(one.key.received_us), lambda one: one.key.received_us),
        Column(translate("MissingView", "Why"), lambda one: unreadable_word(one.reason), tip=lambda one: unreadable_sentence(one.reason)),
        Column(
            translate("MissingView", "The last one begins with"), lambda one: preview(one.sample), tip=lambda one: tooltip_text(preview(one.sample))
        ),
    ]  # fmt: skip
    name = translate("MissingView", "Topics with unreadable messages")
    return SortedTable(name, columns, (330, 78, 150, 170, 300), lambda one: one.topic, (4,))
