"""From the results of a task's children to its own."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from models.domain.records import TaskState
from models.domain.tasks.orders import Gather
from models.domain.tasks.work import Work

PARTIAL_LIMIT = 256 * 1024
"""Characters of results up to which they are put together anew with each that comes."""


class Gathered(NamedTuple):
    """What the children come to; `state` None: not yet. `enough`: those that are still at work are not needed."""

    state: TaskState | None
    progress: float
    result: str | None = None
    enough: bool = False


def gather(how: Gather, children: Sequence[Work]) -> Gathered:
    """`children` in the order in which they were made. Partial results are in `result` before the end, while they are short."""
    try:
        return _gathered(how, children)
    except RecursionError:  # a result is nested deeper than can be put together with others
        over = all(one.ended for one in children)
        return Gathered(TaskState.FAILED if over else None, 1.0 if over else 0.0)


def _gathered(how: Gather, children: Sequence[Work]) -> Gathered:
    ended = [one for one in children if one.ended]
    done = [one for one in children if one.state is TaskState.COMPLETED]
    progress = len(ended) / len(children) if children else 1.0
    over = len(ended) == len(children)
    match how:
        case Gather.FIRST:
            first = min(done, key=lambda one: one.ended_us, default=None)
            if first is not None:
                return Gathered(TaskState.COMPLETED, 1.0, first.result, enough=True)
            return Gathered(_unfinished(ended) if over else None, progress)
        case Gather.MAJORITY:
            return _majority(children, done, progress, over=over)
        case _ if not over and sum(len(one.result or "") for one in done) > PARTIAL_LIMIT:
            result = None
        case Gather.MERGED:
            result = _text(_merged([_value(one) for one in done])) if done else None
        case _:
            result = (
                _text([{"agent": one.agent or _named(one), "result": _value(one)} for one in done]) if done else None
            )
    if not over:
        return Gathered(None, progress, result)
    state = TaskState.COMPLETED if len(done) == len(children) else _unfinished(ended)
    return Gathered(state, 1.0, result)


def _majority(children: Sequence[Work], done: Sequence[Work], progress: float, *, over: bool) -> Gathered:
    votes = Counter(_canonical(one) for one in done)
    word, count = votes.most_common(1)[0] if votes else ("null", 0)
    if count * 2 > len(children):
        return Gathered(TaskState.COMPLETED, 1.0, word, enough=True)
    open_ = len(children) - sum(one.ended for one in children)
    if over or (count + open_) * 2 <= len(children):  # no more to be reached
        return Gathered(TaskState.FAILED, progress, None, enough=True)
    return Gathered(None, progress, word if count else None)


def _unfinished(ended: Sequence[Work]) -> TaskState:
    """Not all completed: cancelled where nothing worse happened."""
    bad = {one.state for one in ended} - {TaskState.COMPLETED}
    return TaskState.CANCELED if bad == {TaskState.CANCELED} else TaskState.FAILED


def _merged(values: Sequence[Any]) -> Any:
    """Objects put together at every depth and lists one behind the other; of anything else the last counts."""
    merged: Any = None
    for value in values:
        merged = _put(merged, value)
    return merged


def _put(before: Any, value: Any) -> Any:
    if isinstance(before, dict) and isinstance(value, dict):
        return {**before, **{key: _put(before[key], one) if key in before else one for key, one in value.items()}}
    if isinstance(before, list) and isinstance(value, list):
        return before + value
    return value


def _value(work: Work) -> Any:
    """A result as it was told: JSON, or else a text."""
    try:
        return json.loads(work.result) if work.result is not None else None
    except (ValueError, RecursionError):
        return work.result


def _canonical(work: Work) -> str:
    return _text(_value(work), sort=True)


def _text(value: Any, *, sort: bool = False) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=sort, separators=(",", ":"))
    return text.encode(errors="replace").decode()  # half of a pair, told as an escape, cannot be stored


def _named(work: Work) -> str:
    return work.order.to[0] if work.order.to else ""
