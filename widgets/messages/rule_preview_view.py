"""What messages would be read as with a rule that is being written, above what they are read as without it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from models.domain.problems import Problem
from models.domain.quantity import format_time
from widgets.common.numbers import count_text
from widgets.common.plain import PlainLabel, tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.state_view import StateKind, StateStack, ViewState, failed, loading
from widgets.common.theme import ThemeHolder
from widgets.common.words import unreadable_sentence, unreadable_word
from widgets.data.titled import titled
from widgets.why.why_texts import what_word

UNREADABLE = "unreadable"
MOST_ROWS = 2_000
_TEXT_LIMIT = 200

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected


class ReadRow(NamedTuple):
    """A row that an export would have. `what`: the metric (then `value` is a number in `unit`), or `log`, `presence`,
    `unreadable` (then it is a text, of the last the reason). `other`: the rule makes the difference."""

    place: int
    time_us: int
    agent: str
    what: str
    value: float | str
    unit: str
    other: bool

    @property
    def unreadable(self) -> bool:
        return self.what == UNREADABLE and isinstance(self.value, str)


@dataclass(frozen=True, slots=True)
class Preview:
    """Rows newest first, of which a view shows `MOST_ROWS`. `messages` were read, `too_long` left out; `stored` match in all, on
    `topics`; -1: not counted yet."""

    after: tuple[ReadRow, ...]
    before: tuple[ReadRow, ...]
    messages: int
    too_long: int = 0
    stored: int = -1
    topics: int = -1


class RulePreview(QWidget):
    """GUI thread."""

    def __init__(self, theme: ThemeHolder) -> None:
        super().__init__()
        self._theme = theme
        self.summary = PlainLabel()
        self.summary.setAccessibleName(self.tr("What the rule does"))
        self.after = _table(self.tr("Read with this rule"), lambda row: self._icon(row, "check", "good"))
        self.before = _table(self.tr("Read without it"), lambda row: self._icon(row, "close", "muted"))
        self.after.setObjectName("rule-after")
        self.before.setObjectName("rule-before")
        self._after, self._before = StateStack(self.after, theme), StateStack(self.before, theme)
        down = QSplitter(Qt.Orientation.Vertical)
        down.setChildrenCollapsible(False)
        down.addWidget(titled(QLabel(self.tr("With this rule, as an export would write it")), self._after))
        self._other = QLabel()
        down.addWidget(titled(self._other, self._before))
        down.setSizes([330, 200])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.summary)
        column.addWidget(down, 1)
        self.show_waiting()

    def show_waiting(self, *, edited: bool = False) -> None:
        """Messages are looked for. `edited`: the rule is there already, and compared with how it is now."""
        self._other.setText(self.tr("As the rule is now") if edited else self.tr("Without it"))
        self.summary.set_text("")
        for stack in (self._after, self._before):
            stack.show_state(loading())

    def show_problem(self, problem: Problem) -> None:
        """There is nothing to look at, and why."""
        for stack in (self._after, self._before):
            stack.show_state(failed(problem))

    def show_preview(self, found: Preview) -> None:
        """What came of the rule as it stands."""
        self.summary.set_text(self._sentence(found))
        for table, stack, rows in (
            (self.after, self._after, found.after),
            (self.before, self._before, found.before),
        ):
            table.show_rows(rows[:MOST_ROWS])
            if rows:
                stack.show_content()
            elif found.messages:
                stack.show_state(ViewState(StateKind.EMPTY, self.tr("Nothing is read from them")))
            else:
                hint = self.tr("The rule is for whatever comes on such topics from now on.")
                stack.show_state(ViewState(StateKind.NO_MATCH, self.tr("No stored message matches the topic"), hint))

    def _sentence(self, found: Preview) -> str:
        tr = self.tr
        counts = [(tr("newest messages: {n}"), found.messages)]
        if found.stored >= 0:
            every = tr("newest messages: {n} of {all}").replace("{all}", count_text(max(found.stored, found.messages)))
            counts = [(every, found.messages), (tr("topics: {n}"), found.topics)]
        told = [text.replace("{n}", count_text(count)) for text, count in counts]
        changes = [
            (tr("rows by this rule: {n}"), sum(row.other and not row.unreadable for row in found.after)),
            (tr("rows that go: {n}"), sum(row.other and not row.unreadable for row in found.before)),
            (tr("cannot be read: {n}"), sum(row.unreadable for row in found.after)),
            (tr("too long to be shown here: {n}"), found.too_long),
        ]
        told += [text.replace("{n}", count_text(count)) for text, count in changes if count]
        if found.messages and not any(row.other for row in (*found.after, *found.before)):
            told.append(tr("nothing is read otherwise than without the rule"))
        if max(len(found.after), len(found.before)) > MOST_ROWS:
            told.append(tr("rows shown: {n}").replace("{n}", count_text(MOST_ROWS)))
        return " · ".join(told)

    def _icon(self, row: ReadRow, other: str, tone: str) -> QIcon:
        if row.unreadable:
            return self._theme.icons.icon("warning", "warning")
        return self._theme.icons.icon(other, tone) if row.other else QIcon()


def _value(row: ReadRow) -> str:
    if isinstance(row.value, float):
        return repr(row.value).removesuffix(".0")  # as the export writes it
    return unreadable_word(row.value) if row.unreadable else visible(row.value, _TEXT_LIMIT)


def _tip(row: ReadRow) -> str:
    return unreadable_sentence(str(row.value)) if row.unreadable else tooltip_text(_value(row))


def _table(name: str, icon: Callable[[ReadRow], QIcon]) -> SortedTable[ReadRow]:
    columns: list[Column[ReadRow]] = [
        Column(translate("RulePreview", "Time"), lambda row: format_time(row.time_us, digits=3), lambda row: row.time_us, icon=icon),
        Column(translate("RulePreview", "Agent"), lambda row: visible(row.agent)),
        Column(translate("RulePreview", "Metric, or what it is"), lambda row: what_word(row.what, row.value)),
        Column(translate("RulePreview", "Value"), _value, _sort_key, tip=_tip),
        Column(translate("RulePreview", "Unit"), lambda row: visible(row.unit)),
    ]  # fmt: skip
    return SortedTable(name, columns, (220, 110, 160, 150, 50), lambda row: row, (1, 2, 3))


def _sort_key(row: ReadRow) -> tuple[int, float, str]:
    return (0, row.value, "") if isinstance(row.value, float) else (1, 0.0, row.value)
