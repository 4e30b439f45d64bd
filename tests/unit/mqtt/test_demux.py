"""The socket between paho and the broker, on one that does what the test says."""

import ssl
from collections.abc import Callable

import pytest

from models.domain.messages import Origin
from mqtt.demux import Demux
from mqtt.demux_packets import Malformed, Splitter
from mqtt.demux_trial import bulk_works
from tests.helpers.clock import FakeClock
from tests.helpers.fake_broker import PUBACK, PUBLISH, SUBACK, packet

Result = bytes | Exception


class FakeSocket:
    """Gives what it was told to give, one for each `recv`; takes as many bytes at a time as `takes` says, then none."""

    def __init__(self, *gives: Result) -> None:
        self.gives = list(gives)
        self.asked: list[int] = []
        self.takes: list[int | Exception] = []
        self.tried: list[bytes] = []
        self.written = b""
        self.closed = False

    def recv(self, size: int) -> bytes:
        self.asked.append(size)
        given = self.gives.pop(0) if self.gives else BlockingIOError()
        if isinstance(given, Exception):
            raise given
        if len(given) > size:
            given, rest = given[:size], given[size:]
            self.gives.insert(0, rest)
        return given

    def send(self, data: bytes) -> int:
        self.tried.append(bytes(data))
        takes = self.takes.pop(0) if self.takes else len(data)
        if isinstance(takes, Exception):
            raise takes
        self.written += data[:takes]
        return min(takes, len(data))

    def fileno(self) -> int:
        return 77

    def setblocking(self, flag: bool) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def message(payload: bytes) -> bytes:
    return packet(PUBLISH, 0, b"\x00\x01t" + payload)


def begun(sock: FakeSocket, clock: FakeClock | None = None) -> tuple[Demux, Splitter]:
    demux = Demux(sock, clock or FakeClock())
    splitter = Splitter(1, b"own", lambda *_: Origin.LIVE, version_5=False)
    demux.begin(lambda data, at: splitter.split(data, at, 5))
    return demux, splitter


def run(demux: Demux) -> list[bytes]:
    """Read until nothing is there; what paho read, a packet an element."""
    passed = []
    while demux.fill():
        while demux.passes_on():
            try:
                part = demux.recv(1_000_000)
            except OSError as error:
                return [*passed, repr(error).encode()]
            passed.append(part)
            if not part:
                return passed
    return passed


def payloads(splitter: Splitter) -> list[bytes]:
    return [one.payload for one in splitter.messages]


def test_nothing_is_read_ahead_before_it_begins() -> None:
    sock = FakeSocket(b"\x20\x02\x00\x00" + message(b"1"))
    demux = Demux(sock, FakeClock())
    assert [demux.recv(1), demux.recv(1), demux.recv(2)] == [b"\x20", b"\x02", b"\x00\x00"]
    assert sock.asked == [1, 1, 2]
    splitter = Splitter(1, b"own", lambda *_: Origin.LIVE, version_5=False)
    demux.begin(lambda data, at: splitter.split(data, at, 5))
    assert run(demux) == []
    assert payloads(splitter) == [b"1"]


def test_paho_gets_every_other_packet_when_all_before_it_is_split() -> None:
    answer, receipt = packet(SUBACK, 0, b"\x00\x01\x00"), packet(PUBACK, 0, b"\x00\x05")
    demux, splitter = begun(FakeSocket(message(b"1") + answer + message(b"2") + receipt + message(b"3")))
    assert demux.fill()
    assert demux.passes_on()
    assert (payloads(splitter), demux.recv(100)) == ([b"1"], answer)
    assert demux.passes_on()
    assert (payloads(splitter), demux.recv(1)) == ([b"1", b"2"], receipt[:1])
    assert demux.passes_on()  # it has not read all of it
    assert demux.recv(100) == receipt[1:]
    assert not demux.passes_on()
    assert len(splitter.messages) == 3
    with pytest.raises(BlockingIOError):
        demux.recv(1)


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_any_cut_gives_the_same(step: int) -> None:
    data = b"".join(message(b"x" * size) for size in (0, 1, 200, 20_000)) + packet(SUBACK, 0, b"\x00\x01\x00")
    demux, splitter = begun(FakeSocket(*(data[at : at + step] for at in range(0, len(data), step))))
    assert run(demux) == [packet(SUBACK, 0, b"\x00\x01\x00")]
    assert [len(one) for one in payloads(splitter)] == [0, 1, 200, 20_000]


def test_a_large_packet_is_joined_once() -> None:
    data = message(b"x" * 30_000_000) + message(b"y")
    demux, splitter = begun(FakeSocket(data))
    joined = []
    split = demux._split
    assert split is not None
    demux.begin(lambda data, at: joined.append(len(data)) or split(data, at))  # type: ignore[func-returns-value]
    assert run(demux) == []
    assert [len(one) for one in payloads(splitter)] == [30_000_000, 1]
    assert len(joined) == 2  # when it began, and when it was there


def test_a_length_alone_takes_no_memory() -> None:
    demux, _ = begun(FakeSocket(b"\x30\xff\xff\xff\x7f" + b"x" * 10))
    assert run(demux) == []
    assert sum(map(len, demux._parts)) == 15


@pytest.mark.parametrize("data", [b"\x30\xff\xff\xff\xff\x7f", b"\xd0\xff\xff\xff\xff\x7f", b"\x30\x02\x00\x09"])
def test_what_is_malformed_says_so(data: bytes) -> None:
    demux, splitter = begun(FakeSocket(message(b"1") + data))
    demux.fill()
    with pytest.raises(Malformed):
        demux.passes_on()
    assert payloads(splitter) == [b"1"]


@pytest.mark.parametrize(("end", "told"), [(b"", b""), (ConnectionResetError("cut"), b"ConnectionResetError('cut')")])
def test_paho_learns_of_the_end_when_all_is_read(end: Result, told: bytes) -> None:
    demux, splitter = begun(FakeSocket(message(b"1") + message(b"2")[:-1], end))
    assert run(demux) == [told]
    assert payloads(splitter) == [b"1"]


def test_paho_is_told_now_and_then_that_the_broker_lives() -> None:
    """Else it would take one for dead that sends nothing but messages, or the parts of a large one."""
    clock = FakeClock()
    sock = FakeSocket()
    demux, _ = begun(sock, clock)
    large = message(b"x" * 3_000)
    told = []
    for at in range(0, 1_000, 100):
        clock.advance(100_000)
        sock.gives.append(large[at : at + 100])
        told += run(demux)
    assert told == [b"\xd0\x00"] * 3
    clock.advance(10_000_000)
    assert run(demux) == []  # nothing came


def test_what_is_written_is_never_interleaved_and_acknowledgements_keep_their_order() -> None:
    sock = FakeSocket()
    demux, _ = begun(sock)
    outcomes: list[int | Exception] = [3, BlockingIOError(), 4, ssl.SSLWantWriteError(), 1_000]
    sock.takes = list(outcomes)
    assert demux.send(b"\xc0\x00ping") == 6
    demux.flush()
    assert demux.wants_write
    demux.acknowledge([1, 65_535, 2])
    demux.send(b"\xc0\x00")
    demux.flush()
    assert demux.wants_write
    demux.flush()
    assert not demux.wants_write
    assert (
        sock.written == b"\xc0\x00ping" + b"\x40\x02\x00\x01" + b"\x40\x02\xff\xff" + b"\x40\x02\x00\x02" + b"\xc0\x00"
    )
    refused = [at for at, takes in enumerate(outcomes) if isinstance(takes, Exception)]
    assert refused
    for at in refused:  # TLS wants the same bytes again after a write that it could not finish
        assert sock.tried[at + 1].startswith(sock.tried[at])


def test_a_write_that_fails_is_told_when_all_that_came_is_read() -> None:
    sock = FakeSocket(message(b"1"), message(b"2"))
    demux, splitter = begun(sock)
    sock.takes = [BrokenPipeError("gone")]
    demux.send(b"\xc0\x00")
    demux.flush()
    assert not demux.wants_write
    assert demux.pending()
    assert run(demux) == [b"BrokenPipeError('gone')"]
    assert payloads(splitter) == [b"1", b"2"]


def test_closing_writes_what_can_be_written() -> None:
    sock = FakeSocket()
    demux, _ = begun(sock)
    demux.send(b"\xe0\x00")
    demux.close()
    assert (sock.written, sock.closed) == (b"\xe0\x00", True)


# ---- is it still possible with this paho?


def test_the_paho_of_this_program_passes_the_trial() -> None:
    assert bulk_works(FakeClock())


def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from paho.mqtt.client import Client

    monkeypatch.delattr("mqtt.demux.DemuxClient._create_socket")
    monkeypatch.setattr(Client, "_create_socket", lambda client: client._create_socket_connection())


def _another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paho.mqtt.__version__", "3.0.0")


def _reads_past_us(monkeypatch: pytest.MonkeyPatch) -> None:
    from paho.mqtt.client import Client

    monkeypatch.setattr(Client, "_sock_recv", lambda client, size: client._sock.plain.recv(size))


def _fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from paho.mqtt.client import Client

    monkeypatch.setattr(Client, "_send_connect", lambda *_: 1 / 0)


@pytest.mark.parametrize("change", [_elsewhere, _another_version, _reads_past_us, _fails])
def test_another_paho_brings_messages_itself(
    change: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change(monkeypatch)
    monkeypatch.setattr("mqtt.demux_trial._PATIENCE_S", 0.1)
    assert not bulk_works(FakeClock())
    assert "brings every message itself" in caplog.text or "not known here" in caplog.text
