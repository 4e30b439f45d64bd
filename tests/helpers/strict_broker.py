"""A broker that never has more than its window of messages unacknowledged, and remembers who acknowledged what."""

import struct
import time
from collections.abc import Sequence

from tests.helpers.fake_broker import (
    CONNACK,
    CONNECT,
    PUBACK,
    PUBLISH,
    SUBSCRIBE,
    FakeBroker,
    Packet,
    _Connection,
    packet,
)
from tests.helpers.poll import until


class StrictBroker(FakeBroker):
    """Sends `messages` (topic, payload) at QoS 1 to the one client that subscribes, as fast as its acknowledgements come.

    A client that comes back finds its session: what is unacknowledged is sent again, marked as such. `speaks_5` False: it
    refuses MQTT 5. `most_again`: of what is unacknowledged it sends no more again on one connection, although all of it counts
    as sent (Mosquitto, beyond what it can write at once). A window smaller than what the client of MQTT 5 would take is a broker's own limit, and no client is told.
    """

    def __init__(
        self, window: int, messages: Sequence[tuple[bytes, bytes]], *, speaks_5: bool = True,
        most_again: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._most_again = most_again
        self.window, self.speaks_5 = window, speaks_5
        self.acknowledged: list[int] = []  # numbers of messages, in the order in which they were acknowledged
        self.strange: list[int] = []  # packet ids that were acknowledged and not outstanding
        self.most_outstanding = 0
        self.began_s = self.ended_s = 0.0
        self._messages = messages
        self._next = 0
        self._outstanding: dict[int, int] = {}  # packet id → number, oldest first

    @property
    def rate(self) -> float:
        """Messages a second, from the first sent to the last acknowledged."""
        return len(self.acknowledged) / (self.ended_s - self.began_s)

    def wait_until_acknowledged(self, count: int, limit_s: float = 60.0) -> None:
        until(lambda: len(self.acknowledged) >= count, f"{count} messages are acknowledged", limit_s)

    def _react(self, connection: _Connection, one: Packet) -> None:
        if one.kind == CONNECT and one.body[6] == 5 and not self.speaks_5:
            connection.send(packet(CONNACK, 0, b"\x00\x84\x00"))
            connection.close()
            return
        if one.kind == PUBACK:
            self._take(one.mid)
            self._pump(connection)
            return
        if one.kind == CONNECT:
            self.script.session_present = self._next > 0
        super()._react(connection, one)
        if one.kind == SUBSCRIBE:
            self.began_s = self.began_s or time.monotonic()
            again = b"".join(
                self._publish(connection, mid, number, again=True)
                for mid, number in list(self._outstanding.items())[
                    : self._most_again
                ]  # the other connection acknowledges
            )
            connection.send(again)
            self._pump(connection)

    def _take(self, mid: int) -> None:
        number = self._outstanding.pop(mid, None)
        if number is None:
            self.strange.append(mid)
            return
        self.acknowledged.append(number)
        self.ended_s = time.monotonic()

    def _pump(self, connection: _Connection) -> None:
        out = bytearray()
        while len(self._outstanding) < self.window and self._next < len(self._messages):
            mid = self._next % 65_535 + 1
            self._outstanding[mid] = self._next
            out += self._publish(connection, mid, self._next, again=False)
            self._next += 1
        self.most_outstanding = max(self.most_outstanding, len(self._outstanding))
        if out:
            connection.send(bytes(out))

    def _publish(self, connection: _Connection, mid: int, number: int, *, again: bool) -> bytes:
        topic, payload = self._messages[number]
        body = struct.pack("!H", len(topic)) + topic + struct.pack("!H", mid)
        return packet(PUBLISH, again << 3 | 0b0010, body + (b"\x00" if connection.version == 5 else b"") + payload)
