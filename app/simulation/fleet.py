"""What a simulated fleet says. Repeatable by seed; knows nothing of sockets."""

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np

from mqtt.bulk_publisher import Outgoing

INTERVAL_S = 30
ILLNESS = 0.01
_WORK = {  # what they are called, what tasks they take, what they say when one is done
    "crawler": ("fetch", "page fetched"), "planner": ("plan", "plan revised"), "summariser": ("summarise", "summary written"),
    "indexer": ("index", "batch indexed"), "router": ("route", "route chosen"), "reviewer": ("review", "review finished"),
    "trader": ("quote", "quote compared"), "scout": ("search", "source found"),
}  # fmt: skip
_LOGS = (
    ("info", ""), ("info", "queue drained"), ("debug", "cache hit"), ("info", "model answered"),
    ("warn", "retrying after a slow answer"), ("error", "upstream closed the connection"),
)  # fmt: skip
_TALK = (
    ("ready for the next batch?", "yes"), ("how many pages are left?", "four hundred and twelve"),
    ("is source 17 fresh enough to cite?", "it is two days old, yes"), ("who reviews the summary?", "I do"),
    ("did the index take the last batch?", "all of it"), ("which route is shortest now?", "through the second gateway"),
)  # fmt: skip


@dataclass(slots=True)
class _Task:
    id: str
    type: str


class SimulatedFleet:
    """`agents` agents; some are ill, by a chance of `illness`: slow, failing, degraded. One thread.

    `slowness` (factor of the response times), `failing` (share of what fails), `strain` (what each message adds to the
    processor's use), `queued` and `absent` hold a value for each agent, and may be changed between two calls.
    """

    def __init__(self, agents: int, seed: int, prefix: str = "agents", *, illness: float = ILLNESS) -> None:
        self.sent: Counter[str] = Counter()
        self._random = np.random.default_rng(seed)
        self._prefix = prefix
        boot = f"sim-{seed:x}-{self._random.integers(1 << 32):08x}"
        self._roles = [list(_WORK)[i % len(_WORK)] for i in range(agents)]
        self.ids = [f"{role}-{i // len(_WORK) + 1}" for i, role in enumerate(self._roles)]
        self._places = {id_: i for i, id_ in enumerate(self.ids)}
        # lists, not arrays: one number at a time is read of them, and a load must leave the processor to what it loads
        self._ill: list[bool] = (self._random.random(agents) < illness).tolist()
        self.slowness = [6.0 if ill else 1.0 for ill in self._ill]
        self.failing = [0.4 if ill else 0.01 for ill in self._ill]
        self.strain = [0.05 if ill else 0.0 for ill in self._ill]
        self.queued = [i % 9 for i in range(agents)]
        self.absent = [False] * agents
        self._cpu: list[float] = self._random.uniform(0.05, 0.6, agents).tolist()
        self._memory: list[float] = self._random.uniform(8e7, 9e8, agents).tolist()
        self._requests = [0] * agents
        self._attempts = [(0, 0, 0)] * agents  # attempts, successes, errors
        self._state = ["degraded" if ill else "online" for ill in self._ill]
        self._boot = [boot] * agents
        self._seq: list[Counter[str]] = [Counter() for _ in range(agents)]  # by topic
        self._open_task: list[_Task | None] = [None] * agents
        self._name = boot  # of this fleet, for ids
        self._tasks_made = 0
        self._asked: tuple[int, int, str, str] | None = None
        self._step = 0

    @property
    def ill(self) -> list[str]:
        """Ids of those that are slow, failing and degraded."""
        return [id_ for id_, ill in zip(self.ids, self._ill, strict=True) if ill]

    def sender(self, message: Outgoing) -> int:
        """The place in `ids` of whoever says this."""
        levels = message.topic.decode().split("/")
        return self._places[levels[-1] if levels[-2] == "inbox" else levels[-2]]

    # ------------------------------------------------------------ what the fleet says by itself

    def statuses(self, now_s: float, state: str = "") -> list[Outgoing]:
        """The retained status of every agent that is there; `state` overrides each agent's own, e.g. `stopped`."""
        return [self.status(i, now_s, state) for i in range(len(self.ids)) if not self.absent[i]]

    def next(self, count: int, now_s: float) -> list[Outgoing]:
        """The next `count` messages, round-robin over the agents: in a hundred about five logs, three tasks, two of a
        conversation; the rest are metrics. Whoever is absent says nothing."""
        n = len(self.ids)
        walks = self._random.normal(0, 0.02, count).tolist()
        durations = self._random.lognormal(-2.3, 0.5, count).tolist()
        chances = self._random.random(count).tolist()
        kinds = self._random.integers(0, 100, count).tolist()
        out = []
        for turn, kind, walk, duration_s, chance in zip(
            range(self._step, self._step + count), kinds, walks, durations, chances, strict=True
        ):
            i = turn % n
            if self.absent[i]:
                continue
            if kind < 5:
                out.append(self._some_log(i, now_s, chance))
            elif kind < 8:
                out.append(self._some_task(i, now_s, chance))
            elif kind < 10:
                out.append(self._talk(i, now_s, turn))
            else:
                out.append(self._metrics(i, now_s, walk, duration_s * self.slowness[i], chance))
        self._step += count
        return out

    # ------------------------------------------------------------ what it is told to say

    def status(self, i: int, now_s: float, state: str = "") -> Outgoing:
        """The retained status of one agent."""
        id_ = self.ids[i]
        return self._message("status", i, f"{id_}/status", now_s, self._card(i, state), retain=True)

    def will(self, i: int) -> Outgoing:
        """What the broker is to say of an agent that is gone without a goodbye."""
        payload = json.dumps(self._card(i, "offline"), separators=(",", ":"))
        return Outgoing(f"{self._prefix}/{self.ids[i]}/status".encode(), payload.encode(), retain=True)

    def turn(self, i: int, now_s: float, state: str) -> Outgoing:
        """An agent's state from now on, and its status."""
        self._state[i] = state
        return self.status(i, now_s)

    def start_anew(self, i: int) -> None:
        """An agent's process begins again: another boot, numbers from 0, little memory."""
        self._boot[i] = f"{self._name}-{self._random.integers(1 << 32):08x}"
        self._seq[i].clear()
        self._cpu[i], self._memory[i] = 0.2, 9e7
        self._requests[i], self._attempts[i] = 0, (0, 0, 0)

    def give_up(self, i: int, now_s: float, error: str) -> list[Outgoing]:
        """The task that an agent has of the fleet's own fails, if it has one."""
        task, self._open_task[i] = self._open_task[i], None
        if task is None:
            return []
        return [self.task(i, now_s, task=task.id, type=task.type, state="failed", attempt=1, error=error)]

    def log(self, i: int, now_s: float, level: str, text: str, **more: object) -> Outgoing:
        """One record; `more` are its other keys."""
        return self._message("log", i, f"{self.ids[i]}/log", now_s, {"level": level, "message": text, **more})

    def task(self, i: int, now_s: float, **report: object) -> Outgoing:
        """A report on a task."""
        return self._message("task", i, f"{self.ids[i]}/task", now_s, report)

    def connection(self, i: int, now_s: float, **attempt: object) -> Outgoing:
        """One attempt to connect to something."""
        return self._message("connection", i, f"{self.ids[i]}/connection", now_s, attempt)

    def say(self, i: int, to: int, now_s: float, **body: object) -> Outgoing:
        """A message to another agent."""
        return self._message("message", i, f"{self.ids[to]}/inbox/{self.ids[i]}", now_s, body)

    # ------------------------------------------------------------ inside

    def _card(self, i: int, state: str = "") -> dict[str, object]:
        """What an agent says of itself."""
        id_ = self.ids[i]
        return {
            "state": state or self._state[i], "name": id_.replace("-", " ").title(), "group": self._roles[i],
            "interval_s": INTERVAL_S, "capabilities": [self._task_type(i)], "version": "1.4.2",
            "host": f"node-{i % 7 + 1}",
        }  # fmt: skip

    def _metrics(self, i: int, now_s: float, walk: float, duration_s: float, chance: float) -> Outgoing:
        self._cpu[i] = min(1.0, max(0.01, self._cpu[i] + walk + self.strain[i]))
        self._memory[i] = min(4e9, max(3e7, self._memory[i] * (1 + walk / 10 + self.strain[i] / 3)))
        self._requests[i] += 1
        if chance < 0.2:
            failed = chance < self.failing[i] / 5
            attempts, successes, errors = self._attempts[i]
            self._attempts[i] = (attempts + 1, successes + (not failed), errors + failed)
        attempts, successes, errors = self._attempts[i]
        topic = f"{self.ids[i]}/metrics"
        payload = (
            f'{{"ts":{now_s:.6f},"boot":"{self._boot[i]}","seq":{self._next_seq(i, topic)},"metrics":'
            f'{{"process.cpu.utilization":{self._cpu[i]:.4f},'
            f'"process.memory.usage":{self._memory[i]:.0f},"agent.request.duration":{duration_s:.5f},'
            f'"agent.connection.attempts":{attempts},"agent.connection.successes":{successes},'
            f'"agent.connection.errors":{errors},"agent.queue.length":{self.queued[i]},'
            f'"agent.requests":{self._requests[i]}}}}}'
        )
        self.sent["metrics"] += 1
        return Outgoing(f"{self._prefix}/{topic}".encode(), payload.encode())

    def _task_type(self, i: int) -> str:
        return _WORK[self._roles[i]][0]

    def _some_log(self, i: int, now_s: float, chance: float) -> Outgoing:
        level, text = _LOGS[min(5, int(chance * (8 if self.failing[i] > 0.1 else 5.1)))]
        text = text or _WORK[self._roles[i]][1]
        return self.log(i, now_s, level, text, logger="agent.work", attempt=int(chance * 4))

    def _some_task(self, i: int, now_s: float, chance: float) -> Outgoing:
        task = self._open_task[i]
        if task is None:
            self._tasks_made += 1
            task = self._open_task[i] = _Task(f"{self._name}-{self._tasks_made}", self._task_type(i))
            body: dict[str, object] = {"task": task.id, "type": task.type, "state": "working", "attempt": 1}
        else:
            self._open_task[i] = None
            failed = chance < self.failing[i]
            body = {"task": task.id, "type": task.type, "state": "failed" if failed else "completed", "attempt": 1}
            body |= {"error": "no answer from upstream"} if failed else {"result": "done"}
        return self.task(i, now_s, **body)

    def _talk(self, i: int, now_s: float, turn: int) -> Outgoing:
        """A question, or the answer to the last one, unless who was asked is gone."""
        asked, self._asked = self._asked, None
        if asked is not None and not self.absent[asked[0]] and not self.absent[asked[1]]:
            asker, other, id_, answer = asked
            return self.say(other, asker, now_s, id=f"{id_}-r", reply_to=id_, type="answer", body={"answer": answer})
        other, (question, answer) = (i + 1) % len(self.ids), _TALK[turn % len(_TALK)]
        self._asked = (i, other, f"{self._name}-{turn}", answer)
        return self.say(i, other, now_s, id=self._asked[2], type="ask", body={"question": question})

    def _message(
        self, kind: str, i: int, topic: str, now_s: float, body: dict[str, object], *, retain: bool = False
    ) -> Outgoing:
        full = {"ts": round(now_s, 6), "boot": self._boot[i], "seq": self._next_seq(i, topic), **body}
        self.sent[kind] += 1
        text = json.dumps(full, separators=(",", ":"), ensure_ascii=False)
        return Outgoing(f"{self._prefix}/{topic}".encode(), text.encode(), retain)

    def _next_seq(self, i: int, topic: str) -> int:
        seq = self._seq[i][topic]
        self._seq[i][topic] = seq + 1
        return seq
