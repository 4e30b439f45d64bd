"""What the window says of tasks."""

from models.domain.task_queries import TaskItem
from widgets.common.words import reason_text


def state_note(item: TaskItem) -> str:
    """Reason and error of a task, in one line."""
    return " · ".join(filter(None, (reason_text(item.reason), item.error)))
