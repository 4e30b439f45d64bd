"""The thread that gives tasks: whatever happens is put to the engine, stored, and only then sent."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple, TypeVar

from app.recorder.log_file import Faults
from app.recorder.tasks.commanding import Commanding
from app.recorder.tasks.hearing import Heard
from app.recorder.tasks.way_out import SendingOutcome, WayOut
from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.engine import Engine
from models.domain.tasks.orders import TaskOrder, refuse_nonsense
from models.domain.tasks.work import Changes
from models.storage.tasks.task_file import TaskFile

IDLE_S = 0.25
AT_ONCE = 2_000
AGAIN_S = 0.5
HEARD_EVERY_US = 5_000_000
"""How far the reports were taken is noted that often where nothing else is stored."""
BACKLOG_US = 10_000_000
"""What the broker kept for us has come by then, our own messages among it, even where nothing live comes after it."""
_T = TypeVar("_T")


class _Request(NamedTuple):
    act: Callable[[int], Any]  # with the wall time
    done: "Future[Any] | None" = None


class Desk:
    """`thread` ends after `finish`. All other methods are for any thread, and return when what they did is stored; they raise
    what the engine raises, store.*, and recorder.silent where it takes too long."""

    def __init__(
        self, file: TaskFile, engine: Engine, way_out: WayOut, clock: Clock, faults: Faults, beat: Callable[[], None]
    ) -> None:  # fmt: skip
        self._file, self._engine, self._way_out, self._clock = file, engine, way_out, clock
        self._faults, self._beat = faults, beat
        self._commanding = Commanding(file, way_out, clock.wall_us())
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._finishing = threading.Event()
        self._unsure_since_us = clock.monotonic_us()  # 0: nothing is in doubt
        self._link_us = 0  # wall time of the connection that is known of; 0: none
        self._lost_us = 0  # wall time at which a connection broke while something was being sent
        self._heard_us = self._stored_us = file.heard_us
        self.problem: Problem | None = None  # why nothing can be stored at present
        self.damage = file.damage  # what was lost before we began
        self.thread = threading.Thread(target=self._run, name="tasks", daemon=True)

    # ---------------------------------------------------------------- any thread

    def submit(self, orders: Sequence[TaskOrder], limit_s: float) -> None:
        """New tasks, all or none; those that are known already are left as they are."""
        self._ask(lambda now_us: self._submit(orders, now_us), limit_s)

    def cancel(self, task: str, limit_s: float) -> None:
        self._ask(lambda now_us: self._engine.cancel(self._open(task), now_us), limit_s)

    def answer(self, task: str, text: str, limit_s: float) -> None:
        self._ask(lambda now_us: self._engine.answer(self._open(task), text, now_us), limit_s)

    def retry(self, task: str, limit_s: float) -> None:
        self._ask(lambda now_us: self._retry(task, now_us), limit_s)

    def limit(self, agent: str, most: int, limit_s: float) -> None:
        """So many tasks may this agent have from us at a time."""

        def act(now_us: int) -> None:
            self._file.limit(agent, most)
            self._engine.limit(agent, most, now_us)

        self._ask(act, limit_s)

    def command(self, command: AgentCommand, limit_s: float) -> None:
        """To an agent. Raises also publish.not-connected: then nobody was told."""
        told = partial(self._hear_command_receipt, command.id)
        self._ask(lambda now_us: self._commanding.give(command, now_us, told), limit_s)

    def knows(self, task: str) -> bool:
        """Is it a task of ours that is open, or ended lately?"""
        return self._engine.knows(task)

    @property
    def in_doubt(self) -> bool:
        """May something have been sent of which nobody knows, until what the broker kept for us has been heard?"""
        return bool(self._unsure_since_us and self._link_us)

    def hear(self, heard: Heard) -> None:
        """A commit of the ingest thread; in the order of the commits."""
        self._requests.put(_Request(lambda now_us: self._hear(heard, now_us)))

    def finish(self) -> None:
        """Store what was asked so far, and end."""
        self._finishing.set()
        self._requests.put(_Request(lambda _now_us: None))

    def _ask(self, act: Callable[[int], _T], limit_s: float) -> _T:
        done: Future[_T] = Future()
        self._requests.put(_Request(act, done))
        try:
            return done.result(limit_s)
        except TimeoutError as error:
            raise trouble("task.silent", seconds=round(limit_s)) from error

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        try:
            while not (self._finishing.is_set() and self._requests.empty()):
                self._beat()
                self._turn()
        finally:
            self._file.close()

    def _turn(self) -> None:
        """Everything that waits, in one transaction."""
        asked = self._next()
        now_us = self._clock.wall_us()
        done: list[tuple[Future[Any], Any]] = []
        for request in asked:
            try:
                value = request.act(now_us)
            except EnvironmentProblem as error:
                if request.done is not None:
                    request.done.set_exception(error)
            except Exception as error:  # noqa: BLE001 - one request's bad luck must not cost the others theirs; it is logged and counted
                self._faults.note("a request to the orchestrator failed")
                if request.done is not None:
                    request.done.set_exception(error)
            else:
                if request.done is not None:
                    done.append((request.done, value))
        self._look_at_link(now_us)
        self._engine.tick(now_us)
        changes = self._engine.changes()
        if not self._save(changes):
            return
        for future, value in done:
            future.set_result(value)
        self._send(changes)

    def _next(self) -> list[_Request]:
        found: list[_Request] = []
        wait_s = IDLE_S
        if self._engine.next_us:
            wait_s = min(IDLE_S, max(0.0, (self._engine.next_us - self._clock.wall_us()) / 1e6))
        try:
            found.append(self._requests.get(timeout=wait_s))
            while len(found) < AT_ONCE:
                found.append(self._requests.get_nowait())
        except queue.Empty:
            pass
        return found

    def _save(self, changes: Changes) -> bool:
        """Store them, however long the disk cannot; nothing is sent before. False: we had to end before it could."""
        news = changes.works or changes.steps
        while news or self._heard_us - self._stored_us > HEARD_EVERY_US:
            try:
                self._file.store(changes, self._heard_us)
            except EnvironmentProblem as error:
                self.problem = error.problem
                self._beat()
                if self._finishing.wait(AGAIN_S):
                    return False
            else:
                self._stored_us = self._heard_us
                break
        self.problem = None
        return True

    def _send(self, changes: Changes) -> None:
        for dispatch in changes.dispatches:
            worker = self._engine.roster.worker(dispatch.agent)
            self._way_out.send(dispatch, worker, partial(self._hear_receipt, dispatch.work.order.id, dispatch.attempt))
        for work in changes.works.values():
            if work.ended and work.order.reply_to:
                self._way_out.tell_end(work)

    def _hear_receipt(self, task: str, attempt: int, receipt: SendingOutcome) -> None:
        """Network thread, or ours."""
        at_us = self._clock.wall_us()  # before there can be another connection
        self._requests.put(_Request(lambda now_us: self._take_receipt(task, attempt, receipt, at_us, now_us)))

    def _hear_command_receipt(self, id_: str, outcome: SendingOutcome) -> None:
        self._requests.put(_Request(lambda _now_us: self._commanding.take_receipt(id_, outcome)))

    # ---------------------------------------------------------------- what is put to the engine

    def _take_receipt(self, task: str, attempt: int, receipt: SendingOutcome, at_us: int, now_us: int) -> None:
        if receipt.unsent:
            self._engine.link_down()
            self._link_us = 0
            self._engine.unsent(task, attempt, now_us)
            return
        if receipt.lost:
            self._unsure_since_us, self._lost_us = self._clock.monotonic_us(), at_us
        self._engine.receipt(task, attempt, now_us, refused=receipt.refused, lost=receipt.lost)

    def _look_at_link(self, now_us: int) -> None:
        """A connection that came or went; and once all that the broker kept for us has been heard, what is in doubt."""
        link_us = self._way_out.connected_since_us
        if link_us != self._link_us:
            self._link_us = link_us
            if link_us:
                self._unsure_since_us = self._clock.monotonic_us()
                self._engine.link_up(now_us)
            else:
                self._engine.link_down()
        if self.in_doubt and self._clock.monotonic_us() - self._unsure_since_us >= BACKLOG_US:
            self._settle(now_us)

    def _settle(self, now_us: int) -> None:
        self._unsure_since_us = 0
        self._engine.settle(now_us)

    def _submit(self, orders: Sequence[TaskOrder], now_us: int) -> None:
        known = self._file.known([one.id for one in orders])
        new = [one for one in orders if one.id not in known]
        for order in new:
            refuse_nonsense(order, now_us)
        for order in new:
            self._engine.submit(order, now_us)

    def _open(self, task: str) -> str:
        if self._engine.open_task(task) is None:
            raise trouble("task.ended" if self._file.work(task) is not None else "task.unknown", task=task)
        return task

    def _retry(self, task: str, now_us: int) -> None:
        work = self._engine.open_task(task) or self._file.work(task)
        if work is None:
            raise trouble("task.unknown", task=task)
        whole = self._file.work(work.order.parent) if work.order.parent else None
        if whole is not None and whole.children and whole.ended:
            work = whole  # a part alone could not mend the result
        self._engine.retry(work, self._file.parts(work.order.id) if work.children else (), now_us)

    def _hear(self, heard: Heard, now_us: int) -> None:
        for one in heard.declared:
            worker = self._engine.roster.worker(one.agent)
            worker.convention, worker.group = one.convention, one.group or worker.group
            if one.capabilities is not None:
                self._engine.meet(one.agent, one.capabilities, now_us)
        for told in heard.told:
            if self._commanding.knows(told.task):
                self._commanding.told(told, now_us)
            else:
                self._engine.told(told, now_us)
        for agent, presence in heard.presence:
            self._engine.presence(agent, presence, now_us)
        for order in heard.orders:
            try:
                self._submit([order], now_us)
            except EnvironmentProblem as error:
                self._way_out.refuse(order, str(error))
        for refusal in heard.refusals:
            self._way_out.tell_refusal(refusal)
        for withdrawal in heard.withdrawals:
            work = self._engine.open_task(withdrawal.task)
            if work is not None and work.order.requester == withdrawal.sender:
                self._engine.cancel(withdrawal.task, now_us)
        self._heard_us = max(self._heard_us, heard.received_us)
        if heard.live and self.in_doubt and heard.received_us > self._link_us > self._lost_us:
            self._settle(now_us)
