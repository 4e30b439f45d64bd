"""What the window says of tasks."""

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from models.domain.records import TaskState
from models.domain.task_queries import TaskItem
from models.domain.tasks.work import Reason

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


_REASONS = {
    Reason.FAILED: QT_TRANSLATE_NOOP("TaskReason", "its agent failed"),
    Reason.DIED: QT_TRANSLATE_NOOP("TaskReason", "its agent went offline"),
    Reason.LATE: QT_TRANSLATE_NOOP("TaskReason", "its deadline passed"),
    Reason.NOBODY: QT_TRANSLATE_NOOP("TaskReason", "no agent serves it"),
    Reason.REJECTED: QT_TRANSLATE_NOOP("TaskReason", "its agent would not take it"),
    Reason.REFUSED: QT_TRANSLATE_NOOP("TaskReason", "the broker refused it"),
    Reason.UNSURE: QT_TRANSLATE_NOOP("TaskReason", "nobody knows whether it was sent"),
    Reason.ASKED: QT_TRANSLATE_NOOP("TaskReason", "cancelled"),
    Reason.NOT_NEEDED: QT_TRANSLATE_NOOP("TaskReason", "not needed any more"),
    Reason.PARTS: QT_TRANSLATE_NOOP("TaskReason", "its parts came to no result"),
    Reason.BUSY: QT_TRANSLATE_NOOP("TaskReason", "its agents are busy"),
    Reason.AGAIN: QT_TRANSLATE_NOOP("TaskReason", "tried once more"),
    Reason.ELSEWHERE: QT_TRANSLATE_NOOP("TaskReason", "the original of this copy has it"),
    Reason.STRANGER: QT_TRANSLATE_NOOP("TaskReason", "told by an agent that does not have it; does not count"),
    Reason.TOO_LATE: QT_TRANSLATE_NOOP("TaskReason", "told after its end; does not count"),
}


def reason_text(reason: str) -> str:
    """Why a task stands as it does; empty where its state says all."""
    return QCoreApplication.translate("TaskReason", str(_REASONS[Reason(reason)])) if reason in _REASONS else ""


def state_note(item: TaskItem) -> str:
    """Reason and error of a task, in one line."""
    return " · ".join(filter(None, (reason_text(item.reason), item.error)))
