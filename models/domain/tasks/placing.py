"""Who gets a task: chosen now, or waited for. Keeps what has to be stored and sent of it."""

from models.domain.records import TaskState
from models.domain.tasks.board import Board
from models.domain.tasks.orders import TaskOrder, new_task_id
from models.domain.tasks.roster import Roster, Worker
from models.domain.tasks.work import QUIET_US, Changes, Dispatch, Reason, Sending, Step, Work


class Placing:
    """One thread. `touched`: tasks that gather, of which a part has changed."""

    def __init__(self, board: Board, roster: Roster) -> None:
        self._board, self._roster = board, roster
        self.changes = Changes()
        self.touched: set[str] = set()
        self.connected = False  # with the broker

    def take_changes(self) -> Changes:
        """All since the last call."""
        found, self.changes = self.changes, Changes()
        return found

    def place(self, work: Work, now_us: int) -> None:
        """Send it to the best of those that may have it; where nobody is there or has room, it waits, and its reason says so."""
        order = work.order
        if not self.connected:
            self._board.unsent[order.id] = work
            self._waits_as(work, Reason.UNCONNECTED, now_us)
            return
        if work.gathers:
            names = order.to or tuple(sorted(one.name for one in self._roster.capable(order.wanted)))
            if names:
                self._divide(work, names, now_us)
                return
            candidates: list[Worker] = []
        elif order.to:
            candidates = [one for one in map(self._roster.worker, order.to) if one.there]
        else:
            candidates = self._roster.capable(order.wanted)
        best = self._roster.best(candidates, work.ran_at)
        if best is not None:
            self._send(work, best, now_us)
            return
        self._board.wait(work)
        self._waits_as(work, Reason.BUSY if candidates else Reason.NOBODY, now_us)

    def serve(self, worker: Worker, now_us: int) -> None:
        """Give an agent what waits for it, as far as it has room."""
        if self.connected and worker.there:
            for work in self._board.waiting_for(worker, now_us):
                self.place(work, now_us)

    def release(self, work: Work, now_us: int, *, failed: bool | None = None) -> None:
        """Its agent has it no more, and may have another. `failed` None: that says nothing of the agent."""
        worker = self._roster.worker(work.agent) if work.agent else None
        if worker is None or work.order.id not in worker.holds:
            return
        worker.holds.discard(work.order.id)
        if failed is not None:
            worker.ends.append(failed)
        self.serve(worker, now_us)

    def tell(self, kind: str, work: Work, text: str = "null") -> None:
        """Have its agent told something; see `Dispatch`."""
        self.changes.dispatches.append(Dispatch(kind, work, work.agent, work.attempt, text))

    def note(self, work: Work, now_us: int, reason: Reason | None = None, text: str = "") -> None:
        """It changed: a line of its history. `reason` None: the one why it stands so."""
        self.changes.works[work.order.id] = work
        self.step(work, now_us, work.state, work.reason if reason is None else reason, text, work.agent)

    def step(self, work: Work, now_us: int, state: TaskState, reason: Reason, text: str, agent: str) -> None:
        """A line of its history that does not change it."""
        self.changes.steps.append(Step(work.order.id, now_us, work.attempt, agent, state, reason, text))

    def _waits_as(self, work: Work, reason: Reason, now_us: int) -> None:
        if work.reason is not reason:
            work.reason = reason
            self.note(work, now_us, reason)

    def _send(self, work: Work, worker: Worker, now_us: int) -> None:
        work.agent, work.sending, work.reason = worker.name, Sending.SENDING, Reason.NONE
        work.attempt += 1
        work.sent_us, work.started_us, work.due_us = now_us, 0, 0
        work.inquired = False
        self._board.ask_at(now_us + QUIET_US, work)
        worker.holds.add(work.order.id)
        self.tell("task", work)
        self.note(work, now_us)

    def _divide(self, work: Work, names: tuple[str, ...], now_us: int) -> None:
        work.children, work.reason = len(names), Reason.NONE
        self._board.parts[work.order.id] = {}
        self.changes.works[work.order.id] = work
        for name in names:
            part = _part_of(work.order, name)
            child = Work(part, now_us, attempts_most=part.attempts)
            self._board.put(child)
            self.note(child, now_us)
            self.place(child, now_us)


def _part_of(order: TaskOrder, agent: str) -> TaskOrder:
    return TaskOrder(
        new_task_id(), order.type, order.input, (agent,), deadline_us=order.deadline_us, attempts=order.attempts,
        backoff_us=order.backoff_us, idempotent=order.idempotent, parent=order.id, requester=order.requester,
    )  # fmt: skip
