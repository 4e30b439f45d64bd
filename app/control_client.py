"""The other end of the control channel, for the commands and (on a thread of its own) the window. Blocks; knows no Qt."""

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from app.control_wire import (
    LINE_LIMIT_BYTES,
    decode_line,
    encode_line,
    import_result_from,
    peer_is_ours,
    problem_from,
    progress_from,
    published_from,
    reread_progress_from,
    reread_result_from,
    state_from,
)
from models.domain.connection import Connection, Secret
from models.domain.control import PROTOCOL_VERSION, RecorderState, StepState, TestStep, Verb
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.publishing import OutgoingMessage, Published
from models.domain.recorded import ImportResult, OnProgress, RereadProgress, RereadResult
from models.domain.tasks.orders import TaskOrder
from models.storage.workspace import Workspace

ANSWER_LIMIT_S = 15.0
TEST_LIMIT_S = 60.0
PUBLISH_LIMIT_S = 20.0
IMPORT_LIMIT_S = 60.0
"""Between two lines: the last step writes all names at once, on a slow disk."""

OnStep = Callable[[TestStep, StepState, Problem | None], None]


class ControlClient:
    """Connects when first asked, and again after a failure. Several threads may use one client; they take turns.

    Keep one that said hello as "window" open as long as the window lives: a recorder that was started for it ends without.
    Every method raises `EnvironmentProblem`: "recorder.absent" (nobody listens), "recorder.silent" (no answer in time),
    "recorder.died" (hung up), "recorder.version", or what the recorder answers.
    """

    def __init__(self, workspace: Workspace, answer_limit_s: float = ANSWER_LIMIT_S) -> None:
        self._workspace = workspace
        self._answer_limit_s = answer_limit_s
        self._lock = threading.Lock()
        self._line: _Line | None = None
        self._pid = 0

    def hello(self, role: str) -> RecorderState:
        """State of the recorder; asked again, the heartbeat. `role` is "window" or "cli"."""
        answer = self._ask(Verb.HELLO, protocol=PROTOCOL_VERSION, role=role)
        state = state_from(answer.get("state"))
        self._pid = state.pid
        return state

    def submit(self, commands: list[dict[str, object]]) -> None:
        """Carry out commands (`models.domain.control.Command`); returns when they are stored."""
        self._ask(Verb.SUBMIT, commands=commands)

    def submit_tasks(self, orders: Sequence[TaskOrder]) -> list[str]:
        """Give tasks, all or none; returns their ids when they are stored. Raises also task.order."""
        return self._task(do="submit", orders=[asdict(one) for one in orders])

    def cancel_task(self, task: str) -> None:
        """Raises also task.unknown, task.ended."""
        self._task(do="cancel", task=task)

    def retry_task(self, task: str) -> None:
        """Try it once more. Raises also task.unknown, task.runs."""
        self._task(do="retry", task=task)

    def answer_task(self, task: str, text: str) -> None:
        """What its agent asked for, as JSON text. Raises also task.unknown, task.ended, task.no-question."""
        self._task(do="answer", task=task, input=text)

    def limit_agent(self, agent: str, most: int) -> None:
        """So many tasks may it have from us at a time."""
        self._task(do="limit", agent=agent, most=most)

    def command_agent(self, agent: str, command: str, arguments: str = "null", confirmed: str = "") -> str:
        """Tell an agent to do something, such as ping; answers the command's id. `arguments`: JSON; `confirmed`: the agent's
        name once more, for what is not harmless. Raises also command.unconfirmed, publish.not-connected."""
        told = self._task(do="command", agent=agent, command=command, arguments=arguments, confirmed=confirmed)
        return told[0] if told else ""

    def _task(self, **request: object) -> list[str]:
        told = self._ask(Verb.TASK, **request).get("tasks")
        return [str(one) for one in told] if isinstance(told, list) else []

    def secret(self, text: str) -> None:
        """The password for this session; it is never stored."""
        self._ask(Verb.SECRET, password=text)

    def wake(self, *, anew: bool = False) -> None:
        """Settings changed (they are read again, with what they say of retention), or: try to connect now. `anew`: the
        broker shall first throw away the session with all it queued for us; that shows as a gap."""
        self._ask(Verb.WAKE, anew=anew)

    def stop(self) -> None:
        """Ask the recorder to end. It answers first, then ends within 5 s."""
        self._ask(Verb.STOP)

    def test_connection(self, connection: Connection, password: Secret | None, on_step: OnStep) -> None:
        """Try a connection, telling each step as it begins and ends. Returns when the test is over, passed or failed. Uses
        a line of its own, so that other threads need not wait."""
        secret = {} if password is None else {"password": password.value}
        with _Line(self._workspace.socket, TEST_LIMIT_S, self._silent, self._absent) as line:
            line.send({"id": 1, "verb": Verb.TEST_CONNECTION, "connection": connection, **secret})
            while "ok" not in (answer := line.receive()):
                problem = problem_from(answer["problem"]) if "problem" in answer else None
                on_step(TestStep(answer["step"]), StepState(answer["state"]), problem)
            _check(answer)

    def publish(self, message: OutgoingMessage) -> Published:
        """Have the recorder publish; returns when the broker has acknowledged. Uses a line of its own, as above. Raises
        also publish.* and broker.lost."""
        with _Line(self._workspace.socket, PUBLISH_LIMIT_S, self._silent, self._absent) as line:
            line.send({"id": 1, "verb": Verb.PUBLISH, "message": message})
            return published_from(_check(line.receive()).get("published"))

    def import_files(
        self, paths: Sequence[Path], on_progress: OnProgress, *, again: bool = False, make_room: bool = False
    ) -> ImportResult:
        """Import recorded traffic: all of the files as one capture, or nothing. `on_progress` is told several times a
        second; what it raises cancels: the recorder takes back what was stored so far. Uses a line of its own. `again`: also
        files that were imported before; `make_room`: older imports may go for it.

        Raises also `EnvironmentProblem` import.*, file.unusable, store.*.
        """
        request = {"files": [str(path.absolute()) for path in paths], "again": again, "make_room": make_room}
        told = self._follow(Verb.IMPORT, request, lambda line: on_progress(progress_from(line)), "import.broken-off")
        return import_result_from(told)

    def reread(
        self, since_us: int, until_us: int, on_progress: Callable[[RereadProgress], None]
    ) -> RereadResult:  # fmt: skip
        """Have history read again, files with arrivals in [since, until) (0: open end): all of it or nothing. `on_progress` as
        in `import_files`. Raises also `EnvironmentProblem` import.busy, reread.*, store.*"""
        request = {"since_us": since_us, "until_us": until_us}
        told = self._follow(
            Verb.REREAD, request, lambda line: on_progress(reread_progress_from(line)), "reread.broken-off"
        )
        return reread_result_from(told)

    def close(self) -> None:
        """Hang up. A later request connects again."""
        with self._lock:
            self._hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(
        self, verb: Verb, request: dict[str, Any], on_line: Callable[[dict[str, Any]], None], broken_off: str
    ) -> object:
        """Something long to its end, on a line of its own. `broken_off`: code of the problem where the recorder ends meanwhile."""
        with _Line(self._workspace.socket, IMPORT_LIMIT_S, self._silent, self._absent) as line:
            line.send({"id": 1, "verb": verb, **request})
            try:
                while "ok" not in (answer := line.receive()):
                    on_line(answer)
                return _check(answer).get("result")
            except EnvironmentProblem as error:
                if error.problem.code != "recorder.died":
                    raise
                raise trouble(broken_off, **error.problem.params) from error

    def _ask(self, verb: Verb, **fields: object) -> dict[str, Any]:
        with self._lock:
            if self._line is None:
                self._line = _Line(self._workspace.socket, self._answer_limit_s, self._silent, self._absent)
            try:
                self._line.send({"id": 1, "verb": verb, **fields})
                answer = self._line.receive()
            except EnvironmentProblem:
                self._hang_up()
                raise
        return _check(answer)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _silent(self, limit_s: float) -> EnvironmentProblem:
        return trouble("recorder.silent", pid=self._pid or "?", seconds=round(limit_s))

    def _absent(self) -> EnvironmentProblem:
        return trouble("recorder.absent", path=str(self._workspace.root))


class _Line:
    """One connection: lines out, lines in."""

    def __init__(
        self,
        path: Path,
        limit_s: float,
        silent: Callable[[float], EnvironmentProblem],
        absent: Callable[[], EnvironmentProblem],
    ) -> None:
        self._limit_s = limit_s
        self._silent = silent
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(limit_s)
        try:
            self._socket.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            self._socket.close()
            raise absent() from error
        except TimeoutError as error:
            self._socket.close()
            raise silent(limit_s) from error
        except OSError as error:
            self._socket.close()
            raise trouble("recorder.died", detail=error.strerror or str(error)) from error
        if not peer_is_ours(self._socket):  # passwords go this way
            self._socket.close()
            raise absent()
        self._stream = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, message: dict[str, Any]) -> None:
        try:
            self._socket.sendall(encode_line(message))
        except TimeoutError as error:
            raise self._silent(self._limit_s) from error
        except OSError as error:
            raise trouble("recorder.died", detail=error.strerror or str(error)) from error

    def receive(self) -> dict[str, Any]:
        try:
            line = self._stream.readline(LINE_LIMIT_BYTES)
        except TimeoutError as error:
            raise self._silent(self._limit_s) from error
        except OSError as error:
            raise trouble("recorder.died", detail=error.strerror or str(error)) from error
        if not line.endswith(b"\n"):
            raise trouble("recorder.died", detail="it hung up")
        return decode_line(line)

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


def _check(answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("ok") is not True:
        raise EnvironmentProblem(problem_from(answer.get("problem")))
    return answer
