"""Tasks as they stood at a moment, told by their history."""

from collections.abc import Sequence

from models.domain.records import TaskState
from models.domain.task_queries import NO_PROGRESS, TaskItem
from models.domain.tasks.work import ENDED, Reason, Step

_NOT_COUNTED = (Reason.STRANGER, Reason.TOO_LATE)


def as_it_stood(item: TaskItem, steps: Sequence[Step]) -> TaskItem:
    """`item` as it is now, `steps` of its history until then, oldest first. What was not told yet is left out."""
    counted = [one for one in steps if one.reason not in _NOT_COUNTED]
    if not counted:
        last = Step(item.task, item.submitted_us, 0, "", TaskState.SUBMITTED, Reason.NONE)
    else:
        last = counted[-1]
    ended_us = last.time_us if last.state in ENDED else 0
    begun = [one.time_us for one in counted if one.state is TaskState.WORKING and one.attempt == last.attempt]
    started_us = begun[0] if begun and last.state is not TaskState.SUBMITTED else 0
    if started_us and item.attempt == last.attempt and item.started_us:
        started_us = item.started_us  # the agent's own word of it
    same_end = bool(ended_us) and ended_us == item.ended_us
    return item._replace(
        agent=last.agent, state=last.state, reason=last.reason, attempt=last.attempt, started_us=started_us,
        ended_us=ended_us, progress=item.progress if same_end else NO_PROGRESS, result=item.result if same_end else "",
        error=item.error if same_end else last.text if last.state is TaskState.FAILED else "",
        sent_us=item.sent_us if item.attempt == last.attempt else 0,
    )  # fmt: skip
