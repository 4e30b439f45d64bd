"""The tasks of an agent, each as last reported."""

import math
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from models.domain.quantity import MISSING
from models.domain.queries import TaskLine, TaskRequest
from models.domain.records import TaskState
from widgets.common.numbers import duration_text, value_text
from widgets.common.plain import visible
from widgets.common.state_view import StateKind, ViewState
from widgets.common.theme import ThemeHolder
from widgets.common.words import task_word
from widgets.frame.screen_context import ScreenContext
from widgets.frame.time_range import TimeRangeModel
from widgets.records.page import Page
from widgets.records.paged_list import PagedList
from widgets.records.paged_model import PagedModel
from widgets.records.record_table import TIME_PIXELS

LOOKS = {
    TaskState.COMPLETED: ("check", "good"),
    TaskState.FAILED: ("error", "error"),
    TaskState.REJECTED: ("error", "error"),
    TaskState.CANCELED: ("close", "muted"),
    TaskState.WORKING: ("play", "accent"),
    TaskState.INPUT_REQUIRED: ("warning", "warning"),
    TaskState.AUTH_REQUIRED: ("warning", "warning"),
}
"""Icon and tone of a state; of others, a clock."""


class TaskModel(PagedModel):
    """Reported, task, type, state, progress, duration, requester, result or error."""

    TIME, TASK, TYPE, STATE, PROGRESS, DURATION, REQUESTER, RESULT = range(8)
    numbers = frozenset({PROGRESS, DURATION})

    def __init__(self, time_range: TimeRangeModel, theme: ThemeHolder, parent: QWidget | None = None) -> None:
        super().__init__(time_range, theme, parent)
        self._titles = (
            self.tr("Reported"), self.tr("Task"), self.tr("Type"), self.tr("State"), self.tr("Progress"),
            self.tr("Took"), self.tr("Requester"), self.tr("Result or error"),
        )  # fmt: skip

    def text(self, line: TaskLine, column: int) -> str:
        if column == self.TIME:
            return self.moment(line.key.received_us)
        if column == self.STATE:
            return task_word(line.state)
        if column == self.PROGRESS:
            return MISSING if math.isnan(line.progress) else value_text(line.progress, "1")
        if column == self.DURATION:
            began = line.started_us or line.submitted_us
            return duration_text(line.ended_us - began) if line.ended_us and began else MISSING
        texts = {
            self.TASK: line.task,
            self.TYPE: line.type,
            self.REQUESTER: line.requester,
            self.RESULT: line.error or line.result,
        }
        return visible(texts[column], 400)

    def look(self, line: TaskLine, column: int, role: int) -> Any:
        if column == self.STATE and role == Qt.ItemDataRole.DecorationRole:
            return self._theme.icons.icon(*LOOKS.get(line.state, ("clock", "muted")))
        if column == self.RESULT and role == Qt.ItemDataRole.ForegroundRole and line.error:
            return QColor(self._theme.theme.error)
        return None


class TaskList(PagedList):
    pages = False

    def __init__(self, context: ScreenContext, **options: Any) -> None:
        name = QCoreApplication.translate("TaskList", "Tasks")
        super().__init__(name, TaskModel(context.times, context.themes), context, **options)
        self.table.start_with(self.model, (TIME_PIXELS, 180, 110, 170, 76, 84, 130))
        self.filters.setContentsMargins(8, 0, 8, 0)

    def request(self, page: Page) -> TaskRequest:
        """At a moment every task as it was last reported by then, however long ago: it may still have been at work."""
        if self._start is not None:
            return TaskRequest(self.agent, 0, self._start.received_us + 1, page.limit)
        return TaskRequest(self.agent, page.since_us, page.until_us, page.limit)

    def empty_state(self) -> ViewState:
        if self._start is not None:
            return self.none_in_time(self.tr("No task had been reported by then"))
        if not self._range.live:
            return self.none_in_time(self.tr("No tasks were reported in this time"))
        hint = self.tr("Agents report tasks with a JSON object on agents/<id>/task.")
        return ViewState(StateKind.EMPTY, self.tr("This agent has reported no tasks yet"), hint)
