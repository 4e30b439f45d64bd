"""The list of tasks."""

import math

from PySide6.QtCore import QCoreApplication

from models.domain.quantity import MISSING, format_time
from models.domain.task_queries import TaskItem
from widgets.common.numbers import duration_text, value_text
from widgets.common.plain import tooltip_text, visible
from widgets.common.sorted_table import Column, SortedTable
from widgets.common.theme import ThemeHolder
from widgets.common.words import task_word
from widgets.tasks.task_texts import LOOKS, state_note

translate = QCoreApplication.translate  # by this name and with literals, so that the texts can be collected
_WIDTHS = (142, 150, 110, 120, 120, 78, 78, 66, 72, 260, 120)
_HIDDEN = (4, 10)


def task_table(name: str, themes: ThemeHolder) -> SortedTable[TaskItem]:
    """`name`: the accessible name, translated."""
    tr = translate
    columns: list[Column[TaskItem]] = [
        Column(tr("TaskTable", "Submitted"), lambda one: format_time(_begun(one)) if _begun(one) else MISSING, _begun),
        Column(
            tr("TaskTable", "State"), lambda one: task_word(one.state), lambda one: one.state,
            tip=lambda one: tooltip_text(state_note(one)),
            icon=lambda one: themes.icons.icon(*LOOKS.get(one.state, ("clock", "muted"))),
        ),
        Column(tr("TaskTable", "Type"), lambda one: visible(one.type)),
        Column(tr("TaskTable", "Agent"), lambda one: visible(one.agent)),
        Column(tr("TaskTable", "Requester"), lambda one: visible(one.requester) if one.requester or not one.given else tr("TaskTable", "from here")),
        Column(tr("TaskTable", "Waited"), lambda one: _span(one.wait_us), lambda one: _key(one.wait_us), number=True),
        Column(tr("TaskTable", "Ran"), lambda one: _span(one.run_us), lambda one: _key(one.run_us), number=True),
        Column(tr("TaskTable", "Attempt"), _attempt, lambda one: one.attempt, number=True),
        Column(
            tr("TaskTable", "Progress"), lambda one: MISSING if math.isnan(one.progress) else value_text(one.progress, "1"),
            lambda one: -1.0 if math.isnan(one.progress) else one.progress, number=True,
        ),
        Column(
            tr("TaskTable", "Result or reason"), lambda one: visible(state_note(one) or one.result, 200),
            tip=lambda one: tooltip_text(state_note(one) or one.result),
        ),
        Column(tr("TaskTable", "Task"), lambda one: visible(one.task)),
    ]  # fmt: skip
    return SortedTable(name, columns, _WIDTHS, lambda one: (one.task, "" if one.given else one.agent), (9,), _HIDDEN)


def _begun(item: TaskItem) -> int:
    return item.submitted_us or item.started_us or item.ended_us


def _span(us: int | None) -> str:
    return MISSING if us is None else duration_text(us)


def _key(us: int | None) -> int:
    return -1 if us is None else us


def _attempt(item: TaskItem) -> str:
    if not item.attempt and (item.parts or not item.given):
        return MISSING
    return f"{item.attempt} / {item.attempts}" if item.attempts > 1 else str(item.attempt)
