"""A socket between paho and the broker that takes PUBLISH packets out of the stream, many at a time.

paho reads every packet with several system calls, and builds several objects of it. Here one call reads what is there;
QoS 0 and 1 become messages at once, and everything else is passed on: paho keeps CONNECT, SUBSCRIBE, QoS 2, keepalive
and TLS. Whatever is written goes through one buffer, whole packets only, so that nothing comes between the halves of one.
"""

import ssl
import sys
from array import array
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client

from models.domain.clock import Clock, SystemClock
from mqtt.demux_packets import packet_span

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

CHUNK_BYTES = 262_144
_TELL_US = 250_000
_LIFE = b"\xd0\x00"  # PINGRESP
_PUBACK = 0x4002_0000
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

Split = Callable[[bytes, int], int]
"""`Splitter.split` with the time of now: takes messages out of bytes, from an index on, and returns where it stopped."""


class Demux:
    """Network thread only. Until `begin`, bytes go through as paho asks for them, none read ahead: so it begins exactly
    behind CONNACK.
    """

    def __init__(self, sock: "SocketLike", clock: Clock) -> None:
        self.plain = sock
        self._clock = clock
        self._split: Split | None = None
        self._data, self._at = b"", 0  # what came last, and how far it is split
        self._parts: list[bytes] = []  # the beginning of a packet that has not come whole, in pieces
        self._missing = 0  # bytes until it has, as far as is known
        self._passed = bytearray()  # for paho: whole packets
        self._told_us = clock.monotonic_us()
        self._end: OSError | None = None  # why no more can be read; an empty one: the other side hung up
        self._write_fault: OSError | None = None
        self._out = bytearray()

    # ---- what paho and select() use

    def recv(self, size: int) -> bytes:
        if self._passed:
            data = bytes(self._passed[:size])
            del self._passed[:size]
            return data
        if self._end is not None:
            if self._end is _HUNG_UP:
                return b""
            raise self._end
        if self._split is not None:
            raise BlockingIOError
        return self._read(size)

    def send(self, data: Any) -> int:
        self._out += data
        return len(data)

    def fileno(self) -> int:
        return self.plain.fileno()

    def setblocking(self, flag: bool) -> None:
        self.plain.setblocking(flag)

    def pending(self) -> int:
        """Is there something to read that select() does not know of?"""
        inner: Callable[[], int] | None = getattr(self.plain, "pending", None)
        return len(self._passed) or int(self._write_fault is not None) or (inner() if inner is not None else 0)

    def close(self) -> None:
        self.flush()
        self.plain.close()

    # ---- writing

    @property
    def wants_write(self) -> bool:
        return bool(self._out)

    @property
    def failed(self) -> bool:
        """Can nothing be written any more?"""
        return self._write_fault is not None

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """PUBACK for each, in this order, to be flushed."""
        packets = array("I", [_PUBACK | one for one in packet_ids])
        if sys.byteorder == "little":
            packets.byteswap()
        self._out += packets.tobytes()

    def flush(self) -> None:
        """Write as much as goes at once. A failure is told by the next `recv`, when all that came before is read."""
        # after a write that TLS could not finish, the next one must begin with the same bytes: it does
        try:
            while self._out:
                del self._out[: self.plain.send(self._out)]
        except _WOULD_BLOCK:
            pass
        except OSError as error:
            self._write_fault = error
            self._out.clear()

    # ---- reading

    def begin(self, split: Split) -> None:
        """From here on PUBLISH packets are for `split`."""
        self._split = split

    def fill(self) -> bool:
        """Read once, as much as is there; False: nothing is. Then ask `passes_on` until it says no."""
        try:
            data = self._read(CHUNK_BYTES)
        except _WOULD_BLOCK:
            return False
        except OSError as error:
            self._end = error
            return True
        if not data:
            self._end = _HUNG_UP
            return True
        now_us = self._clock.monotonic_us()
        if now_us - self._told_us >= _TELL_US:
            self._told_us = now_us
            self._passed += _LIFE  # paho must not take a broker for dead that sends nothing but messages
        if len(data) < self._missing:
            self._parts.append(data)
            self._missing -= len(data)
            return True
        if self._parts:
            self._parts.append(data)
            data = b"".join(self._parts)
            self._parts.clear()
        self._data, self._at, self._missing = data, 0, 0
        return True

    def passes_on(self) -> bool:
        """Split until a packet is paho's to read, or the end of the stream. False: all is split that came.

        Raises `Malformed`.
        """
        if self._passed:
            return True
        if self._split is not None and self._data:
            self._at = self._split(self._data, self._at)
            span = packet_span(self._data, self._at)
            if span is not None and span.end <= len(self._data):
                self._passed += self._data[self._at : span.end]
                self._at = span.end
                return True
            if self._at < len(self._data):
                self._parts.append(self._data[self._at :])
                self._missing = span.end - len(self._data) if span is not None else 1
            self._data = b""
        return self._end is not None

    def _read(self, size: int) -> bytes:
        try:
            return self.plain.recv(size)
        except _WOULD_BLOCK:
            if self._write_fault is not None:
                raise self._write_fault from None
            raise


_HUNG_UP = OSError("the other side hung up")


class DemuxClient(Client):
    """paho's client, on a `Demux`. `_create_socket` is paho's own name for where it makes its socket: `demux_trial`
    tries whether it still is."""

    demux: Demux | None = None
    demux_clock: Clock = SystemClock()

    def _create_socket(self) -> "SocketLike":
        self.demux = Demux(super()._create_socket(), self.demux_clock)
        return self.demux
