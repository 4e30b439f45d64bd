"""Which messages of a connection are acknowledged, and when: once they are stored, or safe in the journal where they are many."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from models.domain.arrivals import Arrival, Journal, Source

FEW = 10
"""The smallest number of unacknowledged messages at which a broker is known to wait (RabbitMQ)."""
MOST_BYTES = 8 * 1024 * 1024
"""So much waits at most, as it came, for being kept: a second time beside the messages in the inbox."""
_PART_OF_WINDOW = 4


class Piece(NamedTuple):
    """Whole PUBLISH packets as they came at once, `received_us` wall time."""

    received_us: int
    packets: bytes


class _Waiting(NamedTuple):
    """One list of the inbox. `end`: so many messages of QoS 1 came up to and with it."""

    end: int
    packet_ids: list[int]
    arrivals: list[Arrival]
    size: int


class Acknowledging:
    """Of one connection. `stored` is for any thread, everything else for the network thread.

    Storing what came takes tens of milliseconds, in which a broker of MQTT 3.1.1 stops sending after 10 or 20 messages, and
    Mosquitto drops what goes beyond a thousand. So where a quarter of what a broker may send waits (of a window that nobody
    knows, ten messages), or many bytes, all that waits is written to the journal as it came, and acknowledged. All of QoS 1 is
    acknowledged in the order of its arrival, whichever way.
    """

    def __init__(self, journal: Journal | None, source: Source, window: int | None) -> None:
        self._journal, self._source = journal, source
        self._most = FEW if window is None else max(1, window // _PART_OF_WINDOW)
        self._stored: deque[tuple[int, int]] = deque()  # (packet id, QoS), as whoever stores tells it
        self._told = 0  # messages of QoS 1 that were told as stored
        self._ready: deque[tuple[int, int]] = deque()  # to be written at once
        self._arrived = self._given = 0  # messages of QoS 1 that came, that are acknowledged
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._gone_to = 0  # so many of those that came, in their order, can only be stored: their bytes are not held

    def stored(self, messages: Sequence[tuple[int, int]]) -> None:
        """(packet id, QoS) of what is stored, in the order of arrival: whole lists of the inbox."""
        self._stored.extend(messages)

    @property
    def number(self) -> int:
        """For what arrives now; 0: there is no journal."""
        return 0 if self._journal is None else self._journal.next_number()

    def answered(self, messages: Sequence[tuple[int, int]]) -> None:
        """What never goes to the store."""
        self._ready.extend(messages)

    def arrived(self, packet_ids: list[int], pieces: Sequence[Piece], number: int) -> bool:
        """Messages of QoS 1 came, in this order; `pieces` are all their packets, or none where not all are known. Call before
        anybody can store them. True: they are safe, and acknowledged."""
        if self._journal is None:
            return False
        self._arrived += len(packet_ids)
        if not pieces:
            self._let_go()
            return False
        size = sum(len(piece.packets) for piece in pieces)
        self._waiting.append(_Waiting(self._arrived, packet_ids, [Arrival(number, *piece) for piece in pieces], size))
        self._waiting_bytes += size
        if self._many():
            self._take_stored()
        if not self._many():
            return False
        if self._given >= self._gone_to and self._keep(self._journal):
            return True
        if self._waiting_bytes >= MOST_BYTES:
            self._let_go()
        return False

    def due(self) -> deque[tuple[int, int]]:
        """(packet id, QoS) of what is to be acknowledged now, in order; whoever does takes it out on the left."""
        self._take_stored()
        return self._ready

    def give_up(self) -> None:
        """Nobody takes what comes any more, though this thread did not hear of it in time: the broker shall send all of it again
        to whoever follows. What is in the journal is not stored by that."""
        self._ready = deque(maxlen=0)

    def _many(self) -> bool:
        return self._arrived - self._given >= self._most or self._waiting_bytes >= MOST_BYTES

    def _take_stored(self) -> None:
        """What was acknowledged out of the journal is not acknowledged again when it is stored: by then its packet id may be
        that of another message."""
        stored = self._stored
        while stored:
            one = stored.popleft()
            self._told += 1
            if self._told > self._given or self._journal is None:
                self._ready.append(one)
                self._given = self._told
        while self._waiting and self._waiting[0].end <= self._given:
            self._waiting_bytes -= self._waiting.popleft().size

    def _keep(self, journal: Journal) -> bool:
        """True: all that waited is safe."""
        if not journal.keep(self._source, [arrival for one in self._waiting for arrival in one.arrivals]):
            return False
        for one in self._waiting:
            self._ready.extend((packet_id, 1) for packet_id in one.packet_ids)
        self._given = self._arrived
        self._forget_waiting()
        return True

    def _let_go(self) -> None:
        """What came up to now waits for the store, whatever the journal can do later, as all of it goes in order."""
        self._gone_to = self._arrived
        self._forget_waiting()

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
