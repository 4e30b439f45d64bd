"""History and tail made in memory: real requests in, real results out, delivered when told."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from models.domain.annotations import Annotation, AnnotationsRequest, AnnotationsResult
from models.domain.heat_queries import HeatRequest, HeatResult
from models.domain.json_path import number_of
from models.domain.messages import Kind, Origin
from models.domain.names import SeriesKey, SeriesKind
from models.domain.presence_words import Cause, Condition, Presence
from models.domain.problems import Problem
from models.domain.pulse_figures import COUNTS, PulseRequest, PulseResult
from models.domain.queries import (
    AgentRequest,
    AgentResult,
    AttemptColumns,
    DayColumns,
    EventsRequest,
    EventsResult,
    Facet,
    Failed,
    FieldRequest,
    FieldResult,
    GapColumns,
    GapsRequest,
    GapsResult,
    LogLine,
    LogRequest,
    LogResult,
    LogSummaryRequest,
    LogSummaryResult,
    MessageLine,
    MessageRequest,
    MessageResult,
    NamesRequest,
    NamesResult,
    PresenceColumns,
    Reach,
    Request,
    Result,
    RowKey,
    SeriesColumns,
    SeriesInfo,
    SeriesRequest,
    SeriesResult,
    StoreRequest,
    StoreResult,
    TaskLine,
    TaskRequest,
    TaskResult,
    TopicsRequest,
    TopicsResult,
)
from models.domain.records import GapCause, Level
from models.domain.rules import TopicPattern
from models.domain.search.matching import Record, test_of
from models.domain.series_names import SeriesNamesRequest, SeriesNamesResult, SeriesWords
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
        self.names = {AGENT: ("crawler-1", "crawler-1"), 8: ("crawler-2", "Crawler Two"), 9: ("planner-1", "Planner")}
        self.series, self.headline = SERIES, dict(HEADLINE)
        self.reduced: set[int] = set()
        self.samples: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.gaps: list[tuple[int, int, GapCause, int, int]] = []
        self.presence: list[tuple[int, Presence, Condition, Cause]] = []
        self.attempts: AttemptColumns | None = None
        self.search_rows = 1_000_000  # a page looks at so many, then it is handed over as it is
        self.logs: list[LogLine] = []
        self.messages: list[MessageLine] = []
        self.annotations: list[Annotation] = []
        self.more: dict[type, Callable[[Any], Result]] = {
            FieldRequest: self._field,
            HeatRequest: self._heat,
        }  # answers to further kinds of questions
        self.tasks: list[TaskLine] = []
        self.totals: dict[bytes, tuple[int, int, int, int]] = {}
        self.turns: dict[bytes, int] = {}
        self.turn = 0

    def ask(self, request: Request, deliver: Deliver) -> FakeTicket:
        ticket = FakeTicket(request, deliver)
        self.asked.append(request)
        self.waiting.append(ticket)
        return ticket

    def answer_all(self) -> None:
        """Until nobody asks any more."""
        while self.waiting:
            self.answer_next()

    def answer_next(self) -> None:
        """The oldest question."""
        ticket = self.waiting.pop(0)
        if ticket.open:
            ticket.deliver(Failed(ticket.request, self.problem) if self.problem else self._answer(ticket.request))

    def count(self, kind: type) -> int:
        return sum(isinstance(request, kind) for request in self.asked)

    def _answer(self, request: Request) -> Result:
        if type(request) in self.more:
            return self.more[type(request)](request)
        if isinstance(request, AgentRequest):
            return AgentResult(
                request, "crawler-1", self.name, "web", self.note, "murmur", "host-a", "1.4.2",
                ("fetch", "parse"), 0, self._newest(), 5 * SECOND, 12_480, self.series, self.headline,
            )  # fmt: skip
        if isinstance(request, NamesRequest):
            agents = sorted(self.names)
            ids, names = zip(*(self.names[one] for one in agents), strict=True)
            return NamesResult(request, agents, list(ids), list(names))
        if isinstance(request, StoreRequest | PulseRequest | GapsRequest | AnnotationsRequest):
            return self._about_store(request)
        if isinstance(request, SeriesNamesRequest):
            return self._series_names(request)
        if isinstance(request, SeriesRequest):
            return SeriesResult(request, tuple(self._columns(one, request) for one in request.series), self._gaps())
        if isinstance(request, EventsRequest):
            return EventsResult(request, self.presence_columns(self.presence), self._gaps(), self._attempts())
        if isinstance(request, LogRequest):
            test = test_of(request.query)
            wanted = [
                line
                for line in self.logs
                if request.agent in (0, line.agent) and test(record_of(line, self.names.get(line.agent, ())))
            ]
            return LogResult(request, *_page(wanted, self.logs, request, self.search_rows))
        if isinstance(request, LogSummaryRequest):
            return self._summary(request)
        if isinstance(request, MessageRequest):
            chosen = [line for line in self.messages if _fits(line, request)]
            rows, reach = _page(chosen, self.messages, request, self.search_rows)
            cut = tuple(row._replace(payload=row.payload[: request.payload_limit]) for row in rows)
            return MessageResult(request, cut, reach)
        if isinstance(request, TopicsRequest):
            return self.topics(request)
        assert isinstance(request, TaskRequest)
        end_us = request.until_us or 2**62
        rows = [row for row in self.tasks if request.since_us <= row.key.received_us < end_us]
        return TaskResult(request, tuple(rows[: request.limit]))

    def _about_store(self, request: StoreRequest | PulseRequest | GapsRequest | AnnotationsRequest) -> Result:
        if isinstance(request, AnnotationsRequest):
            return AnnotationsResult(request, tuple(sorted(self.annotations, key=lambda one: one.since_us)))
        if isinstance(request, StoreRequest):
            none = DayColumns(*(_int(()) for _ in DayColumns._fields))
            return StoreResult(request, 0, 0, 0, {}, 0, 0, 0, 0, 0, none, (), ())
        if isinstance(request, PulseRequest):
            none = np.zeros((len(request.agents), 0), np.int64)
            return PulseResult(request, _int(()), dict.fromkeys(COUNTS, none), self._gaps())
        return GapsResult(request, self._gaps())

    def _series_names(self, request: SeriesNamesRequest) -> SeriesNamesResult:
        """Those of `series`; and of every other agent the same, with ids of its own."""
        rows = [
            (1_000 * place + info.id, agent, number, info)
            for place, agent in enumerate([AGENT, *(one for one in self.names if one != AGENT)])
            for number, info in enumerate(self.series)
        ]
        words = tuple(SeriesWords(*info.key[1:]) for info in self.series)
        headline = {
            role: {agent: id_ for id_, agent, _, info in rows if info.id == series}
            for role, series in self.headline.items()
        }
        new = [row for row in rows if row[0] > request.after]
        columns = (_int(row[column] for row in new) for column in range(3))
        return SeriesNamesResult(request, *columns, words, headline, {})

    def _field(self, request: FieldRequest) -> FieldResult:
        """A page looks at `search_rows` messages of the topic."""
        before, after = request.before or (0, 2**31, 2**31), request.after or (0, 0, 0)
        stored = sorted((line.key.segment, line.key.seq, line) for line in self.messages)[::-1]
        chosen = [
            line
            for *place, line in stored
            if line.topic == request.topic and tuple(after[1:]) < tuple(place) < tuple(before[1:])
            and request.since_us <= line.key.received_us < (request.until_us or 2**62)
        ]  # fmt: skip
        some = chosen[: self.search_rows]
        reach = Reach(some[-1].key if len(some) < len(chosen) else None, stored[0][-1].key if stored else None)
        numbers = [number_of(line.payload, request.path) for line in some]
        found = [(line.key.received_us, one) for line, one in zip(some, numbers, strict=True) if one is not None]
        values = np.array([one for _, one in found], float)
        return FieldResult(request, _int(at for at, _ in found), values, len(some), reach)

    def topics(self, request: TopicsRequest) -> TopicsResult:
        """What `totals` says of those that changed: topic -> messages, payload bytes, last, agent."""
        changed = [one for one, turn in self.turns.items() if turn > request.since]
        columns = zip(*(self.totals[name] for name in changed), strict=True) if changed else ((),) * 4
        ids = [list(self.totals).index(name) + 1 for name in changed]
        return TopicsResult(request, self.turn, request.since == 0, _int(ids), changed, *map(_int, columns))

    def count_up(self, *topics: bytes, by: int = 1, last_us: int = 0, agent: int = 0) -> None:
        """Messages of ten bytes came on these."""
        self.turn += 1
        for name in topics:
            messages, size, *_ = self.totals.get(name, (0, 0))
            self.totals[name] = (messages + by, size + 10 * by, last_us, agent)
            self.turns[name] = self.turn

    def _summary(self, request: LogSummaryRequest) -> LogSummaryResult:
        test = test_of(request.query)
        found = [
            line
            for line in self.logs
            if request.since_us <= line.key.received_us < request.until_us
            and test(record_of(line, self.names.get(line.agent, ())))
        ]
        counts = np.zeros(((request.until_us - request.since_us) // request.cell_us, 1 + max(Level)), np.int64)
        for line in found:
            counts[(line.key.received_us - request.since_us) // request.cell_us, line.level] += 1
        levels = Counter(line.level.name.lower() for line in found)
        agents = Counter(self.names[line.agent][0] for line in found)
        facets = [
            Facet(field, tuple(n.most_common()), n.total(), 0)
            for field, n in (("level", levels), ("agent", agents))
            if n
        ]
        return LogSummaryResult(request, counts, request.since_us, tuple(facets), len(found), complete=True)

    def _heat(self, request: HeatRequest) -> HeatResult:
        """Means of `samples`; of what is counted of agents, those of the series with the id of the agent."""
        value = np.full((len(request.rows), request.steps), np.nan, np.float32)
        for place, row in enumerate(request.rows):
            time, found = self.samples.get(row.series or row.agent, (np.empty(0, np.int64), np.empty(0)))
            step = (time - request.first_us) // request.step_us
            for one in range(request.steps):
                if (step == one).any():
                    value[place, one] = found[step == one].mean() * row.factor + row.offset
        return HeatResult(request, value, np.zeros(value.shape, np.int32))

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
        annotation_changes: int = -1,
    ) -> None:
        carried = tuple(one for one in points if one.series in self.interest.series)
        newest = max((int(one.received_us.max()) for one in carried), default=0)
        page = TailPage(
            TailCursor(), 1, messages, 0, logs, tasks, new_names, newest, newest, carried,
            FakeSource.presence_columns(presence), annotation_changes,
        )  # fmt: skip
        for deliver in self.followers:
            deliver(page)


def _fits(line: MessageLine, request: MessageRequest) -> bool:
    below = line.topic == request.topic or line.topic.startswith(request.topic + b"/")
    topic = below if request.branch else request.topic in (b"", line.topic)
    if request.pattern:
        topic = topic and TopicPattern(request.pattern).match(line.topic.decode()) is not None
    text = request.text.encode().lower()
    return topic and request.agent in (0, line.agent) and (text in line.topic.lower() or text in line.payload.lower())


def log_line(
    number: int, at_us: int, text: str = "", level: Level = Level.INFO, agent: int = AGENT, **more: str
) -> LogLine:
    key = RowKey(at_us, 1, number)
    return LogLine(
        key, at_us, agent, level, more.get("logger", "crawler.fetch"), text or f"line {number}",
        more.get("error", ""), more.get("stack", ""), more.get("attributes", ""),
    )  # fmt: skip


def message_line(number: int, at_us: int, payload: bytes, topic: bytes = b"agents/crawler-1/metrics") -> MessageLine:
    key = RowKey(at_us, 1, number)
    return MessageLine(
        key, topic, AGENT, Kind.METRICS, Origin.LIVE, 1, False, False, len(payload), payload, None
    )  # fmt: skip


def record_of(line: LogLine, agents: tuple[str, ...]) -> Record:
    """What a query asks of a listed row."""
    received_us = line.key.received_us
    return Record(received_us, agents, line.level, line.logger, line.text, line.error, line.stack, line.attributes)


def _page(
    matching: Iterable, stored: Sequence, request: LogRequest | MessageRequest, search_rows: int
) -> tuple[tuple, Reach]:
    """At most `search_rows` stored rows are looked at."""
    looked_at = [row for row in sorted(stored, key=lambda row: row.key, reverse=not request.oldest_first)
                 if (request.before is None or row.key < request.before)
                 and (request.after is None or row.key > request.after)]  # fmt: skip
    given_up = looked_at[search_rows - 1].key if len(looked_at) > search_rows else None
    keys = {row.key for row in matching}
    looked_at = looked_at[:search_rows]
    found = [row for row in looked_at if row.key in keys]
    rows = tuple(found[: request.limit])
    searched = rows[-1].key if rows and len(found) > len(rows) else given_up
    newest = max((row.key for row in stored), default=None)
    return rows, Reach(searched, newest, -1 if request.after is None else len(found))


def _int(values: Iterable[int]) -> np.ndarray:
    return np.array(list(values), np.int64)
