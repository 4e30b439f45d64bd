"""What can be done with a task as it stands."""

from models.domain.records import TaskState
from models.domain.task_queries import TaskItem

_ENDED_BADLY = (TaskState.FAILED, TaskState.REJECTED, TaskState.CANCELED, TaskState.UNKNOWN)
_ASKS = (TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED)


def can_cancel(item: TaskItem) -> bool:
    """Has it been given from here, and not ended?"""
    return item.given and not item.ended_us


def can_retry(item: TaskItem) -> bool:
    """Did it end badly, or does nobody know?"""
    return item.given and item.state in _ENDED_BADLY


def can_answer(item: TaskItem) -> bool:
    """Does its agent ask for something?"""
    return item.given and item.state in _ASKS
