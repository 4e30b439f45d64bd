"""Tasks that are not ended, and what they wait for: an agent, a capability, a time. One thread."""

import heapq
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import replace

from models.domain.records import TaskState
from models.domain.tasks.roster import Worker
from models.domain.tasks.work import Sending, Work

REMEMBERED = 100_000
"""Ends of tasks that are known by heart: who tells of them once more is late, not unknown."""
REMEMBERED_IN_VAIN = 10_000
SPARE = 1_000
"""Entries of tasks that have ended may be so many before they are cleared away."""


class Board:
    def __init__(self) -> None:
        self.open: dict[str, Work] = {}
        self.parts: dict[str, dict[str, Work]] = {}  # of tasks that gather and are open: all children, ended ones too
        self.ended: OrderedDict[str, tuple[str, TaskState]] = OrderedDict()  # task -> agent and state at its end
        self.unsent: dict[str, Work] = {}  # that could not be placed for want of a connection
        self._for_agent: dict[str, deque[str]] = {}
        self._for_capability: dict[str, deque[str]] = {}
        self._times: list[tuple[int, str]] = []
        self._in_vain: OrderedDict[tuple[str, str, TaskState], None] = OrderedDict()

    def put(self, work: Work) -> None:
        """It is open from now on."""
        self.open[work.order.id] = work
        self.ended.pop(work.order.id, None)
        if work.order.deadline_us:
            self.wake_at(work.order.deadline_us, work)
        if work.order.parent in self.parts:
            self.parts[work.order.parent][work.order.id] = work

    def end(self, work: Work) -> None:
        """It is open no more."""
        self.ended[work.order.id] = (work.agent, work.state)  # first: another thread looks into both
        self.open.pop(work.order.id, None)
        self.parts.pop(work.order.id, None)
        if len(self.ended) > REMEMBERED:
            self.ended.popitem(last=False)

    def doubt(self) -> None:
        """The broker lost what it kept: whoever has one may never have got it, and what it said of it may be lost."""
        for work in self.open.values():
            if work.sending is Sending.ACKNOWLEDGED and work.state in (TaskState.SUBMITTED, TaskState.WORKING):
                work.sending = Sending.UNKNOWN

    def in_vain(self, task: str, agent: str, state: TaskState) -> bool:
        """Is it new that this agent says so, though it does not count? Whoever says it again and again is noted once."""
        key = (task, agent, state)
        new = key not in self._in_vain
        self._in_vain[key] = None
        if len(self._in_vain) > REMEMBERED_IN_VAIN:
            self._in_vain.popitem(last=False)
        return new

    def ask_at(self, us: int, work: Work) -> None:
        """Its agent is asked how it stands then, if nothing is told until then."""
        work.ask_us = us
        self.wake_at(us, work)

    def wake_at(self, us: int, work: Work) -> None:
        heapq.heappush(self._times, (us, work.order.id))
        if len(self._times) > SPARE + 4 * len(self.open):  # most are of tasks that have ended
            all_ = ((one.order.deadline_us, one.due_us, one.ask_us) for one in self.open.values())
            self._times = [(at, id_) for id_, times in zip(self.open, all_, strict=True) for at in times if at]
            heapq.heapify(self._times)

    def set_back(self, by_us: int) -> Iterator[Work]:
        """All times are as much earlier; answers whose times are stored."""
        for work in self.open.values():
            if work.order.deadline_us:
                work.order = replace(work.order, deadline_us=work.order.deadline_us - by_us)
                self.wake_at(work.order.deadline_us, work)
            if work.due_us:
                work.due_us -= by_us
                self.wake_at(work.due_us, work)
            if work.ask_us:
                work.ask_us -= by_us
                self.wake_at(work.ask_us, work)
            if work.order.deadline_us or work.due_us:
                yield work

    @property
    def next_us(self) -> int:
        """When `due` has something; 0: never."""
        return self._times[0][0] if self._times else 0

    def due(self, now_us: int) -> Iterator[Work]:
        """Whose time has come, once for each time."""
        while self._times and self._times[0][0] <= now_us:
            work = self.open.get(heapq.heappop(self._times)[1])
            if work is not None:
                yield work

    def wait(self, work: Work) -> None:
        """Until one of its agents, or somebody capable, has room."""
        order = work.order
        if order.to:
            for name in order.to:
                self._append(self._for_agent, name, order.id)
        else:
            self._append(self._for_capability, order.wanted, order.id)

    def _append(self, queues: dict[str, deque[str]], key: str, id_: str) -> None:
        queue = queues.setdefault(key, deque())
        queue.append(id_)
        if len(queue) > SPARE + 2 * len(self.open):  # nobody comes, and what waited here has ended
            queues[key] = deque(one for one in dict.fromkeys(queue) if one in self.open)

    def waiting_for(self, worker: Worker, now_us: int) -> Iterator[Work]:
        """What it could take, those that name it first; whoever is taken from here has to be placed, or waits anew."""
        queues = [self._for_agent.get(worker.name)]
        if worker.online:
            queues += [self._for_capability.get(one) for one in worker.capabilities]
        for queue in queues:
            for _ in range(len(queue or ())):
                assert queue is not None
                if not queue or not worker.has_room:
                    break
                work = self.open.get(queue.popleft())
                if work is not None and work.waits and work.due_us <= now_us:
                    yield work
