"""What stored messages are read as with a rule that is being written: messages are fetched when its topic changes, and read
beside the GUI thread whenever anything of it does."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.window.latest_work import LatestWork
from models.domain.clock import Clock
from models.domain.messages import RawMessage
from models.domain.problems import Problem
from models.domain.queries import (
    DataSource,
    Failed,
    MessageLine,
    MessageRequest,
    MessageResult,
    Result,
    Ticket,
    TopicsRequest,
    TopicsResult,
)
from models.domain.rules import Rule, RuleError, Rules, SameAgent, TopicPattern
from mqtt.reading.rule_preview import preview
from widgets.messages.rule_preview_view import Preview, ReadRow

MESSAGES = 100
PAYLOAD_BYTES = 65_536
"""Of one message; longer ones are left out, as a part of one means nothing."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is in force: rules, where topics of our own contract begin, and what later messages cannot be read without."""

    rules: Rules
    prefix: str
    declared: tuple[RawMessage, ...] = ()


class RulePreviews(QObject):
    """GUI thread."""

    found = Signal(object)  # Preview
    met = Signal(object)
    """The newest `MessageLine` that was found."""
    failed = Signal(object)  # Problem

    def __init__(self, source: DataSource, work: LatestWork, clock: Clock, parent: QObject) -> None:
        super().__init__(parent)
        self._source, self._work, self._clock = source, work, clock
        self._known: Known | None = None
        self._said: Rule | SameAgent | None = None
        self._instead: Rule | SameAgent | None = None
        self._lines: list[MessageLine] = []
        self._messages: tuple[RawMessage, ...] | None = None
        self._before: tuple[ReadRow, ...] | None = None
        self._too_long = 0
        self._ticket: Ticket | None = None
        self._totals: TopicsResult | None = None
        self._matched: tuple[str, int, int] = ("", -1, -1)  # pattern, messages, topics

    def begin(self, instead_of: Rule | SameAgent | None = None) -> None:
        """Another message is at hand: nothing of what was known holds. What is said takes the place of `instead_of`; None: it is
        new."""
        self.stop()
        self._instead = instead_of
        self._known = self._said = self._messages = self._before = self._totals = None
        self._matched = ("", -1, -1)
        self._source.ask(TopicsRequest(), self._take_totals)

    def stop(self) -> None:
        """Nothing is wanted any more."""
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def use(self, known: Known) -> None:
        """What is in force."""
        self._known, self._before = known, None
        self._read()

    def fetch(self, pattern: str = "", topic: bytes = b"") -> None:
        """The newest messages on such topics, or on this one."""
        self.stop()
        self._lines = []
        self._ask(MessageRequest(pattern=pattern, topic=topic, limit=MESSAGES, payload_limit=PAYLOAD_BYTES))
        self._count(pattern)

    def say(self, said: Rule | SameAgent | None) -> None:
        """The rule is this now; None: none that makes sense, and what was read last stays."""
        self._said = said
        self._read()

    # ------------------------------------------------------------ messages

    def _ask(self, request: MessageRequest) -> None:
        self._ticket = self._source.ask(request, self._take)

    def _take(self, result: Result | Failed) -> None:
        self._ticket = None
        if isinstance(result, Failed):
            self.failed.emit(result.problem)
            return
        assert isinstance(result, MessageResult)
        self._lines += result.rows
        if result.reach.searched is not None and len(self._lines) < MESSAGES:
            self._ask(replace(result.request, before=result.reach.searched, limit=MESSAGES - len(self._lines)))
            if not result.rows:
                return  # still looking
        whole = [line for line in self._lines if len(line.payload) == line.size and not line.duplicate]
        self._too_long = sum(len(line.payload) < line.size for line in self._lines)
        self._messages, self._before = tuple(map(_raw, reversed(whole))), None
        if whole:
            self.met.emit(whole[0])
        self._read()

    def _take_totals(self, result: Result | Failed) -> None:
        if isinstance(result, TopicsResult):
            self._totals = result
            if isinstance(self._said, Rule):
                self._count(self._said.topic)

    def _count(self, pattern: str) -> None:
        if self._totals is not None and pattern:
            self._work.want("count", partial(_matching, pattern, self._totals), self._take_count)

    def _take_count(self, counted: tuple[str, int, int] | Problem) -> None:
        if not isinstance(counted, Problem):
            self._matched = counted
            self._read()

    # ------------------------------------------------------------ reading

    def _read(self) -> None:
        if self._messages is None or self._known is None or (self._said is None and self._before is not None):
            return
        job = partial(read_both, self._messages, self._known, self._said, self._clock, self._before, self._instead)
        self._work.want("preview", job, partial(self._take_preview, self._messages))

    def _take_preview(self, messages: Sequence[RawMessage], answer: Preview | Problem) -> None:
        if isinstance(answer, Problem):
            self.failed.emit(answer)
            return
        if messages is self._messages:  # else others have come meanwhile, and are being read
            self._before = answer.before
        pattern, stored, topics = self._matched
        if not isinstance(self._said, Rule) or self._said.topic != pattern:
            stored = topics = -1
        self.found.emit(replace(answer, too_long=self._too_long, stored=stored, topics=topics))


def read_both(
    messages: Sequence[RawMessage],
    known: Known,
    said: Rule | SameAgent | None,
    clock: Clock,
    before: tuple[ReadRow, ...] | None,
    instead_of: Rule | SameAgent | None = None,
) -> Preview:
    """Rows with what is said and without it, each marked where the other has none such. `before`: those without it, where
    they are known; `instead_of`: it is said in the place of this. Any thread."""
    rules = known.rules
    with suppress(RuleError):  # names that go in a circle
        if said is not None and instead_of is not None:
            rules = known.rules.changed(instead_of, said)
        elif said is not None:
            rules = known.rules.taught(said)
    if before is None:
        before = _rows(messages, known.rules, known, clock)
    after = _rows(messages, rules, known, clock)
    return Preview(_marked(after, before), _marked(before, after), len(messages))


def _rows(messages: Sequence[RawMessage], rules: Rules, known: Known, clock: Clock) -> tuple[ReadRow, ...]:
    found = preview(messages, rules, known.prefix, clock, known.declared)
    rows = (ReadRow(row.message, row.time_us, row.agent, row.what, row.value, row.unit, other=False) for row in found)
    return tuple(rows)[::-1]


def _marked(rows: Sequence[ReadRow], others: Sequence[ReadRow]) -> tuple[ReadRow, ...]:
    left = Counter(row[:-1] for row in others)
    marked = []
    for row in rows:
        left[row[:-1]] -= 1
        marked.append(row._replace(other=left[row[:-1]] < 0))
    return tuple(marked)


def _matching(pattern: str, totals: TopicsResult) -> tuple[str, int, int]:
    """Messages and topics that it fits."""
    match = TopicPattern(pattern).match
    places = [at for at, name in enumerate(totals.name) if match(name.decode(errors="replace")) is not None]
    return pattern, int(totals.messages[places].sum()), len(places)


def _raw(line: MessageLine) -> RawMessage:
    return RawMessage(
        line.topic, line.payload, line.qos, line.retain, False, 0, line.properties, line.key.received_us, line.origin, 0
    )  # fmt: skip
