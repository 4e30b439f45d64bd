"""What the window says of tasks."""

from models.domain.records import TaskState
from models.domain.task_queries import TaskItem
from widgets.common.words import reason_text

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


def state_note(item: TaskItem) -> str:
    """Reason and error of a task, in one line."""
    return " · ".join(filter(None, (reason_text(item.reason), item.error)))
