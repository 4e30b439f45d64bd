"""History and tail made in memory: real requests in, real results out, delivered when told."""

from collections.abc import Callable, Iterable

import numpy as np

from models.domain.messages import Kind, Origin
from models.domain.names import SeriesKey, SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import Problem
from models.domain.queries import (
    AgentRequest,
    AgentResult,
    AttemptColumns,
    EventsRequest,
    EventsResult,
    Failed,
    GapColumns,
    LogLine,
    LogRequest,
    LogResult,
    MessageLine,
    MessageRequest,
    MessageResult,
    PresenceColumns,
    Request,
    Result,
    RowKey,
    SeriesColumns,
    SeriesInfo,
    SeriesRequest,
    SeriesResult,
    TaskLine,
    TaskRequest,
    TaskResult,
)
from models.domain.records import GapCause, Level
from models.domain.tail import Interest, TailCursor, TailPage

SECOND = 1_000_000
AGENT = 7
CPU, MEMORY, RESPONSE, ATTEMPTS, SUCCESSES, ERRORS, QUEUE = range(1, 8)
Deliver = Callable[[Result | Failed], None]

SERIES = tuple(
    SeriesInfo(id_, SeriesKey(AGENT, metric, "", unit, kind, "murmur"))
    for id_, metric, unit, kind in (
        (CPU, "process.cpu.utilization", "1", SeriesKind.GAUGE),
        (MEMORY, "process.memory.usage", "By", SeriesKind.GAUGE),
        (RESPONSE, "agent.request.duration", "s", SeriesKind.GAUGE),
        (ATTEMPTS, "agent.connection.attempts", "{connection}", SeriesKind.COUNTER),
        (SUCCESSES, "agent.connection.successes", "{connection}", SeriesKind.COUNTER),
        (ERRORS, "agent.connection.errors", "{connection}", SeriesKind.COUNTER),
        (QUEUE, "queue.depth", "{task}", SeriesKind.GAUGE),
    )
)
HEADLINE = dict(
    zip(
        ("cpu", "memory", "response", "attempts", "successes", "errors"),
        range(CPU, QUEUE),
        strict=True,
    )
)


class FakeTicket:
    def __init__(self, request: Request, deliver: Deliver) -> None:
        self.request, self.deliver = request, deliver
        self.open = True

    def cancel(self) -> None:
        self.open = False


class FakeSource:
    """Implements `DataSource` over what it is given; `answer_all` delivers."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.waiting: list[FakeTicket] = []
        self.problem: Problem | None = None
        self.name, self.note = "crawler-1", ""
        self.series, self.headline = SERIES, dict(HEADLINE)
        self.reduced: set[int] = set()
        self.samples: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.gaps: list[tuple[int, int, GapCause, int, int]] = []
        self.presence: list[tuple[int, Presence, Condition, Cause]] = []
        self.attempts: AttemptColumns | None = None
        self.logs: list[LogLine] = []
        self.messages: list[MessageLine] = []
        self.tasks: list[TaskLine] = []

    def ask(self, request: Request, deliver: Deliver) -> FakeTicket:
        ticket = FakeTicket(request, deliver)
        self.asked.append(request)
        self.waiting.append(ticket)
        return ticket

    def answer_all(self) -> None:
        """Until nobody asks any more."""
        while self.waiting:
            ticket = self.waiting.pop(0)
            if ticket.open:
                ticket.deliver(Failed(ticket.request, self.problem) if self.problem else self._answer(ticket.request))

    def count(self, kind: type) -> int:
        return sum(isinstance(request, kind) for request in self.asked)

    def _answer(self, request: Request) -> Result:
        if isinstance(request, AgentRequest):
            return AgentResult(
                request, "crawler-1", self.name, "web", self.note, "murmur", "host-a", "1.4.2",
                ("fetch", "parse"), 0, self._newest(), 5 * SECOND, 12_480, self.series, self.headline,
            )  # fmt: skip
        if isinstance(request, SeriesRequest):
            return SeriesResult(request, tuple(self._columns(one, request) for one in request.series), self._gaps())
        if isinstance(request, EventsRequest):
            return EventsResult(request, self.presence_columns(self.presence), self._gaps(), self._attempts())
        if isinstance(request, LogRequest):
            wanted = (
                line
                for line in self.logs
                if line.level >= request.min_level and request.text.casefold() in line.text.casefold()
            )
            rows = _page(wanted, request.before, request.limit)
            return LogResult(request, rows[: request.limit], len(rows) > request.limit)
        if isinstance(request, MessageRequest):
            messages = _page(self.messages, request.before, request.limit)
            return MessageResult(request, messages[: request.limit], len(messages) > request.limit)
        assert isinstance(request, TaskRequest)
        return TaskResult(request, tuple(self.tasks[: request.limit]))

    def _newest(self) -> int:
        return max((int(time[-1]) for time, _ in self.samples.values() if len(time)), default=0)

    def _columns(self, series: int, request: SeriesRequest) -> SeriesColumns:
        time, value = self.samples.get(series, (np.empty(0, np.int64), np.empty(0)))
        inside = (time >= request.since_us) & (time < request.until_us)
        return SeriesColumns(series, time[inside], time[inside], value[inside], series in self.reduced)

    def _gaps(self) -> GapColumns:
        since, until, cause, agent, missing = zip(*self.gaps, strict=True) if self.gaps else ((), (), (), (), ())
        return GapColumns(_int(since), _int(until), list(cause), _int(agent), _int(missing))

    def _attempts(self) -> AttemptColumns:
        return self.attempts or AttemptColumns(_int(()), np.empty(0, np.uint8), [], _int(()), [])

    @staticmethod
    def presence_columns(rows: Iterable[tuple[int, Presence, Condition, Cause]]) -> PresenceColumns:
        rows = list(rows)
        return PresenceColumns(
            _int(row[0] for row in rows), _int([AGENT] * len(rows)),
            np.array([row[1] for row in rows], np.uint8), np.array([row[2] for row in rows], np.uint8),
            [row[3] for row in rows],
        )  # fmt: skip


class FakeTail:
    """Implements `Tail`; `page` delivers to all followers."""

    def __init__(self) -> None:
        self.followers: list[Callable[[TailPage], None]] = []
        self.interest = Interest()

    def follow(self, deliver: Callable[[TailPage], None]) -> None:
        self.followers.append(deliver)

    def set_interest(self, interest: Interest) -> None:
        self.interest = interest

    def page(
        self,
        points: Iterable[SeriesColumns] = (),
        *,
        logs: int = 0,
        messages: int = 1,
        tasks: int = 0,
        new_names: bool = False,
        presence: Iterable[tuple[int, Presence, Condition, Cause]] = (),
    ) -> None:
        carried = tuple(one for one in points if one.series in self.interest.series)
        newest = max((int(one.received_us.max()) for one in carried), default=0)
        page = TailPage(
            TailCursor(), 1, messages, 0, logs, tasks, new_names, newest, newest, carried,
            FakeSource.presence_columns(presence),
        )  # fmt: skip
        for deliver in self.followers:
            deliver(page)


def log_line(number: int, at_us: int, text: str = "", level: Level = Level.INFO, **more: str) -> LogLine:
    key = RowKey(at_us, 1, number)
    return LogLine(
        key, at_us, AGENT, level, more.get("logger", "crawler.fetch"), text or f"line {number}",
        more.get("error", ""), more.get("stack", ""), more.get("attributes", ""),
    )  # fmt: skip


def message_line(number: int, at_us: int, payload: bytes, topic: bytes = b"agents/crawler-1/metrics") -> MessageLine:
    key = RowKey(at_us, 1, number)
    return MessageLine(
        key, topic, AGENT, Kind.METRICS, Origin.LIVE, 1, False, False, len(payload), payload, None
    )  # fmt: skip


def _page(rows: Iterable, before: RowKey | None, limit: int) -> tuple:
    found = [row for row in rows if before is None or row.key < before]
    return tuple(sorted(found, key=lambda row: row.key, reverse=True)[: limit + 1])


def _int(values: Iterable[int]) -> np.ndarray:
    return np.array(list(values), np.int64)
