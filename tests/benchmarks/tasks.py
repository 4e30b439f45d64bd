"""10,000 tasks over 50 agents, with failures, agents that die and a recorder that is killed: is anything lost or done twice?

    python -m tests.benchmarks.tasks [--tasks N] [--agents N] [--kill-recorder N] [--kill-agents N] [--failures PERCENT] [--latency]

What the agents note in files of their own is joined with the dataset `tasks`. Prints one JSON object; sustained is
what ended between the first and the last tenth: those wait for agents, and for tries after a while.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

from app.control_client import ControlClient
from models.domain.control import Link
from models.domain.problems import EnvironmentProblem
from models.domain.records import TaskState
from models.domain.tasks.orders import TaskOrder, new_task_id
from models.domain.tasks.work import Reason
from models.storage.tasks.reading import TaskReading
from models.storage.workspace import Workspace
from tests.helpers.mosquitto import Mosquitto
from tests.helpers.needs import bound_to_parent
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY, RecorderProcess, command, environment

AT_ONCE = 500
LIMIT_S = 900
_OPEN = (TaskState.SUBMITTED, TaskState.WORKING, TaskState.UNKNOWN, TaskState.INPUT_REQUIRED)


class Agents:
    """The processes, and what they noted."""

    def __init__(self, folder: Path, url: str, count: int, failures: float) -> None:
        self._folder, self._url, self._failures = folder, url, failures
        folder.mkdir()
        self.processes = {f"worker-{number:02}": self._start(f"worker-{number:02}") for number in range(count)}

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        arguments = [self._url, name, str(self._folder / name), str(self._failures)]
        return subprocess.Popen(
            bound_to_parent([sys.executable, "-m", "tests.benchmarks.task_worker", *arguments]),
            cwd=REPOSITORY, env=environment(self._folder / "x"), stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self, name: str) -> None:
        self.processes.pop(name).kill()

    def stop(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(30)

    def notes(self) -> list[tuple[str, str, str, int, float]]:
        """(agent, word, task, attempt, time)"""
        found = []
        for file in self._folder.glob("worker-*"):
            for line in file.read_text().splitlines():
                word, task, attempt, at = line.split()
                found.append((file.name, word, task, int(attempt), float(at)))
        return found


def give(workspace: Workspace, orders: list[TaskOrder]) -> None:
    """However often the recorder dies meanwhile: given twice with the same id, it is one task."""
    while True:
        try:
            with ControlClient(workspace) as client:
                client.submit_tasks(orders)
                return
        except EnvironmentProblem as error:
            if not error.problem.code.startswith(("recorder.", "task.silent")):
                raise
            time.sleep(0.1)


def all_ended(workspace: Workspace, tasks: int) -> bool:
    with TaskReading(workspace) as reading:
        return len(reading.ids()) >= tasks and not reading.newest(1, states=_OPEN)


def ready(workspace: Workspace, agents: int) -> None:
    """Until all agents are known to be there."""
    with ControlClient(workspace) as client:
        until(lambda: client.hello("cli").link is Link.CONNECTED, "it is connected", 60)
    names = f"murmurscope export agents with {agents} online"

    def online() -> bool:
        lines = command(workspace.root, "export", "agents", "--format", "jsonl").stdout.splitlines()
        return sum(json.loads(line)["presence"] == "online" for line in lines) >= agents

    until(online, names, 180, 1.0)


def kill_again_and_again(
    recorder: RecorderProcess,
    agents: Agents,
    args: argparse.Namespace,
    over: threading.Event,
    killed: threading.Semaphore,
) -> None:
    chance = random.Random(7)
    doomed = chance.sample(sorted(agents.processes), args.kill_agents)
    for number in range(args.kill_recorder):
        if over.wait(chance.uniform(0.5, 2.5)):
            return
        recorder.kill()
        if number < len(doomed):
            agents.kill(doomed[number])
        recorder.start()
        killed.release()
    over.wait()  # the recorder does not outlive the thread that started it


def run(args: argparse.Namespace, folder: Path) -> dict[str, object]:
    with Mosquitto(folder / "broker") as broker, RecorderProcess(folder / "ws", broker.url) as recorder:
        workspace = Workspace.at(folder / "ws")
        recorder.start()
        agents = Agents(folder / "agents", broker.url, args.agents, args.failures)
        try:
            ready(workspace, args.agents)
            result = latency(workspace, agents) if args.latency else stress(workspace, recorder, agents, args)
        finally:
            agents.stop()
        recorder.stop()
        result |= joined(workspace, agents)
    return result


def latency(workspace: Workspace, agents: Agents) -> dict[str, object]:
    """From asking for a task to the first line of its handler, one at a time at about 100 a second."""
    asked: dict[str, float] = {}
    with ControlClient(workspace) as client:
        for _ in range(1_000):
            order = TaskOrder(new_task_id(), "work", attempts=5)
            asked[order.id] = time.time()
            client.submit_tasks([order])
            time.sleep(0.005)
    until(lambda: all_ended(workspace, len(asked)), "all ended", LIMIT_S, 0.5)
    first: dict[str, float] = {}
    for _, word, task, _, at in agents.notes():
        if word == "start":
            first[task] = min(at, first.get(task, at))
    found = sorted(first[task] - at for task, at in asked.items())
    return {"dispatch_ms": {name: round(found[int(len(found) * share)] * 1e3, 1) for name, share in (("p50", 0.5), ("p99", 0.99))}, "dispatch_max_ms": round(found[-1] * 1e3, 1), "mean_ms": round(statistics.mean(found) * 1e3, 1)}  # fmt: skip


def stress(
    workspace: Workspace, recorder: RecorderProcess, agents: Agents, args: argparse.Namespace
) -> dict[str, object]:  # fmt: skip
    over, killed = threading.Event(), threading.Semaphore(0)
    killing = threading.Thread(target=kill_again_and_again, args=(recorder, agents, args, over, killed))
    orders = [
        TaskOrder(new_task_id(), "work", attempts=10, idempotent=True, backoff_us=200_000) for _ in range(args.tasks)
    ]
    began = time.monotonic()
    killing.start()
    for at in range(0, len(orders), AT_ONCE):
        give(workspace, orders[at : at + AT_ONCE])
    given_s = time.monotonic() - began
    for _ in range(args.kill_recorder):
        killed.acquire()
    until(lambda: all_ended(workspace, args.tasks), "all ended", LIMIT_S, 0.5)
    wall_s = time.monotonic() - began
    over.set()
    killing.join()
    return {"given_s": round(given_s, 1), "wall_s": round(wall_s, 1), "tasks_a_second": round(args.tasks / wall_s)}


def joined(workspace: Workspace, agents: Agents) -> dict[str, object]:
    """What the agents noted beside what the dataset says."""
    rows = [
        json.loads(line) for line in command(workspace.root, "export", "tasks", "--format", "jsonl").stdout.splitlines()
    ]
    starts: dict[str, int] = Counter()
    attempts: dict[tuple[str, str, int], int] = Counter()
    ends: dict[str, set[str]] = defaultdict(set)
    for agent, word, task, attempt, _ in agents.notes():
        if word == "start":
            starts[task] += 1
            attempts[agent, task, attempt] += 1
        else:
            ends[task].add(word)
    with TaskReading(workspace) as reading:
        again = {
            one["task"]: one["attempt"] + sum(step.reason is Reason.UNSURE for step in reading.steps(one["task"]))
            for one in rows
        }
    ids = [one["task"] for one in rows]
    ended = sorted(datetime.fromisoformat(one["ended"]).timestamp() for one in rows if one["ended"])
    tenth = len(ended) // 10
    return {
        "sustained_tasks_a_second": round(8 * tenth / (ended[-tenth] - ended[tenth])),
        "tasks": len(ids),
        "rows_twice": len(ids) - len(set(ids)),
        "states": dict(Counter(one["state"] for one in rows)),
        "started": sum(starts.values()),
        "retries_recorded": sum(again.values()) - len(ids),
        "completed_that_nobody_completed": sum(
            one["state"] == "completed" and "completed" not in ends[one["task"]] for one in rows
        ),
        "same_attempt_run_twice": sum(count > 1 for count in attempts.values()),
        "run_without_a_recorded_retry": sum(starts[task] > count for task, count in again.items()),
        "never_run": sum(not starts[one["task"]] for one in rows if one["state"] == "completed"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--kill-recorder", type=int, default=20)
    parser.add_argument("--kill-agents", type=int, default=5)
    parser.add_argument("--failures", type=float, default=10.0)
    parser.add_argument("--latency", action="store_true", help="one task at a time instead, nothing killed")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tasks-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = str(Path(folder) / "run")
        result = run(args, Path(folder))
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps({**vars(args), **result}))


if __name__ == "__main__":
    main()
