"""Streams from a seed through the whole receive path, cut at random: nothing escapes, all is as a plain reader has it."""

from collections.abc import Iterable

import pytest

from models.domain.arrivals import Source
from models.domain.connection import Connection, Protocol
from models.domain.messages import Origin, RawMessage
from mqtt.acknowledging import Acknowledging
from mqtt.inbox import Inbox
from mqtt.probe import Probe
from mqtt.receiving import Receiver
from mqtt.waker import Waker
from mqtt.wire import Hello, Wire
from tests.helpers.clock import FakeClock
from tests.helpers.kept_arrivals import KeptArrivals
from tests.helpers.packet_reference import Story, read_stream
from tests.helpers.packet_streams import Streams

PACKETS_OF_A_STREAM = 40
HARMLESS = {(0xD0, b""), (0x90, b"\x00\x01\x01"), (0x90, b"\x00\x01\x00\x01"), (0x40, b"\xff\xf0")}
"""Packets for paho that the streams hold by intention."""
CONNACK = {Protocol.MQTT_311: b"\x20\x02\x00\x00", Protocol.MQTT_5: b"\x20\x03\x00\x00\x00"}


class Pieces:
    """A socket that gives one piece after the other, and forgets what is written."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = iter(pieces)
        self.rest = b""

    def recv(self, size: int) -> bytes:
        if not self.rest:
            try:
                self.rest = next(self.pieces)
            except StopIteration:
                raise BlockingIOError from None
        given, self.rest = self.rest[:size], self.rest[size:]
        return given

    def send(self, data: bytes) -> int:
        return len(data)

    def fileno(self) -> int:
        return -1

    def setblocking(self, flag: bool) -> None:
        pass

    def close(self) -> None:
        pass


class Path:
    """The receive path of one connection, from the socket to the inbox, without a network."""

    def __init__(self, pieces: Iterable[bytes], *, version_5: bool, bulk: bool) -> None:
        self.clock = FakeClock()
        self.inbox = Inbox(self.clock)
        version = Protocol.MQTT_5 if version_5 else Protocol.MQTT_311
        self.waker = Waker()
        self.wire = Wire(Connection(), None, Hello("fuzz"), version, self.waker, self.clock if bulk else None)
        self.journal = KeptArrivals()
        source = Source("mqtt://broker", "fuzz", version_5)
        self.acknowledging = Acknowledging(self.journal if bulk else None, source, None)
        self.receiver = Receiver(
            self.inbox, self.clock, 1, Probe("fuzz", self.clock), self.acknowledging, version_5=version_5
        )
        self.socket = Pieces([CONNACK[version]])
        client = self.wire.client
        client._create_socket_connection = lambda: self.socket  # type: ignore[method-assign, return-value, assignment]
        client.on_connect = lambda *_: self.wire.begin(self.receiver)
        self.wire.open()
        client.loop_read()
        assert client.on_message is not None
        self.socket.pieces = iter(pieces)

    def run(self) -> tuple[list[RawMessage], bool]:
        """What reaches the inbox, and whether the connection still stands."""
        turns = 0
        while self.wire.is_open:
            if not self.socket.rest:
                try:
                    self.socket.rest = next(self.socket.pieces)
                except StopIteration:
                    break
            self.wire.read(self.receiver)
            self.receiver.flush()
            turns += 1
            assert turns < 1_000_000
        stands = self.wire.is_open
        self.wire.close()
        self.waker.close()
        self.clock.advance(1_000_000)
        taken: list[RawMessage] = []
        self.inbox.close()
        while some := self.inbox.take():
            taken += some
        self._check_kept(taken)
        return taken, stands

    def _check_kept(self, taken: list[RawMessage]) -> None:
        """What was acknowledged out of the journal is what came, and can be read again."""
        reliable = [one for one in taken if one.qos]
        safe = [packet_id for packet_id, _ in self.acknowledging.due()]
        assert safe == [one.packet_id for one in reliable][: len(safe)]
        again = [one for one in self.journal.messages() if one.qos]
        came = [
            one._replace(epoch=0, origin=one.origin if one.retain else Origin.BACKLOG) for one in reliable[: len(safe)]
        ]
        assert again == came


def reference(data: bytes, *, version_5: bool, clock: FakeClock) -> Story:
    return read_stream(data, version_5=version_5, received_us=clock.wall_us(), epoch=1)


def check_valid(streams: Streams, data: bytes) -> None:
    for bulk in (True, False):
        path = Path(streams.cuts(data), version_5=streams.version_5, bulk=bulk)
        story = reference(data, version_5=streams.version_5, clock=path.clock)
        assert not story.broken
        assert path.run() == (story.messages, True)


def check_broken(streams: Streams, data: bytes) -> None:
    path = Path(streams.cuts(data), version_5=streams.version_5, bulk=True)
    story = reference(data, version_5=streams.version_5, clock=path.clock)
    messages, stands = path.run()
    if HARMLESS.issuperset(story.others):
        assert (messages, stands) == (story.messages, not story.broken)
    else:  # paho may have refused one of the others, and read no further
        assert messages == story.messages[: len(messages)]
        assert stands <= (not story.broken)


def fuzz(first_seed: int, packets: int) -> None:
    for seed in range(first_seed, first_seed + packets // PACKETS_OF_A_STREAM):
        streams = Streams(seed)
        try:
            if seed % 4 == 0:
                check_valid(streams, streams.valid(PACKETS_OF_A_STREAM))
            elif seed % 4 == 3:
                check_broken(streams, streams.garbage(PACKETS_OF_A_STREAM * 20))
            else:
                check_broken(streams, streams.broken(PACKETS_OF_A_STREAM))
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error


def test_twenty_thousand_packets() -> None:
    fuzz(0, 20_000)


@pytest.mark.long
@pytest.mark.parametrize("part", range(1, 21))
def test_a_million_packets(part: int) -> None:
    fuzz(part * 50_000 // PACKETS_OF_A_STREAM, 50_000)
