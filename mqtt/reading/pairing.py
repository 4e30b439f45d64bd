"""Which request and which replies a message belongs to: found by reading it again, with those that may be about the same,
in the very way in which the recorder pairs them. Pure.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from models.domain.clock import Clock
from models.domain.messages import RawMessage
from models.domain.names import Names
from models.domain.paired import LONELY, Marks, Paired, Part, Step
from models.domain.records import Interaction, Outcome
from models.domain.rules import Rules
from mqtt.reading.exchange import TIMEOUT_US, Exchange, Request, Sent, interaction_of
from mqtt.reading.home_made_pairs import counterparts
from mqtt.reading.reader import Reader


@dataclass(slots=True)
class _Thread:
    request: Request
    receiver: int
    waits_until_us: int
    steps: list[Step] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        return any(step.part is Part.ANSWER for step in self.steps)

    def add(self, step: Step) -> None:
        """One message is one step, whatever it holds."""
        if not any(one.message == step.message for one in self.steps):
            self.steps.append(step)


class WatchedExchange(Exchange):
    """Remembers who asked and who answered. A request stays open, so that a second and a late reply find it as well."""

    def __init__(self) -> None:
        super().__init__()
        self.message = -1
        self.arrived_us = 0
        self.threads: list[_Thread] = []
        self.keys: set[Hashable] = set()
        """Of whatever was asked for or told by the message at hand."""
        self.sought: set[int] = set()
        """Messages that look for a request which is not there."""
        self._by_key: dict[Hashable, _Thread] = {}
        self._again: _Thread | None = None

    def begin(self, message: int, arrived_us: int) -> None:
        """The one that is read next."""
        self.message, self.arrived_us = message, arrived_us
        self.keys = set()

    def ask(self, request: Request) -> None:
        super().ask(request)
        thread = self._again
        if thread is None:
            thread = _Thread(request, request.receiver, request.sent.received_us + TIMEOUT_US)
            thread.add(Step(self.message, Part.REQUEST))
            self.threads.append(thread)
        self.keys.update(request.keys)
        self._by_key.update(dict.fromkeys(request.keys, thread))

    def ask_again(self, key: Hashable, keys: tuple[Hashable, ...], received_us: int) -> bool:
        thread = self._thread(key)
        if thread is not None and thread.answered:
            return False  # a request of its own
        self._again = thread
        found = super().ask_again(key, keys, received_us)
        self._again = None
        self._note(key, Part.AGAIN)
        return found

    def waiting(self, key: Hashable) -> Request | None:
        found = super().waiting(key)
        self.keys.add(key)
        if found is None:
            self.sought.add(self.message)
        return found

    def hear(self, key: Hashable, received_us: int) -> None:
        super().hear(key, received_us)
        self._note(key, Part.SIGN)

    def withdraw(self, key: Hashable) -> None:
        self._note(key, Part.WITHDRAWN)
        super().withdraw(key)

    def answer(self, key: Hashable, row: int, sent: Sent, outcome: Outcome, responder: int = 0) -> Interaction | None:
        request = self.waiting(key)
        if request is None:
            return None
        thread = self._thread(key)
        if thread is not None:
            thread.receiver = thread.receiver or responder
        self._note(key, Part.ANSWER, outcome)
        return interaction_of(request, row, sent, outcome, responder)

    def expire(self, now_us: int, row: int) -> list[Interaction]:  # noqa: ARG002 - nobody is given up here
        return []

    def _thread(self, key: Hashable) -> _Thread | None:
        return self._by_key.get(key)

    def _note(self, key: Hashable, part: Part, outcome: Outcome = Outcome.OK) -> None:
        self.keys.add(key)
        thread = self._thread(key)
        if thread is None:
            return
        late = self.arrived_us > thread.waits_until_us
        if part in (Part.SIGN, Part.AGAIN):
            thread.waits_until_us = self.arrived_us + TIMEOUT_US
        thread.add(Step(self.message, part, outcome, late))


def marks_of(message: RawMessage, declared: Sequence[RawMessage], rules: Rules, prefix: str, clock: Clock) -> Marks:
    """What others that belong to the message have in common with it."""
    reader, watched, _ = _reader(declared, rules, prefix, clock)
    watched.begin(0, message.received_us)
    reader.read([message])
    texts, correlations, topics = set[str](), set[bytes](), set(counterparts(message.topic))
    for part in (leaf for key in watched.keys for leaf in _leaves(key)):
        if isinstance(part, bytes):
            topic, _, correlation = part.partition(b"\0")
            topics.add(topic)
            correlations.add(correlation)
        elif part and part.encode() in message.payload:
            texts.add(part)
    properties = message.properties
    if properties is not None and properties.correlation:
        correlations.add(properties.correlation)
    if properties is not None and properties.response_topic:
        topics.add(properties.response_topic.encode())
    return Marks(frozenset(texts), frozenset(correlations - {b""}), frozenset(topics - {b"", message.topic}))


def pair(
    messages: Sequence[RawMessage], wanted: int, declared: Sequence[RawMessage], rules: Rules, prefix: str, clock: Clock
) -> Paired | None:
    """What the message at place `wanted` belongs to, of messages by their arrival; None: it neither asks nor answers, as far as
    it can be read."""
    reader, watched, names = _reader(declared, rules, prefix, clock)
    for place, message in enumerate(messages):
        watched.begin(place, message.received_us)
        reader.read([message])
    mine = [one for one in watched.threads if any(step.message == wanted for step in one.steps)]
    if not mine:
        return LONELY if wanted in watched.sought else None
    thread = max(mine, key=lambda one: len(one.steps))  # of several calls in one message that of which most is known
    request = thread.request
    return Paired(
        names.agents[request.sender] if request.sender else "",
        names.agents[thread.receiver] if thread.receiver else request.receiver_name,
        request.kind, request.id, request.sure, thread.waits_until_us, tuple(thread.steps),
    )  # fmt: skip


def _reader(
    declared: Sequence[RawMessage], rules: Rules, prefix: str, clock: Clock
) -> tuple[Reader, WatchedExchange, Names]:
    names, watched = Names(), WatchedExchange()
    reader = Reader(names, prefix, clock, rules, watched)
    reader.recall(declared)
    watched.threads.clear()
    watched.sought.clear()
    return reader, watched, names


def _leaves(key: Hashable) -> Iterator[str | bytes]:
    if isinstance(key, tuple):
        for part in key:
            yield from _leaves(part)
    elif isinstance(key, str | bytes):
        yield key
