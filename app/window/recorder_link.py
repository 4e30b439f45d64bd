"""The window's link to its recorder: a worker thread talks and watches, everything is told in the GUI thread."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from functools import partial
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.window.gui_inbox import GuiInbox, still_there
from app.window.recorder_watch import Seen
from models.domain.connection import Connection, Secret
from models.domain.control import RecorderState, StepState, TestStep
from models.domain.problems import EnvironmentProblem, Problem
from models.domain.publishing import OutgoingMessage, Published
from models.domain.recorded import ImportProgress, ImportResult, OnProgress
from models.domain.tasks.orders import TaskOrder

JOIN_LIMIT_S = 8.0  # longer than a client waits for an answer
AFTER_MISTAKE_S = 1.0

log = logging.getLogger(__name__)

Done = Callable[[Problem | None], None]
OnImported = Callable[[ImportResult | None, Problem | None], None]
OnStep = Callable[[TestStep, StepState, Problem | None], None]
OnPublished = Callable[[Published | Problem], None]


class TaskClient(Protocol):
    """The part of `ControlClient` that is about tasks. Any thread."""

    def submit_tasks(self, orders: Sequence[TaskOrder]) -> list[str]: ...
    def cancel_task(self, task: str) -> None: ...
    def retry_task(self, task: str) -> None: ...
    def answer_task(self, task: str, text: str) -> None: ...
    def command_agent(self, agent: str, command: str, arguments: str = "null", confirmed: str = "") -> str: ...


class Client(TaskClient, Protocol):
    """The part of `ControlClient` that is needed here. Any thread."""

    def submit(self, commands: list[dict[str, object]]) -> None: ...
    def secret(self, text: str) -> None: ...
    def publish(self, message: OutgoingMessage) -> Published: ...
    def wake(self, *, anew: bool = False) -> None: ...
    def stop(self) -> None: ...
    def test_connection(self, connection: Connection, password: Secret | None, on_step: OnStep) -> None: ...
    def import_files(
        self, paths: Sequence[Path], on_progress: OnProgress, *, again: bool = False, make_room: bool = False
    ) -> ImportResult: ...
    def close(self) -> None: ...


class Watch(Protocol):
    """The part of `RecorderWatch` that is needed here. Worker thread."""

    def look(self) -> Seen: ...
    def start_again(self) -> None: ...
    def end_silent(self) -> None: ...
    def restart(self) -> None: ...


class Cancelling:
    """An import that is under way. Any thread."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Take back what was imported so far; `done` is told soon after, with no result and no problem. Too late is no
        mistake: then the result comes."""
        self._cancelled.set()

    def check(self) -> None:
        """Raises `CancelledError`."""
        if self._cancelled.is_set():
            raise CancelledError


class RecorderLink(QObject):
    """Every method, signal and callback: GUI thread, and none of them waits.

    A password given to `secret` is kept in memory and given to a recorder that takes over from one that died.
    """

    state_changed = Signal(object)  # RecorderState, or None: nobody answers, so the link is unknown
    problem = Signal(object)  # Problem of the recorder itself, or None: it is over; told when it changes

    def __init__(self, client: Client, watch: Watch, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client, self._watch = client, watch
        self._inbox = GuiInbox(self)
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._state: RecorderState | None = None
        self._problem: Problem | None = None
        self._secret = self._secret_url = ""  # worker thread, as are the next two
        self._secret_pid = 0  # the recorder that has it
        self._pid = 0  # the recorder that answers
        self._thread = threading.Thread(target=self._run, name="recorder-link", daemon=True)

    @property
    def state(self) -> RecorderState | None:
        """As last told."""
        return self._state

    @property
    def known_secret(self) -> str:
        """The password of this session; to be masked, not shown. Any thread."""
        return self._secret

    def start(self) -> None:
        """Begin to look. Called once the window is painted."""
        self._thread.start()

    def shutdown(self) -> None:
        """Hang up; a recorder that was started for windows ends by itself when the last one has."""
        if self._thread.ident is not None:
            self._jobs.put(None)
            self._thread.join(JOIN_LIMIT_S)
            if self._thread.is_alive():
                log.error("the link to the recorder did not end within %s s", JOIN_LIMIT_S)
        self._client.close()
        self._inbox.close()

    # ------------------------------------------------------------ asking

    def submit(self, commands: list[dict[str, object]], done: Done) -> None:
        """Have commands carried out; `done` gets None when they are stored."""
        self._jobs.put(partial(self._ask, lambda: self._client.submit(commands), done))

    def carry_out(self, job: Callable[[], None], done: Done) -> None:
        """Do something that waits for the disk, in order with everything else that is asked here. `job` runs on the worker
        thread and may raise `EnvironmentProblem`."""
        self._jobs.put(partial(self._ask, job, done))

    def about_tasks(self, job: Callable[[TaskClient], object], done: Done) -> None:
        """Ask the orchestrator for something; `job` runs on the worker thread, `done` gets None when it is stored."""

        def ask() -> None:
            job(self._client)

        self._jobs.put(partial(self._ask, ask, done))

    def secret(self, text: str, broker_url: str) -> None:
        """The password for this session and for this broker alone; empty: forget it."""
        self._jobs.put(partial(self._remember, text, broker_url))

    def wake(self, done: Done | None = None) -> None:
        """Settings changed, or: try to connect now."""
        self._jobs.put(partial(self._ask, self._client.wake, done))

    def start_anew(self) -> None:
        """After `broker.malformed`: connect once the broker has forgotten what it kept for us."""
        self._jobs.put(partial(self._ask, partial(self._client.wake, anew=True), None))

    def stop(self, done: Done | None = None) -> None:
        """End the recorder. It is started again as long as this window looks."""
        self._jobs.put(partial(self._ask, self._client.stop, done))

    def start_again(self) -> None:
        """After `recorder.failing`."""
        self._jobs.put(self._watch.start_again)

    def end_silent(self) -> None:
        """After `recorder.silent`: end the process that holds the workspace."""
        self._jobs.put(self._watch.end_silent)

    def restart(self) -> None:
        """After `recorder.version`."""
        self._jobs.put(self._watch.restart)

    def test_connection(self, connection: Connection, password: Secret | None, on_step: OnStep, done: Done) -> None:
        """Try a connection without touching the present one. `on_step` for every step as it begins and ends; `done` gets
        None when the test ran to its end, passed or failed. Runs beside everything else."""
        arguments = (connection, password, on_step, done)
        threading.Thread(target=self._test, args=arguments, name="connection-test", daemon=True).start()

    def publish(self, message: OutgoingMessage, done: OnPublished) -> None:
        """Have a message published; `done` gets the broker's answer, or why there is none. Runs beside everything else."""
        threading.Thread(target=self._publish, args=(message, done), name="publish", daemon=True).start()

    def import_files(
        self,
        paths: Sequence[Path],
        on_progress: OnProgress,
        done: OnImported,
        *,
        again: bool = False,
        make_room: bool = False,
    ) -> Cancelling:
        """Import recorded traffic: all of the files or nothing. `on_progress` gets an `ImportProgress` (bytes done and in
        all, messages, skipped lines) several times a second; `done` gets the result, or the problem, or neither after
        `cancel()` on what this answers. `again`: also files that are held already (import.known); `make_room`: older imports may
        go for it (import.no-room). Runs beside everything
        else."""
        under_way = Cancelling()
        arguments = (paths, on_progress, done, again, make_room, under_way)
        threading.Thread(target=self._import, args=arguments, name="import", daemon=True).start()
        return under_way

    # ------------------------------------------------------------ worker threads

    def _run(self) -> None:
        while True:
            try:
                seen = self._watch.look()
                self._give_secret_again(seen.state)
                self._inbox.put(partial(self._told, seen))
                pause_s = seen.pause_s
            except Exception:
                log.exception("looking after the recorder failed")
                pause_s = AFTER_MISTAKE_S
            try:
                job = self._jobs.get(timeout=pause_s)
            except queue.Empty:
                continue
            if job is None:
                return
            try:
                job()
            except Exception:
                log.exception("a request to the recorder failed")

    def _ask(self, request: Callable[[], None], done: Done | None) -> None:
        problem: Problem | None = None
        try:
            request()
        except EnvironmentProblem as error:
            problem = error.problem
        except Exception as error:  # whoever asked waits for an answer
            log.exception("a request to the recorder failed")
            problem = Problem("recorder.request", {"detail": type(error).__name__})
        if done is not None:
            self._inbox.put(partial(_call, done, problem))

    def _remember(self, text: str, broker_url: str) -> None:
        self._secret, self._secret_url, self._secret_pid = text, broker_url, 0
        if text and self._pid:
            self._give_secret(self._pid)

    def _give_secret_again(self, state: RecorderState | None) -> None:
        """A recorder that took over knows no password; one that meanwhile connects elsewhere must not get ours."""
        self._pid = state.pid if state is not None else 0
        if (
            self._secret
            and state is not None
            and state.pid != self._secret_pid
            and state.broker_url == self._secret_url
        ):
            self._give_secret(state.pid)

    def _give_secret(self, pid: int) -> None:
        try:
            self._client.secret(self._secret)
            self._secret_pid = pid
        except EnvironmentProblem as error:
            log.warning("the password did not reach the recorder: %s", error)  # once more at the next look

    def _test(self, connection: Connection, password: Secret | None, on_step: OnStep, done: Done) -> None:
        def told(step: TestStep, state: StepState, problem: Problem | None) -> None:
            self._inbox.put(partial(_call, on_step, step, state, problem))

        problem: Problem | None = None
        try:
            self._client.test_connection(connection, password, told)
        except EnvironmentProblem as error:
            problem = error.problem
        except Exception as error:
            log.exception("a connection test failed")
            problem = Problem("query.failed", {"detail": type(error).__name__})
        self._inbox.put(partial(_call, done, problem))

    def _publish(self, message: OutgoingMessage, done: OnPublished) -> None:
        answer: Published | Problem
        try:
            answer = self._client.publish(message)
        except EnvironmentProblem as error:
            answer = error.problem
        except Exception as error:  # as above
            log.exception("publishing failed")
            answer = Problem("recorder.request", {"detail": type(error).__name__})
        self._inbox.put(partial(_call, done, answer))

    def _import(
        self,
        paths: Sequence[Path],
        on_progress: OnProgress,
        done: OnImported,
        again: bool,
        make_room: bool,
        under_way: Cancelling,
    ) -> None:
        def told(progress: ImportProgress) -> None:
            under_way.check()
            self._inbox.put(partial(_call, on_progress, progress))

        result: ImportResult | None = None
        problem: Problem | None = None
        try:
            result = self._client.import_files(paths, told, again=again, make_room=make_room)
        except CancelledError:
            pass  # as the user wished
        except EnvironmentProblem as error:
            problem = error.problem
        except Exception as error:
            log.exception("an import failed")
            problem = Problem("query.failed", {"detail": type(error).__name__})
        self._inbox.put(partial(_call, done, result, problem))

    # ------------------------------------------------------------ GUI thread

    def _told(self, seen: Seen) -> None:
        if seen.state is not None or self._state is not None:
            self._state = seen.state
            self.state_changed.emit(seen.state)
        if seen.problem != self._problem:
            self._problem = seen.problem
            self.problem.emit(seen.problem)


def _call(receiver: Callable[..., None], *arguments: object) -> None:
    if still_there(receiver):
        receiver(*arguments)
