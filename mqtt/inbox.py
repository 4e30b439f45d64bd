"""Between the network thread and the thread that stores: bounded, and nothing leaves it uncounted."""

import threading
from collections import deque
from dataclasses import dataclass

from models.domain.clock import Clock
from models.domain.messages import RawMessage
from mqtt.commit_pace import CommitPace

MESSAGE_OVERHEAD_BYTES = 400
"""What a message weighs in memory beside its topic and payload (measured: tuple, two byte strings, integers)."""


@dataclass(frozen=True, slots=True)
class InboxLimits:
    """How much may wait, and how much is handed out at once (a list that was put is never divided)."""

    waiting_bytes: int = 256 * 1024 * 1024  # with MESSAGE_OVERHEAD_BYTES for each
    waiting_messages: int = 1_000_000
    take_messages: int = 50_000
    take_bytes: int = 64 * 1024 * 1024
    idle_us: int = 250_000


@dataclass(frozen=True, slots=True)
class InboxCounters:
    """Since the inbox was made. `lag_us` is the age of the oldest message that is not dealt with yet."""

    received: int
    dropped: int  # QoS 0 beyond the limits
    waiting: int
    waiting_bytes: int
    highest_waiting: int
    lag_us: int


@dataclass(slots=True)
class _Burst:
    """What came at once. Lists are handed on as they came: a reader takes whole ones, so nothing is counted twice."""

    messages: list[RawMessage]
    came_us: int  # monotonic
    size: int
    unreliable: int  # QoS 0 among them
    to_acknowledge: int
    number: int


def weight(message: RawMessage) -> int:
    """Bytes of memory that a waiting message costs."""
    return len(message.topic) + len(message.payload) + MESSAGE_OVERHEAD_BYTES


class Inbox:
    """One thread puts (whole lists), one other takes; counters may be read from any.

    QoS 0 beyond the limits is dropped, oldest first. QoS 1 is never dropped: where it is beyond them by itself, the inbox is
    `full`, and no more of it shall be put.
    """

    def __init__(self, clock: Clock, limits: InboxLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or InboxLimits()
        self._pace = CommitPace(clock)
        self._bursts: deque[_Burst] = deque()
        self._changed = threading.Condition()
        self._closed = self._poked = self._full = False
        self._epoch = 0
        self._waiting = self._waiting_bytes = self._to_acknowledge = 0
        self._received = self._dropped = self._highest = 0
        self._taken_us: int | None = None
        self.taken_to = 0
        """Number of what was taken last (see `put`)."""

    def begin_epoch(self, window: int | None) -> int:
        """A connection was made whose broker sends at most `window` unacknowledged messages (None: nobody knows).
        The number it gets is unique among all connections that fill this inbox."""
        with self._changed:
            self._epoch += 1
            self._pace.window(window)
            return self._epoch

    def put(
        self, messages: list[RawMessage], reliable: int | None = None, content_bytes: int | None = None, *,
        number: int = 0, acknowledged: bool = False,
    ) -> bool:  # fmt: skip
        """Take over a list in the order of arrival; the caller must not change it any more. Whoever knows already how many
        of them are not QoS 0, and how long their topics and payloads are in all, saves counting. `number` (`arrivals.Arrival`):
        none is below one before, 0 counts for none. `acknowledged`: the broker waits for none of them. False: nobody will take
        them, so none may be acknowledged."""
        if reliable is None:
            reliable = sum(1 for one in messages if one.qos)
        if content_bytes is None:
            content_bytes = sum(len(one.topic) + len(one.payload) for one in messages)
        size = content_bytes + MESSAGE_OVERHEAD_BYTES * len(messages)
        to_acknowledge = 0 if acknowledged else reliable
        with self._changed:
            if self._closed:
                return False
            was_empty, quiet_us = not self._bursts, self._pace.quiet_us
            unreliable = len(messages) - reliable
            self._bursts.append(_Burst(messages, self._clock.monotonic_us(), size, unreliable, to_acknowledge, number))
            self._received += len(messages)
            self._waiting += len(messages)
            self._waiting_bytes += size
            self._to_acknowledge += to_acknowledge
            self._pace.arrived(to_acknowledge)
            if self._over():
                self._drop_oldest()
                self._full = self._full or self._over()
            self._highest = max(self._highest, self._waiting)
            if was_empty or self._pace.urgent or self._pace.quiet_us * 2 < quiet_us:
                self._changed.notify_all()
            return True

    def take(self) -> list[RawMessage]:
        """Wait until a commit is due and return what waits, oldest first, within the limits; nothing after `idle_us`
        without a message, after a `poke`, or when the inbox was closed. Asking again says that what was taken is dealt with."""
        with self._changed:
            self._taken_us = None
            self._full = self._full and bool(self._bursts)
            idle_until_us = self._clock.monotonic_us() + self._limits.idle_us
            while not self._closed:
                due_us = self._pace.due_in_us()
                if due_us == 0:
                    break
                if self._poked:
                    self._poked = False
                    return []
                wait_us = idle_until_us - self._clock.monotonic_us() if due_us is None else due_us
                if wait_us <= 0:
                    return []
                self._changed.wait(wait_us / 1e6)
            return self._take_due()

    def commit_took(self, duration_us: int) -> None:
        """How long storing took: slow commits make for fewer, larger ones."""
        with self._changed:
            self._pace.commit_took(duration_us)

    @property
    def narrow(self) -> bool:
        """Does the broker send but a few messages before it waits for us, as far as anybody knows?"""
        return self._pace.narrow

    @property
    def full(self) -> bool:
        """Shall nothing more of QoS 1 be put? So until all that waits is taken and dealt with. Any thread."""
        return self._full

    def fill(self) -> None:
        """From now on it is full, whatever waits. Any thread."""
        with self._changed:
            self._full = True

    def poke(self) -> None:
        """Whoever takes has something else to do: it shall not wait now. Any thread."""
        with self._changed:
            self._poked = True
            self._changed.notify_all()

    def close(self) -> None:
        """Wake whoever waits; from now on `take` does not wait, and returns nothing when all is taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def counters(self) -> InboxCounters:
        with self._changed:
            first_us = self._bursts[0].came_us if self._bursts else None
            oldest_us = min((one for one in (self._taken_us, first_us) if one is not None), default=None)
            lag_us = self._clock.monotonic_us() - oldest_us if oldest_us is not None else 0
            return InboxCounters(
                self._received, self._dropped, self._waiting, self._waiting_bytes, self._highest, lag_us
            )

    def _take_due(self) -> list[RawMessage]:
        taken: list[RawMessage] = []
        size = 0
        if self._bursts:
            self._taken_us = self._bursts[0].came_us
        while self._bursts and (not taken or self._fits(self._bursts[0], len(taken), size)):
            burst = self._bursts.popleft()
            taken += burst.messages
            size += burst.size
            self._to_acknowledge -= burst.to_acknowledge
            self.taken_to = max(self.taken_to, burst.number)
        self._waiting -= len(taken)
        self._waiting_bytes -= size
        self._tell_pace()
        return taken

    def _fits(self, burst: _Burst, messages: int, size: int) -> bool:
        limits = self._limits
        return messages + len(burst.messages) <= limits.take_messages and size + burst.size <= limits.take_bytes

    def _tell_pace(self) -> None:
        self._pace.waiting(self._bursts[0].came_us if self._bursts else None, self._to_acknowledge)

    def _drop_oldest(self) -> None:
        """Drop QoS 0 down to seven eighths of the limits, so that a flood is not sifted anew for every list."""
        for burst in self._bursts:
            if burst.unreliable:
                self._drop_from(burst)
                if not self._over(7, 8):
                    break
        self._bursts = deque(burst for burst in self._bursts if burst.messages)
        self._tell_pace()

    def _drop_from(self, burst: _Burst) -> None:
        kept: list[RawMessage] = []
        for at, message in enumerate(burst.messages):
            if message.qos:
                kept.append(message)
                continue
            size = weight(message)
            burst.unreliable -= 1
            burst.size -= size
            self._dropped += 1
            self._waiting -= 1
            self._waiting_bytes -= size
            if not self._over(7, 8):
                kept += burst.messages[at + 1 :]
                break
        burst.messages = kept

    def _over(self, numerator: int = 1, denominator: int = 1) -> bool:
        """Does more wait than this share of the limits?"""
        limits = self._limits
        return (
            self._waiting_bytes * denominator > limits.waiting_bytes * numerator
            or self._waiting * denominator > limits.waiting_messages * numerator
        )
