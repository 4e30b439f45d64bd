"""Requests wait here for their replies: bounded, by whatever names both.

Keys in use: (requester, responder, id) in our own contract; (response topic, correlation) as bytes, answered by any message;
tuples that begin with a convention's word, answered by its plans. Of our own contract, `type` event, task and cancel ask
for no reply (a task is answered by its reports). Times are arrivals; the response time of messages that waited for us in
the broker is taken from the agents' own times.
"""

from collections.abc import Hashable
from typing import NamedTuple

from models.domain.messages import Origin
from models.domain.records import Interaction, Outcome

TIMEOUT_US = 60_000_000
MOST_PENDING = 100_000
MOST_BYTES = 64 * 1024 * 1024
"""Of their ids and correlations: as large as their senders like."""
MOST_KEYS = 16
"""Of one request, however often it is sent again."""


class Sent(NamedTuple):
    """When something was sent: by the sender's clock where it told a plausible time, and its arrival."""

    own_us: int | None
    received_us: int
    origin: Origin


class Request(NamedTuple):
    sent: Sent
    sender: int
    receiver: int
    kind: str
    id: str
    keys: tuple[Hashable, ...]
    heard_us: int = 0
    """Arrival of the last sign that it is still waited for; 0: none."""
    receiver_name: str = ""
    """Where `receiver` is 0: what it would be called if it answered."""
    sure: bool = True
    """Whether it wants a reply for certain; else that none came says nothing."""

    @property
    def size_bytes(self) -> int:
        of_keys = _size_bytes(self.keys, self.id)
        return len(self.kind) + len(self.id) + len(self.receiver_name) + of_keys

    @property
    def waits_since_us(self) -> int:
        return self.heard_us or self.sent.received_us


class Exchange:
    """The table of open requests. When it is full, the oldest counts as timed out early."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}  # by a running number, so in the order of their last signs
        self._numbers: dict[Hashable, int] = {}  # key -> that number
        self._next = self._bytes = 0
        self.correlated = 0
        """Open requests that may be answered on a response topic."""

    def ask(self, request: Request) -> None:
        """A request arrived. One that uses the id of another still open takes its place."""
        for key in request.keys:
            self._forget(key)
        self._next += 1
        self._requests[self._next] = request
        self._bytes += request.size_bytes
        for key in request.keys:
            self._numbers[key] = self._next
        self.correlated += any(isinstance(key, bytes) for key in request.keys)

    def waiting(self, key: Hashable) -> Request | None:
        """The open request with this key."""
        number = self._numbers.get(key)
        return None if number is None else self._requests[number]

    def ask_again(self, key: Hashable, keys: tuple[Hashable, ...], received_us: int) -> bool:
        """The open request with `key` was sent once more, and may be answered by `keys` as well; the wait begins anew, the
        response time does not. False where none is open."""
        request = self.waiting(key)
        if request is None:
            return False
        more = tuple(one for one in keys if one not in request.keys)[: MOST_KEYS - len(request.keys)]
        for one in more:
            self._forget(one)
        self._forget(key)
        self.ask(request._replace(keys=request.keys + more, heard_us=received_us))
        return True

    def hear(self, key: Hashable, received_us: int) -> None:
        """Whoever was asked is at it: the wait begins anew, the response time does not."""
        number = self._numbers.get(key)
        if number is None:
            return
        self._next += 1
        request = self._requests[self._next] = self._requests.pop(number)._replace(heard_us=received_us)
        for one in request.keys:
            self._numbers[one] = self._next

    def answer(self, key: Hashable, row: int, sent: Sent, outcome: Outcome, responder: int = 0) -> Interaction | None:
        """The interaction that a reply completes; None where nobody waits for it (any more). `responder`: whoever answered,
        where nobody in particular was asked."""
        request = self._forget(key)
        return None if request is None else interaction_of(request, row, sent, outcome, responder)

    def withdraw(self, key: Hashable) -> None:
        """The request with this key wants no reply any more."""
        self._forget(key)

    def expire(self, now_us: int, row: int) -> list[Interaction]:
        """Requests that waited too long at `now_us`; `row` is the message at which that was noticed."""
        ended = []
        while self._requests:
            request = next(iter(self._requests.values()))
            fits = len(self._requests) <= MOST_PENDING and self._bytes <= MOST_BYTES
            if fits and now_us - request.waits_since_us < TIMEOUT_US:
                break
            self._forget(request.keys[0])
            if request.sure:
                ended.append(_interaction(request, row, None, Outcome.TIMEOUT))
        return ended

    def _forget(self, key: Hashable) -> Request | None:
        number = self._numbers.get(key)
        if number is None:
            return None
        request = self._requests.pop(number)
        self._bytes -= request.size_bytes
        for other in request.keys:
            del self._numbers[other]
        self.correlated -= any(isinstance(one, bytes) for one in request.keys)
        return request


def interaction_of(request: Request, row: int, sent: Sent, outcome: Outcome, responder: int = 0) -> Interaction:
    """Of a request that a reply completes."""
    if not request.receiver:
        request = request._replace(receiver=responder)
    return _interaction(request, row, _between_us(request.sent, sent), outcome)


def correlation_key(topic: bytes, correlation: bytes) -> bytes:
    """A NUL cannot be part of a topic, so that no two pairs share a key."""
    return topic + b"\0" + correlation


def _size_bytes(key: Hashable, counted: str) -> int:
    if not isinstance(key, tuple):
        return len(key) if isinstance(key, bytes | str) and key is not counted else 0
    size = 0
    for part in key:
        if type(part) is not int:
            size += _size_bytes(part, counted)
    return size


def _interaction(request: Request, row: int, reply_us: int | None, outcome: Outcome) -> Interaction:
    own_us = request.sent.own_us
    time_us = request.sent.received_us if own_us is None else own_us
    return Interaction(row, time_us, request.sender, request.receiver, request.kind, request.id, reply_us, outcome)


def _between_us(asked: Sent, answered: Sent) -> int | None:
    if Origin.BACKLOG not in (asked.origin, answered.origin):
        return max(0, answered.received_us - asked.received_us)
    if asked.own_us is None or answered.own_us is None:
        return None  # both waited in the broker: arrival says nothing
    return max(0, answered.own_us - asked.own_us)
