"""What a simulated fleet says. Repeatable by seed; knows nothing of sockets."""

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np

from mqtt.bulk_publisher import Outgoing

INTERVAL_S = 30
_WORK = ("crawler", "planner", "summariser", "indexer", "router", "reviewer", "trader", "scout")
_TASKS = ("fetch", "summarise", "classify", "plan", "review")
_LOGS = (
    ("info", "page fetched"), ("info", "queue drained"), ("debug", "cache hit"), ("info", "model answered"),
    ("warn", "retrying after a slow answer"), ("error", "upstream closed the connection"),
)  # fmt: skip


@dataclass(slots=True)
class _Task:
    id: str
    type: str


class SimulatedFleet:
    """`agents` agents; about one in a hundred is ill: slow, failing, degraded. One thread."""

    def __init__(self, agents: int, seed: int, prefix: str = "agents") -> None:
        self.sent: Counter[str] = Counter()
        self._random = np.random.default_rng(seed)
        self._prefix = prefix
        self._boot = f"sim-{seed:x}-{self._random.integers(1 << 32):08x}"
        self.ids = [f"{_WORK[i % len(_WORK)]}-{i // len(_WORK) + 1}" for i in range(agents)]
        self._ill = self._random.random(agents) < 0.01
        self._cpu = self._random.uniform(0.05, 0.6, agents)
        self._memory = self._random.uniform(8e7, 9e8, agents)
        self._requests = np.zeros(agents, np.int64)
        self._attempts = np.zeros((agents, 3), np.int64)  # attempts, successes, errors
        self._seq: Counter[str] = Counter()
        self._open_task: list[_Task | None] = [None] * agents
        self._tasks_made = 0
        self._asked: tuple[int, int, str] | None = None
        self._step = 0

    @property
    def ill(self) -> list[str]:
        """Ids of those that are slow, failing and degraded."""
        return [id_ for id_, ill in zip(self.ids, self._ill, strict=True) if ill]

    def statuses(self, now_s: float, state: str = "") -> list[Outgoing]:
        """The retained status of every agent; `state` overrides each agent's own, e.g. `stopped`."""
        out = []
        for i, id_ in enumerate(self.ids):
            body = {
                "state": state or ("degraded" if self._ill[i] else "online"), "name": id_.replace("-", " ").title(),
                "group": id_.split("-")[0], "interval_s": INTERVAL_S, "capabilities": [_TASKS[i % len(_TASKS)]],
                "version": "1.4.2", "host": f"node-{i % 7 + 1}",
            }  # fmt: skip
            out.append(self._message("status", f"{self._prefix}/{id_}/status", now_s, body, retain=True))
        return out

    def next(self, count: int, now_s: float) -> list[Outgoing]:
        """The next `count` messages, round-robin over the agents: in a hundred about five logs, three tasks, two of a
        conversation; the rest are metrics."""
        n = len(self.ids)
        turns = self._step + np.arange(count)
        who = turns % n
        walk = self._random.normal(0, 0.02, count)
        durations = self._random.lognormal(-2.3, 0.5, count) * np.where(self._ill[who], 6, 1)
        chance = self._random.random(count)
        kinds = self._random.integers(0, 100, count).tolist()
        out = []
        for k, i in enumerate(who.tolist()):
            kind = kinds[k]
            if kind < 5:
                out.append(self._log(i, now_s, float(chance[k])))
            elif kind < 8:
                out.append(self._task(i, now_s, float(chance[k])))
            elif kind < 10:
                out.append(self._talk(i, now_s, int(turns[k])))
            else:
                out.append(self._metrics(i, now_s, float(walk[k]), float(durations[k]), float(chance[k])))
        self._step += count
        return out

    def _metrics(self, i: int, now_s: float, walk: float, duration_s: float, chance: float) -> Outgoing:
        self._cpu[i] = min(1.0, max(0.01, self._cpu[i] + walk + (0.05 if self._ill[i] else 0)))
        self._memory[i] = min(4e9, max(3e7, self._memory[i] * (1 + walk / 10)))
        self._requests[i] += 1
        if chance < 0.2:
            failed = chance < (0.1 if self._ill[i] else 0.002)
            self._attempts[i] += (1, not failed, failed)
        attempts, successes, errors = self._attempts[i].tolist()
        topic = f"{self._prefix}/{self.ids[i]}/metrics"
        seq = self._next_seq(topic)
        payload = (
            f'{{"ts":{now_s:.6f},"boot":"{self._boot}","seq":{seq},"metrics":{{"process.cpu.utilization":{self._cpu[i]:.4f},'
            f'"process.memory.usage":{self._memory[i]:.0f},"agent.request.duration":{duration_s:.5f},'
            f'"agent.connection.attempts":{attempts},"agent.connection.successes":{successes},'
            f'"agent.connection.errors":{errors},"agent.queue.length":{i % 9},"agent.requests":{self._requests[i]}}}}}'
        )
        self.sent["metrics"] += 1
        return Outgoing(topic.encode(), payload.encode())

    def _log(self, i: int, now_s: float, chance: float) -> Outgoing:
        level, text = _LOGS[min(5, int(chance * (8 if self._ill[i] else 5.1)))]
        body = {"level": level, "message": text, "logger": "agent.work", "attempt": int(chance * 4)}
        return self._message("log", f"{self._prefix}/{self.ids[i]}/log", now_s, body)

    def _task(self, i: int, now_s: float, chance: float) -> Outgoing:
        task = self._open_task[i]
        if task is None:
            self._tasks_made += 1
            task = self._open_task[i] = _Task(f"{self._boot}-{self._tasks_made}", _TASKS[i % len(_TASKS)])
            body: dict[str, object] = {"task": task.id, "type": task.type, "state": "working", "attempt": 1}
        else:
            self._open_task[i] = None
            failed = chance < (0.4 if self._ill[i] else 0.01)
            body = {"task": task.id, "type": task.type, "state": "failed" if failed else "completed", "attempt": 1}
            body |= {"error": "no answer from upstream"} if failed else {"result": "done"}
        return self._message("task", f"{self._prefix}/{self.ids[i]}/task", now_s, body)

    def _talk(self, i: int, now_s: float, turn: int) -> Outgoing:
        if self._asked is None:
            other = (i + 1) % len(self.ids)
            self._asked = (i, other, f"{self._boot}-{turn}")
            body: dict[str, object] = {"id": self._asked[2], "type": "ask", "body": {"question": "ready?"}}
            topic = f"{self._prefix}/{self.ids[other]}/inbox/{self.ids[i]}"
        else:
            asker, other, id_ = self._asked
            self._asked = None
            body = {"id": f"{id_}-r", "reply_to": id_, "type": "answer", "body": {"answer": "yes"}}
            topic = f"{self._prefix}/{self.ids[asker]}/inbox/{self.ids[other]}"
        return self._message("message", topic, now_s, body)

    def _message(
        self, kind: str, topic: str, now_s: float, body: dict[str, object], *, retain: bool = False
    ) -> Outgoing:
        full = {"ts": round(now_s, 6), "boot": self._boot, "seq": self._next_seq(topic), **body}
        self.sent[kind] += 1
        return Outgoing(topic.encode(), json.dumps(full, separators=(",", ":")).encode(), retain)

    def _next_seq(self, topic: str) -> int:
        seq = self._seq[topic]
        self._seq[topic] = seq + 1
        return seq
