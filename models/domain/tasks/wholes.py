"""Tasks that are done by their parts: put together anew whenever one of these has changed."""

from collections.abc import Callable

from models.domain.records import TaskState
from models.domain.tasks.board import Board
from models.domain.tasks.gathering import gather
from models.domain.tasks.orders import Gather
from models.domain.tasks.placing import Placing
from models.domain.tasks.work import Reason, Work, kept

End = Callable[[Work, TaskState, Reason, int, str | None, str | None], None]


class Wholes:
    """One thread. `end`: with result and error; `cancel`: a part by its id, as nobody needs it."""

    def __init__(self, board: Board, placing: Placing, end: End, cancel: Callable[[str, int, Reason], None]) -> None:
        self._board, self._placing, self._end, self._cancel = board, placing, end, cancel
        self._counted: dict[str, int] = {}  # of those that vote: how many parts had ended when they were counted

    def open_parts(self, id_: str) -> list[Work]:
        """Those that have not ended."""
        return [one for one in self._board.parts.get(id_, {}).values() if one.order.id in self._board.open]

    def gather_touched(self) -> None:
        """Bring all up to date of which a part has changed; what ends may touch what it is part of."""
        while self._placing.touched:
            self._gather(self._placing.touched.pop())

    def _gather(self, id_: str) -> None:
        work = self._board.open.get(id_)
        parts = list(self._board.parts.get(id_, {}).values())
        if work is None or not parts:
            return
        ended = sum(one.ended for one in parts)
        if work.order.gather is Gather.MAJORITY and work.started_us and self._counted.get(id_) == ended:
            return  # results are long, and beats many
        self._counted[id_] = ended
        found = gather(work.order.gather, parts)
        now_us = max(max(one.ended_us, one.sent_us, one.created_us) for one in parts)
        work.progress, work.result = found.progress, found.result
        started = [one.started_us for one in parts if one.started_us]
        if started and not work.started_us:
            work.started_us, work.state = min(started), TaskState.WORKING
            self._placing.note(work, work.started_us)
        self._placing.changes.works[id_] = work
        if found.state is None:
            return
        self._counted.pop(id_, None)
        left = self.open_parts(id_)
        reason = Reason.NONE if found.state is TaskState.COMPLETED else Reason.ASKED if work.cancel_us else Reason.PARTS
        self._end(work, found.state, reason, now_us, *kept(found.result))
        for one in left:
            self._cancel(one.order.id, now_us, Reason.NOT_NEEDED)
