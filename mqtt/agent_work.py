"""What an agent is asked to do: tasks, each once, and commands to itself. The second half of the library; `example python` prints
both as one file."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mqtt.agent import Agent

_TASK_ENDS = ("completed", "failed", "canceled", "rejected")
_REMEMBERED = 10_000  # ends of tasks


class Incoming(NamedTuple):
    """A message from another agent."""

    sender: str
    id: str
    type: str
    body: Any
    reply_to: str  # the id that it answers, or empty


class Task:
    """Work that another agent asked for. What its handler returns is its result, an exception its failure; `done` and
    `fail` end it earlier. After its end nothing more is told. While it is at work, that is told every `interval_s`."""

    def __init__(self, agent: Agent, work: Work, message: Incoming) -> None:
        told = message.body
        self.id, self.type, self.requester = str(told["task"]), str(told.get("type", "")), message.sender
        self.input, self.deadline = told.get("input"), told.get("deadline")
        self.attempt = told.get("attempt") or 1  # rises when it is tried again
        self.cancelled = threading.Event()  # somebody asked to stop: look at it now and then, and return None
        self.state = ""
        self._share: float | None = None
        self._told: dict[str, Any] = {}  # with the state
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._agent, self._work, self._message, self._guard = agent, work, message, threading.RLock()
        self._card = {key: told.get(key) for key in ("type", "parent", "attempt")}

    def progress(self, share: float) -> None:
        self._share = share  # 0 to 1
        self.tell("working", progress=share)

    def ask(self, question: Any, timeout_s: float | None = None) -> Any:
        """Say that input is required, and wait for it. Raises `TimeoutError`; None where it is cancelled meanwhile."""
        answers = self._answers = queue.SimpleQueue()  # what comes late answers nothing
        if self.cancelled.is_set():
            return None
        self.tell("input-required", result=question)
        try:
            answer = answers.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError("nobody answered") from None
        self.tell("working", progress=self._share)
        return answer

    def beat(self) -> None:
        """Still at it."""
        if self.state == "working":
            self.again()

    def again(self) -> None:
        """Tell once more how it stands."""
        with self._guard:
            self.tell(self.state or "submitted", **self._told)

    def done(self, result: Any = None) -> None:
        self.tell("completed", result=result)

    def fail(self, error: str) -> None:
        self.tell("failed", error=error)

    def tell(self, state: str, **more: Any) -> bool:
        """Report a state, such as input-required; an end is also answered to who asked. False: it has ended before."""
        with self._guard:
            if self.state in _TASK_ENDS:
                return False
            self.state, self._told = state, more
            self._agent.report(self.id, state, requester=self.requester, **self._card, **more)
            if state in _TASK_ENDS:
                self._work.remember(self, known({"state": state, **more}))
                self._agent.reply(self._message, known({"task": self.id, "state": state, **more}), "result")
        return True

    def adopt(self, message: Incoming) -> None:
        """A later attempt of what is at work already: it is that from now on."""
        attempt = message.body.get("attempt") or 1
        with self._guard:
            if attempt > self.attempt and self.state not in _TASK_ENDS:
                self.attempt, self._message = attempt, message
                self._card["attempt"] = attempt
                self.again()

    def stop(self) -> None:
        """Somebody asked to: the handler sees it, and whoever waits for an answer waits no longer."""
        self.cancelled.set()
        self._answers.put(None)


class Work:
    """The tasks of one agent: `workers` at a time, in threads of their own, at most `limit` that have not ended."""

    def __init__(self, agent: Agent, workers: int, limit: int) -> None:
        self._agent: Agent = weakref.proxy(agent)  # whose sockets go with it, not when garbage is collected
        self._workers, self._limit = workers, limit
        self.tasks: dict[str, Task] = {}  # those that have not ended
        self._handlers: dict[str, Callable[[Task], Any]] = {}
        self._commands: dict[str, Callable[[Any], Any]] = {}
        self._ended: dict[tuple[str, int], dict[str, Any]] = {}  # asked for again, they are not done again
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._running, self._drained = threading.Event(), False
        self._running.set()

    @property
    def takes_tasks(self) -> bool:
        return bool(self._handlers)

    @property
    def obeys(self) -> bool:
        return bool(self._handlers or self._commands)

    def handle(self, type: str, handler: Callable[[Task], Any]) -> None:
        """Call `handler` for tasks of this type from now on."""
        if not self._handlers:
            for number in range(self._workers):
                threading.Thread(target=self._run, name=f"tasks-{self._agent.id}-{number}", daemon=True).start()
        self._handlers[type] = handler

    def handle_command(self, name: str, handler: Callable[[Any], Any]) -> None:
        """Call `handler` for this command from now on."""
        self._commands[name] = handler

    def beat(self) -> None:
        """Say of all that are at work that they are."""
        for task in list(self.tasks.values()):
            task.beat()

    def fail_all(self, error: str) -> None:
        """Nothing more is done."""
        for task in list(self.tasks.values()):
            task.stop()
            task.fail(error)

    def end(self) -> None:
        """Let go of the threads."""
        self._running.set()
        for _ in range(self._workers):
            self._waiting.put(None)

    def _run(self) -> None:
        for task in iter(self._waiting.get, None):
            self._running.wait()
            self._agent.wait_for_room()  # or their reports would find none
            if not task.tell("working"):
                continue  # cancelled while it waited
            try:
                result = self._handlers[task.type](task)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - it must not end the thread of all tasks
                self._agent.log("error", f"task {task.id} failed", task=task.id, error=error)
                task.fail(described(error))
            else:
                stopped = result is None and task.cancelled.is_set()
                task.tell("canceled") if stopped else task.done(result)

    def take(self, message: Incoming) -> None:
        """A task arrived, the wish to cancel one, an answer to what one asks, or the question how one stands."""
        name = str(message.body["task"])
        task = self.tasks.get(name)
        if message.type == "inquiry":
            self._say_how(task or Task(self._agent, self, message), message)
        elif message.type != "task":
            if task is None:
                told = f"{message.type} for a task that is not open here"
                self._agent.log("warn", told, task=name, requester=message.sender)
            elif message.type == "cancel":
                with task._guard:  # the worker may be about to begin
                    task.stop()
                    if task.state == "submitted":
                        task.tell("canceled")
            elif task.state == "input-required":
                task._answers.put(message.body.get("input"))
        elif task is not None:  # it came twice, or another attempt while this one is at work
            task.adopt(message)
        else:
            task = Task(self._agent, self, message)
            ended = self._ended.get((name, task.attempt))
            if ended is not None:
                task.tell(**ended)
            elif task.type not in self._handlers:
                task.tell("rejected", error=f"no handler for tasks of type {task.type!r}")
            elif self._drained or len(self.tasks) >= self._limit:
                task.tell("rejected", error="it takes no more" if self._drained else "too many tasks wait")
            else:
                self.tasks[name] = task
                task.tell("submitted")
                self._waiting.put(task)

    def _say_how(self, task: Task, message: Incoming) -> None:
        ended = self._ended.get((task.id, task.attempt))
        if task.id in self.tasks:
            task.again()
        elif ended is not None:
            task.tell(**ended)
        else:
            self._agent.reply(message, {"task": task.id, "state": "unknown"}, "result")

    def remember(self, task: Task, end: dict[str, Any]) -> None:
        self._ended[task.id, task.attempt] = end  # first: another thread looks into both
        self.tasks.pop(task.id, None)
        if len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]  # the oldest

    def obey(self, message: Incoming) -> None:
        name, arguments = str(message.body["command"]), message.body.get("arguments")
        told: dict[str, Any] = {"state": "completed"}
        if name in self._commands:
            try:
                told["result"] = self._commands[name](arguments)
            except Exception as error:  # noqa: BLE001 - it is told to who asked
                told = {"state": "failed", "error": described(error)}
        elif name in ("pause", "resume"):
            self._running.clear() if name == "pause" else self._running.set()
        elif name == "drain":
            self._drained = True
        elif name != "ping":
            told = {"state": "rejected", "error": f"no handler for the command {name!r}"}
        self._agent.reply(message, known(told), "result")


def known(told: dict[str, Any]) -> dict[str, Any]:
    """Without what is None."""
    return {key: value for key, value in told.items() if value is not None}


def described(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error}"
