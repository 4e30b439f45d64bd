"""Requests wait here for their replies: bounded, by (requester, responder, id) or by (response topic, correlation).

A request has an `id` and no `reply_to`; `type` event, task and cancel ask for no reply (a task is answered by its reports).
Times are arrivals; the response time of messages that waited for us in the broker is taken from the agents' own times.
"""

from collections.abc import Hashable
from typing import NamedTuple

from models.domain.messages import Origin
from models.domain.records import Interaction, Outcome

TIMEOUT_US = 60_000_000
MOST_PENDING = 100_000
MOST_BYTES = 64 * 1024 * 1024
"""Of their ids and correlations: as large as their senders like."""


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

    @property
    def size_bytes(self) -> int:
        return len(self.kind) + len(self.id) + sum(len(key) for key in self.keys if isinstance(key, bytes))


class Exchange:
    """The table of open requests. When it is full, the oldest counts as timed out early."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}  # by a running number, so in order of arrival
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

    def answer(self, key: Hashable, row: int, sent: Sent, outcome: Outcome) -> Interaction | None:
        """The interaction that a reply completes; None where nobody waits for it (any more)."""
        request = self._forget(key)
        if request is None:
            return None
        return _interaction(request, row, _between_us(request.sent, sent), outcome)

    def expire(self, now_us: int, row: int) -> list[Interaction]:
        """Requests that waited too long at `now_us`; `row` is the message at which that was noticed."""
        ended = []
        while self._requests:
            request = next(iter(self._requests.values()))
            fits = len(self._requests) <= MOST_PENDING and self._bytes <= MOST_BYTES
            if fits and now_us - request.sent.received_us < TIMEOUT_US:
                break
            self._forget(request.keys[0])
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


def correlation_key(topic: bytes, correlation: bytes) -> bytes:
    """A NUL cannot be part of a topic, so that no two pairs share a key."""
    return topic + b"\0" + correlation


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
