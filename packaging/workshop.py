"""Fourteen agents that really work, for the pictures of Tasks and Flow: they take tasks, ask each other, fail now and then."""

import random
import threading
import time
from pathlib import Path
from typing import Any

from app.control_client import ControlClient
from models.domain.problems import EnvironmentProblem
from models.domain.tasks.orders import Fan, Gather, TaskOrder, new_task_id
from models.storage.workspace import Workspace
from mqtt.agent import Agent, Incoming, Task

_TEAMS = {
    "planners": ("planner-1",),
    "searchers": ("searcher-1", "searcher-2", "searcher-3", "searcher-4"),
    "writers": ("writer-1", "writer-2", "writer-3"),
    "reviewers": ("reviewer-1", "reviewer-2"),
    "translators": ("translator-1", "translator-2"),
    "stores": ("archive-1", "index-1"),
}
_ASKS = {
    "searchers": (("index-1", "lookup"), ("archive-1", "fetch")),
    "writers": (("searcher-1", "sources"), ("searcher-3", "sources"), ("archive-1", "store")),
    "reviewers": (("writer-1", "revise"), ("writer-2", "revise")),
    "translators": (("writer-3", "wording"),),
    "planners": (("searcher-2", "estimate"), ("reviewer-1", "estimate")),
}
_SLOW, _FAILING = "archive-1", "writer-2"
_TYPES = {"searchers": "search", "writers": "summarise", "reviewers": "review", "translators": "translate"}
_SUBJECTS = ("harbour traffic", "solar output", "grain prices", "river levels", "night trains", "bee colonies")


class Workshop:
    """From `start` until `close` they work on one broker; `give` hands out tasks through the recorder of a workspace."""

    def __init__(self, url: str) -> None:
        self._chance = random.Random(3)
        self._over = threading.Event()
        self._agents = {
            name: Agent(url, name, group=team, workers=2) for team, names in _TEAMS.items() for name in names
        }
        self._threads = [threading.Thread(target=self._talk, args=(team,)) for team in _ASKS]

    def start(self) -> None:
        for team, names in _TEAMS.items():
            for name in names:
                agent = self._agents[name]
                agent.listen(lambda message, agent=agent: self._answer(agent, message))
                if team in _TYPES:
                    agent.task(_TYPES[team], self._work)
                agent.start()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        for agent in self._agents.values():
            agent.close()

    def give(self, folder: Path, seconds: float) -> None:
        """A task about twice a second, once the recorder there can give it; then some that stand for what can happen."""
        end_s = time.monotonic() + seconds
        with ControlClient(Workspace.at(folder)) as client:
            while time.monotonic() < end_s and not self._over.wait(self._chance.expovariate(2)):
                _submit(client, [self._order()])
            names = _TEAMS["reviewers"]
            inquiry = TaskOrder(new_task_id(), "review", _subject("vote"), names, fan=Fan.EACH, gather=Gather.ALL)
            _submit(client, [inquiry, TaskOrder(new_task_id(), "transcribe", _subject("interviews"))])
            _submit(client, [TaskOrder(new_task_id(), "translate", _subject("which language?"), attempts=2)])

    def _order(self) -> TaskOrder:
        type_ = self._chance.choices(tuple(_TYPES.values()), (5, 3, 2, 1))[0]
        return TaskOrder(
            new_task_id(), type_, _subject(self._chance.choice(_SUBJECTS)), attempts=2, backoff_us=2_000_000
        )

    def _work(self, task: Task) -> Any:
        subject = str((task.input or {}).get("subject"))
        if "?" in subject and task.ask({"question": f"Into {subject}"}) is None:
            return None
        steps = self._chance.randint(2, 8)
        for step in range(steps):
            if task.cancelled.wait(self._chance.uniform(0.1, 0.6) * (8 if subject == "vote" else 1)):
                return None
            task.progress((step + 1) / steps)
        if self._chance.random() < 0.08:
            raise TimeoutError(f"no answer about {subject} within 30 s")
        return {"subject": subject, "sources": self._chance.randint(1, 40)}

    def _answer(self, agent: Agent, message: Incoming) -> None:
        if message.reply_to:
            return
        wait_s = self._chance.uniform(1.2, 3.0) if agent.id == _SLOW else self._chance.uniform(0.01, 0.2)
        failed = agent.id == _FAILING and self._chance.random() < 0.3
        told = {"error": "out of paper"} if failed else {"done": True}
        threading.Timer(wait_s, agent.reply, (message, told)).start()

    def _talk(self, team: str) -> None:
        while not self._over.wait(self._chance.uniform(0.1, 0.4)):
            to, type_ = self._chance.choice(_ASKS[team])
            agent = self._agents[self._chance.choice(_TEAMS[team])]
            agent.say(to, {"subject": self._chance.choice(_SUBJECTS)}, type_)


def _subject(text: str) -> str:
    return f'{{"subject":"{text}"}}'


def _submit(client: ControlClient, orders: list[TaskOrder]) -> None:
    try:
        client.submit_tasks(orders)
    except EnvironmentProblem:
        time.sleep(0.5)  # the recorder is not there yet
