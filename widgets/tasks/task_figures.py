"""Figures of tasks: how many ended when, and by type and agent how many succeeded, how long they waited and ran."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from models.domain.task_queries import TaskItem
from widgets.frame.screen_context import ScreenContext
from widgets.tasks.task_statistics import figures_of, statistics_table
from widgets.tasks.throughput import Throughput


class TaskFigures(QWidget):
    """GUI thread."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self._times = context.times
        self.throughput = Throughput(context)
        self.table = statistics_table()
        self.table.setObjectName("task-figures")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.throughput)
        column.addWidget(self.table, 1)
        self.setFocusProxy(self.table)

    def show_items(self, items: Sequence[TaskItem]) -> None:
        """Of these, over the window's time range."""
        self.throughput.show_items(items)
        self.table.show_rows(figures_of(items, self._times.current().span_us))
