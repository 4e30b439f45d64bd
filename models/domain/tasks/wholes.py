"""Tasks that are done by their parts: put together anew whenever one of these has changed."""

from collections.abc import Callable

from models.domain.records import TaskState
from models.domain.tasks.board import Board
from models.domain.tasks.gathering import gather
from models.domain.tasks.placing import Placing
from models.domain.tasks.work import Reason, Work, kept

End = Callable[[Work, TaskState, Reason, int, str | None, str | None], None]


class Wholes:
    """One thread. `end`: with result and error; `cancel`: a part by its id, as nobody needs it."""

    def __init__(self, board: Board, placing: Placing, end: End, cancel: Callable[[str, int, Reason], None]) -> None:
        self._board, self._placing, self._end, self._cancel = board, placing, end, cancel

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
        left = self.open_parts(id_)
        reason = Reason.NONE if found.state is TaskState.COMPLETED else Reason.ASKED if work.cancel_us else Reason.PARTS
        self._end(work, found.state, reason, now_us, *kept(found.result))
        for one in left:
            self._cancel(one.order.id, now_us, Reason.NOT_NEEDED)
