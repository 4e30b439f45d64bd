"""The thread that gives tasks: whatever happens is put to the engine, stored, and only then sent."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple, TypeVar

from app.recorder.log_file import Faults
from app.recorder.tasks.clerk import Clerk
from app.recorder.tasks.hearing import Heard
from app.recorder.tasks.way_out import SendingOutcome, WayOut
from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.tasks.commands import AgentCommand
from models.domain.tasks.orders import TaskOrder
from models.domain.tasks.work import Changes, Dispatch, Sending
from models.storage.keeping.retention import NO_LIMIT, StoreLimits
from models.storage.tasks.task_file import TaskFile

IDLE_S = 0.25
AT_ONCE = 2_000
AGAIN_US = 500_000
HEARD_EVERY_US = 5_000_000
"""How far the reports were taken is noted that often where nothing else is stored."""
AGE_EVERY_US = 600_000_000
MOST_HEARD = 10_000
"""Commits that wait while the file cannot be opened; later ones are found in what was recorded once it can."""
_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)


class Opened(NamedTuple):
    """The file, and the clerk as it was left, who knows all that was recorded since."""

    file: TaskFile
    clerk: Clerk


class _Request(NamedTuple):
    act: Callable[[Clerk, int], Any]  # with the wall time
    done: "Future[Any] | None" = None


class Desk:
    """`thread` opens the file, however long that cannot be done, and ends after `finish`. All other methods are for any thread,
    and return when what they did is stored; they raise what the engine raises, store.*, and task.silent where it takes too long."""

    def __init__(
        self, begin: Callable[[], Opened], way_out: WayOut, clock: Clock, faults: Faults, beat: Callable[[], None]
    ) -> None:
        """`begin` raises `EnvironmentProblem` store.*, workspace.newer."""
        self._begin, self._way_out, self._clock, self._faults, self._beat = begin, way_out, clock, faults, beat
        self._opened: Opened | None = None
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._finishing = threading.Event()
        self._unsaved = Changes()
        self._commands: dict[str, AgentCommand] = {}  # unsaved as well
        self._done: list[tuple[Future[Any], Any]] = []  # that wait for these to be stored
        self._stored_us = 0  # how far the reports had been taken when that was stored last
        self._again_us = 0  # when it is tried again, on the monotonic clock
        self._keep_us = NO_LIMIT
        self._aged_us = 0  # when what is too old is looked for next, on the monotonic clock
        self.problem: Problem | None = None  # why nothing can be stored at present
        self.damage: Problem | None = None  # what was lost before we began
        self.thread = threading.Thread(target=self._run, name="tasks", daemon=True)

    # ---------------------------------------------------------------- any thread

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What became of a damaged file, and why no task can be given at present."""
        return tuple(one for one in (self.damage, self.problem) if one is not None)

    def submit(self, orders: Sequence[TaskOrder], limit_s: float) -> None:
        """New tasks, all or none; those that are known already are left as they are."""
        self._ask(lambda clerk, now_us: clerk.submit(orders, now_us), limit_s)

    def cancel(self, task: str, limit_s: float) -> None:
        self._ask(lambda clerk, now_us: clerk.cancel(task, now_us), limit_s)

    def answer(self, task: str, text: str, limit_s: float) -> None:
        self._ask(lambda clerk, now_us: clerk.answer(task, text, now_us), limit_s)

    def retry(self, task: str, limit_s: float) -> None:
        self._ask(lambda clerk, now_us: clerk.retry(task, now_us), limit_s)

    def limit(self, agent: str, most: int, limit_s: float) -> None:
        """So many tasks may this agent have from us at a time."""
        self._ask(lambda clerk, now_us: clerk.limit(agent, most, now_us), limit_s)

    def command(self, command: AgentCommand, limit_s: float) -> None:
        """To an agent. Raises also publish.not-connected: then nobody was told."""
        told = partial(self._hear_command_receipt, command.id)
        self._ask(lambda clerk, now_us: clerk.command(command, told, now_us), limit_s)

    def knows(self, task: str) -> bool:
        """Is it a task of ours that is open, or ended lately?"""
        return self._opened is None or self._opened.clerk.engine.knows(task)

    @property
    def in_doubt(self) -> bool:
        """May something have been sent of which nobody knows, until what the broker kept for us has been heard?"""
        return self._opened is None or self._opened.clerk.in_doubt

    def hear(self, heard: Heard) -> None:
        """A commit of the ingest thread; in the order of the commits."""
        if self._opened is not None or self._requests.qsize() < MOST_HEARD:
            self._requests.put(_Request(lambda clerk, now_us: clerk.hear(heard, now_us)))

    def keep_within(self, limits: StoreLimits) -> None:
        """Tasks that have ended are kept as long as recorded history."""
        self._keep_us = limits.retention_s * 1_000_000
        self._aged_us = 0

    def finish(self) -> None:
        """Store what was asked so far, and end."""
        self._finishing.set()
        self._requests.put(_Request(lambda _clerk, _now_us: None))

    def _ask(self, act: Callable[[Clerk, int], _T], limit_s: float) -> _T:
        problem = self.problem
        if problem is not None:
            raise EnvironmentProblem(problem)  # nothing was done, and nothing will be
        done: Future[_T] = Future()
        self._requests.put(_Request(act, done))
        try:
            return done.result(limit_s)
        except TimeoutError as error:
            raise trouble("task.silent", seconds=round(limit_s)) from error

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        try:
            while not self._finishing.is_set() and not self._open():
                self._finishing.wait(AGAIN_US / 1e6)
            while self._opened is not None and not (self._finishing.is_set() and self._requests.empty()):
                self._beat()
                self.turn(self._opened)
        finally:
            for future, _ in self._done:
                future.set_exception(
                    EnvironmentProblem(self.problem or Problem("recorder.died", {"detail": "it ended"}))
                )
            if self._opened is not None:
                self._opened.file.close()

    def _open(self) -> bool:
        self._beat()
        try:
            opened = self._begin()
        except Exception as error:  # noqa: BLE001 - whatever it is, recording goes on; it is told, and tried again
            found = (
                error.problem
                if isinstance(error, EnvironmentProblem)
                else Problem("task.unread", {"detail": str(error)})
            )
            if self.problem != found:
                _LOG.warning(
                    "no task can be given: %s", found.sentence(), exc_info=not isinstance(error, EnvironmentProblem)
                )
            self.problem = found
            return False
        self.damage, self._stored_us = opened.file.damage, opened.file.heard_us
        self.problem, self._opened = None, opened
        return True

    def turn(self, opened: Opened, idle_s: float = IDLE_S) -> None:
        """Everything that waits, in one transaction."""
        asked = self._next(opened.clerk, idle_s)
        now_us = self._clock.wall_us()
        for request in asked:
            try:
                value = request.act(opened.clerk, now_us)
            except Exception as error:  # noqa: BLE001 - one request's bad luck must not cost the others theirs; what is no answer is logged and counted
                if request.done is None or not isinstance(error, EnvironmentProblem):
                    self._faults.note("a request to the orchestrator failed")
                if request.done is not None:
                    request.done.set_exception(error)
            else:
                if request.done is not None:
                    self._done.append((request.done, value))
        try:
            opened.clerk.look(now_us)
            self._unsaved.add(opened.clerk.engine.changes())
        except Exception:  # noqa: BLE001 - of one task, while all others wait: logged and counted
            self._faults.note("the orchestrator made a mistake")
        self._save(opened)
        self._look_at_age(opened)

    def _look_at_age(self, opened: Opened) -> None:
        """A slice of what is too old; no hurry, and never where the clock may be wrong."""
        if self._clock.monotonic_us() < self._aged_us or not opened.clerk.clock_is_steady:
            return
        try:
            more = opened.file.remove_old(self._clock.wall_us() - self._keep_us)
        except EnvironmentProblem as error:
            _LOG.warning("old tasks could not be removed: %s", error)
            more = False
        self._aged_us = self._clock.monotonic_us() + (0 if more else AGE_EVERY_US)

    def _next(self, clerk: Clerk, idle_s: float) -> list[_Request]:
        found: list[_Request] = []
        wait_s, next_us = idle_s, clerk.engine.next_us
        if next_us:
            wait_s = min(wait_s, max(0.0, (next_us - self._clock.wall_us()) / 1e6))
        try:
            found.append(self._requests.get(timeout=wait_s) if wait_s else self._requests.get_nowait())
            while len(found) < AT_ONCE:
                found.append(self._requests.get_nowait())
        except queue.Empty:
            pass
        return found

    def _save(self, opened: Opened) -> None:
        """Store all that is not, then send it. Where the disk cannot, it is tried again with what has come by then."""
        unsaved, heard_us = self._unsaved, opened.clerk.heard_us
        self._commands |= opened.clerk.commanding.take_changes()
        news = unsaved.works or unsaved.steps or self._commands
        if self.problem is not None and self._clock.monotonic_us() < self._again_us:
            return
        if news or self.problem is not None or abs(heard_us - self._stored_us) > HEARD_EVERY_US:
            try:
                self._store(opened.file, unsaved, heard_us)
            except EnvironmentProblem as error:
                if self.problem is None:
                    _LOG.warning("tasks cannot be stored: %s", error)
                self.problem = error.problem
                self._again_us = self._clock.monotonic_us() + AGAIN_US
                return
            self._stored_us, self.problem = heard_us, None
        done, self._done, self._unsaved, self._commands = self._done, [], Changes(), {}
        for future, value in done:
            future.set_result(value)
        self._send(opened.clerk, unsaved)

    def _store(self, file: TaskFile, changes: Changes, heard_us: int) -> None:
        try:
            file.store(changes, heard_us, self._commands.values())
        except EnvironmentProblem:
            raise
        except Exception:  # noqa: BLE001 - one row is at fault: logged and counted, and the others are stored
            self._faults.note("a task could not be stored; all others are")
            for alone in (Changes(), *changes.apart()):
                try:
                    file.store(alone, heard_us, self._commands.values())
                except EnvironmentProblem:
                    raise
                except Exception:  # noqa: BLE001 - as above; what is not stored is not sent
                    lost = set(alone.works)
                    changes.dispatches = [one for one in changes.dispatches if one.work.order.id not in lost]

    def _send(self, clerk: Clerk, changes: Changes) -> None:
        for dispatch in changes.dispatches:
            if dispatch.kind == "task" and not _is_sent(dispatch):
                continue  # it took long to store, and it has ended, or is another attempt by now
            told = partial(
                self._hear_receipt, dispatch.work.order.id, dispatch.attempt if dispatch.kind == "task" else 0
            )
            try:
                self._way_out.send(dispatch, clerk.engine.roster.worker(dispatch.agent), told)
            except Exception as error:  # noqa: BLE001 - what cannot be made into a message is refused, and says why
                told(SendingOutcome(refused=f"no message could be made of it: {error}"))
        for work in changes.works.values():
            if work.ended and work.order.reply_to:
                try:
                    self._way_out.tell_end(work)
                except Exception:  # noqa: BLE001 - what cannot be told costs the others nothing: logged and counted
                    self._faults.note("an agent could not be told what became of its task")

    def _hear_receipt(self, task: str, attempt: int, receipt: SendingOutcome) -> None:
        """Network thread, or ours."""
        at_us = self._clock.wall_us()  # before there can be another connection
        self._requests.put(_Request(lambda clerk, now_us: clerk.take_receipt(task, attempt, receipt, at_us, now_us)))

    def _hear_command_receipt(self, id_: str, outcome: SendingOutcome) -> None:
        self._requests.put(_Request(lambda clerk, _now_us: clerk.commanding.take_receipt(id_, outcome)))


def _is_sent(dispatch: Dispatch) -> bool:
    work = dispatch.work
    return work.sending is Sending.SENDING and work.attempt == dispatch.attempt and not work.ended
