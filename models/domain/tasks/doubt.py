"""Tasks of which nobody knows how they stand: whether they were sent, whether what was told of them was lost on the way. Their
agents are asked, or they are sent again."""

from collections.abc import Callable

from models.domain.records import TaskState
from models.domain.tasks.board import Board
from models.domain.tasks.placing import Placing
from models.domain.tasks.roster import Roster, Worker
from models.domain.tasks.work import QUIET_US, Reason, Sending, Work

INQUIRY = "inquiry"
"""Who says that it is capable of this answers how a task stands, and does none twice that comes twice."""
SETTLED_QUIET_US = 3_000_000
"""Once all that the broker kept for us has been heard, whoever tells nothing for so long is asked: a broker keeps so much, no more."""


class Doubts:
    """One thread. `give_up`: another attempt, if there may be one; with its reason and what was said."""

    def __init__(
        self, board: Board, roster: Roster, placing: Placing, give_up: Callable[[Work, Reason, str, int], None]
    ) -> None:
        self._board, self._roster, self._placing, self._give_up = board, roster, placing, give_up

    def settle(self, now_us: int) -> None:
        """All that the broker kept for us has been heard: what of our own is not among it is in doubt. Idempotent tasks are sent
        again, as the same attempt; agents that can be asked are asked of all others, soon."""
        self._roster.presume(now_us)
        for worker in self._roster.there():
            self._placing.serve(worker, now_us)
        for work in list(self._board.open.values()):
            if work.sending is Sending.UNKNOWN and work.state is not TaskState.UNKNOWN:
                self._not_found(work, now_us)
            if work.sending in (Sending.ACKNOWLEDGED, Sending.UNKNOWN):
                self._board.ask_at(now_us + SETTLED_QUIET_US, work)

    def came(self, worker: Worker, now_us: int) -> None:
        """It says what it is capable of: what it was sent before that may never have reached it."""
        for work in [self._board.open[id_] for id_ in sorted(worker.holds) if id_ in self._board.open]:
            if not work.started_us and self.answers(work):
                self._board.ask_at(now_us + SETTLED_QUIET_US, work)

    def ask_soon(self, work: Work, now_us: int) -> None:
        """It was asked to stop: its agent may not know it at all."""
        if self.answers(work):
            self._board.ask_at(now_us + SETTLED_QUIET_US, work)

    def ask_after(self, work: Work, now_us: int) -> None:
        """Its time may have come: ask its agent how it stands, if nothing was told of it for long."""
        if not work.ask_us or work.sending is Sending.PLANNED or not self.answers(work):
            return
        if now_us < work.ask_us:
            self._board.wake_at(work.ask_us, work)
            return
        work.ask_us = 0
        if self._placing.connected and self._roster.worker(work.agent).there:
            work.inquired = True
            self._placing.tell("inquiry", work)
            if work.state is TaskState.UNKNOWN:
                return  # once is enough: it is for the user to decide
        self._board.ask_at(now_us + QUIET_US, work)

    def heard_of(self, work: Work, now_us: int) -> None:
        """Its agent told something: it need not be asked for a while."""
        work.inquired = False
        if work.ask_us:
            work.ask_us = now_us + QUIET_US  # looked at when its time has come
        else:
            self._board.ask_at(now_us + QUIET_US, work)

    def answers(self, work: Work) -> bool:
        """Can its agent be asked?"""
        return INQUIRY in self._roster.worker(work.agent).capabilities

    def not_there(self, work: Work, now_us: int) -> None:
        """Its agent, when asked, does not know it."""
        if work.order.idempotent:
            self._send_again(work, now_us)
        elif work.state is not TaskState.UNKNOWN:
            self._leave(work, now_us)

    def _not_found(self, work: Work, now_us: int) -> None:
        again = work.order.idempotent and not work.cancel_us
        if again and not self._roster.worker(work.agent).there:
            work.attempts_most = max(work.attempts_most, work.attempt + 1)
            self._give_up(work, Reason.UNSURE, "", now_us)
        elif again:
            self._send_again(work, now_us)
        else:
            self._leave(work, now_us)

    def _send_again(self, work: Work, now_us: int) -> None:
        work.state, work.reason, work.sending, work.sent_us = TaskState.SUBMITTED, Reason.NONE, Sending.SENDING, now_us
        work.started_us, work.progress, work.result = 0, None, None
        work.ran_at.add(work.agent)
        self._board.ask_at(now_us + QUIET_US, work)
        self._placing.note(work, now_us, Reason.UNSURE)
        self._placing.tell("task", work)

    def _leave(self, work: Work, now_us: int) -> None:
        work.state, work.reason, work.sending = TaskState.UNKNOWN, Reason.UNSURE, Sending.UNKNOWN
        self._placing.note(work, now_us, Reason.UNSURE)
        self._placing.release(work, now_us)  # it may never have got it: its place is not kept
